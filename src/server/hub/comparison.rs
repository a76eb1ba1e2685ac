//! When which rooms' heads, and whose rights, are compared with the store though no notice asked for it: between several
//! nodes a notice may be lost without anybody knowing.

use std::time::Duration;
use tokio::time::Instant;

/// What one statement compares.
pub const BATCH: usize = 2_000;

/// Rounds through all that is known of a kind, as followed rooms, a batch at a time and never more than so much a second:
/// with much of it a round takes longer. A round begins by the clock, or when something asks for one.
pub struct Rounds<T> {
    /// Without it no clock begins one.
    every: Option<Duration>,
    per_second: u32,
    began: Instant,
    due: Option<Instant>,
    /// Of the round under way, the next ones last.
    left: Vec<T>,
    /// Another round is to follow at once.
    again: bool,
    /// Before then what there is for this second is used up.
    paced: Instant,
    period: Duration,
}

impl<T: Ord> Rounds<T> {
    pub fn new(every: Option<Duration>, per_second: u32, now: Instant) -> Rounds<T> {
        let due = every.map(|every| now + every);
        let period = every.unwrap_or_default();
        Rounds { every, per_second, began: now, due, left: Vec::new(), again: false, paced: now, period }
    }

    /// When to call [`next`](Rounds::next); `None`: when it has been [hastened](Rounds::hasten).
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// How long the last round took, to the beginning of the one after it; 0 where no clock begins one.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Whether there is more of the round that has begun.
    pub fn under_way(&self) -> bool {
        !self.left.is_empty()
    }

    /// All are to be compared as soon as can be.
    pub fn hasten(&mut self, now: Instant) {
        if self.left.is_empty() {
            self.due = Some(self.paced.max(now));
        } else {
            self.again = true;
        }
    }

    /// What is to be compared now. `all` is asked when a round begins.
    pub fn next(&mut self, now: Instant, all: impl FnOnce() -> Vec<T>) -> Vec<T> {
        if self.left.is_empty() {
            (self.began, self.again) = (now, false);
            self.left = all();
            // In one order in every round, so that as much time passes for each.
            self.left.sort_unstable_by(|one, other| other.cmp(one));
        }
        let batch = self.left.split_off(self.left.len().saturating_sub(BATCH));
        self.paced = now + Duration::from_secs_f64(batch.len() as f64 / f64::from(self.per_second));
        self.due = match self.every {
            _ if !self.left.is_empty() || self.again => Some(self.paced),
            Some(every) => Some(self.paced.max(self.began + every)),
            None => None,
        };
        if let (true, Some(due), Some(_)) = (self.left.is_empty(), self.due, self.every) {
            self.period = due - self.began;
        }
        batch
    }

    /// The batch could not be compared: it is to be tried again at `then`, before the others.
    pub fn put_off(&mut self, batch: Vec<T>, then: Instant) {
        self.left.extend(batch);
        self.due = Some(then.max(self.paced));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RoomId;

    const EVERY: Duration = Duration::from_secs(4);

    /// What is compared when, in the rounds that begin within `span`, and the last period.
    fn compared(rooms: i64, span: Duration) -> (Vec<(Duration, RoomId)>, Duration) {
        let start = Instant::now();
        let mut rounds = Rounds::new(Some(EVERY), 5_000, start);
        let mut compared = Vec::new();
        while rounds.due().unwrap() < start + span || !rounds.left.is_empty() {
            let now = rounds.due().unwrap();
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
        let mut rounds = Rounds::new(Some(EVERY), 5_000, start);
        assert_eq!(rounds.next(start + EVERY, Vec::<RoomId>::new), []);
        assert_eq!(rounds.due(), Some(start + EVERY * 2));
    }

    #[test]
    fn who_asks_for_a_round_gets_one_within_the_pace() {
        let start = Instant::now();
        let mut rounds = Rounds::new(None, 5_000, start);
        assert_eq!(rounds.due(), None, "no clock begins one");
        rounds.hasten(start);
        assert_eq!(rounds.due(), Some(start), "at once");
        let rooms = || (1..=3_000).map(RoomId).collect();
        assert_eq!(rounds.next(start, rooms).len(), BATCH);
        rounds.hasten(start);
        let second = rounds.due().unwrap();
        assert_eq!(second, start + Duration::from_millis(400), "2,000 heads were used up");
        assert_eq!(rounds.next(second, rooms).len(), 1_000);
        let again = rounds.due().unwrap();
        assert_eq!(again, second + Duration::from_millis(200), "those of the first batch are compared again");
        assert_eq!(rounds.next(again, rooms).len(), BATCH);
        assert_eq!(rounds.next(rounds.due().unwrap(), rooms).len(), 1_000);
        assert_eq!(rounds.due(), None, "nobody asked again");
    }

    #[test]
    fn what_could_not_be_compared_is_tried_again_first() {
        let start = Instant::now();
        let mut rounds = Rounds::new(None, 5_000, start);
        rounds.hasten(start);
        let batch = rounds.next(start, || vec![RoomId(1), RoomId(2)]);
        rounds.put_off(batch.clone(), start + EVERY);
        assert_eq!(rounds.due(), Some(start + EVERY));
        assert_eq!(rounds.next(start + EVERY, Vec::new), batch);
        assert_eq!(rounds.due(), None);
    }
}
