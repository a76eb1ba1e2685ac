use super::Observer;
use crate::server::config::Limits;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use std::sync::Arc;
use std::time::Duration;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// Commands that may wait for the writer before [`submit`](super::Log::submit) waits itself.
    pub writer_queue: usize,
    /// How long a command waits for a place in that queue before it is `Unavailable`.
    pub writer_wait: Duration,
    /// Commands that one transaction takes at most.
    pub writer_batch: usize,
    /// How long a write waits for another process, or a read for a connection, before it is `Unavailable`.
    pub busy_timeout: Duration,
    /// How long the keys of commands other than posts are known.
    pub key_lifetime: Duration,
    /// How long it is known what was sent to webhooks.
    pub delivery_lifetime: Duration,
    /// So long after they are replaced or deleted, bodies leave the files, if nobody reads an
    /// older state of them then; else as soon as nobody does.
    pub erase_after: Duration,
    /// Connections for reading.
    pub readers: u32,
    /// Counts the reads.
    pub reads: Counter,
    pub commits: Commits,
    /// Told of every commit of this process.
    pub observer: Arc<dyn Observer>,
}

impl StoreOptions {
    pub fn new(limits: &Limits, observer: Arc<dyn Observer>) -> StoreOptions {
        StoreOptions {
            writer_queue: limits.writer_queue,
            writer_wait: Duration::from_millis(limits.writer_wait_ms),
            writer_batch: limits.writer_batch,
            busy_timeout: Duration::from_millis(limits.busy_wait_ms),
            key_lifetime: limits.key_lifetime(),
            delivery_lifetime: limits.delivery_lifetime(),
            erase_after: Duration::from_millis(limits.erase_after_ms),
            readers: limits.store_readers,
            reads: Counter::default(),
            commits: Commits::default(),
            observer,
        }
    }
}

/// Sessions of the time of a backup that is put back. Some have been ended since, and nothing tells which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    End,
    Keep,
}

/// How the writer's transactions are.
#[derive(Clone, Debug)]
pub struct Commits {
    /// Commands and read positions in one of them.
    pub size: Histogram,
    /// From its first statement until it is durable.
    pub seconds: Histogram,
}

impl Default for Commits {
    fn default() -> Commits {
        Commits {
            size: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
        }
    }
}

/// Default limits and nobody listening: for commands that run beside a server.
impl Default for StoreOptions {
    fn default() -> StoreOptions {
        StoreOptions::new(&Limits::default(), Arc::new(()))
    }
}
