//! This process's registry: which connection follows which room, and the fan-out to them. Takes
//! notices from the channel layer and offers them to connections' queues, which write to their sockets
//! what those take; never awaits a peer. What a queue cannot take, its connection reads from the log later.

mod attendance;
mod comparing;
mod comparison;
mod connection;
mod doubts;
mod herald;
mod news;
mod presence;
mod progress;
mod pump;
pub mod queue;
mod registry;
mod sweep;
mod typing;
mod wire;

pub use connection::{Connection, Peer};
pub use wire::Wire;

use super::cache::Cache;
use super::channel_layer::{ChannelLayer, Group, Reach};
use super::config::Config;
use super::limits::RateLimits;
use super::metrics::Metrics;
use attendance::{Attendance, PresenceLimits};
use doubts::{Doubts, Pace};
use queue::{Queue, QueueLimits};
use rand::Rng;
use registry::Registry;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use typing::TypingLimits;

/// A handle to the hub; clones share it.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    registry: Mutex<Registry>,
    layer: Arc<dyn ChannelLayer>,
    cache: Arc<Cache>,
    metrics: Arc<Metrics>,
    limits: ConnectionLimits,
    typing: TypingLimits,
    attendance: Mutex<Attendance>,
    /// Told when there is something to look at sooner.
    attended: tokio::sync::Notify,
    /// How long what a node said of its people stands.
    presence_expiry: Duration,
    /// What other nodes spend is charged to these, once they are there.
    rate_limits: OnceLock<Arc<RateLimits>>,
    /// Tells this node's word on presence from those of others.
    node: u64,
    session_check: Duration,
    doubts: Mutex<Doubts>,
    /// Told of every new doubt.
    doubted: tokio::sync::Notify,
    /// Held while a group's subscription changes, so that the last leaver and a new joiner of a room cannot
    /// leave the layer in the other's state. Several, so that a crowd does not wait for one another's round trips.
    subscribing: [tokio::sync::Mutex<()>; SUBSCRIBING],
    /// Told of every connection that ends.
    ended: tokio::sync::Notify,
    /// Subscriptions that are being settled for connections that are gone.
    settling: TaskTracker,
    /// Sweeps of large rooms.
    sweeps: TaskTracker,
    pump_ended: AtomicBool,
    comeback: Comeback,
    /// Live sockets when all of them were last told to come back.
    draining: AtomicUsize,
}

/// When sockets come back after a stop.
struct Comeback {
    after_ms: u32,
    per_second: u32,
}

/// Groups whose subscriptions may change at once.
const SUBSCRIBING: usize = 64;

impl Shared {
    /// Always the same for a group.
    fn subscribing(&self, group: Group) -> &tokio::sync::Mutex<()> {
        let mut hasher = DefaultHasher::new();
        group.hash(&mut hasher);
        &self.subscribing[hasher.finish() as usize % SUBSCRIBING]
    }
}

struct ConnectionLimits {
    queue: QueueLimits,
    per_user: usize,
    per_address: usize,
}

/// What live sockets did not take yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// In their queues.
    pub bytes: usize,
    /// Sockets that are behind in some room.
    pub behind: usize,
}

/// The user or the address has as many connections as allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many connections")]
pub struct TooManyConnections;

impl Hub {
    pub fn new(config: &Config, layer: Arc<dyn ChannelLayer>, cache: Arc<Cache>, metrics: Arc<Metrics>) -> Hub {
        let limits = &config.limits;
        let unless_lifted = |limit: usize| if config.no_rate_limit { usize::MAX } else { limit };
        let pace = Pace {
            every: Duration::from_millis(limits.compare_every_ms),
            heads_per_second: limits.compared_heads_per_second,
            rights_per_second: limits.compared_rights_per_second,
        };
        let doubts = Doubts::new(pace, layer.reach(), Instant::now());
        Hub(Arc::new(Shared {
            registry: Mutex::default(),
            layer,
            cache,
            metrics,
            limits: ConnectionLimits {
                queue: QueueLimits { bytes: limits.queue_bytes, frames: limits.queue_frames },
                per_user: unless_lifted(limits.connections_per_user),
                per_address: unless_lifted(limits.connections_per_address),
            },
            typing: TypingLimits {
                every: Duration::from_millis(limits.typing_every_ms.into()),
                people: limits.people_named,
            },
            attendance: Mutex::new(Attendance::new(PresenceLimits {
                people: limits.people_named,
                gather: Duration::from_millis(limits.presence_gather_ms),
                count_every: Duration::from_millis(limits.presence_count_ms),
                grace: Duration::from_millis(limits.presence_grace_ms),
            })),
            attended: tokio::sync::Notify::new(),
            presence_expiry: limits.presence_expiry(),
            rate_limits: OnceLock::new(),
            node: rand::rng().random(),
            session_check: Duration::from_millis(limits.session_check_ms),
            doubts: Mutex::new(doubts),
            doubted: tokio::sync::Notify::new(),
            subscribing: std::array::from_fn(|_| tokio::sync::Mutex::const_new(())),
            ended: tokio::sync::Notify::new(),
            settling: TaskTracker::new(),
            sweeps: TaskTracker::new(),
            pump_ended: AtomicBool::new(false),
            comeback: Comeback { after_ms: limits.drain_retry_ms, per_second: limits.reconnects_per_second },
            draining: AtomicUsize::new(0),
        }))
    }

