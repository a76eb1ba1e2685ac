//! The statements of the queue: those of the writer's transaction, and reading.
//!
//! Whoever changes a task that has a room holds the room's lock before it locks the task, and tasks are locked in the
//! order of their ids, so that two nodes never wait for each other in a ring.

use super::super::columns::seq_column;
use super::super::event_row::{NewEvent, data_column};
use super::super::sql;
use super::super::sql::files::{give_files_up, want_files};
use super::super::sql::tasks::tasks_where;
use super::super::tasks::{CardRoom, Task, TaskRow, TaskTables, Wanted, rows};
use super::super::{NotedProgress, StoreError, TaskAnswer, TaskCount, TaskFilter, TaskWork, Tasks, UnderWay};
use super::PostgresStore;
use super::commit::append;
use super::schedule::TURN;
use super::tables::LockedRooms;
use super::uploads::ids;
use crate::domain::{FileId, Lane, RoomId, Seq, TaskId, UserId};
use crate::protocol::{Author, ErrorCode, EventKind};
use async_trait::async_trait;
use sqlx::PgConnection;
use std::cmp::Reverse;

const PEEK: &str = "SELECT id, room_id FROM tasks WHERE id = ANY($1) OR unique_key = ANY($2)";

/// In the lane, so many at most of either kind.
const PEEK_DUE: &str =
    "(SELECT id, room_id FROM tasks WHERE state IN ('queued', 'retrying') AND lane = $1 AND run_at <= $2
        ORDER BY priority DESC, run_at LIMIT $3)
    UNION ALL (SELECT id, room_id FROM tasks WHERE state = 'running' AND lane = $1 AND lease_until < $2 LIMIT $3)";

/// As they are once nobody else changes them.
const LOCK: &str = tasks_where!("id = ANY($1) ORDER BY id FOR UPDATE");

const IS_DUE: &str = "SELECT EXISTS (SELECT 1 FROM tasks
        WHERE state IN ('queued', 'retrying') AND lane = ANY($1) AND run_at <= $2)
    OR EXISTS (SELECT 1 FROM tasks WHERE state = 'running' AND lane = ANY($1) AND lease_until < $2)";

const PUT: &str = "INSERT INTO tasks
        (id, lane, state, priority, run_at, lease_until, room_id, unique_key, ended_at, progress, progress_at, data)
    SELECT id, lane, state, priority, run_at, lease_until, room, unique_key, ended_at, progress, progress_at, data
    FROM jsonb_to_recordset($1::jsonb) AS j (id text, lane text, state text, priority bigint, run_at bigint,
        lease_until bigint, room bigint, unique_key text, ended_at bigint, progress text, progress_at bigint, data text)
    ON CONFLICT (id) DO UPDATE SET unique_key = excluded.unique_key, state = excluded.state, run_at = excluded.run_at, lease_until = excluded.lease_until,
        ended_at = excluded.ended_at, progress = excluded.progress, progress_at = excluded.progress_at, data = excluded.data";

const CARD_ROOMS: &str = "SELECT id, slug, access, head FROM rooms WHERE id = ANY($1)";

const WAITING: &str = tasks_where!(
    "state IN ('queued', 'retrying') AND data::jsonb ->> 'name' = $1 AND (data::jsonb ->> 'actor')::bigint = $2
    ORDER BY run_at, id LIMIT 10000"
);

/// In one statement: a task that begins meanwhile is counted once.
const UNDER_WAY: &str = "SELECT count(*) FILTER (WHERE (data::jsonb ->> 'actor')::bigint IS NOT DISTINCT FROM $2),
        count(*) FILTER (WHERE room_id IS NOT DISTINCT FROM $3)
    FROM tasks WHERE ended_at IS NULL AND data::jsonb ->> 'name' = $1";

const CANCELLING: &str = "SELECT id FROM tasks
    WHERE id = ANY($1) AND state = 'running' AND (data::jsonb ->> 'cancelling')::boolean";

const FORGET: &str = "DELETE FROM tasks WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM tasks WHERE ended_at < $1 LIMIT 1000 FOR UPDATE SKIP LOCKED))";

const GIVE_FILES_UP: &str = concat!(give_files_up!(), " AND id = ANY($2)");

const WANT_FILES: &str = concat!(want_files!(), " AND id = ANY($2)");

/// The tasks that a batch is about, before anything is locked.
#[derive(Default)]
pub(super) struct Peeked {
    pub ids: Vec<String>,
    pub rooms: Vec<i64>,
}

/// Looks which tasks are wanted at `now`, and in which rooms.
pub(super) async fn peek(tx: &mut PgConnection, wanted: &Wanted, now: i64) -> Result<Peeked, StoreError> {
    let mut found: Vec<(String, Option<i64>)> = Vec::new();
    if !wanted.ids.is_empty() || !wanted.unique.is_empty() {
        let ids: Vec<_> = wanted.ids.iter().map(TaskId::as_str).collect();
        found.extend(sqlx::query_as(PEEK).bind(ids).bind(&wanted.unique).fetch_all(&mut *tx).await?);
    }
    for (lane, free) in &wanted.due {
        let query = sqlx::query_as(PEEK_DUE).bind(lane.as_str()).bind(now).bind(i64::from(*free));
        found.extend(query.fetch_all(&mut *tx).await?);
    }
    let mut peeked = Peeked::default();
    for (id, room) in found {
        peeked.ids.push(id);
        peeked.rooms.extend(room);
    }
    Ok(peeked)
}

