//! A run of posts: look up, decide, write, in five statements.

use super::super::StoreError;
use super::super::columns::{access_from, seq_column, seq_from};
use super::super::event_row::json;
use super::super::plan::{Found, FoundRoom, Outcome, Plan, Post};
use super::commit::append;
use crate::domain::RoomId;
use serde::Serialize;
use sqlx::SqliteConnection;

/// INDEXED BY: without the index every post would read its room's whole log, so rather fail.
const LOOK_UP: &str = "SELECT r.id, r.access, r.head, u.name, m.user_id, e.seq, e.fingerprint
    FROM json_each($1) AS j
    LEFT JOIN rooms AS r ON r.slug = j.value ->> 'room'
    LEFT JOIN users AS u ON u.id = j.value ->> 'author'
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    LEFT JOIN events AS e INDEXED BY events_by_key
        ON e.room_id = r.id AND e.actor_id = u.id AND e.key = j.value ->> 'key'
    ORDER BY j.id";
/// Authors are members from here on and have read up to their own post.
const MARK_AUTHORS: &str = "INSERT INTO memberships (room_id, user_id, joined_at, last_read)
    SELECT value ->> 'room', value ->> 'user', $2, value ->> 'seq' FROM json_each($1) WHERE true
    ON CONFLICT (room_id, user_id) DO UPDATE SET last_read = max(last_read, excluded.last_read)";

#[derive(Serialize)]
struct LookUp<'a> {
    room: &'a str,
    author: i64,
    key: &'a str,
}

#[derive(Serialize)]
struct AuthorColumns {
    room: i64,
    user: i64,
    seq: i64,
}

type FoundRow = (Option<i64>, Option<String>, Option<i64>, Option<String>, Option<i64>, Option<i64>, Option<Vec<u8>>);

pub(super) async fn carry_out(
    tx: &mut SqliteConnection,
    posts: &[Post<'_>],
    at: i64,
    outcome: &mut Outcome,
) -> Result<(), StoreError> {
    let plan = Plan::make(posts, look_up(tx, posts).await?, at);
    append(tx, &plan.events).await?;
    let authors: Vec<_> = plan
        .read
        .iter()
        .map(|((room, user), seq)| AuthorColumns { room: room.0, user: user.0, seq: seq_column(*seq) })
        .collect();
    if !authors.is_empty() {
        sqlx::query(MARK_AUTHORS).bind(json(&authors)?).bind(at).execute(&mut *tx).await?;
    }
    outcome.answers.extend(plan.answers);
    outcome.grow(plan.events);
    Ok(())
}

async fn look_up(tx: &mut SqliteConnection, posts: &[Post<'_>]) -> Result<Vec<Found>, StoreError> {
    let asked: Vec<_> = posts
        .iter()
        .map(|post| LookUp { room: post.room.as_str(), author: post.author.0, key: post.key.as_str() })
        .collect();
    let rows: Vec<FoundRow> = sqlx::query_as(LOOK_UP).bind(json(&asked)?).fetch_all(&mut *tx).await?;
    if rows.len() != posts.len() {
        return Err(StoreError::Internal(format!("{} posts were looked up, {} found", posts.len(), rows.len())));
    }
    rows.into_iter().map(found).collect()
}

fn found((room, access, head, author_name, membership, seq, fingerprint): FoundRow) -> Result<Found, StoreError> {
    let room = match (room, access, head) {
        (Some(id), Some(access), Some(head)) => {
            Some(FoundRoom { id: RoomId(id), access: access_from(&access)?, head: seq_from(head)? })
        }
        _ => None,
    };
    let known = seq.map(|seq| seq_from(seq).map(|seq| (seq, fingerprint.unwrap_or_default()))).transpose()?;
    Ok(Found { room, author_name, member: membership.is_some(), known })
}
