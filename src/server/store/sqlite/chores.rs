//! What the writer's connection does between commits: the bytes of erased bodies leave the files,
//! old keys, what pages said and what was sent to webhooks go.

use super::super::{StoreError, StoreOptions};
use super::error::is_busy;
use super::gate::{Gate, Turn};
use super::webhooks;
use std::time::Duration;
use tokio::time::Instant;

/// How long the write-ahead log's readers are waited for. Nothing can be written meanwhile.
const PATIENCE_MS: u32 = 50;
/// Then they are left alone for so long.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Somebody who reads for longer than this is told of.
const WARN_AFTER: Duration = Duration::from_secs(30);

const PURGE_EVERY: Duration = Duration::from_secs(60);
/// Rows of one step. While a step finds as many, the next one follows when the writer has looked after the others.
const TURN: u64 = 1_000;
/// The oldest thousand at once, so that no commit waits for long.
const PURGE_KEYS: &str = "DELETE FROM keys WHERE expires_at <= (SELECT max(expires_at) FROM
    (SELECT expires_at FROM keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000))";

const PURGE_PREVIEWS: &str = "DELETE FROM previews WHERE hash IN
    (SELECT hash FROM previews WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000)";

pub(super) struct Chores {
    erase_after: Duration,
    delivery_lifetime_ms: i64,
    erasure: Option<Erasure>,
    purge_at: Instant,
}

/// Bodies were blanked; older pages of them may still be in the write-ahead log.
struct Erasure {
    since: Instant,
    due: Instant,
    warned: bool,
}

impl Chores {
    /// A process that ended before its erasure leaves it to the next one.
    pub fn new(options: &StoreOptions) -> Chores {
        let mut chores = Chores {
            erase_after: options.erase_after,
            delivery_lifetime_ms: i64::try_from(options.delivery_lifetime.as_millis()).unwrap_or(i64::MAX),
            erasure: None,
            purge_at: Instant::now() + PURGE_EVERY,
        };
        chores.bodies_erased();
        chores
    }

    /// The files are to be rid of them. Those of the first call since they were are not delayed by
    /// later ones.
    pub fn bodies_erased(&mut self) {
        let since = Instant::now();
        self.erasure.get_or_insert(Erasure { since, due: since + self.erase_after, warned: false });
    }

    /// Does what is due. `now` in Unix milliseconds.
    pub async fn run(&mut self, gate: &Gate, now: i64) -> Result<(), StoreError> {
        if self.erasure.as_ref().is_some_and(|erasure| erasure.due <= Instant::now()) {
            let erased = empty_log(&mut gate.turn().await).await;
            self.erased(matches!(erased, Ok(true)));
            erased?;
        }
        if self.purge_at <= Instant::now() {
            self.purge_at = Instant::now() + PURGE_EVERY;
            if self.purge(gate, now).await? {
                self.purge_at = Instant::now();
            }
        }
        Ok(())
    }

    /// One step. Whether there may be more.
    async fn purge(&self, gate: &Gate, now: i64) -> Result<bool, StoreError> {
        let keys = purge_keys(gate, now).await?;
        let previews = drop_old(gate, PURGE_PREVIEWS, now).await?;
        let deliveries = webhooks::purge(gate, now.saturating_sub(self.delivery_lifetime_ms)).await?;
        Ok(keys || previews || deliveries)
    }

    fn erased(&mut self, done: bool) {
        let Some(erasure) = &mut self.erasure else { return };
        if done {
            self.erasure = None;
            return;
        }
        erasure.due = Instant::now() + TRY_AGAIN_AFTER;
        if !erasure.warned && erasure.since.elapsed() >= WARN_AFTER {
            erasure.warned = true;
            tracing::warn!("deleted messages are still in the write-ahead log: something reads an older state of it");
        }
    }
}

/// Moves the write-ahead log into the database file and makes it empty, if nobody reads from it:
/// `false` when somebody does.
async fn empty_log(turn: &mut Turn<'_>) -> Result<bool, StoreError> {
    let connection = turn.connection().await?;
    let (patience,): (i64,) = sqlx::query_as("PRAGMA busy_timeout").fetch_one(&mut *connection).await?;
    set_patience(turn, PATIENCE_MS.into()).await?;
    let checkpoint = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)");
    let checkpoint: Result<(i64, i64, i64), _> = checkpoint.fetch_one(turn.connection().await?).await;
    set_patience(turn, patience).await?;
    match checkpoint {
        Ok((busy, ..)) => Ok(busy == 0),
        Err(error) if is_busy(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A connection whose patience is not known is not used again.
async fn set_patience(turn: &mut Turn<'_>, ms: i64) -> Result<(), StoreError> {
    let pragma = sqlx::AssertSqlSafe(format!("PRAGMA busy_timeout = {ms}"));
    let set = sqlx::raw_sql(pragma).execute(turn.connection().await?).await;
    if set.is_err() {
        turn.renew_connection().await;
    }
    set?;
    Ok(())
}

/// Whether there may be more.
pub(super) async fn purge_keys(gate: &Gate, now: i64) -> Result<bool, StoreError> {
    drop_old(gate, PURGE_KEYS, now).await
}

/// One step of a statement that drops what ended by `before`, [`TURN`] rows at most. Whether there may be more.
pub(super) async fn drop_old(gate: &Gate, statement: &'static str, before: i64) -> Result<bool, StoreError> {
    let mut turn = gate.turn().await;
    let dropped = sqlx::query(statement).bind(before).execute(turn.connection().await?).await?;
    Ok(dropped.rows_affected() >= TURN)
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use super::*;

    const OLD: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)";

    #[tokio::test]
    async fn what_is_old_goes_step_by_step_until_nothing_is_left() {
        let dir = tempfile::TempDir::new().unwrap();
        let options = StoreOptions { delivery_lifetime: Duration::ZERO, ..StoreOptions::default() };
        let store = SqliteStore::open(dir.path(), options.clone()).await.unwrap();
        for insert in [
            "INSERT INTO previews (hash, fetched_at, expires_at, title, description, site)
                SELECT CAST(i AS BLOB), 1, 1, '', '', '' FROM n",
            "INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq, expires_at)
                SELECT 0, 1, 'k' || i, x'00', 1, 1, i FROM n",
            "INSERT INTO deliveries (webhook_id, seq, state, attempts, queued_at, finished_at)
                SELECT 1, i, 'delivered', 1, 1, 1 FROM n",
        ] {
            let script = format!("PRAGMA foreign_keys = OFF; {OLD} {insert}; PRAGMA foreign_keys = ON;");
            let mut turn = store.gate.turn().await;
            sqlx::raw_sql(sqlx::AssertSqlSafe(script)).execute(turn.connection().await.unwrap()).await.unwrap();
        }
        let left = async || {
            let count = "SELECT (SELECT count(*) FROM previews), (SELECT count(*) FROM keys),
                (SELECT count(*) FROM deliveries)";
            sqlx::query_as::<_, (i64, i64, i64)>(count).fetch_one(&store.readers).await.unwrap()
        };
        let mut chores = Chores::new(&options);
        chores.erasure = None;
        chores.purge_at = Instant::now();
        for expected in [1_500, 500, 0] {
            chores.run(&store.gate, 10_000).await.unwrap();
            assert_eq!(left().await, (expected, expected, expected));
        }
        assert!(chores.purge_at > Instant::now(), "nothing is left: it rests");
    }
}
