//! Where the reader is in time: the offset the page was rendered with, then, once the browser runs,
//! the exact offset at each instant.

use super::browser;
use crate::domain::{CivilTime, day_number};

/// Offsets from UTC. Equality decides whether times have to be worded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// What the server knew: the same offset for every instant. First render, server and browser.
    Fixed { utc_offset_min: i32 },
    /// The browser's own zone, asked for each instant.
    Browser,
}

impl Zone {
    /// Minutes east of UTC at that instant (Unix milliseconds).
    pub fn offset_min_at(self, at_ms: i64) -> i32 {
        match self {
            Zone::Fixed { utc_offset_min } => utc_offset_min,
            Zone::Browser => browser::utc_offset_min_at(at_ms),
        }
    }

    /// Calendar and clock at that instant (Unix milliseconds).
    pub fn civil(self, at_ms: i64) -> CivilTime {
        CivilTime::at(at_ms, self.offset_min_at(at_ms))
    }

    /// Number of the local day: equal for two instants of one day.
    pub fn day_number(self, at_ms: i64) -> i64 {
        day_number(at_ms, self.offset_min_at(at_ms))
    }
}
