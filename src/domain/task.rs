use super::key::hex;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A task, named by whoever enqueues it: opaque letters and digits, never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    pub const MAX_BYTES: usize = 64;

    /// `None` for what names no task.
    pub fn parse(text: &str) -> Option<TaskId> {
        let named = !text.is_empty() && text.len() <= Self::MAX_BYTES;
        (named && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| TaskId(text.to_owned()))
    }

    /// A name that nothing else has, from 128 random bits.
    pub fn from_random(bits: [u8; 16]) -> TaskId {
        TaskId(hex(bits))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of work a task is, and so where it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Waits most of the time: on the async runtime, many at once.
    Io,
    /// Blocks a thread: on threads of its own, few at once.
    Blocking,
    /// Computes: in child processes at low priority, at most as many as there are cores.
    Cpu,
}

impl Lane {
    pub const ALL: [Lane; 3] = [Lane::Io, Lane::Blocking, Lane::Cpu];

    pub fn as_str(self) -> &'static str {
        match self {
            Lane::Io => "io",
            Lane::Blocking => "blocking",
            Lane::Cpu => "cpu",
        }
    }

    pub fn parse(text: &str) -> Option<Lane> {
        Lane::ALL.into_iter().find(|lane| lane.as_str() == text)
    }
}

/// How far a task is. It ends in exactly one of the last three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Waits for a worker, or for its time.
    Queued,
    Running,
    /// Failed, or lost its worker, and waits for another attempt.
    Retrying,
    Succeeded,
    Failed,
    Cancelled,
}

impl TaskState {
    pub const ALL: [TaskState; 6] = [
        TaskState::Queued,
        TaskState::Running,
        TaskState::Retrying,
        TaskState::Succeeded,
        TaskState::Failed,
        TaskState::Cancelled,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            TaskState::Queued => "queued",
            TaskState::Running => "running",
            TaskState::Retrying => "retrying",
            TaskState::Succeeded => "succeeded",
            TaskState::Failed => "failed",
            TaskState::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<TaskState> {
        TaskState::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// It will not run again.
    pub fn is_final(self) -> bool {
        self == TaskState::Succeeded || self.can_run_again()
    }

    /// It ended without success: whoever may control it may have it run once more.
    pub fn can_run_again(self) -> bool {
        matches!(self, TaskState::Failed | TaskState::Cancelled)
    }
}

/// What tasks are listed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskList {
    Running,
    /// Their time has come.
    Waiting,
    /// Their time is to come.
    Scheduled,
    Failed,
    /// They succeeded or were cancelled.
    Ended,
}

impl TaskList {
    pub const ALL: [TaskList; 5] =
        [TaskList::Running, TaskList::Waiting, TaskList::Scheduled, TaskList::Failed, TaskList::Ended];

    pub fn as_str(self) -> &'static str {
        match self {
            TaskList::Running => "running",
            TaskList::Waiting => "waiting",
            TaskList::Scheduled => "scheduled",
            TaskList::Failed => "failed",
            TaskList::Ended => "ended",
        }
    }

    pub fn parse(text: &str) -> Option<TaskList> {
        TaskList::ALL.into_iter().find(|list| list.as_str() == text)
    }
}

/// How much of a task is done. `current` of `total`; without a `total` nobody knows how much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub current: u64,
    #[serde(default)]
    pub total: Option<u64>,
    /// For people, one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_letters_and_digits() {
        assert!(TaskId::parse("a7").is_some());
        for bad in ["", "a-b", "한", &"a".repeat(65)] {
            assert_eq!(TaskId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for lane in Lane::ALL {
            assert_eq!(Lane::parse(lane.as_str()), Some(lane));
        }
        for list in TaskList::ALL {
            assert_eq!(TaskList::parse(list.as_str()), Some(list));
        }
        for state in TaskState::ALL {
            assert_eq!(TaskState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{}\"", state.as_str()));
        }
    }
}
