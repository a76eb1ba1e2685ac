//! The data directory: made when missing, and held while something works in it. Whoever opens the
//! database shares the lock; a restore wants it alone.

use super::super::StoreError;
use super::own_thread::blocking;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The database in the data directory.
pub(super) const FILE: &str = "pickmate.sqlite3";
/// The copy of a backup on its way to become the database.
pub(super) const PART: &str = "restore.part";
/// Empty; what counts is who holds it. The system lets go of it for a process that dies.
const LOCK: &str = "lock";

/// Held until dropped.
pub(super) struct Held {
    lock: Option<File>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    WithOthers,
    Alone,
}

#[derive(Debug, thiserror::Error)]
pub enum EnterError {
    #[error("the data directory {path} cannot be made: {error}", path = .0.display(), error = .1)]
    Make(PathBuf, io::Error),
    #[error("the data directory {path} cannot be locked: {error}", path = .0.display(), error = .1)]
    Lock(PathBuf, io::Error),
    #[error("a backup is being restored to {path}", path = .0.display())]
    Restoring(PathBuf),
    #[error("a server or a command works in {path}: stop it first", path = .0.display())]
    InUse(PathBuf),
}

impl From<EnterError> for StoreError {
    fn from(error: EnterError) -> StoreError {
        StoreError::Unavailable(error.to_string().into())
    }
}

/// To work in the directory beside others. It is made when missing.
pub(super) async fn enter(dir: &Path) -> Result<Held, StoreError> {
    let dir = dir.to_owned();
    let held = blocking(move || {
        let held = hold(&dir, Share::WithOthers)?;
        // No restore is under way while this is held: one that was killed left a whole community's data.
        if held.lock.is_some() {
            let _ = std::fs::remove_file(dir.join(PART));
        }
        Ok::<_, EnterError>(held)
    });
    Ok(held.await??)
}

/// To exchange what is in it: nobody else is in, and nobody comes in. Blocking.
pub(super) fn enter_alone(dir: &Path) -> Result<Held, EnterError> {
    hold(dir, Share::Alone)
}

fn hold(dir: &Path, share: Share) -> Result<Held, EnterError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| EnterError::Make(dir.to_owned(), error))?;
    let failed = |error| EnterError::Lock(dir.to_owned(), error);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK));
    let file = opened.map_err(failed)?;
    let locked = match share {
        Share::WithOthers => file.try_lock_shared(),
        Share::Alone => file.try_lock(),
    };
    match (locked, share) {
        (Ok(()), _) => Ok(Held { lock: Some(file) }),
        (Err(TryLockError::WouldBlock), Share::WithOthers) => Err(EnterError::Restoring(dir.to_owned())),
        (Err(TryLockError::WouldBlock), Share::Alone) => Err(EnterError::InUse(dir.to_owned())),
        // A file system without locks: nothing says that a restore must not begin but the operator.
        (Err(TryLockError::Error(error)), Share::WithOthers) if error.kind() == io::ErrorKind::Unsupported => {
            tracing::warn!(%error, dir = %dir.display(), "the data directory cannot be locked");
            Ok(Held { lock: None })
        }
        (Err(TryLockError::Error(error)), _) => Err(failed(error)),
    }
}

/// Makes a renaming in the directory durable. Blocking.
pub(super) fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
