//! A batch of the writer's queue as one transaction. A run of posts costs the same number of
//! statements however long it is; the rare commands between runs are carried out one by one.

use super::super::columns::seq_column;
use super::super::event_row::{EventColumns, NewEvent, json};
use super::super::plan::{Outcome, Post};
use super::super::writer::{Batch, ReadMark};
use super::super::{Command, Refusal, StoreError};
use super::change::Changes;
use super::gate::Turn;
use super::post;
use crate::domain::RoomId;
use serde::Serialize;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

const INSERT_EVENTS: &str = "INSERT INTO events
        (room_id, seq, kind, at, actor_id, member_id, key, fingerprint, target, data)
    SELECT value ->> 'room', value ->> 'seq', value ->> 'kind', value ->> 'at', value ->> 'actor', value ->> 'member',
        value ->> 'key', unhex(value ->> 'fingerprint'), value ->> 'target', value ->> 'data'
    FROM json_each($1)";
const INSERT_MESSAGES: &str = "INSERT INTO messages (room_id, seq, author_id, body, rev, at)
    SELECT value ->> 'room', value ->> 'seq', value ->> 'author', value ->> 'body', value ->> 'seq', value ->> 'at'
    FROM json_each($1)";
const SET_HEADS: &str = "UPDATE rooms SET head = j.value ->> 'seq'
    FROM json_each($1) AS j WHERE rooms.id = j.value ->> 'room'";
/// Never back, never beyond the head; no row for somebody who is not a member.
const MARK_READ: &str = "UPDATE memberships SET last_read = min(j.value ->> 'seq', r.head)
    FROM json_each($1) AS j JOIN rooms AS r ON r.id = j.value ->> 'room'
    WHERE memberships.room_id = r.id AND memberships.user_id = j.value ->> 'user'
        AND memberships.last_read < min(j.value ->> 'seq', r.head)";

pub(super) async fn commit(turn: &mut Turn<'_>, batch: &Batch<'_>, at: i64) -> Result<Outcome, StoreError> {
    let mut tx = turn.begin().await?;
    let outcome = carry_out(&mut tx, &batch.commands, at).await?;
    mark_read(&mut tx, &batch.reads).await?;
    // Whatever COMMIT says in failing, the transaction may be durable.
    tx.commit().await.map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(outcome)
}

async fn carry_out(tx: &mut SqliteConnection, commands: &[&Command], at: i64) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    let mut rest = commands;
    while let Some((first, others)) = rest.split_first() {
        let posts: Vec<_> = rest.iter().map_while(|command| Post::of(command)).collect();
        if !posts.is_empty() {
            post::carry_out(tx, &posts, at, &mut outcome).await?;
            rest = &rest[posts.len()..];
            continue;
        }
        match (Changes { tx, at }).carry_out(first).await {
            Ok(change) => {
                outcome.answers.push(Ok(change.committed()));
                outcome.grow(change.events);
            }
            Err(Refusal::Store(error)) => return Err(error),
            Err(refusal) => outcome.answers.push(Err(refusal)),
        }
        rest = others;
    }
    Ok(outcome)
}

/// Adds events, which follow densely on the heads of their rooms, to the logs.
pub(super) async fn append(tx: &mut SqliteConnection, events: &[NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let rows: Vec<EventColumns<'_>> = events.iter().map(NewEvent::columns).collect::<Result<_, _>>()?;
    sqlx::query(INSERT_EVENTS).bind(json(&rows)?).execute(&mut *tx).await?;
    let messages: Vec<_> = events.iter().filter_map(NewEvent::message).collect();
    if !messages.is_empty() {
        sqlx::query(INSERT_MESSAGES).bind(json(&messages)?).execute(&mut *tx).await?;
    }
    let heads: BTreeMap<RoomId, i64> = events.iter().map(|new| (new.room, seq_column(new.event.seq))).collect();
    let heads: Vec<_> = heads.into_iter().map(|(room, seq)| HeadColumns { room: room.0, seq }).collect();
    sqlx::query(SET_HEADS).bind(json(&heads)?).execute(&mut *tx).await?;
    Ok(())
}

async fn mark_read(tx: &mut SqliteConnection, marks: &[&ReadMark]) -> Result<(), StoreError> {
    // One row is updated once a statement, so the furthest mark of a member counts.
    let mut furthest = BTreeMap::new();
    for mark in marks {
        let seq = furthest.entry((mark.room, mark.user)).or_insert(mark.seq);
        *seq = mark.seq.max(*seq);
    }
    if furthest.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = furthest
        .into_iter()
        .map(|((room, user), seq)| MarkColumns { room: room.0, user: user.0, seq: seq_column(seq) })
        .collect();
    sqlx::query(MARK_READ).bind(json(&rows)?).execute(&mut *tx).await?;
    Ok(())
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
