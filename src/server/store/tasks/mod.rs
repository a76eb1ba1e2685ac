//! The queue as the store keeps it: one row a task, in the database of the rooms, so that a task and the change
//! that causes it, or a task's end and the event that tells of it, are one commit. What happens to a task is
//! decided in [`plan`], for both engines; each has a handful of statements.
//!
//! Delivery is at least once, up to the attempts of the task: a run is counted before it begins and has a
//! lease, and whoever claims takes over what has outlived its own. A run that was taken over can no longer
//! end the task.

mod commit;
mod plan;
mod recurrence;
mod row;

pub(super) use commit::{CardRoom, TaskTables, Wanted, carry_out};
pub use plan::{IMAGE, SERIES, STANDING};
pub use recurrence::{Repeat, RepeatError};
pub(super) use row::{TaskRow, columns, rows, task_progress};

use super::StoreError;
use crate::domain::{Lane, Progress, RoomId, Seq, Slug, TaskId, TaskList, TaskState, UserId};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A task to be enqueued.
#[derive(Clone, Debug)]
pub struct NewTask {
    pub id: TaskId,
    pub name: String,
    pub lane: Lane,
    /// JSON.
    pub args: String,
    /// Who wants it; `None`: the installation itself.
    pub actor: Option<UserId>,
    /// What it is about.
    pub room: Option<RoomId>,
    /// Whether the room sees it: its states are events of the room's log then.
    pub card: bool,
    /// The larger, the sooner.
    pub priority: i32,
    /// Unix milliseconds; `None`: at once.
    pub run_at: Option<i64>,
    pub max_attempts: u32,
    /// Enqueued once, however often it is asked for: another one with the same words is left out. With words that begin
    /// with [`STANDING`] the one that is there runs again once it has ended. With the words [`IMAGE`] and a file's id it
    /// is what makes that file ready: while it has failed or is cancelled the file is refused, and being asked for once
    /// more runs it again.
    pub unique: Option<String>,
    pub repeat: Option<Repeat>,
}

/// A task as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub id: TaskId,
    pub lane: Lane,
    pub state: TaskState,
    pub priority: i32,
    /// Unix milliseconds, when the next run may begin.
    pub run_at: i64,
    /// Unix milliseconds, until when the run is its worker's alone; `None` while it does not run.
    pub lease_until: Option<i64>,
    pub room: Option<RoomId>,
    pub unique: Option<String>,
    /// Unix milliseconds.
    pub ended_at: Option<i64>,
    pub progress: Option<Progress>,
    pub data: TaskData,
}

/// What of a task is only read together with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskData {
    pub name: String,
    pub args: String,
    pub actor: Option<UserId>,
    /// The room's event that caused it, if one did.
    pub cause: Option<Seq>,
    /// The row of its card.
    pub card: Option<Seq>,
    /// Runs that have begun and were not given back.
    pub attempts: u32,
    /// Runs that have begun, whatever became of them.
    #[serde(default)]
    pub runs: u32,
    pub max_attempts: u32,
    /// How many attempts somebody who tries again grants.
    pub granted: u32,
    pub repeat: Option<Repeat>,
    /// The first of those that repeat.
    pub series: Option<TaskId>,
    /// The next one of its series is enqueued.
    pub repeated: bool,
    pub worker: Option<String>,
    /// Its run shall end.
    pub cancelling: bool,
    /// It was asked for while it ran: its end is a beginning.
    #[serde(default)]
    pub wanted: bool,
    /// JSON.
    pub result: Option<String>,
    pub error: Option<TaskFailure>,
    pub created_at: i64,
    pub started_at: Option<i64>,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFailure {
    /// Stable, in snake_case.
    pub code: String,
    /// For whoever operates the installation.
    pub message: String,
}

/// One run of a task, of all that it ever has. What a run that was taken over or given back says is not heard.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunId {
    pub task: TaskId,
    pub number: u32,
}

