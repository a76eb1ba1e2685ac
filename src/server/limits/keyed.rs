//! One bucket for each name, and what was taken from them that other nodes have not been told.

use super::bucket::{Bucket, Quota};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a bucket is called, here and between nodes: says nothing of whose it is.
pub type Name = [u8; 16];

/// After so many calls the buckets that are full again are forgotten, so that memory is bounded by the
/// calls of one refill.
pub const CALLS_BETWEEN_SWEEPS: u32 = 1_024;

/// Parts with a lock each.
const PARTS: usize = 16;

pub struct Keyed {
    quota: Quota,
    parts: [Mutex<Part>; PARTS],
    calls: AtomicU32,
}

#[derive(Default)]
struct Part {
    buckets: HashMap<Name, Entry>,
    /// Those from which something was taken that was not told.
    untold: Vec<Name>,
}

#[derive(Clone, Copy, Default)]
struct Entry {
    bucket: Bucket,
    untold: u32,
}

impl Keyed {
    pub fn new(quota: Quota) -> Keyed {
        Keyed { quota, parts: Default::default(), calls: AtomicU32::new(0) }
    }

    /// Takes a token, to be told if `tells`; or the nanoseconds until there is one.
    pub fn take(&self, name: &Name, tells: bool, now: u64) -> Result<(), u64> {
        self.sweep_sometimes(now);
        let mut part = self.part(name);
        let entry = part.buckets.entry(*name).or_default();
        entry.bucket.take(self.quota, now)?;
        if tells {
            entry.untold += 1;
            if entry.untold == 1 {
                part.untold.push(*name);
            }
        }
        Ok(())
    }

    /// So much was taken on another node.
    pub fn owe(&self, name: &Name, tokens: u32, now: u64) {
        self.sweep_sometimes(now);
        self.part(name).buckets.entry(*name).or_default().bucket.owe(self.quota, tokens, now);
    }

    /// What was taken since the last call.
    pub fn take_untold(&self) -> Vec<(Name, u32)> {
        let mut all = Vec::new();
        for part in &self.parts {
            let mut part = locked(part);
            let Part { buckets, untold } = &mut *part;
            let told = untold.drain(..).filter_map(|name| {
                let count = std::mem::take(&mut buckets.get_mut(&name)?.untold);
                Some((name, count))
            });
            all.extend(told);
        }
        all
    }

    fn sweep_sometimes(&self, now: u64) {
        if self.calls.fetch_add(1, Ordering::Relaxed) % CALLS_BETWEEN_SWEEPS == CALLS_BETWEEN_SWEEPS - 1 {
            for part in &self.parts {
                locked(part).buckets.retain(|_, entry| entry.untold > 0 || !entry.bucket.is_full(now));
            }
        }
    }

    /// Names are hashes, so any byte of them spreads well.
    fn part(&self, name: &Name) -> MutexGuard<'_, Part> {
        locked(&self.parts[usize::from(name[0]) % PARTS])
    }
}

/// The sections are short and leave the part whole even if one panicked.
fn locked(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn name(number: u32) -> Name {
        u128::from(number).to_le_bytes()
    }

    #[test]
    fn every_name_has_a_bucket() {
        let keyed = Keyed::new(Quota::new(1, 60));
        keyed.take(&name(1), true, 0).unwrap();
        assert_eq!(keyed.take(&name(1), true, 0), Err(SECOND));
        keyed.take(&name(2), true, 0).unwrap();
    }

    #[test]
    fn what_was_taken_is_told_once_and_what_was_refused_is_not() {
        let keyed = Keyed::new(Quota::new(2, 60));
        for _ in 0..3 {
            let _ = keyed.take(&name(1), true, 0);
        }
        keyed.take(&name(2), false, 0).unwrap();
        keyed.owe(&name(3), 7, 0);
        assert_eq!(keyed.take_untold(), [(name(1), 2)]);
        assert_eq!(keyed.take_untold(), []);
        keyed.take(&name(1), true, SECOND).unwrap();
        assert_eq!(keyed.take_untold(), [(name(1), 1)]);
    }

    #[test]
    fn buckets_that_are_full_again_are_forgotten_but_not_what_is_untold() {
        let keyed = Keyed::new(Quota::new(1, 60));
        keyed.take(&name(0), true, 0).unwrap();
        for number in 1..CALLS_BETWEEN_SWEEPS - 1 {
            keyed.owe(&name(number), 1, 0);
        }
        keyed.take(&name(CALLS_BETWEEN_SWEEPS), false, 5 * SECOND).unwrap();
        let kept: usize = keyed.parts.iter().map(|part| locked(part).buckets.len()).sum();
        assert_eq!((kept, keyed.take_untold()), (2, vec![(name(0), 1)]));
    }
}
