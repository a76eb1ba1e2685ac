//! A database as one file that can be carried away: made while a server runs, and put back.

mod backup;
mod progress;
mod restore;
mod verify;

pub use backup::{Existing, NewBackup, backup};
pub use progress::{Progress, Show};
pub use restore::{NewRestore, Restored, restore};
pub use verify::Contents;

use super::super::StoreError;
use super::directory::EnterError;
use std::io;
use std::path::{Path, PathBuf};

/// Why nothing was backed up or restored; one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("there is no database in {}", .0.display())]
    NoDatabase(PathBuf),
    #[error("{} exists already: --overwrite replaces it", .0.display())]
    Exists(PathBuf),
    #[error("another backup to {} is under way", .0.display())]
    UnderWay(PathBuf),
    #[error("{path} is not a PickMate backup: {why}", path = .0.display(), why = .1)]
    NotABackup(PathBuf, String),
    #[error("{path} was written by a newer PickMate (schema {schema}, this one knows {known})", path = .path.display())]
    Newer { path: PathBuf, schema: i64, known: usize },
    #[error("{path} is damaged: {what}", path = .0.display(), what = .1)]
    Damaged(PathBuf, String),
    #[error("the write-ahead log of {path} cannot be emptied: {why}", path = .0.display(), why = .1)]
    LogStays(PathBuf, String),
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    File(PathBuf, io::Error),
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error of the file system, with the file.
fn at(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_owned();
    move |error| ArchiveError::File(path, error)
}

/// What `path` becomes with this at its end.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
