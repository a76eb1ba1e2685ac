//! When which rooms' heads are compared with the store though no notice asked for it: between several
//! nodes a notice may be lost without anybody knowing.

use crate::domain::RoomId;
use std::time::Duration;
use tokio::time::Instant;

/// Rooms that one statement compares.
pub const BATCH: usize = 2_000;

/// Rounds through all followed rooms, a batch at a time and never more than so many heads a second: with
/// many rooms a round takes longer.
pub struct Rounds {
    every: Duration,
    heads_per_second: u32,
    began: Instant,
    due: Instant,
    /// Of the round under way, the next ones last.
    left: Vec<RoomId>,
    period: Duration,
}

impl Rounds {
    pub fn new(every: Duration, heads_per_second: u32, now: Instant) -> Rounds {
        Rounds { every, heads_per_second, began: now, due: now + every, left: Vec::new(), period: every }
    }

    /// When to call [`next`](Rounds::next).
    pub fn due(&self) -> Instant {
        self.due
    }

    /// How long the last round took, to the beginning of the one after it.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// The rooms to be compared now. `followed` is asked when a round begins.
    pub fn next(&mut self, now: Instant, followed: impl FnOnce() -> Vec<RoomId>) -> Vec<RoomId> {
        if self.left.is_empty() {
            self.began = now;
            self.left = followed();
            // In one order in every round, so that as much time passes for each.
            self.left.sort_unstable_by(|one, other| other.cmp(one));
        }
        let batch = self.left.split_off(self.left.len().saturating_sub(BATCH));
        let paced = now + Duration::from_secs_f64(batch.len() as f64 / f64::from(self.heads_per_second));
        self.due = paced;
        if self.left.is_empty() {
            self.due = paced.max(self.began + self.every);
            self.period = self.due - self.began;
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(4);

    /// What is compared when, in the rounds that begin within `span`, and the last period.
    fn compared(rooms: i64, span: Duration) -> (Vec<(Duration, RoomId)>, Duration) {
        let start = Instant::now();
        let mut rounds = Rounds::new(EVERY, 5_000, start);
        let mut compared = Vec::new();
        while rounds.due() < start + span || !rounds.left.is_empty() {
            let now = rounds.due();
            let batch = rounds.next(now, || (1..=rooms).map(RoomId).collect());
            assert!(batch.len() <= BATCH);
            compared.extend(batch.into_iter().map(|room| (now - start, room)));
        }
        (compared, rounds.period())
    }

    #[test]
    fn few_rooms_are_compared_once_a_period() {
        let (compared, period) = compared(3, EVERY * 4);
        assert_eq!(compared.len(), 9);
        assert_eq!(period, EVERY);
        let of_one: Vec<_> = compared.iter().filter(|(_, room)| *room == RoomId(2)).map(|(at, _)| *at).collect();
        assert_eq!(of_one, [EVERY, EVERY * 2, EVERY * 3]);
    }

    #[test]
    fn many_rooms_stretch_the_period_and_no_second_has_more_than_its_heads() {
        let (compared, period) = compared(50_000, Duration::from_secs(14));
        assert_eq!((compared.len(), period), (50_000, Duration::from_secs(10)));
        for (at, _) in compared.iter().step_by(BATCH) {
            let within = compared.iter().filter(|(other, _)| *other >= *at && *other < *at + Duration::from_secs(1));
            // A batch at each end of a second.
            assert!(within.count() <= 5_000 + BATCH);
        }
    }

    #[test]
    fn without_rooms_it_is_asked_again_after_a_period() {
        let start = Instant::now();
        let mut rounds = Rounds::new(EVERY, 5_000, start);
        assert_eq!(rounds.next(rounds.due(), Vec::new), []);
        assert_eq!(rounds.due(), start + EVERY * 2);
    }
}
