//! A batch of the writer's queue as one transaction, up to its COMMIT. A run of commands about messages
//! costs the same number of statements however long it is; the rare commands between runs are carried out
//! one by one.

use super::super::change::Changes;
use super::super::columns::furthest;
use super::super::event_row::{NewEvent, event_rows, json};
use super::super::plan::{Moment, Outcome, Speech};
use super::super::writer::{Batch, ReadMark};
use super::super::{Action, Command, StoreError};
use super::lock::Lock;
use super::notes::Note;
use super::run;
use super::tables::LockedRooms;
use super::webhooks::tell_webhooks;
use crate::domain::Slug;
use sqlx::PgConnection;

/// Notes what this node writes, and locks all rooms that the batch is about, in the order of their ids.
const LOCK_ROOMS: &str = "WITH noted AS (
        INSERT INTO writes (node, part, last, at) VALUES ($1, $5, pg_current_xact_id()::text::bigint, $2)
        ON CONFLICT (node, part) DO UPDATE SET last = excluded.last, at = excluded.at
    )
    SELECT id FROM rooms WHERE slug = ANY($3) OR id = ANY($4) ORDER BY id FOR UPDATE";

const EPOCH: &str = "SELECT value FROM meta WHERE name = 'epoch'";

const APPEND_EVENTS: &str = concat!(
    "WITH raised AS (
        UPDATE rooms SET head = j.seq FROM jsonb_to_recordset($2::jsonb) AS j (room bigint, seq bigint)
        WHERE rooms.id = j.room
    ), ",
    tell_webhooks!(),
    "
    INSERT INTO events (room_id, seq, kind, at, actor_id, member_id, key, target, data)
    SELECT room, seq, kind, at, actor, member, key, target, data FROM jsonb_to_recordset($1::jsonb)
        AS j (room bigint, seq bigint, kind text, at bigint, actor bigint, member bigint, key text, target bigint, data text)"
);

/// Never back, never beyond the head; no row for somebody who is not a member.
const MARK_READ: &str = r#"UPDATE memberships SET last_read = least(j.seq, r.head)
    FROM jsonb_to_recordset($1::jsonb) AS j (room bigint, "user" bigint, seq bigint)
    JOIN rooms AS r ON r.id = j.room
    WHERE memberships.room_id = r.id AND memberships.user_id = j."user"
        AND memberships.last_read < least(j.seq, r.head)"#;

/// What is ready to be committed.
pub(super) struct Done {
    pub outcome: Outcome,
    /// Of the history that it belongs to.
    pub epoch: String,
}

pub(super) async fn carry_out(
    connection: &mut PgConnection,
    batch: &Batch<'_>,
    moment: Moment,
    note: Note<'_>,
) -> Result<Done, StoreError> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await?;
    let mut locked = lock(connection, batch, moment, note).await?;
    let mut outcome = Outcome::default();
    let mut rest = &batch.commands[..];
    while let Some((first, others)) = rest.split_first() {
        let speeches: Vec<_> = rest.iter().map_while(|command| Speech::of(command)).collect();
        if speeches.is_empty() {
            (Changes { tables: &mut locked, moment }).carry_out(first, &mut outcome).await?;
            rest = others;
        } else {
            run::carry_out(&mut locked, &speeches, moment, &mut outcome).await?;
            rest = &rest[speeches.len()..];
        }
    }
    mark_read(connection, &batch.reads).await?;
    let (epoch,): (String,) = sqlx::query_as(EPOCH).fetch_one(&mut *connection).await?;
    Ok(Done { outcome, epoch })
}

async fn lock<'a>(
    tx: &'a mut PgConnection,
    batch: &Batch<'_>,
    moment: Moment,
    note: Note<'_>,
) -> Result<LockedRooms<'a>, StoreError> {
    if batch.commands.iter().any(|command| makes_a_room(command)) {
        Lock::Rooms.take(tx).await?;
    }
    let slugs: Vec<_> = batch.commands.iter().map(|command| command.room.as_str()).collect();
    let ids: Vec<_> = batch.reads.iter().map(|mark| mark.room.0).collect();
    let lock = sqlx::query_as(LOCK_ROOMS).bind(note.node).bind(moment.at).bind(slugs).bind(ids).bind(note.part as i64);
    let rooms: Vec<(i64,)> = lock.fetch_all(&mut *tx).await?;
    Ok(LockedRooms { tx, ids: rooms.into_iter().map(|(id,)| id).collect() })
}

fn makes_a_room(command: &Command) -> bool {
    matches!(command.action, Action::CreateRoom { .. })
}

/// Locks one room, beside the writer; [`Lock::Rooms`] is to be held, so that it is not made meanwhile.
pub(super) async fn lock_room<'a>(tx: &'a mut PgConnection, slug: &Slug) -> Result<LockedRooms<'a>, StoreError> {
    let lock = sqlx::query_as("SELECT id FROM rooms WHERE slug = $1 FOR UPDATE").bind(slug.as_str());
    let room: Option<(i64,)> = lock.fetch_optional(&mut *tx).await?;
    Ok(LockedRooms { tx, ids: room.into_iter().map(|(id,)| id).collect() })
}

/// Adds events, which follow densely on the heads of their rooms, to the logs.
pub(super) async fn append(tx: &mut PgConnection, events: &[NewEvent]) -> Result<(), StoreError> {
    let (events, heads) = event_rows(events)?;
    sqlx::query(APPEND_EVENTS).bind(events).bind(heads).execute(tx).await?;
    Ok(())
}

async fn mark_read(tx: &mut PgConnection, marks: &[&ReadMark]) -> Result<(), StoreError> {
    if let Some(marks) = furthest(marks) {
        sqlx::query(MARK_READ).bind(json(&marks)?).execute(tx).await?;
    }
    Ok(())
}
