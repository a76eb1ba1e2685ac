//! Pictures that people upload, made anew: what leaves here was drawn from pixels, so nothing else that the
//! file held (a place, a second format, a program) comes along.

mod colours;
mod read;
mod write;

use super::{Compute, Progress, Refused};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

pub use read::is_image;

/// Enough for the longest signature among the formats, WebP's.
pub const SIGNATURE_BYTES: usize = 16;

/// The source is none of JPEG, PNG, GIF and WebP, whatever its name says.
pub const NOT_AN_IMAGE: Refused = Refused::new("not_an_image");
/// It begins like one and goes on like none, or ends too soon.
pub const BROKEN: Refused = Refused::new("broken_image");
/// Wider times higher than [`ImageBounds::pixels`].
pub const TOO_MANY_PIXELS: Refused = Refused::new("too_many_pixels");
/// Decoding it would take more memory than such an image needs.
pub const TOO_COMPLEX: Refused = Refused::new("image_too_complex");
/// A file of this machine cannot be read or written; no fault of the image.
pub const NO_FILE: Refused = Refused::new("no_file");

/// An image made anew, and a small one of it. Orientation and colour profile are applied, all metadata is dropped,
/// of an animation the first frame is kept.
pub struct Reencode;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    pub file: PathBuf,
    /// Where the results go, under the names of [`Drawn`].
    pub folder: PathBuf,
    pub bounds: ImageBounds,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ImageBounds {
    /// Of the source: known from its first bytes, and looked at before anything is decoded.
    pub pixels: u64,
    /// The longest side of the image made anew, in pixels.
    pub side: u32,
    /// The longest side of the thumbnail, in pixels.
    pub thumbnail_side: u32,
    /// A lossless result that is larger becomes a JPEG.
    pub lossless_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reencoded {
    pub image: Drawn,
    pub thumbnail: Drawn,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    pub format: Format,
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Jpeg,
    Png,
}

impl Format {
    pub const fn media_type(self) -> &'static str {
        match self {
            Format::Jpeg => "image/jpeg",
            Format::Png => "image/png",
        }
    }
}

impl Source {
    pub fn image(&self) -> PathBuf {
        self.folder.join("image")
    }

    pub fn thumbnail(&self) -> PathBuf {
        self.folder.join("thumbnail")
    }
}

impl Compute for Reencode {
    const NAME: &'static str = "image";
    type Input = Source;
    type Output = Reencoded;

    fn run(source: Source, progress: &mut Progress) -> Result<Reencoded, Refused> {
        const STEPS: u64 = 3;
        progress.tell(0, STEPS);
        let bounds = &source.bounds;
        let read = read::read(&source.file, bounds.pixels)?;
        progress.tell(1, STEPS);
        let mut picture = write::fitted(read.pixels, bounds.side);
        if let Some(profile) = &read.profile {
            colours::apply(&mut picture, profile);
        }
        let kind = write::Kind { lossy: read.lossy, lossless_bytes: bounds.lossless_bytes };
        let image = written(&source.image(), &picture, kind)?;
        progress.tell(2, STEPS);
        let small = write::fitted(picture, bounds.thumbnail_side);
        // A thumbnail is seen before anything else: small counts.
        let thumbnail = written(&source.thumbnail(), &small, write::Kind { lossy: true, ..kind })?;
        progress.tell(STEPS, STEPS);
        Ok(Reencoded { image, thumbnail })
    }
}

fn written(file: &Path, picture: &::image::DynamicImage, kind: write::Kind) -> Result<Drawn, Refused> {
    let (format, bytes) = write::encoded(picture, kind)?;
    std::fs::write(file, &bytes).map_err(|_| NO_FILE)?;
    Ok(Drawn { format, width: picture.width(), height: picture.height(), bytes: bytes.len() as u64 })
}
