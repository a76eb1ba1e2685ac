//! A batch of the writer's queue as one transaction. A run of commands about messages costs the
//! same number of statements however long it is; the rare commands between runs are carried out
//! one by one.

use super::super::columns::seq_column;
use super::super::event_row::{EventColumns, NewEvent, json};
use super::super::plan::{Moment, Outcome, Speech};
use super::super::writer::{Batch, Failed, ReadMark};
use super::super::{Command, StoreError};
use super::change::Changes;
use super::error::unknown_outcome;
use super::gate::Turn;
use super::run;
use crate::domain::{RoomId, Seq, UserId};
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Adds events to the logs and raises their rooms' heads. The parameters by their numbers: here and below, so that
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
            ") AS j WHERE rooms.id = j.value ->> 'room';"
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
    if speeches.len() == batch.commands.len() {
        return run::commit(turn, &speeches, &batch.reads, moment).await;
    }
    let mut tx = turn.begin().await?;
    let outcome = carry_out(&mut tx, &batch.commands, moment).await?;
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
            (Changes { tx, moment }).carry_out(first, &mut outcome).await?;
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

/// What [`append_events!`] is given.
pub(super) fn event_rows(events: &[NewEvent]) -> Result<(String, String), StoreError> {
    let rows: Vec<EventColumns<'_>> = events.iter().map(NewEvent::columns).collect::<Result<_, _>>()?;
    let heads: BTreeMap<RoomId, i64> = events.iter().map(|new| (new.room, seq_column(new.event.seq))).collect();
    let heads: Vec<_> = heads.into_iter().map(|(room, seq)| HeadColumns { room: room.0, seq }).collect();
    Ok((json(&rows)?, json(&heads)?))
}

/// What [`mark_read!`] is given. One row is updated once a statement, so the furthest mark of a member counts.
pub(super) fn mark_rows(marks: &[&ReadMark]) -> Result<String, StoreError> {
    let mut furthest = BTreeMap::new();
    for mark in marks {
        let seq = furthest.entry((mark.room, mark.user)).or_insert(mark.seq);
        *seq = mark.seq.max(*seq);
    }
    let row =
        |((room, user), seq): ((RoomId, UserId), Seq)| MarkColumns { room: room.0, user: user.0, seq: seq_column(seq) };
    json(&furthest.into_iter().map(row).collect::<Vec<_>>())
}

#[derive(Serialize)]
struct HeadColumns {
    room: i64,
    seq: i64,
}

#[derive(Serialize)]
struct MarkColumns {
    room: i64,
    user: i64,
    seq: i64,
}
