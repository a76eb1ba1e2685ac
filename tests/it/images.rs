//! Images made anew in children of the real program: what is kept, what is dropped, what is refused.

pub mod drawing;
pub mod poison;

use drawing::{Studio, jpeg, photo, png, with_segment};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, GenericImageView, ImageFormat, Rgba, RgbaImage};
use pickmate::server::compute::image::{Format, ImageBounds};

#[tokio::test]
async fn a_photo_is_fitted_into_its_bounds_and_so_is_its_thumbnail() {
    let studio = Studio::new();
    let drawn =
        studio.reencode(&jpeg(&photo(1_600, 800)), ImageBounds { side: 1_200, ..drawing::BOUNDS }).await.unwrap();
    assert_eq!((drawn.image.format, drawn.image.width, drawn.image.height), (Format::Jpeg, 1_200, 600));
    assert_eq!((drawn.thumbnail.format, drawn.thumbnail.width, drawn.thumbnail.height), (Format::Jpeg, 640, 320));
    let (image, thumbnail) = (studio.image(), studio.thumbnail());
    assert_eq!((image.len() as u64, thumbnail.len() as u64), (drawn.image.bytes, drawn.thumbnail.bytes));
    assert_eq!(image::load_from_memory(&image).unwrap().dimensions(), (1_200, 600));
    assert_eq!(image::load_from_memory(&thumbnail).unwrap().dimensions(), (640, 320));
}

#[tokio::test]
async fn a_small_image_is_not_made_larger() {
    let studio = Studio::new();
    let drawn = studio.reencode(&png(&photo(30, 20)), drawing::BOUNDS).await.unwrap();
    assert_eq!((drawn.image.format, drawn.image.width, drawn.image.height), (Format::Png, 30, 20));
    assert_eq!((drawn.thumbnail.width, drawn.thumbnail.height), (30, 20));
    assert_eq!(image::load_from_memory(&studio.image()).unwrap().into_rgb8(), photo(30, 20).into_rgb8());
}

#[tokio::test]
async fn a_photo_that_was_taken_sideways_stands_upright_and_says_nothing_of_where_it_was_taken() {
    let studio = Studio::new();
    // Orientation 6: to be turned clockwise.
    let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0 at 37.5665 N";
    let sideways = with_segment(&jpeg(&photo(40, 20)), 0xE1, exif);
    let sideways = with_segment(&sideways, 0xFE, b"a comment of mine");
    let drawn = studio.reencode(&sideways, drawing::BOUNDS).await.unwrap();
    assert_eq!((drawn.image.width, drawn.image.height), (20, 40));
    for kept in [studio.image(), studio.thumbnail()] {
        for told in ["Exif", "37.5665", "a comment"] {
            assert!(!contains(&kept, told.as_bytes()), "{told}");
        }
    }
}

#[tokio::test]
async fn what_shines_through_goes_on_doing_so() {
    let studio = Studio::new();
    let mut logo = RgbaImage::from_pixel(800, 100, Rgba([200, 30, 30, 255]));
    logo.put_pixel(0, 0, Rgba([0, 0, 0, 0]));
    let drawn = studio.reencode(&png(&logo.into()), drawing::BOUNDS).await.unwrap();
    assert_eq!((drawn.image.format, drawn.thumbnail.format), (Format::Png, Format::Png));
    assert_eq!(image::load_from_memory(&studio.image()).unwrap().get_pixel(0, 0).0[3], 0);
}

#[tokio::test]
async fn a_lossless_image_that_is_too_large_becomes_a_photo() {
    let studio = Studio::new();
    let bounds = ImageBounds { lossless_bytes: 20_000, ..drawing::BOUNDS };
    let drawn = studio.reencode(&png(&photo(600, 400)), bounds).await.unwrap();
    assert_eq!(drawn.image.format, Format::Jpeg);
}

#[tokio::test]
async fn every_format_is_read() {
    let studio = Studio::new();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let drawn = studio.reencode(&drawing::encoded(&photo(50, 30), format), drawing::BOUNDS).await.unwrap();
        assert_eq!((drawn.image.width, drawn.image.height), (50, 30), "{format:?}");
    }
}

#[tokio::test]
async fn the_first_frame_of_an_animation_is_kept() {
    let studio = Studio::new();
    let colours = [[250, 0, 0, 255], [0, 250, 0, 255], [0, 0, 250, 255]];
    let mut animation = Vec::new();
    let mut encoder = GifEncoder::new(&mut animation);
    encoder.encode_frames(colours.map(|colour| Frame::new(RgbaImage::from_pixel(8, 8, Rgba(colour))))).unwrap();
    drop(encoder);
    studio.reencode(&animation, drawing::BOUNDS).await.unwrap();
    let pixel = image::load_from_memory(&studio.image()).unwrap().get_pixel(4, 4);
    assert!(pixel.0[0] > 200 && pixel.0[1] < 50, "{pixel:?}");
}

#[tokio::test]
async fn colours_of_a_profile_look_as_they_did() {
    let studio = Studio::new();
    let red = DynamicImage::from(RgbaImage::from_pixel(8, 8, Rgba([200, 60, 40, 255]))).into_rgb8();
    let wide = drawing::png_with_profile(&red, &moxcms::ColorProfile::new_display_p3().encode().unwrap());
    studio.reencode(&wide, drawing::BOUNDS).await.unwrap();
    let pixel = image::load_from_memory(&studio.image()).unwrap().get_pixel(4, 4).0;
    // What is a modest red in the wider space is a strong one in sRGB.
    assert!(pixel[0] > 210 && pixel[1] < 60, "{pixel:?}");
    assert!(!contains(&studio.image(), b"iCCP"));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(bytes, part).is_some()
}
