use super::{BROKEN, Format};
use crate::server::compute::Refused;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, overlay};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use std::io::Cursor;

/// Of 100: differences to the source are not seen, a photo of 2,560 pixels takes about a megabyte.
const JPEG_QUALITY: u8 = 85;

#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub lossy: bool,
    pub lossless_bytes: u64,
}

/// With no side longer than `side`; never larger than it was.
pub(super) fn fitted(image: DynamicImage, side: u32) -> DynamicImage {
    let longest = image.width().max(image.height());
    if longest <= side {
        image
    } else if longest / 2 >= side {
        // The mean of all pixels, in little memory.
        image.thumbnail(side, side)
    } else {
        image.resize(side, side, FilterType::CatmullRom)
    }
}

/// As JPEG, unless something shines through or the source was lossless and stays small enough.
pub(super) fn encoded(image: &DynamicImage, kind: Kind) -> Result<(Format, Vec<u8>), Refused> {
    let transparent = shines_through(image);
    if transparent || !kind.lossy {
        let mut bytes = Cursor::new(Vec::new());
        let image = if transparent { image } else { &image.to_rgb8().into() };
        image.write_to(&mut bytes, ImageFormat::Png).map_err(|_| BROKEN)?;
        let bytes = bytes.into_inner();
        if bytes.len() as u64 <= kind.lossless_bytes {
            return Ok((Format::Png, bytes));
        }
    }
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    let image = if transparent { on_white(image) } else { image.to_rgb8().into() };
    image.write_with_encoder(encoder).map_err(|_| BROKEN)?;
    Ok((Format::Jpeg, bytes))
}

fn shines_through(image: &DynamicImage) -> bool {
    image.as_rgba8().is_some_and(|image| image.pixels().any(|pixel| pixel.0[3] < u8::MAX))
}

fn on_white(image: &DynamicImage) -> DynamicImage {
    let mut page = RgbaImage::from_pixel(image.width(), image.height(), Rgba([u8::MAX; 4]));
    overlay(&mut page, &image.to_rgba8(), 0, 0);
    DynamicImage::from(page).into_rgb8().into()
}
