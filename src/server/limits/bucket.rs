//! A token bucket that can owe: what was spent elsewhere is charged to it when that is heard of. It is kept
//! as the moment at which it is full again (the generic cell rate algorithm). Pure: nanoseconds of some clock come in.

/// How much a bucket holds and how fast it fills.
#[derive(Clone, Copy, Debug)]
pub struct Quota {
    /// Nanoseconds from one token to the next.
    token_ns: u64,
    /// Nanoseconds from empty to full.
    whole_ns: u64,
}

/// Full as long as nothing was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    full_at: u64,
}

impl Quota {
    /// At least one of each.
    pub fn new(burst: u32, per_minute: u32) -> Quota {
        let token_ns = 60_000_000_000 / u64::from(per_minute.max(1));
        Quota { token_ns, whole_ns: token_ns * u64::from(burst.max(1)) }
    }
}

impl Bucket {
    /// Takes a token; the error is after how many nanoseconds there will be one, if nobody else takes it.
    pub fn take(&mut self, quota: Quota, now: u64) -> Result<(), u64> {
        let full_at = self.full_at.max(now).saturating_add(quota.token_ns);
        match full_at.checked_sub(now.saturating_add(quota.whole_ns)) {
            None | Some(0) => {
                self.full_at = full_at;
                Ok(())
            }
            Some(wait) => Err(wait),
        }
    }

    /// Takes tokens whether there are so many or not.
    pub fn owe(&mut self, quota: Quota, tokens: u32, now: u64) {
        self.full_at = self.full_at.max(now).saturating_add(quota.token_ns.saturating_mul(tokens.into()));
    }

    /// Like one from which nothing was ever taken.
    pub fn is_full(self, now: u64) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    const SECOND: u64 = 1_000_000_000;

    /// Tokens as a number that grows with time, as one would explain it to somebody.
    struct Plain {
        tokens: f64,
        at: u64,
    }

    #[test]
    fn the_told_wait_is_exactly_enough() {
        let (quota, mut bucket) = (Quota::new(2, 60), Bucket::default());
        assert_eq!([bucket.take(quota, 5), bucket.take(quota, 5)], [Ok(()), Ok(())]);
        assert_eq!(bucket.take(quota, 5), Err(SECOND));
        assert_eq!(bucket.take(quota, 4 + SECOND), Err(1));
        assert_eq!(bucket.take(quota, 5 + SECOND), Ok(()));
    }

    #[test]
    fn a_debt_is_waited_for_and_then_all_is_as_before() {
        let (quota, mut bucket) = (Quota::new(2, 60), Bucket::default());
        bucket.owe(quota, 5, 0);
        assert_eq!(bucket.take(quota, 0), Err(4 * SECOND));
        assert_eq!(bucket.take(quota, 4 * SECOND), Ok(()));
        assert!(!bucket.is_full(6 * SECOND - 1) && bucket.is_full(6 * SECOND));
        bucket.owe(quota, u32::MAX, u64::MAX - 1);
        assert!(bucket.is_full(u64::MAX), "no number is too large");
    }

    /// A node's bucket, and what it has to tell.
    #[derive(Clone, Default)]
    struct Node {
        bucket: Bucket,
        untold: u32,
    }

    /// Somebody who tries at some node after so many milliseconds, and what is heard before that.
    fn tries() -> impl Strategy<Value = Vec<(usize, u64, bool, usize)>> {
        prop::collection::vec((0..3_usize, 0..700_u64, any::<bool>(), 0..4_usize), 1..300)
    }

    proptest! {
        #[test]
        fn one_node_lets_through_what_a_bucket_of_tokens_does(
            burst in 1..20_u32, per_minute in 1..600_u32, pauses in prop::collection::vec(0..3_000_u64, 1..200)
        ) {
            let (quota, mut bucket) = (Quota::new(burst, per_minute), Bucket::default());
            let (mut plain, mut now) = (Plain { tokens: burst.into(), at: 0 }, 0);
            for pause in pauses {
                now += pause * 1_000_000;
                let grown = (now - plain.at) as f64 / quota.token_ns as f64;
                plain = Plain { tokens: (plain.tokens + grown).min(burst.into()), at: now };
                // A fraction that the other way of counting rounds.
                if (plain.tokens - 1.0).abs() < 1e-6 {
                    return Ok(());
                }
                let taken = bucket.take(quota, now);
                prop_assert_eq!(taken.is_ok(), plain.tokens >= 1.0, "at {} with {}", now, plain.tokens);
                match taken {
                    Ok(()) => plain.tokens -= 1.0,
                    Err(wait) => {
                        prop_assert!(bucket.clone().take(quota, now + wait - 1).is_err());
                        prop_assert!(bucket.clone().take(quota, now + wait).is_ok());
                    }
                }
            }
        }

        /// However news travel, and whichever node is asked: what got through is at most what one bucket lets through,
        /// and what the node that was asked had not heard of yet.
        #[test]
        fn several_nodes_let_through_what_one_does_and_what_is_under_way(
            burst in 1..10_u32, per_minute in 30..600_u32, tries in tries()
        ) {
            let quota = Quota::new(burst, per_minute);
            let mut nodes = vec![Node::default(); 3];
            // For which node, and how much.
            let mut under_way: VecDeque<(usize, u32)> = VecDeque::new();
            let (mut through, mut now) = (0_u64, 0_u64);
            for (asked, pause_ms, tells, heard) in tries {
                now += pause_ms * 1_000_000;
                for (node, count) in (0..heard).map_while(|_| under_way.pop_front()) {
                    nodes[node].bucket.owe(quota, count, now);
                }
                if nodes[asked].bucket.take(quota, now).is_ok() {
                    nodes[asked].untold += 1;
                    through += 1;
                    let of_others = |index: &usize| *index != asked;
                    let untold: u32 = (0..3).filter(of_others).map(|index| nodes[index].untold).sum();
                    let coming: u32 = under_way.iter().filter(|(node, _)| *node == asked).map(|(_, count)| count).sum();
                    let allowed = u64::from(burst) + now / quota.token_ns;
                    prop_assert!(through <= allowed + u64::from(untold + coming), "{through} at {now}");
                }
                if tells {
                    let count = std::mem::take(&mut nodes[asked].untold);
                    under_way.extend((0..3).filter(|other| *other != asked).map(|other| (other, count)));
                }
            }
        }
    }
}
