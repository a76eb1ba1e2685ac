//! A run of commands about messages: look up, decide, write, in a number of statements that does
//! not depend on its length.

use super::super::StoreError;
use super::super::columns::{access_from, seq_column, seq_from};
use super::super::event_row::json;
use super::super::key_row::KnownKey;
use super::super::plan::{Body, Found, FoundRoom, Message, Moment, Outcome, Plan, Speech};
use super::commit::append;
use super::{keys, messages};
use crate::domain::{RoomId, UserId};
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

const LOOK_UP: &str = "SELECT r.id, r.access, r.head, u.name, m.user_id, k.seq, k.fingerprint,
        t.author_id, t.rev, t.body_id, b.body,
        j.value ->> 'epoch' <> (SELECT value FROM meta WHERE name = 'epoch')
    FROM json_each($1) AS j
    LEFT JOIN rooms AS r ON r.slug = j.value ->> 'room'
    LEFT JOIN users AS u ON u.id = j.value ->> 'actor'
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    LEFT JOIN keys AS k ON k.scope = r.id AND k.actor_id = u.id AND k.key = j.value ->> 'key'
    LEFT JOIN messages AS t ON t.room_id = r.id AND t.seq = j.value ->> 'target'
    LEFT JOIN bodies AS b ON b.id = t.body_id
    ORDER BY j.id";
/// Authors are members from here on and have read up to their own post.
const MARK_AUTHORS: &str = "INSERT INTO memberships (room_id, user_id, joined_at, last_read)
    SELECT value ->> 'room', value ->> 'user', $2, value ->> 'seq' FROM json_each($1) WHERE true
    ON CONFLICT (room_id, user_id) DO UPDATE SET last_read = max(last_read, excluded.last_read)";

#[derive(Serialize)]
struct LookUp<'a> {
    room: &'a str,
    actor: i64,
    key: &'a str,
    target: Option<i64>,
    epoch: Option<&'a str>,
}

#[derive(Serialize)]
struct AuthorColumns {
    room: i64,
    user: i64,
    seq: i64,
}

pub(super) async fn carry_out(
    tx: &mut SqliteConnection,
    speeches: &[Speech<'_>],
    moment: Moment,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let plan = Plan::make(speeches, look_up(tx, speeches).await?, moment);
    append(tx, &plan.events).await?;
    messages::put(tx, &plan, moment).await?;
    keys::put(tx, &plan.keys).await?;
    let authors: Vec<_> = plan
        .read
        .iter()
        .map(|((room, user), seq)| AuthorColumns { room: room.0, user: user.0, seq: seq_column(*seq) })
        .collect();
    if !authors.is_empty() {
        sqlx::query(MARK_AUTHORS).bind(json(&authors)?).bind(moment.at).execute(&mut *tx).await?;
    }
    outcome.erased |= !plan.erased.is_empty();
    outcome.answers.extend(plan.answers);
    outcome.grow(plan.events);
    Ok(())
}

async fn look_up(tx: &mut SqliteConnection, speeches: &[Speech<'_>]) -> Result<Vec<Found>, StoreError> {
    let asked: Vec<_> = speeches
        .iter()
        .map(|speech| LookUp {
            room: speech.room.as_str(),
            actor: speech.intent.actor.0,
            key: speech.intent.key.as_str(),
            target: speech.target().map(seq_column),
            epoch: speech.epoch,
        })
        .collect();
    let rows: Vec<FoundRow> = sqlx::query_as(LOOK_UP).bind(json(&asked)?).fetch_all(&mut *tx).await?;
    if rows.len() != speeches.len() {
        return Err(StoreError::Internal(format!("{} commands were looked up, {} found", speeches.len(), rows.len())));
    }
    rows.into_iter().zip(speeches).map(|(row, speech)| row.found(speech)).collect()
}

struct FoundRow {
    room: Option<i64>,
    access: Option<String>,
    head: Option<i64>,
    author_name: Option<String>,
    membership: Option<i64>,
    known_seq: Option<i64>,
    fingerprint: Option<Vec<u8>>,
    target_author: Option<i64>,
    target_rev: Option<i64>,
    body_id: Option<i64>,
    body: Option<String>,
    other_epoch: Option<bool>,
}

impl FoundRow {
    fn found(self, speech: &Speech<'_>) -> Result<Found, StoreError> {
        let room = match (self.room, self.access, self.head) {
            (Some(id), Some(access), Some(head)) => {
                Some(FoundRoom { id: RoomId(id), access: access_from(&access)?, head: seq_from(head)? })
            }
            _ => None,
        };
        let known = match (room, self.fingerprint) {
            (Some(room), Some(fingerprint)) => {
                let seq = self.known_seq.map(seq_from).transpose()?;
                Some(KnownKey { room: room.id, slug: speech.room.clone(), seq, fingerprint })
            }
            _ => None,
        };
        let target = match (self.target_author, self.target_rev) {
            (Some(author), Some(rev)) => {
                let body = self.body.map(|text| Body { text, id: self.body_id });
                Some(Message { author: UserId(author), rev: seq_from(rev)?, body })
            }
            _ => None,
        };
        let (author_name, member) = (self.author_name, self.membership.is_some());
        Ok(Found { room, author_name, member, known, target, other_epoch: self.other_epoch.unwrap_or(false) })
    }
}

impl FromRow<'_, SqliteRow> for FoundRow {
    fn from_row(row: &SqliteRow) -> Result<FoundRow, sqlx::Error> {
        Ok(FoundRow {
            room: row.try_get(0)?,
            access: row.try_get(1)?,
            head: row.try_get(2)?,
            author_name: row.try_get(3)?,
            membership: row.try_get(4)?,
            known_seq: row.try_get(5)?,
            fingerprint: row.try_get(6)?,
            target_author: row.try_get(7)?,
            target_rev: row.try_get(8)?,
            body_id: row.try_get(9)?,
            body: row.try_get(10)?,
            other_epoch: row.try_get(11)?,
        })
    }
}
