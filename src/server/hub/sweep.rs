//! Fan-out in one room: every follower is visited and given all that it lacks at once. News that
//! come during a round go to those who are visited later together with what came before, so the more
//! there is to send, the more events go into one write, and nobody waits for that.

use super::Hub;
use super::news::{Joined, News};
use super::queue::{Offered, Queue};
use crate::domain::{RoomId, Seq};
use crate::server::channel_layer::Growth;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;

/// Followers that are visited before others have their turn: about a third of a millisecond of writing.
const VISITS: usize = 64;

/// Followers of a room by their connections' ids, which begin at 1.
pub type Followers = BTreeMap<u64, Arc<Queue>>;

/// A room's news and who has had them.
pub struct Sweep {
    news: Arc<News>,
    /// The last one visited.
    at: u64,
    /// Where the round was when the last news came: it ends there.
    until: u64,
    /// The round has gone past the last follower and come to the first again.
    turned: bool,
    /// What everybody has who was visited since the last turn.
    given: Seq,
}

/// Some followers, to be given all the news that there are.
pub struct Visits {
    news: Arc<News>,
    followers: Vec<Arc<Queue>>,
}

impl Sweep {
    pub fn new(growth: &Growth) -> Sweep {
        Sweep { news: Arc::new(News::of(growth)), at: 0, until: 0, turned: false, given: Seq::ZERO }
    }

    /// More news: the round goes on until everybody has been visited after them.
    pub fn add(&mut self, growth: &Growth, limit: usize) {
        Arc::make_mut(&mut self.news).add(growth, limit);
        (self.until, self.turned) = (self.at, false);
    }

    /// Whom to visit next.
    pub fn next(&mut self, followers: &Followers) -> Visits {
        // As they are now: what is forgotten below has still to be given to these.
        let news = Arc::clone(&self.news);
        let mut next = Vec::with_capacity(VISITS.min(followers.len()));
        if !self.turned {
            self.visit(followers.range((Excluded(self.at), Unbounded)), &mut next);
            if next.len() < VISITS {
                self.turn();
            }
        }
        if self.turned {
            self.visit(followers.range((Excluded(self.at), Included(self.until))), &mut next);
        }
        Visits { news, followers: next }
    }

    /// The seq of the last of the news.
    pub fn head(&self) -> Seq {
        self.news.head()
    }

    /// Everybody has been visited after the last news.
    pub fn is_over(&self, followers: &Followers) -> bool {
        self.turned && followers.range((Excluded(self.at), Included(self.until))).next().is_none()
    }

    fn visit<'a>(&mut self, range: impl Iterator<Item = (&'a u64, &'a Arc<Queue>)>, next: &mut Vec<Arc<Queue>>) {
        for (id, queue) in range.take(VISITS - next.len()) {
            next.push(Arc::clone(queue));
            self.at = *id;
        }
    }

    fn turn(&mut self) {
        (self.turned, self.at) = (true, 0);
        let given = std::mem::replace(&mut self.given, self.news.head());
        // Rarely: in a small room nothing comes during a round, and a copy for nothing would be made of all.
        if self.news.reaches_back_to(given) {
            Arc::make_mut(&mut self.news).forget_up_to(given);
        }
    }
}

/// After a panic whoever missed the news reads the log.
struct Sweeping {
    hub: Hub,
    room: RoomId,
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.hub.registry().abandon_sweep(self.room);
        }
    }
}

impl Sweeping {
    async fn run(self) {
        loop {
            // Readers, the writer and other rooms come in between.
            tokio::task::yield_now().await;
            if !self.hub.visit_some(self.room) {
                return;
            }
        }
    }
}

impl Hub {
    /// Tells a room's followers here what its log gained. A small room knows on return; a large one is
    /// told by a task of its own, so that other rooms need not wait.
    pub(super) fn spread(&self, growth: &Growth) {
        let begins = self.registry().news(growth, self.0.limits.queue.bytes);
        if begins && self.visit_some(growth.room) {
            self.0.sweeps.spawn(Sweeping { hub: self.clone(), room: growth.room }.run());
        }
    }

