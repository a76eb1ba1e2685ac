//! When to try again. Pure: the caller brings the jitter.

/// Upper bound of the delay before the first retry, in milliseconds.
const FIRST_MS: u32 = 500;
/// Upper bound of every delay, in milliseconds.
const CAP_MS: u32 = 15_000;

/// A random number for spreading retries: 0 is "at once", `u16::MAX` the longest delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jitter(pub u16);

impl Jitter {
    /// A delay from 0 to `max_ms`, evenly spread.
    pub fn of(self, max_ms: u32) -> u32 {
        (u64::from(max_ms) * u64::from(self.0) / u64::from(u16::MAX)) as u32
    }
}

/// Exponential backoff with full jitter: each delay lies between 0 and a bound that doubles, so
/// that many clients that lost a server together do not come back together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// Milliseconds until the next attempt.
    pub fn next_ms(&mut self, jitter: Jitter) -> u32 {
        let bound = FIRST_MS.saturating_mul(1 << self.attempts.min(16)).min(CAP_MS);
        self.attempts = self.attempts.saturating_add(1);
        jitter.of(bound)
    }

    /// An attempt succeeded.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// The delay after a server named one: never earlier, and spread by half of it, at least a second.
pub fn after_asked_ms(retry_after_ms: u32, jitter: Jitter) -> u32 {
    retry_after_ms.saturating_add(jitter.of((retry_after_ms / 2).max(1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATEST: Jitter = Jitter(u16::MAX);

    #[test]
    fn the_first_retry_is_quick_and_no_delay_passes_the_cap() {
        let mut backoff = Backoff::default();
        let delays: Vec<u32> = (0..40).map(|_| backoff.next_ms(LATEST)).collect();
        assert_eq!(delays[..6], [500, 1_000, 2_000, 4_000, 8_000, 15_000]);
        assert!(delays[6..].iter().all(|delay| *delay == CAP_MS));
    }

    #[test]
    fn jitter_spreads_over_the_whole_range() {
        let late = |jitter| {
            let mut backoff = Backoff::default();
            backoff.next_ms(Jitter(jitter))
        };
        assert_eq!([late(0), late(u16::MAX / 2), late(u16::MAX)], [0, 249, 500]);
    }

    #[test]
    fn success_makes_the_next_retry_quick_again() {
        let mut backoff = Backoff::default();
        for _ in 0..8 {
            backoff.next_ms(LATEST);
        }
        backoff.reset();
        assert_eq!(backoff.next_ms(LATEST), FIRST_MS);
    }

    #[test]
    fn a_server_that_names_a_time_is_not_asked_earlier() {
        assert_eq!(after_asked_ms(800, Jitter(0)), 800);
        assert_eq!(after_asked_ms(800, LATEST), 1_800);
        assert_eq!(after_asked_ms(10_000, LATEST), 15_000);
        assert_eq!(after_asked_ms(u32::MAX, LATEST), u32::MAX);
    }
}