    /// What other nodes say of their rate limits is for these. Once; later calls change nothing.
    pub fn charge(&self, rate_limits: Arc<RateLimits>) {
        let _ = self.0.rate_limits.set(rate_limits);
    }

    /// A queue for one who is not let in.
    pub fn queue(&self) -> Queue {
        Queue::new(self.0.limits.queue)
    }

    /// Registers a connection; it is gone again when the returned value is dropped.
    pub async fn connect(&self, peer: Peer) -> Result<Connection, TooManyConnections> {
        let queue = Arc::new(self.queue());
        let group = Group::User(peer.user);
        let id = self.registry().add(peer, Arc::clone(&queue), &self.0.limits)?;
        self.0.metrics.connections.inc();
        let connection = Connection::new(self.clone(), id, queue);
        self.settle_subscription(group).await;
        Ok(connection)
    }

    /// What waits for all live sockets; looks at each.
    pub fn waiting(&self) -> Waiting {
        // Outside of the registry's lock: a queue's own may be held during a write.
        let queues: Vec<_> = self.registry().peers().map(|(_, queue)| Arc::clone(queue)).collect();
        let mut all = Waiting::default();
        for queue in queues {
            let (bytes, behind) = queue.waiting();
            all.bytes += bytes;
            all.behind += usize::from(behind);
        }
        all
    }

    /// Live sockets open now.
    pub fn connections(&self) -> usize {
        self.registry().len()
    }

    /// All sockets are about to be closed: from here on [`retry_after_ms`](Hub::retry_after_ms) knows how
    /// many will come back.
    pub fn begin_draining(&self) {
        self.0.draining.store(self.connections(), Ordering::Relaxed);
    }

    /// When one of the sockets that are closed together should come back: at some moment of a time that is the
    /// longer the more there are, so that they do not come all at once.
    pub fn retry_after_ms(&self) -> u32 {
        let Comeback { after_ms, per_second } = &self.0.comeback;
        let spread = self.0.draining.load(Ordering::Relaxed) as u64 * 1_000 / u64::from((*per_second).max(1));
        let spread = u32::try_from(spread).unwrap_or(u32::MAX);
        after_ms.saturating_add(rand::rng().random_range(0..=spread))
    }

    /// Whether this node and the others hear each other.
    pub fn reach(&self) -> Reach {
        self.0.layer.reach()
    }

    /// Whether the pump has stopped or died: nothing is delivered live on this node any more.
    pub fn pump_has_ended(&self) -> bool {
        self.0.pump_ended.load(Ordering::Relaxed)
    }

    /// Resolves when no connection is left and the layer knows. One caller at a time.
    pub async fn emptied(&self) {
        while self.connections() > 0 {
            self.0.ended.notified().await;
        }
        for tasks in [&self.0.settling, &self.0.sweeps] {
            tasks.close();
            tasks.wait().await;
        }
    }

    /// Brings the layer's subscription to a group in line with whether anybody here wants it.
    async fn settle_subscription(&self, group: Group) {
        if let Group::Room(room) = group {
            self.touch(room);
        }
        let _one_at_a_time = self.0.subscribing(group).lock().await;
        let wanted = self.registry().wants(group);
        match wanted {
            true => self.0.layer.subscribe(group).await,
            false => {
                self.0.layer.unsubscribe(group).await;
                if let Group::Room(room) = group {
                    self.0.cache.unfollowed(room);
                }
            }
        }
    }

    fn disconnect(&self, id: u64) {
        let gone = self.registry().remove(id);
        if let Some(groups) = gone {
            self.0.metrics.connections.dec();
            self.0.ended.notify_one();
            self.settle_later(groups);
        }
    }

    /// Dropping and the pump cannot wait; the layer may. A subscription that nobody wants for a moment
    /// is harmless.
    fn settle_later(&self, groups: Vec<Group>) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let hub = self.clone();
            let settle = async move {
                for group in groups {
                    hub.settle_subscription(group).await;
                }
            };
            self.0.settling.spawn_on(settle, &runtime);
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
