//! What this node may know wrongly, and when that is to be compared with the store.

use super::comparison::Rounds;
use crate::server::channel_layer::Reach;
use crate::server::store::Foreign;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

pub struct Doubts {
    /// Heads.
    pub rounds: Rounds,
    /// Rights and sessions may be others.
    pub rights: bool,
    /// When they are to be looked at; `None`: once something asks for it.
    pub rights_due: Option<Instant>,
    /// The lists of rooms may be others, too: to be told of once rights are settled.
    pub lists: bool,
    by_clock: Option<Duration>,
}

impl Doubts {
    /// By the clock heads are compared `every` so often where there are other nodes.
    pub fn new((every, heads_per_second): (Duration, u32), reach: Reach, now: Instant) -> Doubts {
        let by_clock = (reach != Reach::Alone).then_some(every);
        let rounds = Rounds::new(by_clock, heads_per_second, now);
        Doubts { rounds, rights: false, rights_due: by_clock.map(|every| now + every), lists: false, by_clock }
    }

    pub fn of_everything(&mut self, now: Instant) {
        self.rounds.hasten(now);
        self.of_rights(now);
    }

    fn of_rights(&mut self, now: Instant) {
        (self.rights, self.rights_due) = (true, Some(now));
    }

    /// Somebody else wrote. While the nodes hear each other, notices tell of what nodes write, and this only
    /// makes sure that no right outlives a node that ended before it told of its end.
    pub fn written(&mut self, kind: Foreign, reach: Reach, now: Instant) {
        match kind {
            Foreign::Logs | Foreign::Rooms if reach == Reach::Whole => {}
            Foreign::Rights if reach == Reach::Whole => self.of_rights(now),
            Foreign::Logs => self.rounds.hasten(now),
            Foreign::Rooms | Foreign::Rights | Foreign::Anything => {
                self.of_everything(now);
                self.lists = true;
            }
        }
    }

    /// They are as in the store now. The clock asks again, since nodes that are cut off are told of nothing.
    pub fn rights_settled(&mut self, now: Instant) {
        (self.rights, self.rights_due) = (false, self.by_clock.map(|every| now + every));
    }
}

/// Without a moment it never returns.
pub async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(kind: Foreign, reach: Reach) -> (bool, bool, bool) {
        let now = Instant::now();
        let mut doubts = Doubts::new((Duration::from_secs(4), 5_000), reach, now);
        doubts.written(kind, reach, now);
        (doubts.rounds.due() == Some(now), doubts.rights, doubts.lists)
    }

    #[test]
    fn what_notices_tell_of_is_not_compared_at_every_write() {
        assert_eq!(asked(Foreign::Logs, Reach::Whole), (false, false, false));
        assert_eq!(asked(Foreign::Rooms, Reach::Whole), (false, false, false));
        assert_eq!(asked(Foreign::Rights, Reach::Whole), (false, true, false));
    }

    #[test]
    fn what_nothing_tells_of_is_compared_at_once() {
        for reach in [Reach::Alone, Reach::Cut] {
            assert_eq!(asked(Foreign::Logs, reach), (true, false, false), "{reach:?}");
            assert_eq!(asked(Foreign::Rooms, reach), (true, true, true), "{reach:?}");
            assert_eq!(asked(Foreign::Rights, reach), (true, true, true), "{reach:?}");
        }
        assert_eq!(asked(Foreign::Anything, Reach::Whole), (true, true, true));
    }

    #[test]
    fn between_nodes_rights_are_looked_at_by_the_clock_and_when_asked_for() {
        let (now, every) = (Instant::now(), Duration::from_secs(4));
        let mut doubts = Doubts::new((every, 5_000), Reach::Whole, now);
        assert_eq!((doubts.rights, doubts.rights_due), (false, Some(now + every)));
        doubts.of_everything(now);
        assert_eq!((doubts.rights, doubts.rights_due), (true, Some(now)));
        doubts.rights_settled(now);
        assert_eq!((doubts.rights, doubts.rights_due), (false, Some(now + every)));
        assert_eq!(Doubts::new((every, 5_000), Reach::Alone, now).rights_due, None);
    }
}
