//! Brings the schema up to date: numbered files, forward only, all in one transaction. Of several
//! processes that open at once one migrates and the others wait for it.

use super::super::StoreError;
use super::error::{is_busy, open_error};
use super::gate::Gate;
use sqlx::SqliteConnection;
use std::path::Path;
use std::time::{Duration, Instant};

/// The version of a file is its place here, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_first.sql"),
    include_str!("../migrations/sqlite/0002_keys_and_bodies.sql"),
];

const CREATE_SCHEMA_VERSION: &str = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)";
const SCHEMA_VERSION: &str = "SELECT coalesce(max(version), 0) FROM schema_version";
const PUT_SCHEMA_VERSION: &str = "INSERT INTO schema_version (version) VALUES ($1)";

/// Turning the write-ahead log on does not wait for other processes as statements do.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// The newest schema version that this program knows.
pub(super) const fn known() -> usize {
    MIGRATIONS.len()
}

/// The schema version of a database; an error where it has none.
pub(super) async fn version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let (version,): (i64,) = sqlx::query_as(SCHEMA_VERSION).fetch_one(connection).await?;
    Ok(version)
}

/// Gives up when the database is busy for longer than `patience`.
pub(super) async fn run(gate: &Gate, path: &Path, patience: Duration) -> Result<(), StoreError> {
    let give_up_at = Instant::now() + patience;
    loop {
        match migrate(gate, path).await {
            Ok(outcome) => return outcome,
            Err(error) if is_busy(&error) && Instant::now() < give_up_at => tokio::time::sleep(BUSY_PAUSE).await,
            Err(error) => return Err(open_error(path, error)),
        }
    }
}

async fn migrate(gate: &Gate, path: &Path) -> Result<Result<(), StoreError>, sqlx::Error> {
    let mut turn = gate.turn().await;
    turn.connection().await?;
    let mut tx = turn.begin().await?;
    sqlx::query(CREATE_SCHEMA_VERSION).execute(&mut *tx).await?;
    let (version, known) = (version(&mut tx).await?, known());
    let Some(missing) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..)) else {
        return Ok(Err(StoreError::Internal(format!(
            "{} was written by a newer PickMate (schema {version}, this one knows {known})",
            path.display()
        ))));
    };
    for (sql, version) in missing.iter().zip(version + 1..) {
        apply(&mut tx, sql, version).await?;
    }
    tx.commit().await?;
    // The first look for foreign writes compares with what stands now.
    Ok(turn.foreign_write().await.map(|_| ()))
}

async fn apply(tx: &mut SqliteConnection, sql: &'static str, version: i64) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(&mut *tx).await?;
    sqlx::query(PUT_SCHEMA_VERSION).bind(version).execute(&mut *tx).await?;
    Ok(())
}
