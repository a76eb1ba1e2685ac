//! Files that people upload: taken in, made anew where they are images, handed out to those who may have them, and
//! removed in the end.

mod process;
mod removal;
mod upload;

pub use process::{ProcessError, Workplace, process};
pub use removal::{enqueue_left, remove, remove_from_time_to_time};
pub use upload::{NewUpload, Uploaded, upload};

use super::Actor;
use crate::domain::FileId;
use crate::protocol::ErrorCode;
use crate::server::error::AppError;
use crate::server::files::{Content, FilesError, Name, Part};
use crate::server::state::AppState;
use crate::server::store::{FileState, StoreError, StoredFile};

/// A file on its way to a reader.
pub struct Handed {
    pub file: StoredFile,
    /// Of these bytes.
    pub media_type: String,
    pub content: Content,
}

/// What of a file is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    /// Only images have one.
    Thumbnail,
}

/// What is known of the file. `NotFound` for everybody who may not have it.
pub async fn look_up(state: &AppState, actor: &Actor, id: &str) -> Result<StoredFile, AppError> {
    state.rate_limits.read(actor.id)?;
    let id = FileId::parse(id).map_err(|_| AppError::refused(ErrorCode::NotFound))?;
    let file = state.store.file_for(&id, actor.id).await?;
    file.ok_or_else(|| AppError::refused(ErrorCode::NotFound))
}

/// The bytes of a file that was looked up; an image's are those made anew. `NotFound` until it is ready.
pub async fn hand_out(state: &AppState, file: StoredFile, wanted: Wanted) -> Result<Handed, AppError> {
    let absent = || AppError::refused(ErrorCode::NotFound);
    if !matches!(file.state, FileState::Ready | FileState::Shared) {
        return Err(absent());
    }
    let (part, media_type) = match (wanted, &file.thumbnail) {
        (Wanted::Whole, None) => (Part::Source, file.shown.media_type.clone()),
        (Wanted::Whole, Some(_)) => (Part::Image, file.shown.media_type.clone()),
        (Wanted::Thumbnail, Some(thumbnail)) => (Part::Thumbnail, thumbnail.media_type.clone()),
        (Wanted::Thumbnail, None) => return Err(absent()),
    };
    let content = state.files.get(&Name::new(file.shown.id.as_str(), part)).await?;
    Ok(Handed { content: content.ok_or_else(absent)?, file, media_type })
}

/// Worth another try, like a store that is gone.
impl From<FilesError> for AppError {
    fn from(error: FilesError) -> AppError {
        tracing::warn!(%error, "a place for files failed");
        AppError::Store(StoreError::Unavailable("files cannot be kept".into()))
    }
}
