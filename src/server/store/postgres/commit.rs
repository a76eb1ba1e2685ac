//! A batch of the writer's queue as one transaction, up to its COMMIT. A run of commands about messages
//! costs the same number of statements however long it is; the rare commands between runs are carried out
//! one by one. Read positions do not come this way.

use super::super::change::Changes;
use super::super::event_row::{NewEvent, event_rows};
use super::super::plan::{Moment, Outcome, Speech};
use super::super::tasks::{self, Wanted};
use super::super::writer::Batch;
use super::super::{Action, Command, NewTask, StoreError, TaskWork};
use super::lock::Lock;
use super::notes::Note;
use super::run;
use super::tables::LockedRooms;
use super::tasks::peek;
use super::webhooks::tell_webhooks;
use crate::domain::Slug;
use sqlx::PgConnection;

/// Notes what this node writes, and locks all rooms that the batch is about, in the order of their ids.
const LOCK_ROOMS: &str = "WITH noted AS (
        INSERT INTO writes (node, part, last, at) VALUES ($1, $4, pg_current_xact_id()::text::bigint, $2)
        ON CONFLICT (node, part) DO UPDATE SET last = excluded.last, at = excluded.at
    )
    SELECT id FROM rooms WHERE slug = ANY($3) OR id = ANY($5) ORDER BY id FOR UPDATE";

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
    let caused = batch.caused(&outcome.answers);
    tasks::carry_out(&mut locked, caused, &batch.tasks, moment.at, &mut outcome).await?;
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
    let peeked = peek(tx, &wanted(batch), moment.at).await?;
    let mut ids = peeked.rooms;
    ids.extend(enqueued(batch).filter_map(|new| new.room).map(|room| room.0));
    let lock = sqlx::query_as(LOCK_ROOMS).bind(note.node).bind(moment.at).bind(slugs).bind(note.part as i64).bind(ids);
    let rooms: Vec<(i64,)> = lock.fetch_all(&mut *tx).await?;
    Ok(LockedRooms { tx, ids: rooms.into_iter().map(|(id,)| id).collect(), tasks: peeked.ids })
}

fn enqueued<'a>(batch: &'a Batch<'_>) -> impl Iterator<Item = &'a NewTask> {
    let works = batch.tasks.iter().filter_map(|work| match work {
        TaskWork::Enqueue(new) => Some(new),
        _ => None,
    });
    works.flatten().chain(batch.commands.iter().flat_map(|command| &command.follow_ups))
}

fn wanted(batch: &Batch<'_>) -> Wanted {
    let mut wanted = Wanted::by(&batch.tasks, &[]);
    let caused = batch.commands.iter().flat_map(|command| &command.follow_ups);
    wanted.unique.extend(caused.filter_map(|new| new.unique.clone()));
    wanted
}

fn makes_a_room(command: &Command) -> bool {
    matches!(command.action, Action::CreateRoom { .. })
}

/// Locks one room, beside the writer; [`Lock::Rooms`] is to be held, so that it is not made meanwhile.
pub(super) async fn lock_room<'a>(tx: &'a mut PgConnection, slug: &Slug) -> Result<LockedRooms<'a>, StoreError> {
    let lock = sqlx::query_as("SELECT id FROM rooms WHERE slug = $1 FOR UPDATE").bind(slug.as_str());
    let room: Option<(i64,)> = lock.fetch_optional(&mut *tx).await?;
    Ok(LockedRooms { tx, ids: room.into_iter().map(|(id,)| id).collect(), tasks: Vec::new() })
}

/// Adds events, which follow densely on the heads of their rooms, to the logs.
pub(super) async fn append(tx: &mut PgConnection, events: &[NewEvent]) -> Result<(), StoreError> {
    let (events, heads) = event_rows(events)?;
    sqlx::query(APPEND_EVENTS).bind(events).bind(heads).execute(tx).await?;
    Ok(())
}
