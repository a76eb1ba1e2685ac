use crate::domain::{FileId, FileName};
use crate::protocol::Attached;
use crate::server::compute::image::{self, Drawn, Format, ImageBounds, Reencode, Reencoded, Source};
use crate::server::compute::{Bounds, ComputeError, Computer, Refused};
use crate::server::config::Limits;
use crate::server::files::{Files, FilesError, Name, Part};
use crate::server::state::AppState;
use crate::server::store::{FileState, ReadyFile, Store, StoreError, StoredFile, Thumbnail};
use futures_util::TryStreamExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

/// By the clock, a child may take so many times as long as it may compute: where other programs want every core, it
/// computes little of the time.
const CLOCK_TO_CPU: u32 = 10;

/// What images are made anew with.
#[derive(Clone)]
pub struct Workplace {
    pub store: Arc<dyn Store>,
    pub files: Files,
    pub computer: Computer,
    pub limits: Limits,
    pub cancel: CancellationToken,
}

impl Workplace {
    pub fn of(state: &AppState) -> Workplace {
        Workplace {
            store: Arc::clone(&state.store),
            files: state.files.clone(),
            computer: state.computer.clone(),
            limits: state.config.limits.clone(),
            cancel: state.shutdown.clone(),
        }
    }
}

/// Nothing is decided about the image: worth another try.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error(transparent)]
    Compute(ComputeError),
    #[error("the uploaded bytes are not there")]
    NoSource,
    /// Until its task is wanted again, which may be on its way.
    #[error("the file has been given up")]
    GivenUp,
    /// For good.
    #[error("the file has been removed")]
    Removed,
}

/// Makes an uploaded image anew: it is ready or refused then, and what it came as is gone. Of what is ready or refused
/// already only that is seen to, so it may be run twice, also at once, and again after it was interrupted anywhere.
pub async fn process(place: &Workplace, id: &FileId) -> Result<(), ProcessError> {
    let file = place.store.file(id).await?.ok_or(ProcessError::Removed)?;
    match file.state {
        FileState::Uploaded => {}
        _ if file.state.is_given_up() => return Err(ProcessError::GivenUp),
        FileState::Removed => return Err(ProcessError::Removed),
        _ => return Ok(drop_source(&place.files, &file).await?),
    }
    let workshop = place.files.workshop()?;
    let source = Source {
        file: workshop.path().join("source"),
        folder: workshop.path().to_owned(),
        bounds: image_bounds(&place.limits),
    };
    fetch(&place.files, &Name::new(id.as_str(), Part::Source), &source.file).await?;
    let computing = place.computer.run::<Reencode>(&source, bounds(&place.limits), &place.cancel, |_| {});
    match computing.await {
        Ok(drawn) => finish(place, file, &source, drawn).await?,
        Err(error) => place.store.file_refused(id, &verdict(id, error)?).await?,
    }
    match place.store.file(id).await? {
        // Meanwhile: its bytes are needed again.
        Some(file) if file.state.is_given_up() => Err(ProcessError::GivenUp),
        Some(file) => Ok(drop_source(&place.files, &file).await?),
        None => Ok(()),
    }
}

/// What an image came as, with all that its camera wrote into it, goes once it is ready, or refused for its own sake.
pub(super) async fn drop_source(files: &Files, file: &StoredFile) -> Result<(), FilesError> {
    let is_decided = match file.state {
        FileState::Ready => file.thumbnail.is_some(),
        FileState::Refused(_) => !file.state.is_given_up(),
        _ => false,
    };
    match is_decided {
        true => files.remove(&Name::new(file.shown.id.as_str(), Part::Source)).await,
        false => Ok(()),
    }
}

async fn fetch(files: &Files, name: &Name, to: &Path) -> Result<(), ProcessError> {
    let mut content = files.get(name).await?.ok_or(ProcessError::NoSource)?;
    let failed = |error: std::io::Error| FilesError::new("a workshop", error);
    let mut file = File::create(to).await.map_err(failed)?;
    while let Some(part) = content.stream.try_next().await.map_err(failed)? {
        file.write_all(&part).await.map_err(failed)?;
    }
    Ok(file.flush().await.map_err(failed)?)
}

async fn finish(place: &Workplace, file: StoredFile, source: &Source, drawn: Reencoded) -> Result<(), ProcessError> {
    let id = file.shown.id;
    place.files.put(&Name::new(id.as_str(), Part::Image), &source.image()).await?;
    place.files.put(&Name::new(id.as_str(), Part::Thumbnail), &source.thumbnail()).await?;
    let Drawn { format, width, height, bytes } = drawn.image;
    let ending = match format {
        Format::Jpeg => ".jpg",
        Format::Png => ".png",
    };
    let name = FileName::cleaned(&file.shown.name).ending(ending).as_str().to_owned();
    let media_type = format.media_type().to_owned();
    let shown = Attached { id, name, media_type, bytes, width: Some(width), height: Some(height) };
    let thumbnail =
        Thumbnail { media_type: drawn.thumbnail.format.media_type().to_owned(), bytes: drawn.thumbnail.bytes };
    place.store.file_ready(&ReadyFile { shown, thumbnail: Some(thumbnail), shared: false }).await?;
    Ok(())
}

/// What is said of an image that could not be made anew, where another try would end alike.
fn verdict(id: &FileId, error: ComputeError) -> Result<String, ProcessError> {
    match error {
        ComputeError::Refused(refused) if refused != image::NO_FILE => Ok(refused.code.into_owned()),
        ComputeError::OutOfMemory | ComputeError::OutOfCpu => Ok(image::TOO_COMPLEX.code.into_owned()),
        ComputeError::Crashed(words) => {
            tracing::warn!(file.id = id.as_str(), %words, "an image made its child crash");
            Ok(image::BROKEN.code.into_owned())
        }
        // Out of time by the clock: a child of the idle class may have got no core.
        error @ (ComputeError::Refused(Refused { .. })
        | ComputeError::TimedOut
        | ComputeError::Cancelled
        | ComputeError::Unavailable(_)) => Err(ProcessError::Compute(error)),
    }
}

fn image_bounds(limits: &Limits) -> ImageBounds {
    ImageBounds {
        pixels: limits.image_pixels,
        side: limits.image_side,
        thumbnail_side: limits.thumbnail_side,
        lossless_bytes: limits.image_lossless_bytes,
    }
}

fn bounds(limits: &Limits) -> Bounds {
    // No image of so many pixels is larger: four bytes each, and what lies around them.
    let side = u64::from(limits.image_side.max(limits.thumbnail_side));
    let cpu = Duration::from_millis(limits.image_ms);
    Bounds {
        time: cpu.saturating_mul(CLOCK_TO_CPU),
        cpu: Some(cpu),
        memory_bytes: limits.compute_memory_bytes,
        file_bytes: side * side * 5 + 1024 * 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_judged_by_what_it_cost_and_not_by_how_busy_the_machine_was() {
        let id = FileId::from_random([7; 16]);
        for costly in [ComputeError::OutOfMemory, ComputeError::OutOfCpu] {
            assert_eq!(verdict(&id, costly).unwrap(), image::TOO_COMPLEX.code);
        }
        let refused = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        for passing in [ComputeError::TimedOut, ComputeError::Cancelled, ComputeError::Unavailable(refused)] {
            assert!(matches!(verdict(&id, passing), Err(ProcessError::Compute(_))));
        }
        let bounds = bounds(&Limits::default());
        assert!(bounds.cpu.unwrap() < bounds.time);
    }
}