impl Task {
    pub fn run(&self) -> RunId {
        RunId { task: self.id.clone(), number: self.data.runs }
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// With this JSON.
    Succeeded(String),
    /// For good.
    Failed(TaskFailure),
    /// For now: again at `run_at`, Unix milliseconds, if it has attempts left.
    Retry {
        failure: TaskFailure,
        run_at: i64,
    },
    Cancelled,
    /// The worker stops: again at once, and the run does not count.
    GivenBack,
}

/// What is done to the queue. Carried out by the writer, in order, in the transaction of its batch.
#[derive(Clone, Debug)]
pub enum TaskWork {
    Enqueue(Vec<NewTask>),
    /// Begins runs, at most so many in each lane, for as long as a lease lasts.
    Claim {
        worker: String,
        free: Vec<(Lane, u32)>,
        lease_ms: i64,
    },
    /// The runs go on.
    Renew {
        runs: Vec<RunId>,
        lease_ms: i64,
    },
    Progress(Vec<(RunId, Progress)>),
    End(RunId, RunEnd),
    Cancel(TaskId),
    /// Runs a task again that failed or was cancelled.
    Again(TaskId),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskAnswer {
    /// The ids, in order; of one that was there already its own.
    Enqueued(Vec<TaskId>),
    /// The runs that have begun.
    Claimed(Vec<Task>),
    /// The runs that may go on; the others are cancelled or somebody else's.
    Renewed(Vec<RunId>),
    /// Whether there was something to do.
    Done(bool),
}

/// Which tasks are wanted, at the moment `now` in Unix milliseconds.
#[derive(Clone, Debug)]
pub struct TaskFilter {
    pub list: TaskList,
    /// `None`: of any.
    pub lane: Option<Lane>,
    pub now: i64,
    pub limit: u32,
}

/// How many tasks a lane has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskCount {
    pub lane: Lane,
    pub list: TaskList,
    pub count: u64,
}

/// Tasks of a kind that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// Of the actor.
    pub theirs: u64,
    /// In the room.
    pub in_room: u64,
}

impl UnderWay {
    pub(super) fn from_row((theirs, in_room): (i64, i64)) -> UnderWay {
        UnderWay { theirs: theirs.unsigned_abs(), in_room: in_room.unsigned_abs() }
    }
}

/// The queue.
#[async_trait]
pub trait Tasks {
    /// Puts work in the writer's queue and waits for its commit. `Unavailable`: the outcome may be unknown.
    async fn work(&self, work: TaskWork) -> Result<TaskAnswer, StoreError>;

    /// Enqueues them; their ids, in order, of one that was there already its own.
    async fn enqueue(&self, tasks: Vec<NewTask>) -> Result<Vec<TaskId>, StoreError> {
        match self.work(TaskWork::Enqueue(tasks)).await? {
            TaskAnswer::Enqueued(ids) => Ok(ids),
            other => Err(another(&other)),
        }
    }

    /// Begins runs, at most so many in each lane; those that have begun.
    async fn claim(&self, worker: &str, free: Vec<(Lane, u32)>, lease_ms: i64) -> Result<Vec<Task>, StoreError> {
        match self.work(TaskWork::Claim { worker: worker.to_owned(), free, lease_ms }).await? {
            TaskAnswer::Claimed(tasks) => Ok(tasks),
            other => Err(another(&other)),
        }
    }

    /// The runs go on; those that may.
    async fn renew(&self, runs: Vec<RunId>, lease_ms: i64) -> Result<Vec<RunId>, StoreError> {
        match self.work(TaskWork::Renew { runs, lease_ms }).await? {
            TaskAnswer::Renewed(on) => Ok(on),
            other => Err(another(&other)),
        }
    }

    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError>;

    /// The one with these words ([`NewTask::unique`]), whatever became of it.
    async fn task_called(&self, unique: &str) -> Result<Option<Task>, StoreError>;

    /// The next first; of those that ended the last.
    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>, StoreError>;

    /// Those of a kind that wait for their time or their turn on somebody's behalf, the next first; at most
    /// 10,000.
    async fn waiting_tasks(&self, name: &str, actor: UserId) -> Result<Vec<Task>, StoreError>;

    /// How many of a kind have not ended, whether or not they run.
    async fn under_way(&self, name: &str, actor: Option<UserId>, room: Option<RoomId>) -> Result<UnderWay, StoreError>;

    /// At the moment `now`, Unix milliseconds.
    async fn task_counts(&self, now: i64) -> Result<Vec<TaskCount>, StoreError>;

    /// Whether a claim would find something at `now`, Unix milliseconds.
    async fn due(&self, lanes: &[Lane], now: i64) -> Result<bool, StoreError>;

    /// Those of the tasks that shall end.
    async fn cancelling(&self, tasks: &[TaskId]) -> Result<Vec<TaskId>, StoreError>;

    /// The progress of running tasks with a card that was noted after `after`, Unix milliseconds.
    async fn progress_after(&self, after: i64) -> Result<Vec<NotedProgress>, StoreError>;

    /// Drops tasks that ended before `before`, Unix milliseconds; their cards stay. A thousand at once: whether
    /// there may be more.
    async fn forget_tasks(&self, before: i64) -> Result<bool, StoreError>;
}

fn another(answer: &TaskAnswer) -> StoreError {
    StoreError::Internal(format!("the queue answered something else: {answer:?}"))
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedProgress {
    pub room: RoomId,
    pub slug: Slug,
    pub task: TaskId,
    pub progress: Progress,
    /// Unix milliseconds.
    pub at: i64,
}
