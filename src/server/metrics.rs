//! Numbers for `/metrics`.

use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use prometheus_client::registry::Registry;

/// The node's counters, each also held by the part that counts.
pub struct Metrics {
    pub registry: Registry,
    /// Live sockets open now.
    pub connections: Gauge,
    /// Posts made durable since start.
    pub posts: Counter,
    /// Events handed to connections' queues.
    pub deliveries: Counter,
    /// Times a connection's room fell behind and caught up from the log.
    pub catch_ups: Counter,
}

impl Metrics {
    pub fn new() -> Metrics {
        let mut registry = Registry::with_prefix("pickmate");
        let connections = Gauge::default();
        let posts = Counter::default();
        let deliveries = Counter::default();
        let catch_ups = Counter::default();
        registry.register("live_connections", "Live sockets open now", connections.clone());
        registry.register("posts", "Posts made durable", posts.clone());
        registry.register("deliveries", "Events handed to connections", deliveries.clone());
        registry.register("catch_ups", "Rooms of connections that caught up from the log", catch_ups.clone());
        Metrics { registry, connections, posts, deliveries, catch_ups }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}
