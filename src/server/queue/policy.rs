use rand::Rng;
use std::time::Duration;

/// How a kind of task is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A run that takes longer is asked to end.
    pub soft_limit: Duration,
    /// A run that takes longer is ended, and has failed.
    pub hard_limit: Duration,
    /// Runs that are begun at most.
    pub attempts: u32,
    /// The pause after the first failure; each further one is twice as long, at most [`Policy::LONGEST_PAUSE`].
    pub pause: Duration,
    /// The larger, the sooner.
    pub priority: i32,
}

impl Policy {
    pub const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

    pub const DEFAULT: Policy = Policy::within(300);

    /// For runs that take so many seconds at most: each is asked to end after nine tenths of them.
    pub const fn within(seconds: u64) -> Policy {
        Policy {
            soft_limit: Duration::from_secs(seconds * 9 / 10),
            hard_limit: Duration::from_secs(seconds),
            attempts: 5,
            pause: Duration::from_secs(2),
            priority: 0,
        }
    }

    /// The pause after this many runs: at least half of what doubling gives, so that tasks which failed together
    /// do not come back together.
    pub fn pause_after(&self, attempts: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let whole = self.pause.saturating_mul(doubled).min(Policy::LONGEST_PAUSE);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_somewhere() {
        let policy = Policy::DEFAULT;
        for (attempts, seconds) in [(1, 2.0), (2, 4.0), (3, 8.0), (40, 3_600.0)] {
            let pause = policy.pause_after(attempts).as_secs_f64();
            assert!((seconds / 2.0..=seconds).contains(&pause), "{attempts}: {pause}");
        }
    }
}
