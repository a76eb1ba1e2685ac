//! What this node may know wrongly, and when that is to be compared with the store. Pure: the time comes in.

use super::comparison::{BATCH, Rounds};
use super::registry::Right;
use crate::domain::RoomId;
use crate::server::channel_layer::Reach;
use crate::server::store::Foreign;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// From the end of a comparison of all rights and sessions of a node's people to the next one, at least.
const RIGHTS_APART: Duration = Duration::from_secs(1);

/// A node that dies after its commit tells nobody of a room that it made or let somebody into. Whatever rooms others
/// make, lists are told of again after so long.
const LISTS_AT_LAST: Duration = Duration::from_secs(60);

pub struct Doubts {
    rounds: Rounds<RoomId>,
    /// Rooms whose heads are to be looked up before those of the rounds.
    grown: BTreeSet<RoomId>,
    /// Rooms that somebody may no longer read.
    recheck: BTreeSet<RoomId>,
    /// Through rights and sessions, from when they are looked at.
    right_rounds: Rounds<Right>,
    /// They may be others.
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

/// How much is compared.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often a round through the heads begins.
    pub every: Duration,
    pub heads_per_second: u32,
    pub rights_per_second: u32,
}

/// What this node knows from memory, to be compared.
pub trait Known {
    fn followed(&self) -> Vec<RoomId>;
    fn rights(&self) -> Vec<Right>;
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
    /// The next ones of all followers and sessions.
    Rights(Vec<Right>),
    /// Everybody's list of rooms. Not again before [`told`](Doubts::told) of the end.
    Lists,
}