#[async_trait]
impl TaskTables for LockedRooms<'_> {
    /// Those that were there when the rooms were to be locked; one that came later waits for the next batch.
    async fn look_up(&mut self, _: &Wanted, _: i64) -> Result<Vec<Task>, StoreError> {
        if self.tasks.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<TaskRow> = sqlx::query_as(LOCK).bind(&self.tasks).fetch_all(&mut *self.tx).await?;
        let mut found: Vec<Task> = rows.into_iter().map(TaskRow::into_task).collect::<Result<_, _>>()?;
        found.sort_by_key(|task| (Reverse(task.priority), task.run_at));
        Ok(found)
    }

    async fn card_rooms(&mut self, rooms: &[RoomId]) -> Result<Vec<CardRoom>, StoreError> {
        let locked: Vec<i64> = rooms.iter().map(|room| room.0).filter(|room| self.ids.contains(room)).collect();
        let rows = sqlx::query_as(CARD_ROOMS).bind(locked).fetch_all(&mut *self.tx).await?;
        rows.into_iter().map(CardRoom::from_row).collect()
    }

    async fn author(&mut self, user: UserId) -> Result<Option<Author>, StoreError> {
        let query = sqlx::query_as(sql::rooms::ACCOUNT).bind(user.0);
        let row: Option<(String, String)> = query.fetch_optional(&mut *self.tx).await?;
        Ok(row.map(|(name, _)| Author { id: user.0, name }))
    }

    async fn put(&mut self, tasks: &[Task], now: i64) -> Result<(), StoreError> {
        sqlx::query(PUT).bind(rows(tasks, now)?).execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn set_card(&mut self, room: RoomId, seq: Seq, kind: &EventKind) -> Result<(), StoreError> {
        let set = sqlx::query(sql::tasks::SET_CARD).bind(room.0).bind(seq_column(seq)).bind(data_column(kind)?);
        set.execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn give_files_up(&mut self, files: &[FileId]) -> Result<(), StoreError> {
        let give_up = sqlx::query(GIVE_FILES_UP).bind(ErrorCode::ImageFailed.as_str()).bind(ids(files));
        give_up.execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn want_files(&mut self, files: &[FileId]) -> Result<(), StoreError> {
        let want = sqlx::query(WANT_FILES).bind(ErrorCode::ImageFailed.as_str()).bind(ids(files));
        want.execute(&mut *self.tx).await?;
        Ok(())
    }

    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        append(self.tx, events).await
    }
}

#[async_trait]
impl Tasks for PostgresStore {
    async fn work(&self, work: TaskWork) -> Result<TaskAnswer, StoreError> {
        self.writer.work(work).await
    }

    async fn task(&self, id: &TaskId) -> Result<Option<Task>, StoreError> {
        let row: Option<TaskRow> =
            self.connections.optional(sqlx::query_as(sql::tasks::TASK).bind(id.as_str())).await?;
        row.map(TaskRow::into_task).transpose()
    }

    async fn task_called(&self, unique: &str) -> Result<Option<Task>, StoreError> {
        let query = sqlx::query_as(sql::tasks::CALLED).bind(unique);
        let row: Option<TaskRow> = self.connections.optional(query).await?;
        row.map(TaskRow::into_task).transpose()
    }

    async fn tasks(&self, filter: &TaskFilter) -> Result<Vec<Task>, StoreError> {
        let query = sqlx::query_as(sql::tasks::listed(filter.list)).bind(filter.lane.map(Lane::as_str));
        let rows: Vec<TaskRow> = self.connections.all(query.bind(filter.now).bind(i64::from(filter.limit))).await?;
        rows.into_iter().map(TaskRow::into_task).collect()
    }

    async fn waiting_tasks(&self, name: &str, actor: UserId) -> Result<Vec<Task>, StoreError> {
        let rows: Vec<TaskRow> = self.connections.all(sqlx::query_as(WAITING).bind(name).bind(actor.0)).await?;
        rows.into_iter().map(TaskRow::into_task).collect()
    }

    async fn under_way(&self, name: &str, actor: Option<UserId>, room: Option<RoomId>) -> Result<UnderWay, StoreError> {
        let query = sqlx::query_as(UNDER_WAY).bind(name).bind(actor.map(|actor| actor.0)).bind(room.map(|room| room.0));
        Ok(UnderWay::from_row(self.connections.one(query).await?))
    }

    async fn task_counts(&self, now: i64) -> Result<Vec<TaskCount>, StoreError> {
        let rows = self.connections.all(sqlx::query_as(sql::tasks::COUNTS).bind(now)).await?;
        rows.into_iter().map(TaskCount::from_row).collect()
    }

    async fn due(&self, lanes: &[Lane], now: i64) -> Result<bool, StoreError> {
        let lanes: Vec<_> = lanes.iter().map(|lane| lane.as_str()).collect();
        let (due,): (bool,) = self.connections.one(sqlx::query_as(IS_DUE).bind(lanes).bind(now)).await?;
        Ok(due)
    }

    async fn cancelling(&self, tasks: &[TaskId]) -> Result<Vec<TaskId>, StoreError> {
        let ids: Vec<_> = tasks.iter().map(TaskId::as_str).collect();
        let rows: Vec<(String,)> = self.connections.all(sqlx::query_as(CANCELLING).bind(ids)).await?;
        Ok(rows.into_iter().filter_map(|(id,)| TaskId::parse(&id)).collect())
    }

    async fn progress_after(&self, after: i64) -> Result<Vec<NotedProgress>, StoreError> {
        let rows = self.connections.all(sqlx::query_as(sql::tasks::PROGRESS_AFTER).bind(after)).await?;
        rows.into_iter().map(NotedProgress::from_row).collect()
    }

    async fn forget_tasks(&self, before: i64) -> Result<bool, StoreError> {
        self.connections
            .answer(async {
                let mut tx = self.connections.begin().await?;
                let forgotten = sqlx::query(FORGET).bind(before).execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(forgotten.rows_affected() >= TURN)
            })
            .await
    }
}
