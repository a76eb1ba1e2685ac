//! The messages of a run and their bodies.
//!
//! Bodies only ever come at the end of their table, and are blanked in place: SQLite then never
//! moves one to another page, where `secure_delete` would not find what it left behind.

use super::super::StoreError;
use super::super::columns::seq_column;
use super::super::event_row::json;
use super::super::plan::{Moment, Plan};
use serde::Serialize;
use sqlx::SqliteConnection;

const LAST_BODY: &str = "SELECT coalesce(max(id), 0) FROM bodies";
const INSERT_BODIES: &str = "INSERT INTO bodies (id, body) SELECT value ->> 'id', value ->> 'body' FROM json_each($1)";
const PUT_MESSAGES: &str = "INSERT INTO messages (room_id, seq, author_id, rev, at, body_id)
    SELECT value ->> 'room', value ->> 'seq', value ->> 'author', value ->> 'rev', $2, value ->> 'body'
    FROM json_each($1) WHERE true
    ON CONFLICT (room_id, seq) DO UPDATE SET rev = excluded.rev, body_id = excluded.body_id";
const ERASE_BODIES: &str = "UPDATE bodies SET body = NULL WHERE id IN (SELECT value FROM json_each($1))";

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

/// Stores messages as they stand after the run and blanks the bodies that they had before.
pub(super) async fn put(tx: &mut SqliteConnection, plan: &Plan, moment: Moment) -> Result<(), StoreError> {
    if plan.messages.is_empty() {
        return Ok(());
    }
    let (mut last_body,): (i64,) = sqlx::query_as(LAST_BODY).fetch_one(&mut *tx).await?;
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
    if !bodies.is_empty() {
        sqlx::query(INSERT_BODIES).bind(json(&bodies)?).execute(&mut *tx).await?;
    }
    sqlx::query(PUT_MESSAGES).bind(json(&messages)?).bind(moment.at).execute(&mut *tx).await?;
    if !plan.erased.is_empty() {
        sqlx::query(ERASE_BODIES).bind(json(&plan.erased)?).execute(&mut *tx).await?;
    }
    Ok(())
}