impl Doubts {
    /// By the clock heads are compared where there are other nodes.
    pub fn new(Pace { every, heads_per_second, rights_per_second }: Pace, reach: Reach, now: Instant) -> Doubts {
        let by_clock = reach != Reach::Alone;
        let clock = by_clock.then_some(every);
        Doubts {
            rounds: Rounds::new(clock, heads_per_second, now),
            right_rounds: Rounds::new(None, rights_per_second, now),
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
        let rounds = [self.rounds.due(), self.right_rounds.due()];
        [named, self.rights_due(), self.telling_due()].into_iter().chain(rounds).flatten().min()
    }

    fn rights_due(&self) -> Option<Instant> {
        self.rights_due.filter(|_| !self.right_rounds.under_way())
    }

    fn telling_due(&self) -> Option<Instant> {
        self.lists_due.filter(|_| !self.telling)
    }

    /// What is to be done now; of what is due, the rounds have their turns by the time at which they were. `known` is
    /// asked when a round begins. Whatever fails comes back by [`put_off`](Doubts::put_off).
    pub fn next(&mut self, reach: Reach, now: Instant, known: &impl Known) -> Option<Work> {
        let is_due = |due: Option<Instant>| due.is_some_and(|at| at <= now);
        if !self.recheck.is_empty() {
            return Some(Work::Recheck(take_some(&mut self.recheck)));
        }
        if !self.grown.is_empty() {
            return Some(Work::Grown(take_some(&mut self.grown)));
        }
        if is_due(self.rights_due()) {
            self.rights_due = self.by_clock.then(|| now + self.every);
            // Who is cut off is told of nothing.
            if std::mem::take(&mut self.rights) || reach == Reach::Cut {
                self.right_rounds.hasten(now);
            }
        }
        if is_due(self.telling_due()) {
            (self.lists_due, self.telling) = (None, true);
            return Some(Work::Lists);
        }
        let (heads, rights) = (self.rounds.due(), self.right_rounds.due());
        if is_due(rights) && heads.is_none_or(|heads| rights <= Some(heads)) {
            return Some(self.next_rights(now, known));
        }
        is_due(heads).then(|| Work::Round(self.rounds.next(now, || known.followed())))
    }

    fn next_rights(&mut self, now: Instant, known: &impl Known) -> Work {
        let batch = self.right_rounds.next(now, || known.rights());
        if !self.right_rounds.under_way() {
            self.rights_compared = Some(now);
            self.rights_due = self.rights_due.map(|due| due.max(now + RIGHTS_APART));
        }
        Work::Rights(batch)
    }

    /// It could not be done: again at `then`.
    pub fn put_off(&mut self, work: Work, then: Instant) {
        match work {
            Work::Grown(rooms) | Work::Round(rooms) => self.rounds.put_off(rooms, then),
            Work::Recheck(_) => (self.rights, self.rights_due) = (true, Some(then)),
            Work::Rights(batch) => self.right_rounds.put_off(batch, then),
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
    use super::super::registry::Follower;
    use super::*;
    use crate::domain::UserId;

    const EVERY: Duration = Duration::from_secs(4);

    /// A node with so many people in a room.
    struct People(u64);

    impl Known for People {
        fn followed(&self) -> Vec<RoomId> {
            vec![RoomId(1)]
        }

        fn rights(&self) -> Vec<Right> {
            let reading = |connection| Right::Reading(Follower { connection, user: UserId(1), room: RoomId(1) });
            (0..self.0).map(reading).collect()
        }
    }

    const FEW: People = People(1);

    fn rights() -> Work {
        Work::Rights(FEW.rights())
    }

    fn doubts(reach: Reach, now: Instant) -> Doubts {
        Doubts::new(Pace { every: EVERY, heads_per_second: 5_000, rights_per_second: 50_000 }, reach, now)
    }

    /// All that is to be done at this moment.
    fn work(doubts: &mut Doubts, reach: Reach, now: Instant) -> Vec<Work> {
        let mut all = Vec::new();
        while doubts.due(now).is_some_and(|at| at <= now) {
            let work = doubts.next(reach, now, &FEW);
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
        vec![Work::Lists, rights(), Work::Round(vec![RoomId(1)])]
    }

    #[test]
    fn what_notices_tell_of_is_not_compared_at_every_write() {
        assert_eq!(asked(Foreign::Logs, Reach::Whole), []);
        assert_eq!(asked(Foreign::Rooms, Reach::Whole), []);
        assert_eq!(asked(Foreign::Rights, Reach::Whole), [rights()]);
        assert_eq!(asked(Foreign::Accounts, Reach::Whole), [rights()]);
    }

    #[test]
    fn what_nothing_tells_of_is_compared_at_once() {
        for reach in [Reach::Alone, Reach::Cut] {
            assert_eq!(asked(Foreign::Logs, reach), [Work::Round(vec![RoomId(1)])], "{reach:?}");
            assert_eq!(asked(Foreign::Rooms, reach), everything(), "{reach:?}");
            assert_eq!(asked(Foreign::Rights, reach), everything(), "{reach:?}");
            assert_eq!(asked(Foreign::Accounts, reach), [rights()], "{reach:?}");
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
        assert_eq!((count(&rights()), count(&Work::Lists)), (10, 3), "in ten seconds");
    }

    #[test]
    fn lists_are_told_of_one_telling_after_the_other() {
        let now = Instant::now();
        let mut doubts = doubts(Reach::Alone, now);
        let next = |doubts: &mut Doubts, now| doubts.next(Reach::Alone, now, &FEW);
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
        for (reach, wanted) in [(Reach::Whole, vec![round.clone()]), (Reach::Cut, vec![rights(), round])] {
            let mut doubts = doubts(reach, now);
            assert_eq!(work(&mut doubts, reach, now), []);
            assert_eq!(work(&mut doubts, reach, now + EVERY), wanted, "{reach:?}");
        }
        assert_eq!(doubts(Reach::Alone, now).due(now), None);
    }

    #[test]
    fn many_rights_are_compared_in_turn_with_heads_and_again_only_after_the_end() {
        let (now, many) = (Instant::now(), People(100_000));
        let mut doubts = doubts(Reach::Cut, now);
        let (mut heads, mut compared, mut longest) = (0, Vec::new(), 0);
        let mut at = now;
        for n in 0.. {
            doubts.written(Foreign::Logs, Reach::Cut, at);
            doubts.written(Foreign::Accounts, Reach::Cut, at);
            match doubts.next(Reach::Cut, at, &many) {
                Some(Work::Rights(batch)) => {
                    longest = longest.max(batch.len());
                    compared.extend(batch.iter().map(|_| at - now));
                }
                Some(Work::Round(_)) => heads += 1,
                other => assert!(other.is_none() || other == Some(Work::Lists), "{other:?}"),
            }
            at = now + Duration::from_millis(n);
            if at > now + Duration::from_secs(4) {
                break;
            }
        }
        assert!(longest <= BATCH, "{longest}");
        let first: Vec<_> = compared.iter().take(100_000).collect();
        assert!(*first[99_999] >= Duration::from_millis(1_900), "50,000 a second: {:?}", first[99_999]);
        assert_eq!(compared.iter().filter(|at| **at < *first[99_999] + RIGHTS_APART).count(), 100_000, "a pause");
        assert!(compared.len() > 100_000, "again, since there was more to doubt");
        assert!(heads > 1_000, "heads have their turns: {heads}");
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
        assert_eq!(work(&mut doubts, Reach::Whole, now + RIGHTS_APART), [rights(), Work::Round(vec![RoomId(7)])]);
    }
}
