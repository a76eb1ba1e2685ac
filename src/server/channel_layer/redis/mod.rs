//! The channel layer between nodes: Redis' publish and subscribe, or Valkey's, sharded where the server is a
//! cluster. One connection hears for the whole node and one speaks for it. A node's own notices reach it without Redis: between two nodes there is
//! no order to keep, people on this node need not wait for a round trip, and live delivery here goes on
//! while Redis is gone.

mod address;
mod backoff;
mod cluster;
mod outbox;
mod publisher;
mod subscriber;
mod transport;
mod wire;

pub use address::{RedisAddress, redacted};

use super::inbox::{CAPACITY, Inbox, locked};
use super::{ChannelLayer, Delivery, Group, LayerMetrics, Notice, Reach};
use async_trait::async_trait;
use outbox::Outbox;
use rand::Rng;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subscriber::Link;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::Sender;

/// How often a connection that has nothing to say asks whether Redis is there.
const PING_EVERY: Duration = Duration::from_secs(1);

/// How long Redis has to answer anything. Together with [`PING_EVERY`] below the three seconds in which one that is
/// half open is to be found.
pub(in crate::server) const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);

/// How long connecting may take, names and TLS included.
pub(in crate::server) const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// One node's end of the layer. Its connections end when it is dropped.
pub struct RedisLayer {
    shared: Arc<Shared>,
    stop: CancellationToken,
    _stops: DropGuard,
}

struct Shared {
    address: RedisAddress,
    inbox: Inbox,
    outbox: Outbox,
    link: Mutex<Option<Link>>,
    state: Mutex<State>,
    /// The connection that hears broke, so the other one may be of no use either.
    doubt: Notify,
    metrics: LayerMetrics,
}

/// Which of the two connections work, as far as is known.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    hears: bool,
    speaks: bool,
}

impl RedisLayer {
    pub fn new(address: RedisAddress, metrics: LayerMetrics) -> RedisLayer {
        RedisLayer::with_capacity(address, metrics, CAPACITY)
    }

    /// With an inbox for so many notices.
    pub fn with_capacity(address: RedisAddress, metrics: LayerMetrics, capacity: usize) -> RedisLayer {
        metrics.connected.set(0);
        let shared = Shared {
            address,
            inbox: Inbox::new(capacity),
            outbox: Outbox::default(),
            link: Mutex::default(),
            state: Mutex::default(),
            doubt: Notify::new(),
            metrics,
        };
        let stop = CancellationToken::new();
        RedisLayer { shared: Arc::new(shared), _stops: stop.clone().drop_guard(), stop }
    }

    /// Connects, now and whenever it has to, to the other nodes on this database. Called once, by a task; what is
    /// published before counts as missed by the others.
    pub fn open(&self, database_id: Arc<str>) {
        let sender = Sender { database_id, node: rand::rng().random() };
        let (hearing, speaking) = (Arc::clone(&self.shared), Arc::clone(&self.shared));
        let heard = sender.clone();
        tokio::spawn(self.stop.clone().run_until_cancelled_owned(async move { subscriber::run(hearing, heard).await }));
        tokio::spawn(
            self.stop.clone().run_until_cancelled_owned(async move { publisher::run(speaking, sender).await }),
        );
    }
}

impl Shared {
    /// Returns what was before.
    fn change(&self, change: impl FnOnce(&mut State)) -> State {
        let mut state = locked(&self.state);
        let before = *state;
        change(&mut state);
        // Under the lock, so that the last change is what is shown.
        self.metrics.connected.set(i64::from(state.hears && state.speaks));
        before
    }

    fn reach(&self) -> Reach {
        let State { hears, speaks } = *locked(&self.state);
        if hears && speaks { Reach::Whole } else { Reach::Cut }
    }

    fn may_have_missed(&self) {
        self.metrics.lost.inc();
        self.inbox.lose();
    }
}

#[async_trait]
impl ChannelLayer for RedisLayer {
    fn publish(&self, notice: Notice) {
        if !self.shared.inbox.offer(&notice) {
            self.shared.metrics.lost.inc();
        }
        if !self.shared.outbox.put(notice) {
            self.shared.metrics.dropped.inc();
        }
    }

    async fn subscribe(&self, group: Group) {
        self.shared.inbox.subscribe(group);
        Link::subscribe(&self.shared, group).await;
    }

    async fn unsubscribe(&self, group: Group) {
        self.shared.inbox.unsubscribe(group);
        Link::unsubscribe(&self.shared, group).await;
    }

    async fn next(&self) -> Option<Delivery> {
        Some(self.shared.inbox.next().await)
    }

    fn reach(&self) -> Reach {
        self.shared.reach()
    }
}
