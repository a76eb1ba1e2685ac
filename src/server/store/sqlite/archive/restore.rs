use super::super::super::{Sessions, StoreError, StoreOptions, sql};
use super::super::directory::{self, FILE, PART};
use super::super::error::{is_damage, is_no_database, open_error};
use super::super::history::new_epoch;
use super::super::joining_options;
use super::super::own_thread::blocking;
use super::super::sidecar::{Record, Sidecar};
use super::progress::{Show, copying, verifying};
use super::verify::{Contents, refuse_log_beside, verify};
use super::{ArchiveError, at, with_suffix};
use crate::domain::CivilTime;
use sqlx::sqlite::SqliteJournalMode;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a check says that finds nothing.
const SOUND: &str = "ok";

pub struct NewRestore<'a> {
    /// The data directory, made when missing.
    pub dir: &'a Path,
    pub file: &'a Path,
    pub sessions: Sessions,
    /// Unix milliseconds.
    pub now: i64,
}

/// What was put in place.
#[derive(Clone, Debug)]
pub struct Restored {
    pub contents: Contents,
    /// The name of the history from here on.
    pub epoch: String,
    /// Where the database is kept that was there before.
    pub before: Option<PathBuf>,
}

/// Puts a verified copy of the file in the database's place, under a new epoch and with all one-time
/// links ended. Nobody else may work in the directory. Ended at any point, by whatever, it leaves the
/// old database or the new one.
pub async fn restore(new: NewRestore<'_>, options: &StoreOptions, show: Show<'_>) -> Result<Restored, ArchiveError> {
    let dir = new.dir.to_owned();
    if !new.file.is_file() {
        return Err(at(new.file)(io::ErrorKind::NotFound.into()));
    }
    refuse_log_beside(new.file)?;
    let _alone = blocking(move || directory::enter_alone(&dir)).await??;
    let part = new.dir.join(PART);
    let (source, copy) = (new.file.to_owned(), part.clone());
    let size = std::fs::metadata(new.file).map_err(at(new.file))?.len();
    copying(show, &part, size, blocking(move || copy_file(&source, &copy))).await??;
    let prepared = prepare(&new, &part, options, show).await;
    let (contents, epoch) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => {
            // If it stays, the next start removes it.
            let _ = std::fs::remove_file(&part);
            return Err(error);
        }
    };
    let database = new.dir.join(FILE);
    if let Err(error) = fold_log(&database, options).await {
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    let record = Record::new(&contents.database_id, &epoch, &contents.heads);
    let (dir, stamp) = (new.dir.to_owned(), stamp(new.now));
    let before = blocking(move || {
        let before = put_in_place(&dir, &part, &stamp)?;
        // Should this be the last that is done, the next start makes another epoch.
        Sidecar::new(&dir).rewrite(record);
        Ok::<_, ArchiveError>(before)
    })
    .await??;
    Ok(Restored { contents, epoch, before })
}

fn copy_file(source: &Path, target: &Path) -> Result<(), ArchiveError> {
    let mut from = std::fs::File::open(source).map_err(at(source))?;
    let made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(target);
    let mut to = made.map_err(at(target))?;
    let copied = io::copy(&mut from, &mut to).and_then(|_| to.sync_all());
    copied.map_err(at(target)).inspect_err(|_| {
        let _ = std::fs::remove_file(target);
    })
}

/// Verifies the copy, so that what was verified is what is put in place, and makes it another history.
async fn prepare(
    new: &NewRestore<'_>,
    part: &Path,
    options: &StoreOptions,
    show: Show<'_>,
) -> Result<(Contents, String), ArchiveError> {
    let named = |error| match error {
        ArchiveError::NotABackup(_, why) => ArchiveError::NotABackup(new.file.to_owned(), why),
        ArchiveError::Damaged(_, what) => ArchiveError::Damaged(new.file.to_owned(), what),
        ArchiveError::Newer { schema, known, .. } => ArchiveError::Newer { path: new.file.to_owned(), schema, known },
        other => other,
    };
    let contents = verifying(show, verify(part)).await.map_err(named)?;
    let whole = joining_options(part, options).journal_mode(SqliteJournalMode::Delete);
    let mut connection = whole.connect().await.map_err(|error| open_error(part, error))?;
    let epoch = begin_history(&mut connection, new).await;
    connection.close().await.map_err(StoreError::from)?;
    let part = part.to_owned();
    blocking(move || std::fs::File::open(&part).and_then(|file| file.sync_all()).map_err(at(&part))).await??;
    Ok((contents, epoch?))
}

