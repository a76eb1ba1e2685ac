//! SQLite: one file in the data directory, opened by the server and by `admin` commands at the
//! same time. All writes of a process go through one connection ([`gate`]), reads through a pool
//! of read-only ones, so that readers never wait for the disk's sync.

mod accounts;
pub mod archive;
mod chores;
mod commit;
mod damage;
mod database;
mod directory;
mod engine;
mod error;
mod file;
mod gate;
mod history;
mod keys;
mod links;
mod log;
mod messages;
mod migrate;
pub mod moving;
mod own_thread;
mod previews;
mod readers;
mod rooms;
mod run;
mod sessions;
mod sidecar;
mod tables;
mod tasks;
mod uploads;
mod webhooks;

pub(super) use error::reason_of_answer;

use super::writer::Writer;
use super::{Observer, Store, StoreError, StoreOptions};
use database::Database;
use engine::SqliteEngine;
use gate::Gate;
use history::History;
use readers::Readers;
use sessions::Prolongations;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The community's data in one SQLite file.
pub struct SqliteStore {
    database: Arc<Database>,
    history: Arc<History>,
    readers: Readers,
    gate: Arc<Gate>,
    writer: Writer,
    observer: Arc<dyn Observer>,
    prolongations: Prolongations,
}

impl SqliteStore {
    /// Opens the database in `dir`, making both when missing, and brings its schema up to date.
    /// The error is one sentence for the operator.
    pub async fn open(dir: &Path, options: StoreOptions) -> Result<Arc<SqliteStore>, StoreError> {
        let entered = directory::enter(dir).await?;
        let database = Arc::new(Database::new(dir, &options, entered));
        database.open().await?;
        let (history, readers, gate) = (database.history.clone(), database.readers.clone(), database.gate.clone());
        let (writer, work) = Writer::new(SqliteEngine::new(database.clone(), &options), &options);
        own_thread::drive(work)?;
        let (observer, prolongations) = (options.observer, Prolongations::default());
        Ok(Arc::new(SqliteStore { database, history, readers, gate, writer, observer, prolongations }))
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
