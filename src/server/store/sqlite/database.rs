//! The database of one data directory while it is open: who writes, who reads, and which history it
//! holds. Opens it, and opens it again when another file takes its place or damage is repaired.

use super::super::{Reason, StoreError, StoreOptions, Trouble, sql};
use super::damage::{Damage, reads_sound};
use super::directory::{self, FILE};
use super::file::Stamp;
use super::gate::{File, Gate, Turn};
use super::history::History;
use super::own_thread::blocking;
use super::readers::{Readers, count};
use super::{migrate, read_options, write_options};
use crate::server::clock::now_ms;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Reads that are under way when the file changes finish within this time.
const READS_END: Duration = Duration::from_secs(5);

/// More than the longest post, so that space for a few bytes is not taken for space.
const PROBE_BYTES: usize = 64 * 1024;

pub(super) struct Database {
    pub gate: Arc<Gate>,
    pub readers: Readers,
    pub history: Arc<History>,
    path: PathBuf,
    options: StoreOptions,
    /// A restore waits for the end of it, and so for the end of the last commit.
    _entered: directory::Held,
}

impl Database {
    pub fn new(dir: &Path, options: &StoreOptions, entered: directory::Held) -> Database {
        let path = dir.join(FILE);
        let readers = options.readers.max(1);
        let limits = SqlitePoolOptions::new()
            // All at once and for good: none can be opened while the file is missing.
            .min_connections(readers)
            .max_connections(readers)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(options.busy_timeout)
            .test_before_acquire(false)
            .before_acquire(count(&options.reads));
        Database {
            gate: Arc::new(Gate::new(path.clone(), write_options(&path, options).create_if_missing(false))),
            readers: Readers::new(limits, read_options(&path, options)),
            history: Arc::new(History::new(dir)),
            path,
            options: options.clone(),
            _entered: entered,
        }
    }

    /// Makes it when it is missing.
    pub async fn open(&self) -> Result<(), StoreError> {
        let mut turn = self.gate.turn().await;
        self.open_on(&mut turn, write_options(&self.path, &self.options)).await
    }

    async fn open_on(&self, turn: &mut Turn<'_>, options: SqliteConnectOptions) -> Result<(), StoreError> {
        migrate::run(turn, &self.path, &self.options, options).await?;
        // Nobody reads before the history has its name.
        self.history.settle(turn).await?;
        self.readers.open(&self.path).await
    }

    /// Looks at the file under the database's name, and opens it if it is another than before or was
    /// damaged. `true` when it was opened: what is known from memory may be of the past.
    pub async fn attend(&self, damage: &mut Damage) -> Result<bool, StoreError> {
        let mut turn = self.gate.turn().await;
        if self.readers.met_damage() {
            self.refuse_writes(&mut turn).await?;
        }
        let Err(StoreError::Unavailable(trouble)) = turn.check_file().await else { return Ok(false) };
        match trouble.reason {
            Reason::Replaced => {
                damage.stop_reading().await;
                self.reopen(&mut turn).await?
            }
            Reason::Corrupt if self.look_for_repair(damage).await? => self.reopen(&mut turn).await?,
            _ => return Err(StoreError::Unavailable(trouble)),
        }
        Ok(true)
    }

    /// What a failed commit says of the file.
    pub async fn suspect(&self, turn: &mut Turn<'_>, error: &StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Unavailable(trouble) if trouble.reason == Reason::Corrupt => self.refuse_writes(turn).await,
            _ => Ok(()),
        }
    }

    /// Until it has been read from end to end, nothing is written to a file with a page that cannot be.
    async fn refuse_writes(&self, turn: &mut Turn<'_>) -> Result<(), StoreError> {
        if !matches!(turn.file(), File::Damaged(_))
            && let Some(stamp) = Stamp::of(&self.path).await?
        {
            tracing::error!(file = %self.path.display(), "the database is damaged: posts are refused until it is sound");
            turn.mark_damaged(stamp);
        }
        Ok(())
    }

    /// Commits something, in the size of a long post after a commit that failed.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let mut turn = self.gate.turn().await;
        let sizes: &[usize] = if turn.trouble().is_some() { &[PROBE_BYTES, 0] } else { &[0] };
        let mut probed = Ok(());
        for size in sizes {
            probed = probed.and(put_probe(&mut turn, *size).await);
        }
        turn.remember(probed.as_ref().err()).await;
        if let Err(error) = &probed {
            self.suspect(&mut turn, error).await?;
        }
        probed
    }

    /// Whether the damaged file is sound now. Its reading goes on while others have their turns.
    async fn look_for_repair(&self, damage: &mut Damage) -> Result<bool, StoreError> {
        let Some(stamp) = Stamp::of(&self.path).await? else { return Ok(false) };
        let options = read_options(&self.path, &self.options);
        Ok(damage.look_for_repair(stamp, |unwanted| reads_sound(options, unwanted)).await)
    }

    /// All connections to the former file end first: SQLite knows the files beside a database by their
    /// names, and two databases of one process must not share them.
    async fn reopen(&self, turn: &mut Turn<'_>) -> Result<(), StoreError> {
        if timeout(READS_END, self.readers.close()).await.is_err() {
            let words = "reads of the former file have not ended";
            return Err(StoreError::Unavailable(Trouble::new(Reason::Replaced, words)));
        }
        if let Err(error) = turn.let_go().await {
            tracing::warn!(%error, "the write-ahead log of the former file was not emptied");
            self.set_log_aside().await;
        }
        let opened = self.open_on(turn, self.rejoining_options()).await;
        match &opened {
            Ok(()) => {
                tracing::warn!(file = %self.path.display(), epoch = %self.history.epoch(), "the database was opened anew")
            }
            Err(StoreError::Unavailable(trouble)) if trouble.reason == Reason::Corrupt => {
                self.refuse_writes(turn).await?
            }
            Err(_) => turn.let_go().await?,
        }
        opened
    }

    fn rejoining_options(&self) -> SqliteConnectOptions {
        write_options(&self.path, &self.options).create_if_missing(false)
    }

    /// A log that stayed would be taken for a part of the next file.
    async fn set_log_aside(&self) {
        let log = self.path.with_extension("sqlite3-wal");
        let aside = self.path.with_extension("sqlite3-wal.former");
        let moved = blocking(move || std::fs::rename(log, aside)).await;
        tracing::warn!(?moved, "the write-ahead log of the former file was set aside");
    }
}

/// Changes nothing that anybody sees.
async fn put_probe(turn: &mut Turn<'_>, size: usize) -> Result<(), StoreError> {
    let put = sqlx::query(sql::accounts::PUT_META).bind("probe").bind(format!("{} {}", now_ms(), "0".repeat(size)));
    let mut tx = turn.begin().await?;
    put.execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(())
}
