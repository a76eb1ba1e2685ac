//! The one connection that writes. Account writes and the writer's batches take turns on it, in
//! the order they ask: within a process nobody meets `SQLITE_BUSY`, and what `data_version` shows
//! is the work of other processes only.
//!
//! Nothing is written to a file that has lost its name: before each use the file under the
//! database's name is compared with the one that is open.

use super::super::{Reason, StoreError, Trouble};
use super::error::open_error;
use super::file::{FileId, Stamp};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions};
use sqlx::{ConnectOptions, Connection, SqliteConnection, Transaction};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// While another program holds the database, which is known from a write that waited as long as it may.
const SHORT_WAIT: Duration = Duration::from_millis(250);

pub(super) struct Gate {
    path: PathBuf,
    /// Of a database that is there.
    options: SqliteConnectOptions,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Opened at the first use, and again after a failure.
    connection: Option<SqliteConnection>,
    /// As last seen on this connection; it says nothing about another.
    data_version: Option<i64>,
    file: File,
    /// Why the last commit failed, until one succeeds.
    trouble: Option<Trouble>,
    closed: bool,
}

/// Which file is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum File {
    /// None: what has the name is to be opened and checked first.
    #[default]
    Unopened,
    Open(FileId),
    /// As it stood when it was found damaged. It is read as far as it goes, and not written to.
    Damaged(Stamp),
}

/// A turn on the connection.
pub(super) struct Turn<'a> {
    path: &'a Path,
    options: &'a SqliteConnectOptions,
    held: MutexGuard<'a, Held>,
}

/// A connection in a transaction. Dropped, it is closed, and what it did is undone.
pub(super) struct Lent<'a> {
    connection: SqliteConnection,
    data_version: Option<i64>,
    held: &'a mut Held,
}

impl Lent<'_> {
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// After the transaction.
    pub fn give_back(self) {
        self.held.connection = Some(self.connection);
        self.held.data_version = self.data_version;
    }

    /// Whether there was a transaction to roll back, so that nothing of it is committed.
    pub async fn roll_back(mut self) -> bool {
        let undone = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
        self.give_back();
        undone.is_ok()
    }
}

impl Gate {
    pub fn new(path: PathBuf, options: SqliteConnectOptions) -> Gate {
        Gate { path, options, held: Mutex::default() }
    }

    pub async fn turn(&self) -> Turn<'_> {
        Turn { path: &self.path, options: &self.options, held: self.held.lock().await }
    }

    /// Moves the write-ahead log into the database file and lets go of it.
    pub async fn close(&self) -> Result<(), StoreError> {
        let mut turn = self.turn().await;
        turn.held.closed = true;
        turn.let_go().await
    }
}

