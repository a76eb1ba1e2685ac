//! What is said in the rooms: 100 bytes that tell when and as which message they were sent.

use memchr::memmem;
use std::sync::OnceLock;
use std::time::Instant;

pub const BYTES: usize = 100;

const MARK: &[u8] = b"~pm~";
const DIGITS: usize = 16;
const FILL: &[u8] = b" I still think that the lighting was the best part of the whole film, what do you all say?";

/// A message on its way: its number, and when it was due, in nanoseconds of [`now`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    pub number: u64,
    pub due: u64,
}

/// Nanoseconds since this program looked for the first time.
pub fn now() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

impl Post {
    pub fn text(&self) -> String {
        let head = format!("~pm~{:016x}{:016x}", self.number, self.due);
        let fill = &FILL[..BYTES - head.len()];
        head + &String::from_utf8_lossy(fill)
    }
}

/// All posts in a frame, in order.
pub fn posts(payload: &[u8]) -> impl Iterator<Item = Post> + '_ {
    memmem::find_iter(payload, MARK).filter_map(|at| {
        let digits = payload.get(at + MARK.len()..at + MARK.len() + 2 * DIGITS)?;
        let (number, due) = digits.split_at(DIGITS);
        Some(Post { number: hex(number)?, due: hex(due)? })
    })
}

fn hex(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
