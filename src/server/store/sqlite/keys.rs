//! The table of idempotency keys.

use super::super::key_row::{KnownKey, KnownKeyRow, NewKey, key_rows};
use super::super::{Intent, StoreError, sql};
use crate::domain::Slug;
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
    let row: Option<KnownKeyRow> = query.bind(intent.key.as_str()).fetch_optional(&mut *db).await?;
    row.map(KnownKey::from_row).transpose()
}

/// Stores a key that is not known yet.
pub(super) async fn put(tx: &mut SqliteConnection, key: &NewKey) -> Result<(), StoreError> {
    sqlx::query(put_keys!("$1")).bind(key_rows(std::slice::from_ref(key))?).execute(&mut *tx).await?;
    Ok(())
}
