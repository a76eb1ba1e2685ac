//! Where the reader is in time: the offset the page was rendered with, then, once the browser runs,
//! the exact offset at each instant.

/// Offsets from UTC. Equality decides whether times have to be worded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// What the server knew: the same offset for every instant. First render, server and browser.
    Fixed { utc_offset_min: i32 },
    /// The browser's own zone, asked for each instant.
    Browser,
}
