//! What this node may know wrongly, and when that is to be compared with the store. Pure: the time comes in.

use super::comparison::{BATCH, Rounds};
use crate::domain::RoomId;
use crate::server::channel_layer::Reach;
use crate::server::store::Foreign;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// All rights and sessions of a node's people are compared at most so often.
const RIGHTS_APART: Duration = Duration::from_secs(1);

/// A node that dies after its commit tells nobody of a room that it made or let somebody into. Whatever rooms others
/// make, lists are told of again after so long.
const LISTS_AT_LAST: Duration = Duration::from_secs(60);

pub struct Doubts {
    rounds: Rounds,
    /// Rooms whose heads are to be looked up before those of the rounds.
    grown: BTreeSet<RoomId>,
    /// Rooms that somebody may no longer read.
    recheck: BTreeSet<RoomId>,
    /// Rights and sessions may be others.
    rights: bool,
    /// When they are looked at next; `None`: once something asks for it.
    rights_due: Option<Instant>,
    rights_compared: Option<Instant>,
    /// When everybody is told to look at their list of rooms.
    lists_due: Option<Instant>,
    lists_told: Option<Instant>,
    /// That is under way.
    telling: bool,
    every: Duration,
    by_clock: bool,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Heads of rooms that were named.
    Grown(Vec<RoomId>),
    /// Heads of the next rooms of the rounds.
    Round(Vec<RoomId>),
    /// Followers of these rooms who may no longer read them.
    Recheck(Vec<RoomId>),
    /// All followers and sessions.
    Rights,
    /// Everybody's list of rooms. Not again before [`told`](Doubts::told) of the end.
    Lists,
}

impl Doubts {
    /// By the clock heads are compared `every` so often where there are other nodes.
    pub fn new((every, heads_per_second): (Duration, u32), reach: Reach, now: Instant) -> Doubts {
        let by_clock = reach != Reach::Alone;
        let clock = by_clock.then_some(every);
        Doubts {
            rounds: Rounds::new(clock, heads_per_second, now),
            grown: BTreeSet::new(),
            recheck: BTreeSet::new(),
            rights: false,
            rights_due: clock.map(|every| now + every),
            rights_compared: None,
            lists_due: None,
            lists_told: None,
            telling: false,
            every,
            by_clock,
        }
    }

    /// How long a round through all heads takes; 0 where no clock begins one.
    pub fn period(&self) -> Duration {
        self.rounds.period()
    }

    /// The room's log grew by something that was not told.
    pub fn of_head(&mut self, room: RoomId) {
        self.grown.insert(room);
    }

    /// Somebody may have lost the right to read the room.
    pub fn of_readers(&mut self, room: RoomId) {
        self.recheck.insert(room);
    }

    pub fn of_heads(&mut self, now: Instant) {
        self.rounds.hasten(now);
    }

    fn of_rights(&mut self, now: Instant) {
        let paced = self.rights_compared.map_or(now, |at| now.max(at + RIGHTS_APART));
        (self.rights, self.rights_due) = (true, Some(paced));
    }

    fn of_lists(&mut self, wanted: Instant) {
        let paced = self.lists_told.map_or(wanted, |at| wanted.max(at + self.every));
        self.lists_due = Some(self.lists_due.map_or(paced, |due| due.min(paced)));
    }

    /// Everybody has been told to look at their list of rooms. What was in doubt since that began is told later.
    pub fn told(&mut self, now: Instant) {
        (self.telling, self.lists_told) = (false, Some(now));
        if let Some(wanted) = self.lists_due.take() {
            self.of_lists(wanted);
        }
    }

    pub fn of_everything(&mut self, now: Instant) {
        self.of_heads(now);
        self.of_rights(now);
        self.of_lists(now);
    }

    /// Somebody else wrote. While the nodes hear each other, notices tell of what nodes write, and this only
    /// makes sure of what a node did not tell that ended too early.
    pub fn written(&mut self, kind: Foreign, reach: Reach, now: Instant) {
        match (kind, reach) {
            (Foreign::Logs, Reach::Whole) | (Foreign::Settings, _) => {}
            (Foreign::Rooms, Reach::Whole) => self.of_lists(now + LISTS_AT_LAST),
            (Foreign::Rights, Reach::Whole) | (Foreign::Accounts, _) => self.of_rights(now),
            (Foreign::Logs, _) => self.of_heads(now),
            (Foreign::Rooms | Foreign::Rights | Foreign::Anything, _) => self.of_everything(now),
        }
    }

