//! Brings the schema up to date: numbered files, forward only, all in one transaction. Of several nodes
//! that start at once one migrates and the others wait for it.

use super::super::StoreError;
use super::Address;
use super::error::open_error;
use super::lock::Lock;
use super::moving;
use sqlx::{Connection, PgConnection};

/// The version of a file is its place here, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/postgres/0001_first.sql"),
    include_str!("../migrations/postgres/0002_schedule.sql"),
    include_str!("../migrations/postgres/0003_tasks.sql"),
    include_str!("../migrations/postgres/0004_retention.sql"),
    include_str!("../migrations/postgres/0005_files.sql"),
    include_str!("../migrations/postgres/0006_outgoing.sql"),
    include_str!("../migrations/postgres/0007_webhooks.sql"),
];

/// A migration takes as long as it takes, and so does waiting for another node's.
const TAKE_YOUR_TIME: &str = "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0";

const CREATE_SCHEMA_VERSION: &str = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)";
const SCHEMA_VERSION: &str = "SELECT coalesce(max(version), 0) FROM schema_version";
const PUT_SCHEMA_VERSION: &str = "INSERT INTO schema_version (version) VALUES ($1)";

/// Whoever opens the database for people begins with this.
pub(super) async fn run(connection: &mut PgConnection, address: &Address) -> Result<(), StoreError> {
    let failed = |error| open_error(address, error);
    let mut tx = connection.begin().await.map_err(failed)?;
    sqlx::raw_sql(TAKE_YOUR_TIME).execute(&mut *tx).await.map_err(failed)?;
    Lock::Schema.take(&mut tx).await.map_err(failed)?;
    moving::refuse_part(&mut tx, address).await?;
    bring_up_to_date(&mut tx, address).await?;
    tx.commit().await.map_err(failed)
}

/// The newest schema version that this program knows.
pub(super) fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Of a database that has tables.
pub(super) async fn version(connection: &mut PgConnection) -> Result<i64, StoreError> {
    let (version,): (i64,) = sqlx::query_as(SCHEMA_VERSION).fetch_one(connection).await?;
    Ok(version)
}

/// In a transaction that holds [`Lock::Schema`].
pub(super) async fn bring_up_to_date(tx: &mut PgConnection, address: &Address) -> Result<(), StoreError> {
    let failed = |error| open_error(address, error);
    sqlx::query(CREATE_SCHEMA_VERSION).execute(&mut *tx).await.map_err(failed)?;
    let version = version(tx).await?;
    let Some(missing) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version..)) else {
        return Err(StoreError::Internal(format!(
            "{address} was written by a newer PickMate (schema {version}, this one knows {})",
            MIGRATIONS.len()
        )));
    };
    for (sql, version) in missing.iter().zip(version + 1..) {
        sqlx::raw_sql(*sql).execute(&mut *tx).await.map_err(failed)?;
        sqlx::query(PUT_SCHEMA_VERSION).bind(version).execute(&mut *tx).await.map_err(failed)?;
    }
    Ok(())
}
