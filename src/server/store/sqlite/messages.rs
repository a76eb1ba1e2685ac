//! The messages of a run and their bodies.
//!
//! Bodies only ever come at the end of their table, and are blanked in place: SQLite then never
//! moves one to another page, where `secure_delete` would not find what it left behind.

use super::super::StoreError;
use super::super::columns::seq_column;
use super::super::event_row::json;
use super::super::plan::Plan;
use serde::Serialize;

macro_rules! put_messages {
    ($bodies:literal, $messages:literal, $at:literal, $erased:literal) => {
        concat!(
            "INSERT INTO bodies (id, body) SELECT value ->> 'id', value ->> 'body' FROM jsonb_each(",
            $bodies,
            ");
            INSERT INTO messages (room_id, seq, author_id, rev, at, body_id)
                SELECT value ->> 'room', value ->> 'seq', value ->> 'author', value ->> 'rev', ",
            $at,
            ", value ->> 'body'
                FROM jsonb_each(",
            $messages,
            ") WHERE true
                ON CONFLICT (room_id, seq) DO UPDATE SET rev = excluded.rev, body_id = excluded.body_id,
                    previews_rev = NULL, previews_id = NULL;
            UPDATE bodies SET body = NULL WHERE id IN (SELECT value FROM json_each(",
            $erased,
            "));"
        )
    };
}
pub(super) use put_messages;

#[derive(Serialize)]
struct BodyColumns<'a> {
    id: i64,
    body: &'a str,
}

#[derive(Serialize)]
struct MessageColumns {
    room: i64,
    seq: i64,
    author: i64,
    rev: i64,
    body: Option<i64>,
}

/// What [`put_messages!`] is given: messages as they stand after the run, and their bodies, which come after
/// the last one that there is.
pub(super) fn rows(plan: &Plan, last_body: i64) -> Result<(String, String), StoreError> {
    let mut last_body = last_body;
    let (mut bodies, mut messages) = (Vec::new(), Vec::new());
    for ((room, seq), message) in &plan.messages {
        let body = message.body.as_ref().map(|body| {
            last_body += 1;
            bodies.push(BodyColumns { id: last_body, body: &body.text });
            last_body
        });
        let (author, rev) = (message.author.0, seq_column(message.rev));
        messages.push(MessageColumns { room: room.0, seq: seq_column(*seq), author, rev, body });
    }
    Ok((json(&bodies)?, json(&messages)?))
}
