use super::{BROKEN, NO_FILE, NOT_AN_IMAGE, SIGNATURE_BYTES, TOO_COMPLEX, TOO_MANY_PIXELS};
use crate::server::compute::Refused;
use image::error::ImageError;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// A pixel of 16 bits in four channels, the largest there is.
const PIXEL_BYTES: u64 = 8;

/// What decoders take beside the pixels: tables, lines, compressed chunks.
const DECODER_BYTES: u64 = 64 * 1024 * 1024;

/// An image as it is meant to be seen, with eight bits a channel, RGB or RGBA.
pub(super) struct Picture {
    pub pixels: DynamicImage,
    /// An ICC profile that the colours are still in.
    pub profile: Option<Vec<u8>>,
    /// It was compressed with loss, so some more does no harm.
    pub lossy: bool,
}

pub(super) fn read(file: &Path, most_pixels: u64) -> Result<Picture, Refused> {
    let format = signed(file)?;
    let source = BufReader::new(File::open(file).map_err(|_| NO_FILE)?);
    let mut reader = ImageReader::with_format(source, format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(most_pixels.saturating_mul(PIXEL_BYTES).saturating_add(DECODER_BYTES));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > most_pixels {
        return Err(TOO_MANY_PIXELS);
    }
    // What is wrong with these makes no image unreadable.
    let orientation = decoder.orientation().ok();
    let profile = decoder.icc_profile().ok().flatten();
    let mut pixels = eight_bits(DynamicImage::from_decoder(decoder).map_err(refusal)?);
    if let Some(orientation) = orientation {
        pixels.apply_orientation(orientation);
    }
    Ok(Picture { lossy: matches!(format, ImageFormat::Jpeg | ImageFormat::WebP), pixels, profile })
}

/// By its first bytes: a name and a media type are only claims.
fn signed(file: &Path) -> Result<ImageFormat, Refused> {
    let mut signature = Vec::new();
    let file = File::open(file).map_err(|_| NO_FILE)?;
    file.take(SIGNATURE_BYTES as u64).read_to_end(&mut signature).map_err(|_| NO_FILE)?;
    format_of(&signature).ok_or(NOT_AN_IMAGE)
}

fn format_of(signature: &[u8]) -> Option<ImageFormat> {
    match image::guess_format(signature) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Gif | ImageFormat::WebP)) => Some(format),
        _ => None,
    }
}

/// Whether a file that begins so is to be made anew.
pub fn is_image(signature: &[u8]) -> bool {
    format_of(signature).is_some()
}

fn eight_bits(image: DynamicImage) -> DynamicImage {
    match image {
        image @ (DynamicImage::ImageRgb8(_) | DynamicImage::ImageRgba8(_)) => image,
        image if image.color().has_alpha() => image.into_rgba8().into(),
        image => image.into_rgb8().into(),
    }
}

fn refusal(error: ImageError) -> Refused {
    match error {
        ImageError::Limits(_) => TOO_COMPLEX,
        _ => BROKEN,
    }
}
