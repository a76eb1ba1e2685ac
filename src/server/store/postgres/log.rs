//! Reading the logs. Bounds and events come from one state of the database, so that a page says at which
//! head it stands.

use super::super::columns::{room_ids, seq_column, seq_from};
use super::super::event_row::EventRow;
use super::super::key_row::KnownKey;
use super::super::log::{page, running};
use super::super::tasks::task_progress;
use super::super::{
    Budget, Command, Committed, EventPage, Fingerprint, ForeignWrites, Intent, Log, Pending, Refusal, Sessions,
    StoreError, sql,
};
use super::{PostgresStore, tables};
use crate::domain::{RoomId, Seq, Slug};
use crate::protocol::{Event, Page, TaskProgress};
use crate::server::clock::now_ms;
use async_trait::async_trait;
use futures_util::TryStreamExt;
use sqlx::PgConnection;
use std::sync::Arc;
use tokio::sync::watch;

const HEADS: &str = "SELECT id, head FROM rooms WHERE id = ANY($1)";

const PROGRESS: &str =
    "SELECT id, progress FROM tasks WHERE id = ANY($1) AND state = 'running' AND progress IS NOT NULL";

#[async_trait]
impl Log for PostgresStore {
    fn database_id(&self) -> Arc<str> {
        Arc::clone(&self.database_id)
    }

    fn epoch(&self) -> Arc<str> {
        self.epoch.borrow().clone()
    }

    fn epochs(&self) -> watch::Receiver<Arc<str>> {
        self.epoch.subscribe()
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
        let known = self.connections.optional(tables::known(room, intent)).await?;
        let known = known.map(KnownKey::from_row).transpose()?;
        known.map(|known| known.answer(print)).transpose()
    }

    async fn events_within(&self, room: RoomId, after: Seq, budget: Budget) -> Result<EventPage, StoreError> {
        let read = Read { room, position: seq_column(after), limit: budget.events.into(), bytes: budget.bytes };
        let (bounds, events) = self.connections.answer(self.events(sql::log::EVENTS_AFTER, read)).await?;
        EventPage::following(after, bounds, events)
    }

    async fn tail(&self, room: RoomId, budget: Budget) -> Result<EventPage, StoreError> {
        let read = Read { room, position: i64::MAX, limit: budget.events.into(), bytes: budget.bytes };
        let asked = self.events(sql::log::EVENTS_BEFORE, read);
        let ((head, first), mut events) = self.connections.answer(asked).await?;
        events.reverse();
        Ok(EventPage { head, first, events })
    }

    async fn page(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Page, StoreError> {
        self.connections.answer(self.window(sql::log::ROWS_BEFORE, room, before, limit)).await
    }

    async fn messages(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Page, StoreError> {
        self.connections.answer(self.window(sql::log::MESSAGES_BEFORE, room, before, limit)).await
    }

    async fn heads(&self, rooms: &[RoomId]) -> Result<Vec<(RoomId, Seq)>, StoreError> {
        let query = sqlx::query_as(HEADS).bind(room_ids(rooms));
        let rows: Vec<(i64, i64)> = self.connections.all(query).await?;
        rows.into_iter().map(|(room, head)| Ok((RoomId(room), seq_from(head)?))).collect()
    }

    fn foreign_writes(&self) -> ForeignWrites {
        self.writer.foreign_writes()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        if !self.writer.is_open() {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        let probed = self.connections.answer(async { Ok::<_, StoreError>(self.probe().await) }).await?;
        if probed.is_err() {
            self.connections.suspect();
        }
        match probed {
            // Nobody waits for a connection without end, and the pool does not say why there was none.
            Err(sqlx::Error::PoolTimedOut) => {
                self.connections.connect().await?;
                Err(sqlx::Error::PoolTimedOut.into())
            }
            probed => Ok(probed?),
        }
    }

    async fn begin_history(&self, sessions: Sessions, now: i64) -> Result<Option<String>, StoreError> {
        self.renew_epoch(sessions, now).await.map(Some)
    }

    async fn close(&self) {
        self.writer.close().await;
        self.marks.close().await;
        self.connections.close().await;
    }
}

impl PostgresStore {
    /// Commits what nobody sees, and other nodes need not notice.
    async fn probe(&self) -> Result<(), sqlx::Error> {
        let mut tx = self.connections.begin().await?;
        let put = sqlx::query(sql::accounts::PUT_META).bind("probe").bind(now_ms().to_string());
        put.execute(&mut *tx).await?;
        tx.commit().await
    }

    /// Events with the bounds of their log.
    async fn events(&self, sql: &'static str, read: Read) -> Result<((Seq, Seq), Vec<Event>), StoreError> {
        let mut tx = self.connections.read().await?;
        let bounds = bounds(&mut tx, read.room).await?;
        let events = events(&mut tx, sql, read).await?;
        tx.commit().await?;
        Ok((bounds, events))
    }

    /// The newest `limit` events before `before` of those that `sql` selects, ascending.
    async fn window(
        &self,
        sql: &'static str,
        room: RoomId,
        before: Option<Seq>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let mut tx = self.connections.read().await?;
        let (epoch,): (String,) = sqlx::query_as(sql::accounts::META).bind("epoch").fetch_one(&mut *tx).await?;
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
async fn bounds(tx: &mut PgConnection, room: RoomId) -> Result<(Seq, Seq), StoreError> {
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

async fn events(tx: &mut PgConnection, sql: &'static str, read: Read) -> Result<Vec<Event>, StoreError> {
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
async fn progress(tx: &mut PgConnection, tasks: Vec<String>) -> Result<Vec<TaskProgress>, StoreError> {
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, String)> = sqlx::query_as(PROGRESS).bind(tasks).fetch_all(&mut *tx).await?;
    rows.into_iter().map(|(id, progress)| task_progress(&id, &progress)).collect()
}
