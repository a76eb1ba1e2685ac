//! The table of idempotency keys.

use super::super::columns::{damaged, seq_from};
use super::super::event_row::json;
use super::super::key_row::{KnownKey, NewKey};
use super::super::{Intent, StoreError, sql};
use crate::domain::{RoomId, Slug};
use sqlx::SqliteConnection;

macro_rules! put_keys {
    ($keys:literal) => {
        concat!(
            "INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq, expires_at)
                SELECT value ->> 'scope', value ->> 'actor', value ->> 'key', unhex(value ->> 'fingerprint'),
                    value ->> 'room', value ->> 'seq', value ->> 'expires_at'
                FROM jsonb_each(",
            $keys,
            ");"
        )
    };
}
pub(super) use put_keys;

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

/// Stores a key that is not known yet.
pub(super) async fn put(tx: &mut SqliteConnection, key: &NewKey) -> Result<(), StoreError> {
    sqlx::query(put_keys!("$1")).bind(rows(std::slice::from_ref(key))?).execute(&mut *tx).await?;
    Ok(())
}

/// What [`put_keys!`] is given.
pub(super) fn rows(keys: &[NewKey]) -> Result<String, StoreError> {
    json(&keys.iter().map(NewKey::columns).collect::<Vec<_>>())
}
