//! A task between its columns and its fields, both ways.

use super::{CardRoom, NotedProgress, Task, TaskCount};
use crate::domain::{Lane, RoomId, Slug, TaskId, TaskList, TaskState};
use crate::protocol::TaskProgress;
use crate::server::store::StoreError;
use crate::server::store::columns::{access_from, damaged, seq_from};
use crate::server::store::event_row::json;
use serde::Serialize;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

/// The columns of the table `tasks`, in the order of [`TaskRow`].
macro_rules! columns {
    () => {
        "id, lane, state, priority, run_at, lease_until, room_id, unique_key, ended_at, progress, progress_at, data"
    };
}
pub(in crate::server::store) use columns;

/// As it is read, and as the bulk statement takes it.
#[derive(Serialize)]
pub(in crate::server::store) struct TaskRow {
    id: String,
    lane: String,
    state: String,
    priority: i64,
    run_at: i64,
    lease_until: Option<i64>,
    room: Option<i64>,
    unique_key: Option<String>,
    ended_at: Option<i64>,
    progress: Option<String>,
    progress_at: Option<i64>,
    data: String,
}

impl<'r, R: Row> FromRow<'r, R> for TaskRow
where
    usize: ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<TaskRow, sqlx::Error> {
        Ok(TaskRow {
            id: row.try_get(0)?,
            lane: row.try_get(1)?,
            state: row.try_get(2)?,
            priority: row.try_get(3)?,
            run_at: row.try_get(4)?,
            lease_until: row.try_get(5)?,
            room: row.try_get(6)?,
            unique_key: row.try_get(7)?,
            ended_at: row.try_get(8)?,
            progress: row.try_get(9)?,
            progress_at: row.try_get(10)?,
            data: row.try_get(11)?,
        })
    }
}

impl TaskRow {
    /// `noted_at`: Unix milliseconds of the progress.
    fn of(task: &Task, noted_at: i64) -> Result<TaskRow, StoreError> {
        Ok(TaskRow {
            id: task.id.as_str().to_owned(),
            lane: task.lane.as_str().to_owned(),
            state: task.state.as_str().to_owned(),
            priority: task.priority.into(),
            run_at: task.run_at,
            lease_until: task.lease_until,
            room: task.room.map(|room| room.0),
            unique_key: task.unique.clone(),
            ended_at: task.ended_at,
            progress: task.progress.as_ref().map(json).transpose()?,
            progress_at: task.progress.as_ref().map(|_| noted_at),
            data: json(&task.data)?,
        })
    }

    pub fn into_task(self) -> Result<Task, StoreError> {
        let broken = |what: &str| damaged(what, &self.id);
        let progress = self.progress.as_deref().map(serde_json::from_str).transpose();
        Ok(Task {
            id: TaskId::parse(&self.id).ok_or_else(|| broken("task's id"))?,
            lane: Lane::parse(&self.lane).ok_or_else(|| broken("lane of task"))?,
            state: TaskState::parse(&self.state).ok_or_else(|| broken("state of task"))?,
            priority: i32::try_from(self.priority).map_err(|_| broken("priority of task"))?,
            run_at: self.run_at,
            lease_until: self.lease_until,
            room: self.room.map(RoomId),
            progress: progress.map_err(|_| broken("progress of task"))?,
            data: serde_json::from_str(&self.data).map_err(|_| broken("task with other data"))?,
            unique: self.unique_key,
            ended_at: self.ended_at,
        })
    }
}

/// Tasks as the bulk statement takes them.
pub(in crate::server::store) fn rows(tasks: &[Task], noted_at: i64) -> Result<String, StoreError> {
    let rows: Vec<TaskRow> = tasks.iter().map(|task| TaskRow::of(task, noted_at)).collect::<Result<_, _>>()?;
    json(&rows)
}

/// Id, slug, access and head.
pub(in crate::server::store) type CardRoomRow = (i64, String, String, i64);

impl CardRoom {
    pub fn from_row((id, slug, access, head): CardRoomRow) -> Result<CardRoom, StoreError> {
        let slug = Slug::parse(&slug).map_err(|_| damaged("slug", &slug))?;
        Ok(CardRoom { id: RoomId(id), slug, access: access_from(&access)?, head: seq_from(head)? })
    }
}

/// Lane, list and count.
pub(in crate::server::store) type CountRow = (String, String, i64);

impl TaskCount {
    pub(in crate::server::store) fn from_row((lane, list, count): CountRow) -> Result<TaskCount, StoreError> {
        let list = TaskList::parse(&list).ok_or_else(|| damaged("list of task", &list))?;
        let lane = Lane::parse(&lane).ok_or_else(|| damaged("lane of task", &lane))?;
        Ok(TaskCount { lane, list, count: u64::try_from(count).unwrap_or_default() })
    }
}

pub(in crate::server::store) fn task_progress(id: &str, progress: &str) -> Result<TaskProgress, StoreError> {
    Ok(TaskProgress {
        task: TaskId::parse(id).ok_or_else(|| damaged("task's id", id))?,
        progress: serde_json::from_str(progress).map_err(|_| damaged("progress of task", id))?,
    })
}

/// Slug, room, task, progress and when it was noted.
pub(in crate::server::store) type ProgressRow = (String, i64, String, String, i64);

impl NotedProgress {
    pub(in crate::server::store) fn from_row(row: ProgressRow) -> Result<NotedProgress, StoreError> {
        let (slug, room, id, progress, at) = row;
        let TaskProgress { task, progress } = task_progress(&id, &progress)?;
        let slug = Slug::parse(&slug).map_err(|_| damaged("slug", &slug))?;
        Ok(NotedProgress { room: RoomId(room), slug, task, progress, at })
    }
}