    /// Visits the next few followers of a room. Whether there are more.
    fn visit_some(&self, room: RoomId) -> bool {
        let Some(Visits { news, followers }) = self.registry().next_visits(room) else { return false };
        let mut joined = Joined::new(&news);
        let (mut pushed, mut fell_behind) = (0, 0);
        for queue in &followers {
            match queue.offer(room, &mut joined) {
                Offered::Pushed(events) => pushed += events,
                Offered::FellBehind => fell_behind += 1,
                Offered::Nothing => {}
            }
        }
        self.0.metrics.deliveries.inc_by(pushed);
        self.0.metrics.catch_ups.inc_by(fell_behind);
        self.registry().has_more_visits(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Slug;
    use crate::server::encode::LogName;
    use crate::server::hub::queue::QueueLimits;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn growth(seq: u64) -> Growth {
        let log = LogName { slug: Slug::parse("general").unwrap(), epoch: "e".into() };
        let events = vec![bytes::Bytes::from(format!(r#"{{"seq":{seq}}}"#))];
        Growth { room: RoomId(1), log, first: Seq(seq), events, changes: Vec::new() }
    }

    fn queue() -> Arc<Queue> {
        Arc::new(Queue::new(QueueLimits { bytes: 1_000, frames: 10 }))
    }

    /// A room, and what each follower has been told: the head at its last visit.
    #[derive(Default)]
    struct World {
        followers: Followers,
        told: HashMap<u64, Seq>,
        next_id: u64,
        head: u64,
        sweep: Option<Sweep>,
    }

    impl World {
        fn join(&mut self) {
            self.next_id += 1;
            self.followers.insert(self.next_id, queue());
            // Who joins now reads the log.
            self.told.insert(self.next_id, Seq(self.head));
        }

        fn leave(&mut self, pick: usize) {
            let gone = self.followers.keys().nth(pick % self.followers.len().max(1)).copied();
            gone.and_then(|id| self.followers.remove(&id));
        }

        fn grow(&mut self) {
            self.head += 1;
            match &mut self.sweep {
                Some(sweep) => sweep.add(&growth(self.head), 1_000_000),
                None => self.sweep = Some(Sweep::new(&growth(self.head))),
            }
        }

        /// One step; how many were visited.
        fn step(&mut self) -> usize {
            let Some(sweep) = &mut self.sweep else { return 0 };
            let Visits { news, followers } = sweep.next(&self.followers);
            let mut joined = Joined::new(&news);
            for visited in &followers {
                let id = *self.followers.iter().find(|(_, queue)| Arc::ptr_eq(queue, visited)).unwrap().0;
                let told = self.told.get_mut(&id).unwrap();
                assert!(*told == news.head() || joined.after(*told).is_some(), "follower {id} was left behind");
                *told = news.head();
            }
            if sweep.is_over(&self.followers) {
                self.sweep = None;
            }
            followers.len()
        }
    }

    #[derive(Clone, Debug)]
    enum Act {
        Join,
        Leave(usize),
        Grow,
        Step,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            2 => Just(Act::Join),
            1 => any::<usize>().prop_map(Act::Leave),
            2 => Just(Act::Grow),
            4 => Just(Act::Step),
        ];
        prop::collection::vec(act, 0..120)
    }

    proptest! {
        #[test]
        fn everybody_is_told_everything_whoever_comes_and_goes(members in 0..300usize, acts in acts()) {
            let mut world = World::default();
            (0..members).for_each(|_| world.join());
            for act in acts {
                match act {
                    Act::Join => world.join(),
                    Act::Leave(pick) => world.leave(pick),
                    Act::Grow => world.grow(),
                    Act::Step => drop(world.step()),
                }
            }
            let steps = world.followers.len() / VISITS * 2 + 4;
            for _ in 0..steps {
                world.step();
            }
            prop_assert!(world.sweep.is_none(), "not over after {steps} steps");
            prop_assert!(world.followers.keys().all(|id| world.told[id] == Seq(world.head)));
        }
    }

    #[test]
    fn who_is_visited_as_the_round_turns_gets_what_is_forgotten_by_that() {
        let mut world = World::default();
        (0..VISITS + 2).for_each(|_| world.join());
        for _ in 0..3 {
            world.grow();
            world.step();
        }
        while world.sweep.is_some() {
            world.step();
        }
        assert!(world.followers.keys().all(|id| world.told[id] == Seq(3)));
    }

    #[test]
    fn news_during_a_round_cost_no_visit_more_than_one_each() {
        let mut world = World::default();
        (0..640).for_each(|_| world.join());
        world.grow();
        let mut visits = 0;
        for _ in 0..3 {
            visits += world.step();
        }
        world.grow();
        while world.sweep.is_some() {
            visits += world.step();
        }
        assert_eq!(visits, 640 + 3 * VISITS, "those who were visited before are visited again, and no others");
    }
}
