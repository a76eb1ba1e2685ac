use prometheus_client::metrics::{counter::Counter, gauge::Gauge};
use prometheus_client::registry::Registry;

/// How a layer between nodes fares; a clone counts on.
#[derive(Clone, Debug, Default)]
pub struct LayerMetrics {
    /// 1 while this node and the others hear each other, or there are no others.
    pub connected: Gauge,
    /// Notices that were handed to the others.
    pub published: Counter,
    /// Notices that were not: the others were told to read the store instead.
    pub dropped: Counter,
    /// Times this node may have missed notices and compared everything with the store.
    pub lost: Counter,
}

impl LayerMetrics {
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "channel_layer_connected",
            "1 while this node and the others hear each other, or there are no others",
            self.connected.clone(),
        );
        registry.register("channel_layer_published", "Notices that were handed to other nodes", self.published.clone());
        registry.register(
            "channel_layer_dropped",
            "Notices that could not be handed over: the others read the store instead",
            self.dropped.clone(),
        );
        registry.register(
            "channel_layer_lost",
            "Times notices may have been missed, and everything was compared with the store",
            self.lost.clone(),
        );
    }
}
