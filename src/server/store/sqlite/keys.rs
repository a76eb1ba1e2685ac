//! The table of idempotency keys.

use super::super::columns::{damaged, seq_from};
use super::super::event_row::json;
use super::super::key_row::{KnownKey, NewKey};
use super::super::{Intent, StoreError, sql};
use crate::domain::{RoomId, Slug};
use sqlx::SqliteConnection;

const INSERT_KEYS: &str = "INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq, expires_at)
    SELECT value ->> 'scope', value ->> 'actor', value ->> 'key', unhex(value ->> 'fingerprint'),
        value ->> 'room', value ->> 'seq', value ->> 'expires_at'
    FROM json_each($1)";

/// What the key was used for in the room; outside of rooms with `None`.
pub(super) async fn known(
    db: &mut SqliteConnection,
    room: Option<&Slug>,
    intent: &Intent,
) -> Result<Option<KnownKey>, StoreError> {
    let query = sqlx::query_as(sql::log::KNOWN_KEY).bind(room.map(Slug::as_str)).bind(intent.actor.0);
    let row: Option<(i64, String, Option<i64>, Vec<u8>)> =
        query.bind(intent.key.as_str()).fetch_optional(&mut *db).await?;
    row.map(|(room, slug, seq, fingerprint)| {
        let slug = Slug::parse(&slug).map_err(|_| damaged("room's address", slug))?;
        Ok(KnownKey { room: RoomId(room), slug, seq: seq.map(seq_from).transpose()?, fingerprint })
    })
    .transpose()
}

/// Stores keys that are not known yet.
pub(super) async fn put(tx: &mut SqliteConnection, keys: &[NewKey]) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = keys.iter().map(NewKey::columns).collect();
    sqlx::query(INSERT_KEYS).bind(json(&rows)?).execute(&mut *tx).await?;
    Ok(())
}
