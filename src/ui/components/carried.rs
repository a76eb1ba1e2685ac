use super::{Glyph, Icon};
use crate::protocol::Attached;
use leptos::prelude::*;

/// The longest side of an image in a conversation, in CSS pixels.
const SIDE: u32 = 320;

/// What a message carries: images to be seen, everything else to be saved.
pub fn carried(files: &[Attached]) -> AnyView {
    if files.is_empty() {
        return ().into_any();
    }
    view! { <div class="files">{files.iter().map(file).collect_view()}</div> }.into_any()
}

fn file(file: &Attached) -> AnyView {
    let (address, name) = (format!("/files/{}", file.id.as_str()), file.name.clone());
    let saved_as = name.clone();
    match (file.width, file.height) {
        (Some(width), Some(height)) => {
            // Its place is kept before it has come.
            let (width, height) = fitted(width, height);
            let small = format!("{address}/thumb");
            view! {
                <a class="picture" href=address target="_blank" rel="noopener">
                    <img src=small width=width height=height alt=name loading="lazy" decoding="async"/>
                </a>
            }
            .into_any()
        }
        _ => view! {
            <a class="file" href=address download=saved_as>
                <Icon glyph=Glyph::Down/>
                <span class="name">{name}</span>
                <span class="size">{size(file.bytes)}</span>
            </a>
        }
        .into_any(),
    }
}

fn fitted(width: u32, height: u32) -> (u32, u32) {
    let longest = width.max(height);
    if longest <= SIDE {
        return (width, height);
    }
    let side = |side: u32| (u64::from(side) * u64::from(SIDE) / u64::from(longest)).max(1) as u32;
    (side(width), side(height))
}

/// In units that everybody writes alike.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_keeps_its_shape_in_the_place_that_it_gets() {
        assert_eq!(fitted(100, 50), (100, 50));
        assert_eq!(fitted(2_560, 1_280), (320, 160));
        assert_eq!(fitted(1_000, 4_000), (80, 320));
        assert_eq!(fitted(1, 100_000), (1, 320));
    }

    #[test]
    fn sizes_are_told_in_a_few_digits() {
        assert_eq!([size(0), size(999), size(1_000), size(1_250_000)], ["0 B", "999 B", "1 kB", "1.2 MB"]);
    }
}
