//! Keeping the reader's place while rows come and go: the place is a row and its distance from the
//! top of the viewport, never a scroll position. The arithmetic is pure; the DOM calls are few.

use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// So close to the end, in CSS pixels, the reader counts as being there and follows new rows.
pub const AT_END_PX: i32 = 100;

/// With so little above the viewport, in CSS pixels, older rows are fetched before the reader gets there.
pub const LOAD_OLDER_PX: i32 = 800;

/// The rows of a conversation carry their item's key in this attribute.
pub const ROW_ATTRIBUTE: &str = "data-key";

/// A row, and how far its bottom lies below the viewport's top, in CSS pixels. Not its top: a row loses
/// name and avatar above its text when rows of its author come before it, and the text is what is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub key: String,
    pub offset_px: i32,
}

impl Anchor {
    /// The same row, `by_px` further down.
    pub fn lower_by(self, by_px: i32) -> Anchor {
        Anchor { offset_px: self.offset_px + by_px, ..self }
    }
}

/// Of rows in order, the first that reaches into the viewport. A row is given and told by its
/// bottom, measured from the viewport's top, in CSS pixels.
pub fn first_visible(bottoms: impl Iterator<Item = i32>) -> Option<(usize, i32)> {
    bottoms.enumerate().find(|(_, bottom_px)| *bottom_px > 0)
}

/// How far to scroll so that the anchor's row, whose bottom is now at `bottom_px`, is where it was.
pub fn correction(anchor: &Anchor, bottom_px: i32) -> i32 {
    bottom_px - anchor.offset_px
}

/// Whether the end of the content is in sight, or nearly. The viewport is laid out from its end
/// (`column-reverse`): its scroll position is 0 there and negative above.
pub fn is_at_end(scroll_top: i32) -> bool {
    -scroll_top <= AT_END_PX
}

/// Whether so little is left above the viewport that older rows should be on their way.
pub fn is_near_beginning(scroll_top: i32, client_height: i32, scroll_height: i32) -> bool {
    scroll_height - client_height + scroll_top <= LOAD_OLDER_PX
}

/// The reader's place in a scrolling element, to be given to [`restore`] after its rows changed.
pub fn capture(viewport: &HtmlElement) -> Option<Anchor> {
    let top = top_of(viewport);
    let rows = rows(viewport);
    let (index, offset_px) = first_visible(rows.iter().map(|row| bottom_of(row, top)))?;
    Some(Anchor { key: rows.get(index)?.get_attribute(ROW_ATTRIBUTE)?, offset_px })
}

/// Scrolls so that the anchor's row stands where it stood. Nothing happens when the row is gone.
pub fn restore(viewport: &HtmlElement, anchor: &Anchor) {
    let rows = rows(viewport);
    let same = |row: &&Element| row.get_attribute(ROW_ATTRIBUTE).as_deref() == Some(anchor.key.as_str());
    let Some(row) = rows.iter().find(same) else { return };
    let distance = correction(anchor, bottom_of(row, top_of(viewport)));
    if distance != 0 {
        viewport.set_scroll_top(viewport.scroll_top() + distance);
    }
}

pub fn element_is_at_end(viewport: &HtmlElement) -> bool {
    is_at_end(viewport.scroll_top())
}

pub fn element_is_near_beginning(viewport: &HtmlElement) -> bool {
    is_near_beginning(viewport.scroll_top(), viewport.client_height(), viewport.scroll_height())
}

/// Whether the content does not fill the viewport.
pub fn element_has_nothing_above(viewport: &HtmlElement) -> bool {
    viewport.scroll_height() <= viewport.client_height()
}

pub fn scroll_to_end(viewport: &HtmlElement) {
    viewport.set_scroll_top(0);
}

fn rows(viewport: &HtmlElement) -> Vec<Element> {
    let Ok(found) = viewport.query_selector_all("[data-key]") else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.get(index)?.dyn_into().ok()).collect()
}

fn bottom_of(row: &Element, viewport_top: f64) -> i32 {
    (row.get_bounding_client_rect().bottom() - viewport_top).round() as i32
}

fn top_of(element: &HtmlElement) -> f64 {
    element.get_bounding_client_rect().top()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bottoms of rows of these heights, the viewport's top `scrolled` pixels below the first one's.
    fn bottoms(heights: &[i32], scrolled: i32) -> Vec<i32> {
        let end = |last: usize| heights[..=last].iter().sum::<i32>() - scrolled;
        (0..heights.len()).map(end).collect()
    }

    #[test]
    fn rows_put_in_front_do_not_move_the_place() {
        let before = bottoms(&[40, 60, 50], 55);
        let (index, offset_px) = first_visible(before.into_iter()).unwrap();
        assert_eq!((index, offset_px), (1, 45));
        let anchor = Anchor { key: "m1:k2".into(), offset_px };
        let after = bottoms(&[30, 30, 40, 60, 50], 55);
        assert_eq!(correction(&anchor, after[3]), 60);
    }

    #[test]
    fn text_stays_when_its_row_loses_the_name_above_it() {
        let anchor = Anchor { key: "m1:k1".into(), offset_px: bottoms(&[62, 50], 0)[0] };
        let after = bottoms(&[62, 40, 40, 50], 0);
        assert_eq!(correction(&anchor, after[2]), 80);
    }

    #[test]
    fn a_row_that_was_pushed_up_in_the_frame_of_the_scroll_comes_back_down() {
        let place = Anchor { key: "m1:k1".into(), offset_px: 10 };
        assert_eq!(correction(&place.lower_by(53), 10), -53);
    }

    #[test]
    fn a_row_that_only_touches_the_edge_is_not_the_place() {
        let rows = bottoms(&[40, 60], 40);
        assert_eq!(first_visible(rows.into_iter()).map(|(index, _)| index), Some(1));
        assert_eq!(first_visible(std::iter::empty()), None);
    }

    #[test]
    fn near_the_end_is_at_the_end() {
        assert!(is_at_end(0));
        assert!(is_at_end(-100));
        assert!(!is_at_end(-101));
    }

    #[test]
    fn older_rows_are_wanted_before_the_beginning_is_reached() {
        assert!(is_near_beginning(0, 500, 300), "content shorter than the viewport");
        assert!(is_near_beginning(-3_700, 500, 5_000));
        assert!(!is_near_beginning(-3_600, 500, 5_000));
    }
}
