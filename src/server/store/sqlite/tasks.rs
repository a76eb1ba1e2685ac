//! The statements of the queue: those of the writer's transaction, and reading.

use super::super::columns::seq_column;
use super::super::event_row::{NewEvent, data_column, json};
use super::super::sql;
use super::super::sql::files::{give_files_up, want_files};
use super::super::sql::tasks::tasks_where;
use super::super::tasks::{CardRoom, Task, TaskRow, TaskTables, Wanted, rows};
use super::super::{NotedProgress, StoreError, TaskAnswer, TaskCount, TaskFilter, TaskWork, Tasks, UnderWay};
use super::SqliteStore;
use super::chores::drop_old;
use super::commit::append;
use crate::domain::{FileId, Lane, RoomId, Seq, TaskId, UserId};
use crate::protocol::{Author, ErrorCode, EventKind};
use async_trait::async_trait;
use sqlx::SqliteConnection;

const BY_NAME: &str = tasks_where!(
    "id IN (SELECT value FROM json_each($1))
    OR unique_key IN (SELECT value FROM json_each($2))"
);

/// In the lane, so many at most of either kind.
const DUE: &str = tasks_where!(
    "id IN (
        SELECT id FROM (SELECT id FROM tasks WHERE state IN ('queued', 'retrying') AND lane = $1 AND run_at <= $2
            ORDER BY priority DESC, run_at LIMIT $3)
        UNION ALL
        SELECT id FROM (SELECT id FROM tasks WHERE state = 'running' AND lane = $1 AND lease_until < $2 LIMIT $3))
    ORDER BY priority DESC, run_at"
);

const IS_DUE: &str = "SELECT EXISTS (SELECT 1 FROM tasks
        WHERE state IN ('queued', 'retrying') AND lane IN (SELECT value FROM json_each($1)) AND run_at <= $2)
    OR EXISTS (SELECT 1 FROM tasks
        WHERE state = 'running' AND lane IN (SELECT value FROM json_each($1)) AND lease_until < $2)";

const PUT: &str = "INSERT INTO tasks
        (id, lane, state, priority, run_at, lease_until, room_id, unique_key, ended_at, progress, progress_at, data)
    SELECT value ->> 'id', value ->> 'lane', value ->> 'state', value ->> 'priority', value ->> 'run_at',
        value ->> 'lease_until', value ->> 'room', value ->> 'unique_key', value ->> 'ended_at', value ->> 'progress',
        value ->> 'progress_at', value ->> 'data'
    FROM jsonb_each($1) WHERE true
    ON CONFLICT (id) DO UPDATE SET unique_key = excluded.unique_key, state = excluded.state, run_at = excluded.run_at, lease_until = excluded.lease_until,
        ended_at = excluded.ended_at, progress = excluded.progress, progress_at = excluded.progress_at, data = excluded.data";

const CARD_ROOMS: &str = "SELECT id, slug, access, head FROM rooms WHERE id IN (SELECT value FROM json_each($1))";

const WAITING: &str = tasks_where!(
    "state IN ('queued', 'retrying') AND data ->> 'name' = $1 AND data ->> 'actor' = $2 ORDER BY run_at, id LIMIT 10000"
);

/// In one statement: a task that begins meanwhile is counted once.
const UNDER_WAY: &str = "SELECT count(*) FILTER (WHERE data ->> 'actor' IS $2), count(*) FILTER (WHERE room_id IS $3)
    FROM tasks WHERE ended_at IS NULL AND data ->> 'name' = $1";

const CANCELLING: &str = "SELECT id FROM tasks
    WHERE id IN (SELECT value FROM json_each($1)) AND state = 'running' AND data ->> 'cancelling'";

const FORGET: &str = "DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE ended_at < $1 LIMIT 1000)";

const GIVE_FILES_UP: &str = concat!(give_files_up!(), " AND id IN (SELECT value FROM json_each($2))");

const WANT_FILES: &str = concat!(want_files!(), " AND id IN (SELECT value FROM json_each($2))");

#[async_trait]
impl TaskTables for SqliteConnection {
    async fn look_up(&mut self, wanted: &Wanted, now: i64) -> Result<Vec<Task>, StoreError> {
        let mut found: Vec<TaskRow> = Vec::new();
        if !wanted.ids.is_empty() || !wanted.unique.is_empty() {
            let query = sqlx::query_as(BY_NAME).bind(json(&wanted.ids)?).bind(json(&wanted.unique)?);
            found.extend(query.fetch_all(&mut *self).await?);
        }
        for (lane, free) in &wanted.due {
            let query = sqlx::query_as(DUE).bind(lane.as_str()).bind(now).bind(i64::from(*free));
            found.extend(query.fetch_all(&mut *self).await?);
        }
        found.into_iter().map(TaskRow::into_task).collect()
    }

