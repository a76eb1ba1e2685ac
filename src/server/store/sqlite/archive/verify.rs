//! Is a file a whole database of ours? Every page and index is read.

use super::super::super::StoreError;
use super::super::error::{is_damage, is_no_database};
use super::super::{history, migrate};
use super::{ArchiveError, with_suffix};
use crate::domain::{RoomId, Seq};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::path::Path;

const INTEGRITY: &str = "PRAGMA integrity_check(1)";
const BROKEN_REFERENCES: &str = "SELECT count(*) FROM pragma_foreign_key_check";
const IDENTITY: &str = "SELECT
    (SELECT value FROM meta WHERE name = 'database_id'), (SELECT value FROM meta WHERE name = 'epoch')";
const COUNTS: &str = "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM users)";
/// Rooms whose log is not the events first..=head.
const HOLES: &str = "SELECT count(*) FROM rooms AS r JOIN
        (SELECT r.id, count(e.seq) AS events, min(e.seq) AS lowest, max(e.seq) AS highest
         FROM rooms AS r LEFT JOIN events AS e ON e.room_id = r.id GROUP BY r.id) AS l ON l.id = r.id
    WHERE l.events <> r.head - r.first + 1 OR (l.events > 0 AND (l.lowest <> r.first OR l.highest <> r.head))";

/// What a verified file holds.
#[derive(Clone, Debug)]
pub struct Contents {
    pub database_id: String,
    pub epoch: String,
    pub rooms: usize,
    pub events: u64,
    pub accounts: u64,
    pub bytes: u64,
    pub(super) heads: Vec<(RoomId, Seq)>,
}

/// Reads the file from end to end. It must not be written to meanwhile.
pub(super) async fn verify(path: &Path) -> Result<Contents, ArchiveError> {
    let bytes = std::fs::metadata(path).map_err(super::at(path))?.len();
    if bytes == 0 {
        return Err(not_a_backup(path, "it is empty"));
    }
    refuse_log_beside(path)?;
    // Immutable: SQLite makes no files beside it and takes no locks.
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(true);
    let mut connection = options.connect().await.map_err(|error| unreadable(path, error))?;
    let contents = inspect(path, &mut connection, bytes).await;
    // Nothing was written, so closing has nothing to lose.
    let _ = connection.close().await;
    contents
}

/// The file alone would not be all of it.
pub(super) fn refuse_log_beside(path: &Path) -> Result<(), ArchiveError> {
    match std::fs::metadata(with_suffix(path, "-wal")).is_ok_and(|log| log.len() > 0) {
        true => Err(not_a_backup(path, "part of it lies in a write-ahead log beside it, as of a database in use")),
        false => Ok(()),
    }
}

async fn inspect(path: &Path, connection: &mut SqliteConnection, bytes: u64) -> Result<Contents, ArchiveError> {
    let failed = |error| unreadable(path, error);
    let schema = schema(path, connection).await?;
    let known = migrate::known();
    if usize::try_from(schema).is_ok_and(|schema| schema > known) {
        return Err(ArchiveError::Newer { path: path.to_owned(), schema, known });
    }
    let (said,): (String,) = sqlx::query_as(INTEGRITY).fetch_one(&mut *connection).await.map_err(failed)?;
    if said != "ok" {
        return Err(ArchiveError::Damaged(path.to_owned(), said.replace('\n', "; ")));
    }
    let (broken,): (i64,) = sqlx::query_as(BROKEN_REFERENCES).fetch_one(&mut *connection).await.map_err(failed)?;
    let (holes,): (i64,) = sqlx::query_as(HOLES).fetch_one(&mut *connection).await.map_err(failed)?;
    if broken + holes > 0 {
        return Err(ArchiveError::Damaged(path.to_owned(), "a room's log is not whole".into()));
    }
    let (id, epoch): (Option<String>, Option<String>) =
        sqlx::query_as(IDENTITY).fetch_one(&mut *connection).await.map_err(failed)?;
    let (Some(database_id), Some(epoch)) = (id, epoch) else {
        return Err(not_a_backup(path, "it does not say which community's it is"));
    };
    let (events, accounts): (i64, i64) = sqlx::query_as(COUNTS).fetch_one(&mut *connection).await.map_err(failed)?;
    let heads = history::heads(connection).await.map_err(failed)?;
    let (events, accounts) = (events.unsigned_abs(), accounts.unsigned_abs());
    Ok(Contents { database_id, epoch, rooms: heads.len(), events, accounts, bytes, heads })
}

/// Errors here mean another kind of file rather than a damaged one.
async fn schema(path: &Path, connection: &mut SqliteConnection) -> Result<i64, ArchiveError> {
    match migrate::version(connection).await {
        Ok(0) => Err(not_a_backup(path, "it has no schema version")),
        Ok(version) => Ok(version),
        Err(error) if is_no_database(&error) => Err(not_a_backup(path, "it is not a SQLite database")),
        Err(error) if is_damage(&error) => Err(unreadable(path, error)),
        Err(_) => Err(not_a_backup(path, "it has no schema version")),
    }
}

fn not_a_backup(path: &Path, why: &str) -> ArchiveError {
    ArchiveError::NotABackup(path.to_owned(), why.to_owned())
}

fn unreadable(path: &Path, error: sqlx::Error) -> ArchiveError {
    match is_no_database(&error) || is_damage(&error) {
        true => ArchiveError::Damaged(path.to_owned(), error.to_string()),
        false => ArchiveError::Store(StoreError::from(error)),
    }
}
