//! What is done for the whole installation now and then, whichever node does it.

use super::super::StoreError;
use super::notes::forget_nodes;
use super::webhooks;
use sqlx::{Connection, PgConnection, PgTransaction};
use std::time::Duration;

/// Old keys and nodes that are gone are dropped so often.
const PURGE_EVERY: Duration = Duration::from_secs(60);

/// By the server's clock, which is one for all. A second node waits for the first one's transaction here, and
/// finds then that nothing is due; if the first one ends without COMMIT, it goes on in its place.
const CLAIM: &str = "WITH moment AS (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now)
    UPDATE schedule SET due_at = moment.now + $2 FROM moment WHERE name = $1 AND due_at <= moment.now";

/// While there is more than one turn can do, the next one comes as soon as somebody looks; whoever did this one looks
/// when it has looked after its writes.
const AGAIN: &str = "UPDATE schedule SET due_at = 0 WHERE name = $1";

/// Rows of one turn.
pub(super) const TURN: u64 = 1_000;

/// The oldest at once, so that no commit waits for long.
const PURGE_KEYS: &str = "DELETE FROM keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))";

const PURGE_PREVIEWS: &str = "DELETE FROM previews WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM previews WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))";

/// Drops old keys, what pages said and nodes that are gone, if it is time. `now` in Unix milliseconds. Whether this node
/// did it and there may be more. What was sent to webhooks is kept for `delivery_lifetime`.
pub(super) async fn purge(
    connection: &mut PgConnection,
    now: i64,
    delivery_lifetime: Duration,
) -> Result<bool, StoreError> {
    let mut tx = connection.begin().await?;
    if !claim(&mut tx, "purge", PURGE_EVERY).await? {
        return Ok(false);
    }
    let keys = sqlx::query(PURGE_KEYS).bind(now).execute(&mut *tx).await?.rows_affected();
    let previews = sqlx::query(PURGE_PREVIEWS).bind(now).execute(&mut *tx).await?.rows_affected();
    let delivery_lifetime_ms = i64::try_from(delivery_lifetime.as_millis()).unwrap_or(i64::MAX);
    let deliveries = webhooks::purge(&mut tx, now.saturating_sub(delivery_lifetime_ms)).await?;
    let more = keys >= TURN || previews >= TURN || deliveries;
    if more {
        sqlx::query(AGAIN).bind("purge").execute(&mut *tx).await?;
    }
    forget_nodes(&mut tx, now).await?;
    tx.commit().await?;
    Ok(more)
}

/// Whether it is due, and for this transaction to do. Nobody else does it within `every`, if this commits.
async fn claim(tx: &mut PgTransaction<'_>, name: &str, every: Duration) -> Result<bool, StoreError> {
    let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    let claimed = sqlx::query(CLAIM).bind(name).bind(every_ms).execute(&mut **tx).await?;
    Ok(claimed.rows_affected() > 0)
}
