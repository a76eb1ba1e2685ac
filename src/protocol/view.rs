//! What pages show: plain data made by the service, serialised into the page, read by the UI.

use super::Event;
use crate::domain::{Access, Lane, Progress, Role, Seq, TaskId, TaskList, TaskState};
use serde::{Deserialize, Serialize};

/// The installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Community {
    pub name: String,
}

/// The signed-in account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    pub id: i64,
    pub name: String,
    pub role: Role,
}

/// Unread posts that are counted out; one more is "99+".
pub const MOST_UNREAD: u32 = 99;

/// A line of the room list, as one reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSummary {
    pub slug: String,
    pub name: String,
    pub access: Access,
    /// Whether the reader is a member; an open room can be read without.
    pub member: bool,
    /// Whether the reader may rename it or change its access: its creator or an owner.
    pub manages: bool,
    /// Everything up to here is counted in `unread`: join from here to keep counting.
    pub head: Seq,
    /// Days for which its messages are kept; `None`: for ever.
    pub keep_days: Option<u32>,
    /// Posts by others after the reader's position, at most [`MOST_UNREAD`] and one; 0 for non-members.
    pub unread: u32,
}

/// A window of a room's conversation: rows as they stood at `head`, read in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub epoch: String,
    pub head: Seq,
    /// Ascending; only events that make a row ([`EventKind::makes_row`](super::EventKind::makes_row)).
    pub rows: Vec<Event>,
    /// Whether there are rows before the first one.
    pub older: bool,
    /// How far the running tasks are whose cards are among the rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub progress: Vec<TaskProgress>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskProgress {
    pub task: TaskId,
    pub progress: Progress,
}

/// Who is in a room: how many, and the first of them by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberList {
    pub count: u32,
    pub first: Vec<MemberView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    pub id: i64,
    pub name: String,
    pub joined_at: i64,
}

/// A line of the people page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    pub id: i64,
    pub name: String,
    pub role: Role,
    pub created_at: i64,
}

/// An invite link as its makers see it later; the secret itself is shown once, when it is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteView {
    pub id: i64,
    pub created_by: String,
    pub created_at: i64,
    pub expires_at: i64,
    pub uses: u32,
    pub max_uses: u32,
    pub revoked: bool,
}

/// Which tasks are looked at; an address says it as `?list=…&lane=…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TasksFilter {
    pub list: TaskList,
    /// `None`: of any.
    pub lane: Option<Lane>,
}

impl TasksFilter {
    /// What is said that there is not, is as if it was not said.
    pub fn of(list: Option<&str>, lane: Option<&str>) -> TasksFilter {
        TasksFilter {
            list: list.and_then(TaskList::parse).unwrap_or(TaskList::Running),
            lane: lane.and_then(Lane::parse),
        }
    }

    pub fn address(self) -> String {
        let lane = self.lane.map_or(String::new(), |lane| format!("&lane={}", lane.as_str()));
        format!("/tasks?list={}{lane}", self.list.as_str())
    }
}

/// Tasks as their operators see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TasksPage {
    /// Unix milliseconds of the server.
    pub now: i64,
    /// Those of each lane and list that have any.
    pub totals: Vec<TaskTotal>,
    pub tasks: Vec<TaskView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTotal {
    pub lane: Lane,
    pub list: TaskList,
    pub count: u64,
}

/// A line of the tasks page. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    pub id: TaskId,
    pub task: String,
    pub lane: Lane,
    pub state: TaskState,
    /// Of one that waits.
    pub run_at: Option<i64>,
    pub started: Option<i64>,
    pub ended: Option<i64>,
    pub attempts: u32,
    pub max_attempts: u32,
    pub progress: Option<Progress>,
    /// A stable code: why the last run failed; and what it said.
    pub error: Option<String>,
    pub message: Option<String>,
    /// When it repeats.
    pub repeat: Option<String>,
}

/// A message that is to be said later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledView {
    /// Of the task that says it.
    pub id: TaskId,
    pub body: String,
    /// Unix milliseconds, the next time.
    pub at: i64,
    /// Five fields of cron, in the zone of whoever scheduled it.
    pub repeat: Option<String>,
}
