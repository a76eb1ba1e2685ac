//! SQLite: one file in the data directory, opened by the server and by `admin` commands at the
//! same time. All writes of a process go through one connection ([`gate`]), reads through a pool
//! of read-only ones, so that readers never wait for the disk's sync.

mod accounts;
pub mod archive;
mod change;
mod chores;
mod commit;
mod directory;
mod engine;
mod error;
mod gate;
mod history;
mod keys;
mod links;
mod log;
mod messages;
mod migrate;
mod rooms;
mod run;
mod sessions;
mod sidecar;

use super::writer::Writer;
use super::{Store, StoreError, StoreOptions};
use directory::FILE;
use engine::SqliteEngine;
use error::open_error;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gate::Gate;
use history::History;
use prometheus_client::metrics::counter::Counter;
use sqlx::pool::PoolConnectionMetadata;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The community's data in one SQLite file.
pub struct SqliteStore {
    history: Arc<History>,
    readers: SqlitePool,
    gate: Arc<Gate>,
    writer: Writer,
    /// A restore waits for the end of it.
    _entered: directory::Held,
}

impl SqliteStore {
    /// Opens the database in `dir`, making both when missing, and brings its schema up to date.
    /// The error is one sentence for the operator.
    pub async fn open(dir: &Path, options: StoreOptions) -> Result<Arc<SqliteStore>, StoreError> {
        let _entered = directory::enter(dir).await?;
        let path = dir.join(FILE);
        let gate = Arc::new(Gate::new(write_options(&path, &options)));
        let failed = |error| open_error(&path, error);
        migrate::run(&gate, &path, options.busy_timeout).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(options.busy_timeout)
            .test_before_acquire(false)
            .before_acquire(count(&options.reads))
            .connect_with(read_options(&path, &options))
            .await
            .map_err(failed)?;
        let history = Arc::new(History::new(dir));
        history.settle(&mut gate.turn().await).await?;
        let writer = Writer::spawn(SqliteEngine::new(Arc::clone(&gate), Arc::clone(&history), &options), &options);
        Ok(Arc::new(SqliteStore { history, readers, gate, writer, _entered }))
    }

    async fn close_all(&self) {
        self.writer.close().await;
        self.readers.close().await;
        if let Err(error) = self.gate.close().await {
            tracing::warn!(%error, "the database was closed without a checkpoint");
        }
    }
}

impl Store for SqliteStore {}

/// Counts who takes a connection from the pool: each does so for one read.
fn count(
    reads: &Counter,
) -> impl for<'c> Fn(&'c mut SqliteConnection, PoolConnectionMetadata) -> BoxFuture<'c, Result<bool, sqlx::Error>> + 'static
{
    let reads = reads.clone();
    move |_, _| {
        reads.inc();
        std::future::ready(Ok(true)).boxed()
    }
}

/// An ack means durable: FULL syncs the log of every commit, whatever a build's default is.
fn base_options(path: PathBuf, options: &StoreOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is overwritten, and what a statement puts aside reaches no file of its own.
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .busy_timeout(options.busy_timeout)
}

fn write_options(path: &Path, options: &StoreOptions) -> SqliteConnectOptions {
    base_options(path.to_owned(), options).create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
}

/// To a database that is there: nothing is made.
fn joining_options(path: &Path, options: &StoreOptions) -> SqliteConnectOptions {
    base_options(path.to_owned(), options)
}

fn read_options(path: &Path, options: &StoreOptions) -> SqliteConnectOptions {
    base_options(path.to_owned(), options).read_only(true)
}

#[cfg(test)]
mod tests;
