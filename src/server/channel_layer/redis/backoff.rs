use rand::Rng;
use std::time::Duration;

/// The longest wait before the second attempt; it doubles with each.
const FIRST_MS: u64 = 100;

/// The longest wait of all: Redis is back for so long before it is found out, at most.
const CAP_MS: u64 = 3_000;

/// Waits between attempts, spread so that the nodes do not come back together.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    pub fn next(&mut self) -> Duration {
        let bound = (FIRST_MS << self.attempts.min(10)).min(CAP_MS);
        self.attempts += 1;
        Duration::from_millis(rand::rng().random_range(bound / 2..=bound))
    }

    /// An attempt succeeded.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_begin_anew() {
        let mut backoff = Backoff::default();
        let ms = |wait: Duration| wait.as_millis() as u64;
        let waits: Vec<_> = (0..20).map(|_| ms(backoff.next())).collect();
        assert!(
            waits[0] <= FIRST_MS && waits[19] >= CAP_MS / 2 && waits.iter().all(|wait| *wait <= CAP_MS),
            "{waits:?}"
        );
        backoff.reset();
        assert!(ms(backoff.next()) <= FIRST_MS);
    }
}
