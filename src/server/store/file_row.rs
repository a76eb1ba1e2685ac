//! A file between its row and what is told of it.

use super::columns::{damaged, hash_from};
use super::uploads::{FileState, StoredFile, Thumbnail};
use super::{Refusal, StoreError};
use crate::domain::{FileId, RoomId, UserId};
use crate::protocol::Attached;

/// As [`sql::files`](super::sql::files) selects it: id, room, uploader, hash, name, media type, bytes, state, code, width,
/// height, media type and bytes of the thumbnail, and the message that carries it.
pub(super) type FileRow = (
    String,
    i64,
    i64,
    Vec<u8>,
    String,
    String,
    i64,
    String,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

/// A file, and the message that carries it.
pub(super) struct Found {
    pub file: StoredFile,
    carried: bool,
}

impl Found {
    pub fn from_row(row: FileRow) -> Result<Found, StoreError> {
        let (id, room, uploader, hash, name, media_type, bytes, state, code, width, height, thumb, thumb_bytes, seq) =
            row;
        let side = |side: Option<i64>| side.map(|side| number::<u32>("side of an image", side)).transpose();
        let shown = Attached {
            id: file_id(id)?,
            name,
            media_type,
            bytes: number("size of a file", bytes)?,
            width: side(width)?,
            height: side(height)?,
        };
        let thumbnail = thumb.zip(thumb_bytes).map(|(media_type, bytes)| {
            Ok::<_, StoreError>(Thumbnail { media_type, bytes: number("size of a thumbnail", bytes)? })
        });
        let file = StoredFile {
            room: RoomId(room),
            uploader: UserId(uploader),
            hash: hash_from(&hash)?,
            state: state_from(&state, code)?,
            shown,
            thumbnail: thumbnail.transpose()?,
        };
        Ok(Found { file, carried: seq.is_some() })
    }

    /// What a message of this account in this room carries with it.
    pub fn attachable(self, room: RoomId, author: UserId) -> Result<Attached, Refusal> {
        let own = self.file.room == room && self.file.uploader == author && !self.carried;
        match self.file.state {
            FileState::Ready if own => Ok(self.file.shown),
            FileState::Uploaded if own => Err(Refusal::FileNotReady),
            _ => Err(Refusal::NoSuchFile),
        }
    }
}

pub(super) fn state_column(state: &FileState) -> (&'static str, Option<&str>) {
    match state {
        FileState::Uploaded => ("uploaded", None),
        FileState::Ready => ("ready", None),
        FileState::Shared => ("shared", None),
        FileState::Refused(code) => ("refused", Some(code)),
        FileState::Removed => ("removed", None),
    }
}

fn state_from(state: &str, code: Option<String>) -> Result<FileState, StoreError> {
    match state {
        "uploaded" => Ok(FileState::Uploaded),
        "ready" => Ok(FileState::Ready),
        "shared" => Ok(FileState::Shared),
        "refused" => Ok(FileState::Refused(code.unwrap_or_default())),
        "removed" => Ok(FileState::Removed),
        other => Err(damaged("state of a file", other)),
    }
}

pub(super) fn file_id(column: String) -> Result<FileId, StoreError> {
    FileId::parse(&column).map_err(|_| damaged("file's id", column))
}

pub(super) fn bytes_column(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn number<T: TryFrom<i64>>(what: &str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| damaged(what, value))
}
