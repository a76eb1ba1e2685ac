//! A batch of the writer's queue as one transaction. A run of commands about messages costs the
//! same number of statements however long it is; the rare commands between runs are carried out
//! one by one.

use super::super::change::Changes;
use super::super::columns::furthest;
use super::super::error::unknown_outcome;
use super::super::event_row::{NewEvent, event_rows, json};
use super::super::plan::{Moment, Outcome, Speech};
use super::super::writer::{Batch, Failed, ReadMark};
use super::super::{Command, StoreError, tasks};
use super::gate::Turn;
use super::run;
use super::webhooks::tell_webhooks;
use sqlx::SqliteConnection;

/// Adds events to the logs, raises their rooms' heads and queues what webhooks are told. The parameters by their numbers: here and below, so that
/// what is written together is one call, since each costs two switches between threads.
macro_rules! append_events {
    ($events:literal, $heads:literal) => {
        concat!(
            "INSERT INTO events (room_id, seq, kind, at, actor_id, member_id, key, target, data)
                SELECT value ->> 'room', value ->> 'seq', value ->> 'kind', value ->> 'at', value ->> 'actor',
                    value ->> 'member', value ->> 'key', value ->> 'target', value ->> 'data'
                FROM jsonb_each(",
            $events,
            ");
            UPDATE rooms SET head = j.value ->> 'seq'
                FROM jsonb_each(",
            $heads,
            ") AS j WHERE rooms.id = j.value ->> 'room';",
            tell_webhooks!($events)
        )
    };
}
pub(super) use append_events;

/// Never back, never beyond the head; no row for somebody who is not a member.
macro_rules! mark_read {
    ($marks:literal) => {
        concat!(
            "UPDATE memberships SET last_read = min(j.value ->> 'seq', r.head)
                FROM jsonb_each(",
            $marks,
            ") AS j JOIN rooms AS r ON r.id = j.value ->> 'room'
                WHERE memberships.room_id = r.id AND memberships.user_id = j.value ->> 'user'
                    AND memberships.last_read < min(j.value ->> 'seq', r.head);"
        )
    };
}
pub(super) use mark_read;

pub(super) async fn commit(turn: &mut Turn<'_>, batch: &Batch<'_>, moment: Moment) -> Result<Outcome, Failed> {
    let speeches: Vec<_> = batch.commands.iter().map_while(|command| Speech::of(command)).collect();
    if speeches.len() == batch.commands.len() && !batch.works() {
        return run::commit(turn, &speeches, &batch.reads, moment).await;
    }
    let mut tx = turn.begin().await?;
    let mut outcome = carry_out(&mut tx, &batch.commands, moment).await?;
    let caused = batch.caused(&outcome.answers);
    tasks::carry_out(&mut *tx, caused, &batch.tasks, moment.at, &mut outcome).await?;
    sqlx::query(mark_read!("$1")).bind(mark_rows(&batch.reads)?).execute(&mut *tx).await.map_err(StoreError::from)?;
    tx.commit().await.map_err(|error| Failed::Unknown(unknown_outcome(error)))?;
    Ok(outcome)
}

async fn carry_out(tx: &mut SqliteConnection, commands: &[&Command], moment: Moment) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    let mut rest = commands;
    while let Some((first, others)) = rest.split_first() {
        let speeches: Vec<_> = rest.iter().map_while(|command| Speech::of(command)).collect();
        if speeches.is_empty() {
            (Changes { tables: &mut *tx, moment }).carry_out(first, &mut outcome).await?;
            rest = others;
        } else {
            run::carry_out(tx, &speeches, moment, &mut outcome).await?;
            rest = &rest[speeches.len()..];
        }
    }
    Ok(outcome)
}

/// Adds events, which follow densely on the heads of their rooms, to the logs.
pub(super) async fn append(tx: &mut SqliteConnection, events: &[NewEvent]) -> Result<(), StoreError> {
    let (events, heads) = event_rows(events)?;
    sqlx::query(append_events!("$1", "$2")).bind(events).bind(heads).execute(&mut *tx).await?;
    Ok(())
}

/// What [`mark_read!`] is given.
pub(super) fn mark_rows(marks: &[&ReadMark]) -> Result<String, StoreError> {
    json(&furthest(marks).unwrap_or_default())
}
