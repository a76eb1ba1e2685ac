//! Numbers for `/metrics`.

use super::channel_layer::LayerMetrics;
use super::hub::Waiting;
use super::store::Commits;
use super::tasks::TaskMetrics;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// The node's counters, each also held by the part that counts.
pub struct Metrics {
    registry: Registry,
    started: Instant,
    uptime_seconds: Gauge,
    resident_bytes: Gauge,
    /// Live sockets open now.
    pub connections: Gauge,
    /// Posts made durable since start.
    pub posts: Counter,
    /// Events handed to connections' queues.
    pub deliveries: Counter,
    /// Times a connection's room fell behind and caught up from the log.
    pub catch_ups: Counter,
    /// Times a room's log could not be read for a connection that is behind.
    pub unread_logs: Counter,
    /// Live sockets given up because the peer took nothing.
    pub stalled: Counter,
    /// Times the store was read, whatever for.
    pub store_reads: Counter,
    pub commits: Commits,
    pub layer: LayerMetrics,
    pub tasks: TaskMetrics,
    /// 1 while this node and the others show each other's people, or there are no others.
    pub presence_connected: Gauge,
    /// How long it takes until the head of a room is compared with the store again, without a notice; 0 without other nodes.
    pub comparison_seconds: Gauge<f64, AtomicU64>,
    /// Of all connections' queues together, when they were last looked at.
    queued_bytes: Gauge,
    behind: Gauge,
    cache_reads: Family<ReadLabels, Counter>,
}

/// Why the live sockets read the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum StoreRead {
    /// The newest events of a room.
    Tail,
    /// Older events of a room, for one who is far behind.
    Stretch,
    /// Who may read some rooms.
    Rooms,
    /// Whose some sessions and tokens are.
    Sessions,
    /// Where a log stands, for one who claims to be beyond what is known.
    Head,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
    what: StoreRead,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("pickmate"),
            started: Instant::now(),
            uptime_seconds: Gauge::default(),
            resident_bytes: Gauge::default(),
            connections: Gauge::default(),
            posts: Counter::default(),
            deliveries: Counter::default(),
            catch_ups: Counter::default(),
            unread_logs: Counter::default(),
            stalled: Counter::default(),
            store_reads: Counter::default(),
            commits: Commits::default(),
            layer: LayerMetrics::default(),
            tasks: TaskMetrics::default(),
            presence_connected: Gauge::default(),
            comparison_seconds: Gauge::default(),
            queued_bytes: Gauge::default(),
            behind: Gauge::default(),
            cache_reads: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("uptime_seconds", "Seconds since the node started", metrics.uptime_seconds.clone());
        registry.register("resident_bytes", "Resident memory of the process", metrics.resident_bytes.clone());
        registry.register("live_connections", "Live sockets open now", metrics.connections.clone());
        registry.register("posts", "Posts made durable", metrics.posts.clone());
        registry.register("deliveries", "Events handed to connections", metrics.deliveries.clone());
        registry.register("catch_ups", "Rooms of connections that caught up from the log", metrics.catch_ups.clone());
        registry.register("unread_logs", "Times a log could not be read to catch up", metrics.unread_logs.clone());
        registry.register("stalled", "Live sockets given up because the peer took nothing", metrics.stalled.clone());
        registry.register("store_reads", "Reads of the store", metrics.store_reads.clone());
        registry.register(
            "commit_size",
            "Commands and read positions in a transaction of the writer",
            metrics.commits.size.clone(),
        );
        registry.register("commit_seconds", "Time of a transaction of the writer", metrics.commits.seconds.clone());
        registry.register(
            "queued_bytes",
            "Bytes that wait for live sockets to take them",
            metrics.queued_bytes.clone(),
        );
        registry.register("behind", "Live sockets that are behind in some room", metrics.behind.clone());
        metrics.layer.register(registry);
        metrics.tasks.register(registry);
        registry.register(
            "presence_connected",
            "1 while this node and the others show each other's people, or there are no others",
            metrics.presence_connected.clone(),
        );
        registry.register(
            "comparison_seconds",
            "Time until the head of a followed room is compared with the store again, without a notice",
            metrics.comparison_seconds.clone(),
        );
        registry.register("cache_reads", "Reads of the store by the live sockets' caches", metrics.cache_reads.clone());
        metrics
    }

    pub fn count_read(&self, what: StoreRead) {
        self.cache_reads.get_or_create(&ReadLabels { what }).inc();
    }

    /// Reads of this kind since start.
    pub fn reads(&self, what: StoreRead) -> u64 {
        self.cache_reads.get_or_create(&ReadLabels { what }).get()
    }

    /// All of them now, in Prometheus' text format.
    pub fn encode(&self, waiting: Waiting) -> Result<String, fmt::Error> {
        self.queued_bytes.set(waiting.bytes as i64);
        self.behind.set(waiting.behind as i64);
        self.uptime_seconds.set(self.started.elapsed().as_secs() as i64);
        self.resident_bytes.set(resident_bytes().unwrap_or(0));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

/// Where the system tells (Linux): the second number of `statm`, in pages of 4 KiB.
fn resident_bytes() -> Option<i64> {
    const PAGE_BYTES: i64 = 4_096;
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE_BYTES)
}
