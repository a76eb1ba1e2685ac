//! The hub's other task: looks who is present where something may have changed, has the herald tell the other nodes
//! of this node's people, and tells the followers here of everybody. Never on the way of a post.

use super::attendance::{Attendance, View};
use super::herald::Herald;
use super::queue::Queue;
use super::{Connection, Hub};
use crate::domain::{RoomId, UserId};
use crate::server::channel_layer::Reach;
use crate::server::presence::{People, Presence};
use crate::server::store::Store;
use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tokio_util::sync::CancellationToken;

/// Rooms that are looked at together, and pairs of a room and somebody that one statement looks up.
const BATCH: usize = 1_000;

/// Followers that are shown something before others have their turn.
const VISITS: usize = 64;

/// Another process may have changed memberships without a word, so all are looked up again so often.
const LOOK_UP_EVERY: Duration = Duration::from_secs(120);

/// How often other nodes are looked at and told that this one is there, in a node's expiry.
const LOOKS_PER_EXPIRY: u32 = 3;

impl Connection {
    /// The join is answered: shows who is present, as far as is known.
    pub fn arrived(&self, room: RoomId) {
        let hub = self.hub();
        let view = hub.attendance().shown(room);
        if view.is_some_and(|view| !self.queue().offer_view(room, &view)) {
            hub.attendance().missed(room);
        }
    }
}

impl Hub {
    /// Keeps presence until `stop`. One per node.
    pub async fn attend(self, presence: Arc<dyn Presence>, store: Arc<dyn Store>, stop: CancellationToken) {
        let now = Instant::now();
        let (hub, expiry) = (self.clone(), self.0.presence_expiry);
        let herald = Herald::new(self, presence);
        let every = expiry / LOOKS_PER_EXPIRY;
        let desk = Desk { hub, herald: &herald, store, expiry, heard: now, looked_up: now, store_rests: false };
        stop.run_until_cancelled(async { tokio::join!(desk.run(every), herald.stay(every)) }).await;
    }

    /// Somebody may have come to the room here or left it.
    pub(super) fn touch(&self, room: RoomId) {
        self.attendance().touch(room, Instant::now());
        self.0.attended.notify_one();
    }

    /// Another node's people in the room may be others.
    pub(super) fn present_changed(&self, room: RoomId, node: u64) {
        if node != self.0.node {
            self.touch(room);
        }
    }

    /// Who is a member of the room, or where somebody is one, may have changed.
    pub(super) fn memberships_changed(&self, room: Option<RoomId>, user: Option<UserId>) {
        let now = Instant::now();
        match room {
            Some(room) => self.attendance().doubt_room(room, now),
            None => self.attendance().doubt(user, now),
        }
        self.0.attended.notify_one();
    }

    pub(super) fn attendance(&self) -> MutexGuard<'_, Attendance> {
        self.0.attendance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the room's followers here who is present.
    async fn show(&self, room: RoomId, view: &View) {
        // After the view was made: who follows the room from here on is shown it on arrival.
        let followers: Vec<Arc<Queue>> = self.registry().followers(room).cloned().collect();
        let mut missed = false;
        for some in followers.chunks(VISITS) {
            // Each of them, whatever became of the one before.
            missed |= some.iter().filter(|queue| !queue.offer_view(room, view)).count() > 0;
            tokio::task::yield_now().await;
        }
        if missed {
            self.attendance().missed(room);
        }
    }
}

/// What the task needs and remembers.
struct Desk<'a> {
    hub: Hub,
    herald: &'a Herald,
    store: Arc<dyn Store>,
    expiry: Duration,
    /// When other nodes were last heard.
    heard: Instant,
    /// When all memberships were last looked up.
    looked_up: Instant,
    /// The store did not answer, and is not asked before the next look.
    store_rests: bool,
}

impl Desk<'_> {
    /// Looks around `every` so often. Never returns.
    async fn run(mut self, every: Duration) {
        let mut look = interval_at(Instant::now() + every, every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.hub.attendance().due();
            tokio::select! {
                () = self.hub.0.attended.notified() => {}
                () = wait_until(due) => {
                    let rooms = self.hub.attendance().take_due(Instant::now());
                    self.look_at(&rooms).await;
                }
                _ = look.tick() => self.look_around().await,
            }
        }
    }

    /// Everything that nobody may have told of.
    async fn look_around(&mut self) {
        self.herald.wake();
        self.store_rests = false;
        if self.looked_up.elapsed() > LOOK_UP_EVERY {
            self.looked_up = Instant::now();
            self.hub.memberships_changed(None, None);
        }
        if self.hub.reach() == Reach::Alone {
            let missing = self.hub.attendance().missing();
            return self.look_at(&missing).await;
        }
        let followed = self.hub.registry().followed();
        self.look_at(&followed).await;
        if self.heard.elapsed() > self.expiry {
            self.hub.attendance().forget_elsewhere(Instant::now());
        }
    }

    async fn look_at(&mut self, rooms: &[RoomId]) {
        for rooms in rooms.chunks(BATCH) {
            let following: Vec<(RoomId, People)> =
                rooms.iter().map(|room| (*room, self.hub.registry().people(*room))).collect();
            let all_known = self.look_up(&following).await;
            let news: Vec<_> = {
                let (mut attendance, now) = (self.hub.attendance(), Instant::now());
                let gathered = following.iter().map(|(room, people)| (*room, attendance.gather(*room, people, now)));
                gathered.filter_map(|(room, news)| Some((room, news?))).collect()
            };
            self.herald.say(&news).await;
            self.hear(rooms).await;
            for room in rooms {
                self.tell(*room).await;
            }
            if !all_known {
                rooms.iter().for_each(|room| self.hub.attendance().missed(*room));
            }
        }
    }

    /// Which of the followers who are new are members. Whether that is known of all of them now: after a failure
    /// nothing is looked up before the next look, so that nobody else is kept waiting for a store that is silent.
    async fn look_up(&mut self, following: &[(RoomId, People)]) -> bool {
        let unknown: Vec<_> = {
            let attendance = self.hub.attendance();
            let of_room = |(room, people): &(RoomId, People)| {
                let room = *room;
                attendance.unknown(room, people).into_iter().map(move |user| (room, user))
            };
            following.iter().flat_map(of_room).collect()
        };
        for pairs in unknown.chunks(BATCH) {
            if self.store_rests {
                return false;
            }
            match self.store.memberships(pairs).await {
                Ok(members) => {
                    let members: HashSet<_> = members.into_iter().collect();
                    let mut attendance = self.hub.attendance();
                    pairs.iter().for_each(|pair| attendance.learn(pair.0, pair.1, members.contains(pair)));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot look up who is a member; whoever is new is shown later");
                    self.store_rests = true;
                    return false;
                }
            }
        }
        true
    }

    /// Asks who is there on other nodes.
    async fn hear(&mut self, rooms: &[RoomId]) {
        let Some(elsewhere) = self.herald.ask(rooms).await else { return };
        self.heard = Instant::now();
        let mut attendance = self.hub.attendance();
        rooms.iter().zip(elsewhere).for_each(|(room, people)| attendance.hear(*room, people));
    }

    async fn tell(&self, room: RoomId) {
        let slug = self.hub.registry().followers(room).find_map(|queue| queue.slug(room));
        let Some(slug) = slug else { return };
        let view = self.hub.attendance().view(room, slug.as_str(), Instant::now());
        if let Some(view) = view {
            self.hub.show(room, &view).await;
        }
    }
}

async fn wait_until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
