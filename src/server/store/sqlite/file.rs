//! Which file it is that has a name, whatever is in it. Never opens it: closing a descriptor of the
//! database would drop the locks that SQLite holds on it (<https://www.sqlite.org/howtocorrupt.html>).

use super::super::{Reason, StoreError, Trouble};
use super::own_thread::blocking;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// `None` when nothing has the name.
    pub async fn of(path: &Path) -> Result<Option<FileId>, StoreError> {
        Ok(Stamp::of(path).await?.map(|stamp| stamp.file))
    }
}

/// A file, and the state of what is in it as far as can be told without reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub file: FileId,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    pub async fn of(path: &Path) -> Result<Option<Stamp>, StoreError> {
        let owned = path.to_owned();
        match blocking(move || std::fs::metadata(owned)).await? {
            Ok(metadata) => Ok(Some(Stamp::from(&metadata))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let words = format!("{} cannot be looked at: {error}", path.display());
                Err(StoreError::Unavailable(Trouble::new(Reason::Io, words)))
            }
        }
    }
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Stamp {
        Stamp {
            file: FileId { device: metadata.dev(), inode: metadata.ino() },
            bytes: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}
