use super::super::{Actor, commands, rooms};
use super::process::drop_source;
use crate::domain::{FileId, FileName};
use crate::protocol::{Attached, ErrorCode};
use crate::server::clock::now_ms;
use crate::server::compute::image;
use crate::server::error::AppError;
use crate::server::files::{FilesError, Name, Part};
use crate::server::queue;
use crate::server::state::AppState;
use crate::server::store::{FileState, Intent, NewFile, ReadyFile, StoredFile, UNKNOWN_TYPE};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use rand::Rng;
use sha2::{Digest, Sha256};
use std::io::ErrorKind;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout};

/// The name of what comes, in its workshop.
const ARRIVED: &str = "upload";

/// How often it is looked whether another process has made an image ready; of this one's own work one is told.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// The free space of the disk is looked at again each time so many more bytes have come.
const LOOK_AGAIN: u64 = 8 * 1024 * 1024;

/// A file as a client sends it.
#[derive(Clone, Copy, Debug)]
pub struct NewUpload<'a> {
    pub room: &'a str,
    pub key: &'a str,
    pub name: &'a str,
    /// As its sender calls it.
    pub media_type: &'a str,
    /// As announced.
    pub bytes: Option<u64>,
}

/// A file whose bytes are kept.
pub struct Uploaded {
    pub file: StoredFile,
    /// The key had been used for the same bytes before.
    pub repeated: bool,
}

/// What arrived.
struct Arrived {
    bytes: u64,
    hash: [u8; 32],
    /// By its first bytes.
    is_image: bool,
}

/// Takes a file in for a room that the actor may read, and so post to; returns when it is durable, of an image when it is
/// made anew, but for one that takes longer than the setting `upload_answer_ms`. `BadKey`, `KeyReused`, `NotFound`,
/// `RateLimited`, `TooLarge`, `DiskFull`, `BadRequest` where the transfer breaks off, and what may be wrong with an image.
pub async fn upload<E>(
    state: &AppState,
    actor: &Actor,
    new: NewUpload<'_>,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Uploaded, AppError> {
    let intent = commands::intent(actor, new.key)?;
    let room = rooms::readable(state, actor, new.room).await?;
    state.rate_limits.upload(actor.id)?;
    let limits = &state.config.limits;
    if new.bytes.is_some_and(|bytes| bytes > limits.upload_bytes) {
        return Err(AppError::refused(ErrorCode::TooLarge));
    }
    let there = state.store.file_called(room.id, actor.id, &intent.key).await?;
    let is_kept = there.is_some_and(|file| file.state != FileState::Uploaded && !file.state.is_given_up());
    if !is_kept {
        leave_room(state, new.bytes.unwrap_or_default()).await?;
    }
    let workshop = state.files.workshop()?;
    let path = workshop.path().join(ARRIVED);
    let patience = Duration::from_millis(limits.upload_timeout_ms);
    // Of what is kept already it only counts whether these are the same bytes.
    let receiving = timeout(patience, receive(state, (!is_kept).then_some(path.as_path()), body));
    let arrived = receiving.await.map_err(|_| AppError::refused(ErrorCode::BadRequest))??;
    let Intent { actor: uploader, key } = intent;
    let (id, name) = (FileId::from_random(rand::rng().random()), FileName::cleaned(new.name).as_str().to_owned());
    let media_type = if arrived.is_image { UNKNOWN_TYPE } else { plain_type(new.media_type) }.to_owned();
    let shown = Attached { id: id.clone(), name, media_type, bytes: arrived.bytes, width: None, height: None };
    let expires_at = now_ms() + i64::from(limits.loose_file_hours) * 60 * 60 * 1_000;
    let new = NewFile { room: room.id, uploader, key, hash: arrived.hash, shown, expires_at };
    // To its end by itself: its sender may hang up at any moment.
    let kept = tokio::spawn(put(state.clone(), new, arrived, workshop)).await;
    let file = kept.map_err(|error| AppError::Internal(error.to_string()))??;
    match &file.state {
        FileState::Refused(code) => Err(AppError::refused(ErrorCode::from(code.clone()))),
        FileState::Removed => Err(AppError::refused(ErrorCode::NotFound)),
        _ => Ok(Uploaded { repeated: file.shown.id != id, file }),
    }
}

