//! The one connection that writes. Account writes and the writer's batches take turns on it, in
//! the order they ask: within a process nobody meets `SQLITE_BUSY`, and what `data_version` shows
//! is the work of other processes only.

use super::super::StoreError;
use sqlx::sqlite::{Sqlite, SqliteConnectOptions};
use sqlx::{Connection, SqliteConnection, Transaction};
use tokio::sync::{Mutex, MutexGuard};

pub(super) struct Gate {
    options: SqliteConnectOptions,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Opened at the first use, and again after a failure.
    connection: Option<SqliteConnection>,
    /// As last seen on this connection; it says nothing about another.
    data_version: Option<i64>,
    closed: bool,
}

/// A turn on the connection.
pub(super) struct Turn<'a> {
    options: &'a SqliteConnectOptions,
    held: MutexGuard<'a, Held>,
}

impl Gate {
    pub fn new(options: SqliteConnectOptions) -> Gate {
        Gate { options, held: Mutex::default() }
    }

    pub async fn turn(&self) -> Turn<'_> {
        Turn { options: &self.options, held: self.held.lock().await }
    }

    /// Moves the write-ahead log into the database file and lets go of it.
    pub async fn close(&self) -> Result<(), sqlx::Error> {
        let mut held = self.held.lock().await;
        held.closed = true;
        match held.connection.take() {
            Some(mut connection) => {
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
                connection.close().await
            }
            None => Ok(()),
        }
    }
}

impl Turn<'_> {
    pub async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        if self.held.closed {
            return Err(sqlx::Error::PoolClosed);
        }
        let connection = match self.held.connection.take() {
            Some(connection) => connection,
            None => SqliteConnection::connect_with(self.options).await?,
        };
        Ok(self.held.connection.insert(connection))
    }

    /// A transaction that may write from its first statement on; rolled back when dropped.
    pub async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
        self.connection().await?.begin_with("BEGIN IMMEDIATE").await
    }

    /// After a failure nothing is assumed about the connection: the next turn opens a new one.
    pub fn forget_connection(&mut self) {
        self.held.connection = None;
        self.held.data_version = None;
    }

    /// Whether another connection committed since the last call, or that is unknown.
    pub async fn foreign_write(&mut self) -> Result<bool, StoreError> {
        let (now,): (i64,) = sqlx::query_as("PRAGMA data_version").fetch_one(self.connection().await?).await?;
        let before = self.held.data_version.replace(now);
        Ok(before != Some(now))
    }
}