    async fn card_rooms(&mut self, rooms: &[RoomId]) -> Result<Vec<CardRoom>, StoreError> {
        let rows = sqlx::query_as(CARD_ROOMS).bind(json(&rooms)?).fetch_all(self).await?;
        rows.into_iter().map(CardRoom::from_row).collect()
    }

    async fn author(&mut self, user: UserId) -> Result<Option<Author>, StoreError> {
        let row: Option<(String, String)> =
            sqlx::query_as(sql::rooms::ACCOUNT).bind(user.0).fetch_optional(self).await?;
        Ok(row.map(|(name, _)| Author { id: user.0, name }))
    }

    async fn put(&mut self, tasks: &[Task], now: i64) -> Result<(), StoreError> {
        sqlx::query(PUT).bind(rows(tasks, now)?).execute(self).await?;
        Ok(())
    }

    async fn set_card(&mut self, room: RoomId, seq: Seq, kind: &EventKind) -> Result<(), StoreError> {
        let set = sqlx::query(sql::tasks::SET_CARD).bind(room.0).bind(seq_column(seq)).bind(data_column(kind)?);
        set.execute(self).await?;
        Ok(())
    }

    async fn give_files_up(&mut self, files: &[FileId]) -> Result<(), StoreError> {
        sqlx::query(GIVE_FILES_UP).bind(ErrorCode::ImageFailed.as_str()).bind(json(&files)?).execute(self).await?;
        Ok(())
    }

    async fn want_files(&mut self, files: &[FileId]) -> Result<(), StoreError> {
        sqlx::query(WANT_FILES).bind(ErrorCode::ImageFailed.as_str()).bind(json(&files)?).execute(self).await?;
        Ok(())
    }

    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        append(self, events).await
    }
}

#[async_trait]
impl Tasks for SqliteStore {
    async fn work(&self, work: TaskWork) -> Result<TaskAnswer, StoreError> {
        self.writer.work(work).await
    }

    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        let row: Option<TaskRow> =
            sqlx::query_as(sql::tasks::TASK).bind(id.as_str()).fetch_optional(&self.readers).await?;
        row.map(TaskRow::into_task).transpose()
    }

    async fn task_called(&self, unique: &str) -> Result<Option<Task>, StoreError> {
        let row: Option<TaskRow> =
            sqlx::query_as(sql::tasks::CALLED).bind(unique).fetch_optional(&self.readers).await?;
        row.map(TaskRow::into_task).transpose()
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>, StoreError> {
        let query = sqlx::query_as(sql::tasks::listed(filter.list)).bind(filter.lane.map(Lane::as_str));
        let rows: Vec<TaskRow> = query.bind(filter.now).bind(i64::from(filter.limit)).fetch_all(&self.readers).await?;
        rows.into_iter().map(TaskRow::into_task).collect()
    }

    async fn waiting_tasks(&self, name: &str, actor: UserId) -> Result<Vec<Task>, StoreError> {
        let rows: Vec<TaskRow> = sqlx::query_as(WAITING).bind(name).bind(actor.0).fetch_all(&self.readers).await?;
        rows.into_iter().map(TaskRow::into_task).collect()
    }

    async fn under_way(&self, name: &str, actor: Option<UserId>, room: Option<RoomId>) -> Result<UnderWay, StoreError> {
        let query = sqlx::query_as(UNDER_WAY).bind(name).bind(actor.map(|actor| actor.0)).bind(room.map(|room| room.0));
        Ok(UnderWay::from_row(query.fetch_one(&self.readers).await?))
    }

    async fn task_counts(&self, now: i64) -> Result<Vec<TaskCount>, StoreError> {
        let rows = sqlx::query_as(sql::tasks::COUNTS).bind(now).fetch_all(&self.readers).await?;
        rows.into_iter().map(TaskCount::from_row).collect()
    }

    async fn due(&self, lanes: &[Lane], now: i64) -> Result<bool, StoreError> {
        let (due,): (bool,) = sqlx::query_as(IS_DUE).bind(json(&lanes)?).bind(now).fetch_one(&self.readers).await?;
        Ok(due)
    }

    async fn cancelling(&self, tasks: &[TaskId]) -> Result<Vec<TaskId>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as(CANCELLING).bind(json(&tasks)?).fetch_all(&self.readers).await?;
        Ok(rows.into_iter().filter_map(|(id,)| TaskId::parse(&id)).collect())
    }

    async fn progress_after(&self, after: i64) -> Result<Vec<NotedProgress>, StoreError> {
        let rows = sqlx::query_as(sql::tasks::PROGRESS_AFTER).bind(after).fetch_all(&self.readers).await?;
        rows.into_iter().map(NotedProgress::from_row).collect()
    }

    async fn forget_tasks(&self, before: i64) -> Result<bool, StoreError> {
        drop_old(&self.gate, FORGET, before).await
    }
}