/// The file under its key, kept.
async fn put(state: AppState, new: NewFile, arrived: Arrived, workshop: TempDir) -> Result<StoredFile, AppError> {
    let file = state.store.put_file(new, now_ms()).await?;
    if file.hash != arrived.hash {
        return Err(AppError::refused(ErrorCode::KeyReused));
    }
    // Also of one that came before: whoever took it in may have ended before its bytes were kept.
    match file.state == FileState::Uploaded || file.state.is_given_up() {
        true => keep(&state, file, &workshop.path().join(ARRIVED), arrived.is_image).await,
        false => Ok(file),
    }
}

/// So many bytes may come, and enough of the disk is left.
async fn leave_room(state: &AppState, bytes: u64) -> Result<(), AppError> {
    let needed = state.config.limits.spare_bytes.saturating_add(bytes);
    match state.files.free_bytes().await? >= needed {
        true => Ok(()),
        false => Err(AppError::refused(ErrorCode::DiskFull)),
    }
}

/// Writes what comes to `path`, if it is to be written at all.
async fn receive<E>(
    state: &AppState,
    path: Option<&Path>,
    body: impl Stream<Item = Result<Bytes, E>>,
) -> Result<Arrived, AppError> {
    let mut file = match path {
        Some(path) => Some(File::create(path).await.map_err(not_written)?),
        None => None,
    };
    let (mut body, mut bytes, mut hash, mut head) = (pin!(body), 0, Sha256::new(), Vec::new());
    let mut looked_at = 0;
    while let Some(part) = body.next().await {
        let part = part.map_err(|_| AppError::refused(ErrorCode::BadRequest))?;
        bytes += part.len() as u64;
        if bytes > state.config.limits.upload_bytes {
            return Err(AppError::refused(ErrorCode::TooLarge));
        }
        if file.is_some() && bytes - looked_at >= LOOK_AGAIN {
            looked_at = bytes;
            leave_room(state, 0).await?;
        }
        if head.len() < image::SIGNATURE_BYTES {
            head.extend_from_slice(&part[..part.len().min(image::SIGNATURE_BYTES)]);
        }
        hash.update(&part);
        if let Some(file) = &mut file {
            file.write_all(&part).await.map_err(not_written)?;
        }
    }
    if let Some(mut file) = file {
        file.flush().await.map_err(not_written)?;
    }
    Ok(Arrived { bytes, hash: hash.finalize().into(), is_image: image::is_image(&head) })
}

fn not_written(error: std::io::Error) -> AppError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => AppError::refused(ErrorCode::DiskFull),
        _ => AppError::from(FilesError::new("a workshop", error)),
    }
}

/// Keeps the bytes, and sees to it that the file becomes ready.
async fn keep(state: &AppState, file: StoredFile, path: &Path, is_image: bool) -> Result<StoredFile, AppError> {
    let id = file.shown.id.clone();
    state.files.put(&Name::new(id.as_str(), Part::Source), path).await?;
    if !is_image {
        let ready = ReadyFile { shown: file.shown.clone(), thumbnail: None, shared: false };
        state.store.file_ready(&ready).await?;
        return Ok(StoredFile { state: FileState::Ready, ..file });
    }
    let mut changes = state.task_changes.subscribe();
    state.store.enqueue(vec![queue::image(&id)]).await?;
    let give_up_at = Instant::now() + Duration::from_millis(state.config.limits.upload_answer_ms);
    loop {
        let file = state.store.file(&id).await?.ok_or_else(|| AppError::refused(ErrorCode::NotFound))?;
        if file.state != FileState::Uploaded || Instant::now() >= give_up_at || state.shutdown.is_cancelled() {
            // A repeat may have brought the bytes once more after they had been made anew.
            drop_source(&state.files, &file).await?;
            return Ok(file);
        }
        let _another_node = timeout(LOOK_EVERY, changes.changed()).await;
    }
}

/// A media type that is one; parameters are of no use to anybody here.
fn plain_type(claimed: &str) -> &str {
    let plain = claimed.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let fits = plain.len() <= 100 && plain.split_once('/').is_some_and(|(kind, rest)| token(kind) && token(rest));
    if fits { plain } else { UNKNOWN_TYPE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_taken_at_its_word_only_if_it_is_one() {
        assert_eq!(plain_type("text/plain; charset=utf-8"), "text/plain");
        assert_eq!(plain_type("application/vnd.api+json"), "application/vnd.api+json");
        for odd in ["", "text", "text/", "/plain", "text/pl ain", "text/plain\r\nx: y", "a/b/c"] {
            assert_eq!(plain_type(odd), UNKNOWN_TYPE, "{odd:?}");
        }
    }
}
