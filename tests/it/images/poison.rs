//! What is sent to do harm, or is merely broken: each ends in a code that stays, and nothing else suffers.

use super::contains;
use super::drawing::{BOUNDS, COMPUTE, Studio, encoded, jpeg, photo, png};
use image::{DynamicImage, GrayImage, ImageFormat};
use pickmate::server::compute::image::ImageBounds;
use pickmate::server::compute::{Bounds, ComputeError};
use std::time::Duration;

async fn code(studio: &Studio, source: &[u8]) -> String {
    match studio.reencode(source, BOUNDS).await {
        Err(ComputeError::Refused(refused)) => refused.code.into_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_image_is_refused_whatever_it_is_called() {
    let studio = Studio::new();
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>"#;
    let others: [&[u8]; 8] = [
        b"",
        b"\xFF",
        svg,
        b"<!doctype html><p>hi",
        b"%PDF-1.7\n",
        b"BM\x46\0\0\0\0\0\0\0",
        b"II*\0\x08\0\0\0",
        b"MZ\x90\0",
    ];
    for source in others {
        assert_eq!(code(&studio, source).await, "not_an_image", "{source:?}");
    }
}

#[tokio::test]
async fn huge_images_in_tiny_files_are_refused_before_they_are_decoded() {
    let studio = Studio::new();
    let side = 60_000_u16.to_be_bytes();
    let mut tall = jpeg(&photo(16, 16));
    let frame = tall.windows(2).position(|pair| pair[0] == 0xFF && (0xC0..=0xC2).contains(&pair[1])).unwrap();
    tall[frame + 5..frame + 9].copy_from_slice(&[side, side].concat());
    let side = 60_000_u16.to_le_bytes();
    let mut gif = encoded(&photo(16, 16), ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[side, side].concat());
    for (name, source) in [("png", bomb(60_000, 60_000)), ("jpeg", tall), ("gif", gif)] {
        assert_eq!(code(&studio, &source).await, "too_many_pixels", "{name}");
    }
}

#[tokio::test]
async fn an_image_that_ends_too_soon_never_takes_anything_with_it() {
    let studio = Studio::new();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let whole = encoded(&photo(60, 40), format);
        for length in [13, 40, whole.len() / 2, whole.len() - 20] {
            match studio.reencode(&whole[..length], BOUNDS).await {
                Err(ComputeError::Refused(refused)) => assert_eq!(refused.code, "broken_image", "{format:?} {length}"),
                // Most of a photo is a photo too.
                Ok(drawn) => assert_eq!((drawn.image.width, drawn.image.height), (60, 40), "{format:?} {length}"),
                Err(other) => panic!("{format:?} {length}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn what_hides_behind_an_image_stays_behind() {
    let studio = Studio::new();
    let hidden = b"PK\x03\x04<html><script>alert(document.cookie)</script>";
    for image in [png(&photo(20, 20)), jpeg(&photo(20, 20)), encoded(&photo(20, 20), ImageFormat::Gif)] {
        studio.reencode(&[&image[..], hidden].concat(), BOUNDS).await.unwrap();
        for kept in [studio.image(), studio.thumbnail()] {
            assert!(!contains(&kept, b"script") && !contains(&kept, b"PK\x03\x04"));
        }
    }
}

#[tokio::test]
async fn whatever_is_broken_in_an_image_costs_a_child_at_most() {
    let studio = Studio::new();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let whole = encoded(&photo(60, 40), format);
        for turn in 1..8_usize {
            let mut broken = whole.clone();
            for place in (12 + turn..broken.len()).step_by(turn * 17) {
                broken[place] ^= 0x55;
            }
            let outcome = studio.reencode(&broken, BOUNDS).await;
            assert!(matches!(outcome, Ok(_) | Err(ComputeError::Refused(_))), "{format:?} {turn}: {outcome:?}");
        }
    }
}

#[tokio::test]
async fn one_that_needs_too_much_memory_or_time_is_given_up() {
    let studio = Studio::new();
    let large = png(&DynamicImage::from(GrayImage::new(8_000, 8_000)));
    let bounds = ImageBounds { pixels: 64_000_000, ..BOUNDS };
    let little = Bounds { memory_bytes: 300 * 1024 * 1024, ..COMPUTE };
    let outcome = studio.reencode_within(&large, bounds, little).await;
    assert!(matches!(outcome, Err(ComputeError::OutOfMemory)), "{outcome:?}");
    let short = Bounds { time: Duration::from_millis(20), ..COMPUTE };
    let outcome = studio.reencode_within(&large, bounds, short).await;
    assert!(matches!(outcome, Err(ComputeError::TimedOut)), "{outcome:?}");
}

/// A PNG of this size with nothing in it.
pub fn bomb(width: u32, height: u32) -> Vec<u8> {
    let header = [b"IHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat();
    let data = b"IDAT\x78\x9c\x63\0\0\0\x01\0\x01";
    let chunk = |content: &[u8]| {
        let length = u32::try_from(content.len() - 4).unwrap().to_be_bytes();
        [&length, content, &checksum(content).to_be_bytes()].concat()
    };
    [b"\x89PNG\r\n\x1a\n".as_slice(), &chunk(&header), &chunk(data), &chunk(b"IEND")].concat()
}

/// The CRC-32 of PNG's chunks.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xEDB8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}
