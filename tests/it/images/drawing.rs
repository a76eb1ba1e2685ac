use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage};
use pickmate::server::compute::image::{ImageBounds, Reencode, Reencoded, Source};
use pickmate::server::compute::{Bounds, ComputeError, Computer};
use std::io::Cursor;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const BOUNDS: ImageBounds =
    ImageBounds { pixels: 64_000_000, side: 2_560, thumbnail_side: 640, lossless_bytes: 8 * 1024 * 1024 };

/// With what the program takes, unoptimised and with symbols.
pub const COMPUTE: Bounds = Bounds {
    time: Duration::from_secs(120),
    cpu: None,
    memory_bytes: 1024 * 1024 * 1024,
    file_bytes: 64 * 1024 * 1024,
};

/// A folder where children of the real program draw.
pub struct Studio {
    folder: TempDir,
    computer: Computer,
}

impl Studio {
    pub fn new() -> Studio {
        let computer = Computer::with_program(env!("CARGO_BIN_EXE_pickmate").into(), 2);
        Studio { folder: TempDir::new().unwrap(), computer }
    }

    pub async fn reencode(&self, source: &[u8], bounds: ImageBounds) -> Result<Reencoded, ComputeError> {
        self.reencode_within(source, bounds, COMPUTE).await
    }

    pub async fn reencode_within(
        &self,
        source: &[u8],
        bounds: ImageBounds,
        compute: Bounds,
    ) -> Result<Reencoded, ComputeError> {
        // A name that says something else.
        let file = self.folder.path().join("source.txt");
        std::fs::write(&file, source).unwrap();
        let source = Source { file, folder: self.folder.path().to_owned(), bounds };
        self.computer.run::<Reencode>(&source, compute, &CancellationToken::new(), |_| {}).await
    }

    pub fn image(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("image")).unwrap()
    }

    pub fn thumbnail(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("thumbnail")).unwrap()
    }
}

/// Something that does not compress to nothing.
pub fn photo(width: u32, height: u32) -> DynamicImage {
    let pixel = |x: u32, y: u32| {
        let noise = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77)).wrapping_mul(0xC2B2_AE3D) >> 28;
        Rgb([(x / 4 % 200) as u8 + noise as u8, (y / 4 % 200) as u8 + noise as u8, 90])
    };
    RgbImage::from_fn(width, height, pixel).into()
}

pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn jpeg(image: &DynamicImage) -> Vec<u8> {
    encoded(image, ImageFormat::Jpeg)
}

pub fn png(image: &DynamicImage) -> Vec<u8> {
    encoded(image, ImageFormat::Png)
}

pub fn png_with_profile(image: &RgbImage, profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_icc_profile(profile.to_vec()).unwrap();
    encoder.write_image(image, image.width(), image.height(), image::ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// A JPEG with another segment behind its first marker.
pub fn with_segment(jpeg: &[u8], marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, data, &jpeg[2..]].concat()
}
