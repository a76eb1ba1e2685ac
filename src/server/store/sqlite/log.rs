//! Reading the logs. Bounds and events come from one read transaction, so that a page says at
//! which head it stands.

use super::super::columns::{room_ids, seq_column, seq_from};
use super::super::event_row::{EventRow, json};
use super::super::key_row::KnownKey;
use super::super::log::{page, running};
use super::super::tasks::task_progress;
use super::super::{
    Budget, Command, Committed, EventPage, Fingerprint, ForeignWrites, Intent, Log, Pending, Refusal, Sessions,
    StoreError, sql,
};
use super::{SqliteStore, history, keys};
use crate::domain::{RoomId, Seq, Slug};
use crate::protocol::{Event, Page, TaskProgress};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::SqliteConnection;
use std::sync::Arc;
use tokio::sync::watch;

const HEADS: &str = "SELECT id, head FROM rooms WHERE id IN (SELECT value FROM json_each($1))";

const PROGRESS: &str = "SELECT id, progress FROM tasks
    WHERE id IN (SELECT value FROM json_each($1)) AND state = 'running' AND progress IS NOT NULL";

#[async_trait]
impl Log for SqliteStore {
    fn database_id(&self) -> Arc<str> {
        self.history.database_id()
    }

    fn epoch(&self) -> Arc<str> {
        self.history.epoch()
    }

    fn epochs(&self) -> watch::Receiver<Arc<str>> {
        self.history.epochs()
    }

    async fn submit(&self, command: Command) -> Result<Pending, StoreError> {
        self.writer.submit(command).await.map(Pending)
    }

    async fn known(
        &self,
        room: Option<&Slug>,
        intent: &Intent,
        print: &Fingerprint,
    ) -> Result<Option<Committed>, Refusal> {
        let known = self.readers.noticed(self.find_known(room, intent).await)?;
        known.map(|known| known.answer(print)).transpose()
    }

    async fn events_within(&self, room: RoomId, after: Seq, budget: Budget) -> Result<EventPage, StoreError> {
        self.readers.noticed(self.read_events(room, after, budget).await)
    }

    async fn tail(&self, room: RoomId, budget: Budget) -> Result<EventPage, StoreError> {
        self.readers.noticed(self.read_tail(room, budget).await)
    }

    async fn page(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Page, StoreError> {
        self.readers.noticed(self.window(sql::log::ROWS_BEFORE, room, before, limit).await)
    }

    async fn messages(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Page, StoreError> {
        self.readers.noticed(self.window(sql::log::MESSAGES_BEFORE, room, before, limit).await)
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        let rows: Vec<(i64, i64)> =
            sqlx::query_as(HEADS).bind(json(&room_ids(rooms))?).fetch_all(&self.readers).await?;
        rows.into_iter().map(|(room, head)| Ok((RoomId(room), seq_from(head)?))).collect()
    }

    fn foreign_writes(&self) -> ForeignWrites {
        self.writer.foreign_writes()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        if !self.writer.is_open() {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        self.database.probe().await
    }

    async fn begin_history(&self, _: Sessions, _: i64) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn close(&self) {
        self.close_all().await;
    }
}

impl SqliteStore {
    async fn find_known(&self, room: Option<&Slug>, intent: &Intent) -> Result<Option<KnownKey>, StoreError> {
        let mut reader = self.readers.acquire().await?;
        keys::known(&mut reader, room, intent).await
    }

    async fn read_tail(&self, room: RoomId, budget: Budget) -> Result<EventPage, StoreError> {
        let mut tx = self.readers.begin().await?;
        let (head, first) = bounds(&mut tx, room).await?;
        let read = Read { room, position: i64::MAX, limit: budget.events.into(), bytes: budget.bytes };
        let mut events = events(&mut tx, sql::log::EVENTS_BEFORE, read).await?;
        tx.commit().await?;
        events.reverse();
        Ok(EventPage { head, first, events })
    }

    async fn read_events(&self, room: RoomId, after: Seq, budget: Budget) -> Result<EventPage, StoreError> {
        let mut tx = self.readers.begin().await?;
        let bounds = bounds(&mut tx, room).await?;
        let read = Read { room, position: seq_column(after), limit: budget.events.into(), bytes: budget.bytes };
        let events = events(&mut tx, sql::log::EVENTS_AFTER, read).await?;
        tx.commit().await?;
        EventPage::following(after, bounds, events)
    }

    /// The newest `limit` events before `before` of those that `sql` selects, ascending.
    async fn window(
        &self,
        sql: &'static str,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let mut tx = self.readers.begin().await?;
        let epoch = history::epoch(&mut tx).await?;
        let (head, _) = bounds(&mut tx, room).await?;
        let position = before.map_or(i64::MAX, seq_column);
        // One more than asked for tells whether there are older ones.
        let read = Read { room, position, limit: i64::from(limit) + 1, bytes: usize::MAX };
        let rows = events(&mut tx, sql, read).await?;
        let page = page(epoch, head, rows, limit);
        let progress = progress(&mut tx, running(&page.rows)).await?;
        tx.commit().await?;
        Ok(Page { progress, ..page })
    }
}

/// Head and first of a room; an unknown one reads as an empty log.
async fn bounds(tx: &mut SqliteConnection, room: RoomId) -> Result<(Seq, Seq), StoreError> {
    let row: Option<(i64, i64)> = sqlx::query_as(sql::log::BOUNDS).bind(room.0).fetch_optional(&mut *tx).await?;
    match row {
        Some((head, first)) => Ok((seq_from(head)?, seq_from(first)?)),
        None => Ok((Seq::ZERO, Seq::ZERO.next())),
    }
}

struct Read {
    room: RoomId,
    position: i64,
    limit: i64,
    bytes: usize,
}

async fn events(tx: &mut SqliteConnection, sql: &'static str, read: Read) -> Result<Vec<Event>, StoreError> {
    let mut rows = sqlx::query_as(sql).bind(read.room.0).bind(read.position).bind(read.limit).fetch(&mut *tx);
    let (mut events, mut bytes) = (Vec::new(), 0);
    while bytes < read.bytes
        && let Some(row) = rows.try_next().await?
    {
        let row: EventRow = row;
        bytes += row.bytes();
        events.push(row.into_event()?);
    }
    Ok(events)
}

/// How far these tasks are, as far as they have said.
async fn progress(tx: &mut SqliteConnection, tasks: Vec<String>) -> Result<Vec<TaskProgress>, StoreError> {
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, String)> = sqlx::query_as(PROGRESS).bind(json(&tasks)?).fetch_all(&mut *tx).await?;
    rows.into_iter().map(|(id, progress)| task_progress(&id, &progress)).collect()
}
