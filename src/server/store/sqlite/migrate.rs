//! Brings the schema up to date: numbered files, forward only, all in one transaction. Of several
//! processes that open at once one migrates and the others wait for it.

use super::super::{Reason, StoreError, StoreOptions};
use super::error::open_error;
use super::gate::Turn;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};
use std::path::Path;
use std::time::{Duration, Instant};

/// The version of a file is its place here, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_first.sql"),
    include_str!("../migrations/sqlite/0002_keys_and_bodies.sql"),
    include_str!("../migrations/sqlite/0003_tasks.sql"),
    include_str!("../migrations/sqlite/0004_retention.sql"),
    include_str!("../migrations/sqlite/0005_files.sql"),
    include_str!("../migrations/sqlite/0006_outgoing.sql"),
    include_str!("../migrations/sqlite/0007_webhooks.sql"),
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

/// Takes the file that has the database's name. Gives up when it is busy for longer than
/// `options.busy_timeout`.
pub(super) async fn run(
    turn: &mut Turn<'_>,
    path: &Path,
    options: &StoreOptions,
    file: SqliteConnectOptions,
) -> Result<(), StoreError> {
    let give_up_at = Instant::now() + options.busy_timeout;
    loop {
        let tried = match turn.take_file(file.clone()).await {
            Ok(()) => migrate(turn, path).await,
            Err(error) => Err(error),
        };
        match tried {
            Err(StoreError::Unavailable(trouble))
                if trouble.reason == Reason::Locked && Instant::now() < give_up_at =>
            {
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            tried => return tried,
        }
    }
}

async fn migrate(turn: &mut Turn<'_>, path: &Path) -> Result<(), StoreError> {
    let failed = |error| open_error(path, error);
    let mut tx = turn.connection().await?.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    sqlx::query(CREATE_SCHEMA_VERSION).execute(&mut *tx).await.map_err(failed)?;
    let (version, known) = (version(&mut tx).await.map_err(failed)?, known());
    let Some(missing) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..)) else {
        return Err(StoreError::Internal(format!(
            "{} was written by a newer PickMate (schema {version}, this one knows {known})",
            path.display()
        )));
    };
    for (sql, version) in missing.iter().zip(version + 1..) {
        apply(&mut tx, sql, version).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)?;
    // The first look for foreign writes compares with what stands now.
    turn.foreign_write().await.map(|_| ())
}

async fn apply(tx: &mut SqliteConnection, sql: &'static str, version: i64) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(&mut *tx).await?;
    sqlx::query(PUT_SCHEMA_VERSION).bind(version).execute(&mut *tx).await?;
    Ok(())
}