    /// When there is something to be done.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let named = (!self.grown.is_empty() || !self.recheck.is_empty()).then_some(now);
        [named, self.rounds.due(), self.rights_due, self.telling_due()].into_iter().flatten().min()
    }

    fn telling_due(&self) -> Option<Instant> {
        self.lists_due.filter(|_| !self.telling)
    }

    /// What is to be done now. `followed` is asked when a round begins. Whatever fails comes back by
    /// [`put_off`](Doubts::put_off).
    pub fn next(&mut self, reach: Reach, now: Instant, followed: impl FnOnce() -> Vec<RoomId>) -> Option<Work> {
        let is_due = |due: Option<Instant>| due.is_some_and(|at| at <= now);
        if !self.recheck.is_empty() {
            return Some(Work::Recheck(take_some(&mut self.recheck)));
        }
        if !self.grown.is_empty() {
            return Some(Work::Grown(take_some(&mut self.grown)));
        }
        if is_due(self.rights_due) {
            self.rights_due = self.by_clock.then(|| now + self.every);
            // Who is cut off is told of nothing.
            if std::mem::take(&mut self.rights) || reach == Reach::Cut {
                self.rights_compared = Some(now);
                return Some(Work::Rights);
            }
        }
        if is_due(self.telling_due()) {
            (self.lists_due, self.telling) = (None, true);
            return Some(Work::Lists);
        }
        is_due(self.rounds.due()).then(|| Work::Round(self.rounds.next(now, followed)))
    }

    /// It could not be done: again at `then`.
    pub fn put_off(&mut self, work: Work, then: Instant) {
        match work {
            Work::Grown(rooms) | Work::Round(rooms) => self.rounds.put_off(rooms, then),
            Work::Recheck(_) | Work::Rights => (self.rights, self.rights_due) = (true, Some(then)),
            Work::Lists => {
                self.telling = false;
                self.of_lists(then);
            }
        }
    }
}

