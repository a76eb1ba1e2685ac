use super::StoreError;
use crate::domain::{FileId, Key, RoomId, UserId};
use crate::protocol::{Attached, ErrorCode};
use async_trait::async_trait;

/// What a file of which nothing better is known is; an image until it is made anew.
pub const UNKNOWN_TYPE: &str = "application/octet-stream";

/// A file whose bytes have arrived.
#[derive(Clone, Debug)]
pub struct NewFile {
    pub room: RoomId,
    pub uploader: UserId,
    /// Its own space for each room and account, apart from that of commands.
    pub key: Key,
    /// SHA-256 of the bytes as they came; of what was made here, of the id of the task that made it.
    pub hash: [u8; 32],
    /// As it is told of until it is ready.
    pub shown: Attached,
    /// Unix milliseconds: it is removed then, unless a message carries it.
    pub expires_at: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// Its bytes may not be kept yet, and an image is not made anew yet.
    Uploaded,
    /// A message may carry it.
    Ready,
    /// Made here, for whoever may read the room, until it expires. No message carries it.
    Shared,
    /// It cannot be made anew, or its task failed; the code tells why. With [`ErrorCode::ImageFailed`] it may be tried
    /// again, and its bytes are kept for that.
    Refused(String),
    /// Nobody may have it any more; its bytes are being removed.
    Removed,
}

impl FileState {
    /// Its task failed or was cancelled, and may be run again.
    pub fn is_given_up(&self) -> bool {
        matches!(self, FileState::Refused(code) if code == ErrorCode::ImageFailed.as_str())
    }
}

/// A file as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    pub room: RoomId,
    pub uploader: UserId,
    pub hash: [u8; 32],
    pub state: FileState,
    /// As messages tell of it.
    pub shown: Attached,
    /// Of an image made anew.
    pub thumbnail: Option<Thumbnail>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    pub media_type: String,
    pub bytes: u64,
}

/// A file that may be had: what it is from now on.
#[derive(Clone, Debug)]
pub struct ReadyFile {
    pub shown: Attached,
    pub thumbnail: Option<Thumbnail>,
    /// Whether it is [`Shared`](FileState::Shared), rather than for a message to carry.
    pub shared: bool,
}

/// What people uploaded, and what became of it. That messages carry files is a
/// [`Command`](super::Command).
#[async_trait]
pub trait Uploads {
    /// The file under its key: this one, uploaded, or the one that had the key before.
    async fn put_file(&self, new: NewFile, now: i64) -> Result<StoredFile, StoreError>;

    /// The file with this key ([`NewFile::key`]).
    async fn file_called(&self, room: RoomId, uploader: UserId, key: &Key) -> Result<Option<StoredFile>, StoreError>;

    /// The file, whoever asks.
    async fn file(&self, id: &FileId) -> Result<Option<StoredFile>, StoreError>;

    /// The file, if `user` may have it: of a room that it may read, and shared there or of a message that stands; or its
    /// own as long as no message carries it.
    async fn file_for(&self, id: &FileId, user: UserId) -> Result<Option<StoredFile>, StoreError>;

    /// An uploaded file is ready, or shared. Anything else stays as it is.
    async fn file_ready(&self, ready: &ReadyFile) -> Result<(), StoreError>;

    /// An uploaded file is refused. Anything else stays as it is.
    async fn file_refused(&self, id: &FileId, code: &str) -> Result<(), StoreError>;

    /// Some of the files that arrived before `before`, Unix milliseconds, may be images, and wait for a task that nobody
    /// enqueued, if their bytes were kept.
    async fn files_without_task(&self, before: i64) -> Result<Vec<FileId>, StoreError>;

    /// Some of the files that no message carries and whose time has come, and those of deleted messages: removed from
    /// here on, and told of again until they are forgotten.
    async fn remove_files(&self, now: i64) -> Result<Vec<FileId>, StoreError>;

    /// Nothing is left of these, which are removed.
    async fn forget_files(&self, ids: &[FileId]) -> Result<(), StoreError>;
}