impl Turn<'_> {
    /// To the file that was opened, while it has the database's name and is sound.
    pub async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.held.closed {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        self.check_file().await?;
        self.connect().await
    }

    /// A transaction that may write from its first statement on; rolled back when dropped.
    pub async fn begin(&mut self) -> Result<Transaction<'_, Sqlite>, StoreError> {
        Ok(self.connection().await?.begin_with("BEGIN IMMEDIATE").await?)
    }

    /// The connection, for a transaction whose first and last words are said with others.
    pub async fn lend(&mut self) -> Result<Lent<'_>, StoreError> {
        self.connection().await?;
        let connection = self.held.connection.take().ok_or(StoreError::Internal("no connection".into()))?;
        let data_version = self.held.data_version.take();
        Ok(Lent { connection, data_version, held: &mut self.held })
    }

    /// Whether what is open can be used, or the reason why not.
    pub async fn check_file(&self) -> Result<(), StoreError> {
        let there = FileId::of(self.path).await?;
        let (reason, words) = match (self.held.file, there) {
            (File::Open(open), Some(there)) if open == there => return Ok(()),
            (_, None) => (Reason::Missing, "is gone"),
            (File::Damaged(stamp), Some(there)) if stamp.file == there => (Reason::Corrupt, "is damaged"),
            _ => (Reason::Replaced, "is another file than the one that was open"),
        };
        Err(StoreError::Unavailable(Trouble::new(reason, format!("{} {words}", self.path.display()))))
    }

    /// Takes the file that has the name now, to be checked before anybody else has a turn.
    pub async fn take_file(&mut self, options: SqliteConnectOptions) -> Result<(), StoreError> {
        let connection = options.connect().await.map_err(|error| open_error(self.path, error))?;
        self.held.connection = Some(connection);
        let there = FileId::of(self.path).await?;
        self.held.file = there.map_or(File::Unopened, File::Open);
        Ok(())
    }

    async fn connect(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        let connection = match self.held.connection.take() {
            Some(connection) => connection,
            None => {
                let waited = self.trouble().is_some_and(|trouble| trouble.reason == Reason::Locked);
                let options = match waited {
                    true => self.options.clone().busy_timeout(SHORT_WAIT),
                    false => self.options.clone(),
                };
                options.connect().await?
            }
        };
        Ok(self.held.connection.insert(connection))
    }

    /// What the last commit came to; a failure is remembered until one succeeds.
    pub async fn remember(&mut self, failure: Option<&StoreError>) {
        let before = self.held.trouble.take();
        match failure {
            Some(StoreError::Unavailable(trouble)) => {
                if before.is_none_or(|before| before.reason != trouble.reason) {
                    tracing::error!(reason = trouble.reason.as_str(), error = %trouble, "posts cannot be committed");
                }
                self.held.trouble = Some(trouble.clone());
                // A connection to a file that is gone is kept, to empty its write-ahead log.
                if !matches!(trouble.reason, Reason::Corrupt | Reason::Missing | Reason::Replaced) {
                    self.renew_connection().await;
                }
            }
            Some(StoreError::Internal(_)) => self.renew_connection().await,
            None => {
                if let Some(before) = before {
                    tracing::info!(reason = before.reason.as_str(), "posts are committed again");
                    // The new one has its full patience again.
                    self.renew_connection().await;
                }
            }
        }
    }

    pub fn trouble(&self) -> Option<&Trouble> {
        self.held.trouble.as_ref()
    }

    pub fn file(&self) -> File {
        self.held.file
    }

    /// From here on the file is only read, until it is found sound or another has its name. The
    /// connection stays, to empty the write-ahead log when the file goes.
    pub fn mark_damaged(&mut self, stamp: Stamp) {
        self.held.file = File::Damaged(stamp);
    }

    /// Nothing is open after this; the write-ahead log is in the file, also in one that was renamed, so
    /// that it is not taken for a part of what comes in its place.
    pub async fn let_go(&mut self) -> Result<(), StoreError> {
        self.held.file = File::Unopened;
        self.held.data_version = None;
        let Some(mut connection) = self.held.connection.take() else { return Ok(()) };
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
        let closed = connection.close().await;
        emptied?;
        Ok(closed?)
    }

    /// After a failure nothing is assumed about the connection.
    pub async fn renew_connection(&mut self) {
        let (before, former) = (self.held.data_version.take(), self.held.connection.take());
        if let Err(error) = self.connect().await {
            tracing::debug!(%error, "the next turn connects");
        }
        let Some(mut former) = former else { return };
        self.held.data_version = self.carried_over(&mut former, before).await;
        // It may be what failed.
        let _ = former.close().await;
    }

    /// What the new connection has seen, if the former one shows that until then nobody else had written:
    /// so a renewal is not taken for a foreign write, and hides none.
    async fn carried_over(&mut self, former: &mut SqliteConnection, before: Option<i64>) -> Option<i64> {
        let seen = data_version(self.held.connection.as_mut()?).await.ok()?;
        let stands = data_version(former).await.ok()?;
        (before == Some(stands)).then_some(seen)
    }

    /// Whether another connection committed since the last call, or that is unknown.
    pub async fn foreign_write(&mut self) -> Result<bool, StoreError> {
        let now = data_version(self.connection().await?).await?;
        let before = self.held.data_version.replace(now);
        Ok(before != Some(now))
    }
}

/// Another number after a commit of another connection; comparable on one connection only
/// (<https://www.sqlite.org/pragma.html#pragma_data_version>).
async fn data_version(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let (version,): (i64,) = sqlx::query_as("PRAGMA data_version").fetch_one(connection).await?;
    Ok(version)
}
