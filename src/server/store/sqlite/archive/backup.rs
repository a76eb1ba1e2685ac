use super::super::super::{StoreError, StoreOptions};
use super::super::directory::{self, FILE};
use super::super::error::open_error;
use super::super::own_thread::blocking;
use super::super::{history, joining_options};
use super::progress::{Show, copying, verifying};
use super::verify::{Contents, verify};
use super::{ArchiveError, at, with_suffix};
use crate::domain::{RoomId, Seq};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Copies what one read transaction sees, without free pages; writers go on.
const COPY: &str = "VACUUM INTO $1";
const BYTES: &str = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    Refuse,
    Replace,
}

pub struct NewBackup<'a> {
    /// The data directory.
    pub dir: &'a Path,
    /// Where the copy goes.
    pub file: &'a Path,
    pub existing: Existing,
}

/// Copies the database of the data directory as it stands at one moment, also while servers write to
/// it. The file appears under its name when it is whole, verified and synced, readable by its owner
/// only; before that it is `FILE.part`.
pub async fn backup(new: NewBackup<'_>, options: &StoreOptions, show: Show<'_>) -> Result<Contents, ArchiveError> {
    let NewBackup { dir, file, existing } = new;
    let source = dir.join(FILE);
    if !source.is_file() {
        return Err(ArchiveError::NoDatabase(dir.to_owned()));
    }
    let _entered = directory::enter(dir).await?;
    refuse_existing(file, existing)?;
    let part = Part::claim(file)?;
    let mut connection =
        joining_options(&source, options).connect().await.map_err(|error| open_error(&source, error))?;
    let copied = copy(&mut connection, &part.path, show).await;
    // Nothing was written, so closing has nothing to lose.
    let _ = connection.close().await;
    let bounds = copied?;
    let contents = verifying(show, verify(&part.path)).await?;
    bounds.check(&part.path, &contents.heads)?;
    let target = file.to_owned();
    blocking(move || {
        refuse_existing(&target, existing)?;
        part.become_file(&target)
    })
    .await??;
    Ok(contents)
}

fn refuse_existing(file: &Path, existing: Existing) -> Result<(), ArchiveError> {
    match existing == Existing::Refuse && file.symlink_metadata().is_ok() {
        true => Err(ArchiveError::Exists(file.to_owned())),
        false => Ok(()),
    }
}

async fn copy(connection: &mut SqliteConnection, part: &Path, show: Show<'_>) -> Result<Bounds, ArchiveError> {
    let failed = StoreError::from;
    let (bytes,): (i64,) = sqlx::query_as(BYTES).fetch_one(&mut *connection).await.map_err(failed)?;
    let before = history::heads(connection).await.map_err(failed)?;
    let target = part.to_string_lossy().into_owned();
    let copy = sqlx::query(COPY).bind(target).execute(&mut *connection);
    copying(show, part, bytes.unsigned_abs(), copy).await.map_err(failed)?;
    let after = history::heads(connection).await.map_err(failed)?;
    Ok(Bounds { before, after })
}

/// The heads just before the copy was begun and just after it was made.
struct Bounds {
    before: Vec<(RoomId, Seq)>,
    after: Vec<(RoomId, Seq)>,
}

impl Bounds {
    /// A copy of one moment between lies between.
    fn check(&self, part: &Path, copied: &[(RoomId, Seq)]) -> Result<(), ArchiveError> {
        let (copied, after): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (copied.iter().copied().collect(), self.after.iter().copied().collect());
        let whole = self.before.iter().all(|(room, head)| copied.get(room).is_some_and(|copied| copied >= head));
        let known = copied.iter().all(|(room, head)| after.get(room).is_some_and(|after| after >= head));
        match whole && known {
            true => Ok(()),
            false => Err(ArchiveError::Damaged(part.to_owned(), "its logs are not those of the database".into())),
        }
    }
}

/// The file while it is being written; removed unless it becomes the backup.
struct Part {
    path: PathBuf,
    file: File,
}

impl Part {
    /// What an interrupted backup left is written over; what another one writes is left alone.
    fn claim(file: &Path) -> Result<Part, ArchiveError> {
        let path = with_suffix(file, ".part");
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let claimed = opened.map_err(at(&path))?;
        match claimed.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ArchiveError::UnderWay(file.to_owned())),
            // Without locks two backups to one file spoil each other, and verification tells.
            Err(TryLockError::Error(_)) => {}
        }
        claimed.set_len(0).map_err(at(&path))?;
        Ok(Part { path, file: claimed })
    }

    fn become_file(self, target: &Path) -> Result<(), ArchiveError> {
        self.file.sync_all().map_err(at(&self.path))?;
        std::fs::rename(&self.path, target).map_err(at(target))?;
        let dir = target.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        directory::sync(dir).map_err(at(dir))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already when it became the backup.
        let _ = std::fs::remove_file(&self.path);
    }
}
