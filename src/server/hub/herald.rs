//! What this node says to the other nodes of its people. By a clock of its own it says that it is there: whoever
//! looks at rooms may wait for the store, and what was said stands no longer than its expiry.

use super::Hub;
use crate::domain::RoomId;
use crate::server::channel_layer::{Notice, Reach};
use crate::server::presence::{People, Presence, Unreachable};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Speaks for a node.
pub(super) struct Herald {
    hub: Hub,
    presence: Arc<dyn Presence>,
    /// Whether the other nodes may not know of some of this node's people. Held while something is said, so
    /// that a restatement never comes after the news that it does not have yet.
    unsaid: Mutex<bool>,
    /// The other nodes are out of reach, and not tried before the next look.
    rests: AtomicBool,
    /// Something failed since this node last said that it is there.
    failed: AtomicBool,
    /// What the operator was told last.
    connected: AtomicBool,
}

impl Herald {
    pub fn new(hub: Hub, presence: Arc<dyn Presence>) -> Herald {
        hub.0.metrics.presence_connected.set(1);
        let [rests, failed, connected] = [false, false, true].map(AtomicBool::new);
        Herald { hub, presence, unsaid: Mutex::new(false), rests, failed, connected }
    }

    /// Says `every` so often that this node is there. Never returns.
    pub async fn stay(&self, every: Duration) {
        let mut tick = interval_at(Instant::now() + every, every);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if self.hub.reach() != Reach::Alone {
                self.renew().await;
            }
        }
    }

    async fn renew(&self) {
        let mut unsaid = self.unsaid.lock().await;
        let known = self.reached(self.presence.renew().await);
        *unsaid |= known == Some(false);
        if known.is_some() && *unsaid {
            *unsaid = self.restate().await.is_none();
        }
        // One thing may be refused all the time and others not.
        let failed = self.failed.swap(false, Ordering::Relaxed);
        if !failed && !self.connected.swap(true, Ordering::Relaxed) {
            self.hub.0.metrics.presence_connected.set(1);
            tracing::info!("people of other nodes are shown again");
        }
    }

    async fn restate(&self) -> Option<()> {
        let all = self.hub.attendance().all();
        self.reached(self.presence.restate(&all).await)
    }

    /// Tells the other nodes of this node's people.
    pub async fn say(&self, news: &[(RoomId, People)]) {
        if news.is_empty() {
            return;
        }
        let mut unsaid = self.unsaid.lock().await;
        if self.rests() {
            *unsaid = true;
            return;
        }
        let said = match self.reached(self.presence.say(news).await) {
            Some(false) => self.restate().await,
            known => known.map(drop),
        };
        if said.is_none() {
            *unsaid = true;
            return;
        }
        for (room, _) in news {
            self.hub.0.layer.publish(Notice::Present { room: *room, node: self.hub.0.node });
        }
    }

    /// Who is there on other nodes, room by room.
    pub async fn ask(&self, rooms: &[RoomId]) -> Option<Vec<People>> {
        if self.rests() {
            return None;
        }
        self.reached(self.presence.elsewhere(rooms).await)
    }

    /// The other nodes are tried again.
    pub fn wake(&self) {
        self.rests.store(false, Ordering::Relaxed);
    }

    fn rests(&self) -> bool {
        self.rests.load(Ordering::Relaxed)
    }

    /// What came of asking; after a failure nothing is asked before the next look.
    fn reached<T>(&self, answer: Result<T, Unreachable>) -> Option<T> {
        answer.inspect_err(|error| self.lost(error)).ok()
    }

    fn lost(&self, error: &Unreachable) {
        self.rests.store(true, Ordering::Relaxed);
        self.failed.store(true, Ordering::Relaxed);
        if self.connected.swap(false, Ordering::Relaxed) {
            self.hub.0.metrics.presence_connected.set(0);
            tracing::warn!(%error, "presence shows the people of this node only");
        }
    }
}