async fn begin_history(connection: &mut SqliteConnection, new: &NewRestore<'_>) -> Result<String, StoreError> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let epoch = new_epoch(&mut tx).await?;
    if new.sessions == Sessions::End {
        sqlx::query(sql::accounts::END_ALL_SESSIONS).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(sql::accounts::END_LINKS).execute(&mut *tx).await?;
    sqlx::query(sql::accounts::REVOKE_INVITES).bind(new.now).execute(&mut *tx).await?;
    tx.commit().await?;
    Ok(epoch)
}

/// Makes the old database one file, so that it can be kept as one, and so that its name never stands
/// for it without its log. A damaged one keeps its log; a sound one whose log stays is an error.
async fn fold_log(database: &Path, options: &StoreOptions) -> Result<(), ArchiveError> {
    if database.symlink_metadata().is_err() {
        return Ok(());
    }
    let folded = empty_log(database, options).await;
    if std::fs::metadata(with_suffix(database, "-wal")).map_or(0, |log| log.len()) == 0 {
        return Ok(());
    }
    let said = match folded {
        Ok(said) => said,
        Err(error) if is_no_database(&error) || is_damage(&error) => return Ok(()),
        Err(error) => return Err(ArchiveError::LogStays(database.to_owned(), error.to_string())),
    };
    match said.as_str() {
        SOUND => Err(ArchiveError::LogStays(database.to_owned(), "another program reads from it".into())),
        _ => Ok(()),
    }
}

/// What SQLite says of the database whose log it may have emptied.
async fn empty_log(database: &Path, options: &StoreOptions) -> Result<String, sqlx::Error> {
    let mut connection = joining_options(database, options).connect().await?;
    let emptied = sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await;
    let said: Result<(String,), _> = match emptied {
        Ok(_) => sqlx::query_as("PRAGMA quick_check(1)").fetch_one(&mut connection).await,
        Err(error) => Err(error),
    };
    // Closing the last connection removes the log that this empties.
    let _ = connection.close().await;
    Ok(said?.0)
}

/// Keeps the old database under another name too, then gives its name to the new one.
fn put_in_place(dir: &Path, part: &Path, stamp: &str) -> Result<Option<PathBuf>, ArchiveError> {
    let database = dir.join(FILE);
    let before = free_name(&with_suffix(&database, &format!(".before-{stamp}")));
    let kept = database.symlink_metadata().is_ok();
    if kept {
        keep(&database, &before).map_err(at(&before))?;
    }
    // A log that stayed belongs to a database that could not be read: it goes with it.
    for suffix in ["-wal", "-shm"] {
        let log = with_suffix(&database, suffix);
        if log.symlink_metadata().is_ok() {
            std::fs::rename(&log, with_suffix(&before, suffix)).map_err(at(&log))?;
        }
    }
    directory::sync(dir).map_err(at(dir))?;
    std::fs::rename(part, &database).map_err(at(&database))?;
    directory::sync(dir).map_err(at(dir))?;
    Ok(kept.then_some(before))
}

/// The name, or with a number behind it if another restore of this second has it.
fn free_name(name: &Path) -> PathBuf {
    let numbered = (2..).map(|n: u32| with_suffix(name, &format!("-{n}")));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| name.symlink_metadata().is_err()).unwrap_or_else(|| name.to_owned())
}

/// A second name, so that the first is never without a file; a copy where there are no second names.
fn keep(database: &Path, before: &Path) -> io::Result<()> {
    match std::fs::hard_link(database, before) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            std::fs::copy(database, before)?;
            std::fs::File::open(before)?.sync_all()
        }
        linked => linked,
    }
}

/// UTC, to the second, as it stands in file names.
fn stamp(now: i64) -> String {
    let CivilTime { year, month, day, hour, minute, .. } = CivilTime::at(now, 0);
    let second = now.div_euclid(1_000).rem_euclid(60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_utc_to_the_second() {
        assert_eq!(stamp(1_763_800_005_999), "20251122T082645Z");
    }
}