fn take_some(rooms: &mut BTreeSet<RoomId>) -> Vec<RoomId> {
    let some: Vec<_> = rooms.iter().take(BATCH).copied().collect();
    for room in &some {
        rooms.remove(room);
    }
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(4);

    fn doubts(reach: Reach, now: Instant) -> Doubts {
        Doubts::new((EVERY, 5_000), reach, now)
    }

    /// All that is to be done at this moment.
    fn work(doubts: &mut Doubts, reach: Reach, now: Instant) -> Vec<Work> {
        let mut all = Vec::new();
        while doubts.due(now).is_some_and(|at| at <= now) {
            let work = doubts.next(reach, now, || vec![RoomId(1)]);
            if work == Some(Work::Lists) {
                doubts.told(now);
            }
            all.extend(work);
        }
        all
    }

    fn asked(kind: Foreign, reach: Reach) -> Vec<Work> {
        let now = Instant::now();
        let mut doubts = doubts(reach, now);
        doubts.written(kind, reach, now);
        work(&mut doubts, reach, now)
    }

    fn everything() -> Vec<Work> {
        vec![Work::Rights, Work::Lists, Work::Round(vec![RoomId(1)])]
    }

    #[test]
    fn what_notices_tell_of_is_not_compared_at_every_write() {
        assert_eq!(asked(Foreign::Logs, Reach::Whole), []);
        assert_eq!(asked(Foreign::Rooms, Reach::Whole), []);
        assert_eq!(asked(Foreign::Rights, Reach::Whole), [Work::Rights]);
        assert_eq!(asked(Foreign::Accounts, Reach::Whole), [Work::Rights]);
    }

    #[test]
    fn what_nothing_tells_of_is_compared_at_once() {
        for reach in [Reach::Alone, Reach::Cut] {
            assert_eq!(asked(Foreign::Logs, reach), [Work::Round(vec![RoomId(1)])], "{reach:?}");
            assert_eq!(asked(Foreign::Rooms, reach), everything(), "{reach:?}");
            assert_eq!(asked(Foreign::Rights, reach), everything(), "{reach:?}");
            assert_eq!(asked(Foreign::Accounts, reach), [Work::Rights], "{reach:?}");
            assert_eq!(asked(Foreign::Settings, reach), [], "{reach:?}: nothing ends by it");
        }
        assert_eq!(asked(Foreign::Anything, Reach::Whole), everything());
    }

    #[test]
    fn a_room_that_a_dead_node_did_not_tell_of_is_told_of_at_last() {
        let now = Instant::now();
        let mut doubts = doubts(Reach::Whole, now);
        for second in 0..3 {
            doubts.written(Foreign::Rooms, Reach::Whole, now + Duration::from_secs(second));
        }
        let at_last = work(&mut doubts, Reach::Whole, now + LISTS_AT_LAST);
        assert!(at_last.contains(&Work::Lists), "{at_last:?}");
        assert!(!work(&mut doubts, Reach::Whole, now + LISTS_AT_LAST * 2).contains(&Work::Lists), "once");
    }

    #[test]
    fn many_writes_are_compared_no_faster_than_their_pace() {
        let now = Instant::now();
        let mut doubts = doubts(Reach::Cut, now);
        let mut all = Vec::new();
        for tenths in 0..100 {
            let now = now + Duration::from_millis(100 * tenths);
            doubts.written(Foreign::Rights, Reach::Cut, now);
            all.extend(work(&mut doubts, Reach::Cut, now));
        }
        let count = |wanted: &Work| all.iter().filter(|work| *work == wanted).count();
        assert_eq!((count(&Work::Rights), count(&Work::Lists)), (10, 3), "in ten seconds");
    }

    #[test]
    fn lists_are_told_of_one_telling_after_the_other() {
        let now = Instant::now();
        let mut doubts = doubts(Reach::Alone, now);
        let next = |doubts: &mut Doubts, now| doubts.next(Reach::Alone, now, Vec::new);
        doubts.of_lists(now);
        assert_eq!(next(&mut doubts, now), Some(Work::Lists));
        doubts.of_lists(now + EVERY);
        let late = now + EVERY * 10;
        assert_eq!((doubts.due(late), next(&mut doubts, late)), (None, None), "it is under way");
        doubts.told(late);
        assert_eq!(next(&mut doubts, late), None);
        assert_eq!(doubts.due(late), Some(late + EVERY), "those who were told first look again");
        assert_eq!(next(&mut doubts, late + EVERY), Some(Work::Lists));
        doubts.told(late + EVERY);
        assert_eq!(doubts.due(late), None, "nobody asked again");
    }

    #[test]
    fn between_nodes_rights_are_looked_at_by_the_clock_while_cut_off() {
        let now = Instant::now();
        let round = Work::Round(vec![RoomId(1)]);
        for (reach, wanted) in [(Reach::Whole, vec![round.clone()]), (Reach::Cut, vec![Work::Rights, round])] {
            let mut doubts = doubts(reach, now);
            assert_eq!(work(&mut doubts, reach, now), []);
            assert_eq!(work(&mut doubts, reach, now + EVERY), wanted, "{reach:?}");
        }
        assert_eq!(doubts(Reach::Alone, now).due(now), None);
    }

    #[test]
    fn what_was_named_comes_first_and_what_failed_comes_again() {
        let now = Instant::now();
        let mut doubts = doubts(Reach::Whole, now);
        doubts.of_head(RoomId(7));
        doubts.of_readers(RoomId(8));
        let named = [Work::Recheck(vec![RoomId(8)]), Work::Grown(vec![RoomId(7)])];
        assert_eq!(work(&mut doubts, Reach::Whole, now), named);
        for work in named {
            doubts.put_off(work, now + RIGHTS_APART);
        }
        assert_eq!(work(&mut doubts, Reach::Whole, now), []);
        assert_eq!(work(&mut doubts, Reach::Whole, now + RIGHTS_APART), [Work::Rights, Work::Round(vec![RoomId(7)])]);
    }
}
