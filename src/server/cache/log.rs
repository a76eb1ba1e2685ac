//! Reading a log through the ring.

use super::flights::Flights;
use super::ring::{Found, Ring, RoomLog, Stretch, Wanted};
use crate::domain::{RoomId, Seq};
use crate::server::config::Limits;
use crate::server::encode::{self, LogName};
use crate::server::metrics::{Metrics, StoreRead};
use crate::server::store::{Budget, EventPage, Store, StoreError};
use futures_util::FutureExt;
use std::sync::Arc;

/// A tail that was read and could not be entered, because the log changed in a way that the ring was
/// not told of, is read again so many times.
const LOADS: u32 = 3;

/// The logs of the rooms that are followed here. Only who follows a room may ask: the ring hears of
/// all that happens in those rooms, and of no others.
pub struct Logs {
    ring: Arc<Ring>,
    metrics: Arc<Metrics>,
    /// Of a connection that catches up: bounds what a slow one holds in memory.
    step: Budget,
    tails: Flights<RoomId, Result<(), StoreError>>,
    stretches: Flights<(RoomId, Seq), Result<Stretch, StoreError>>,
}

impl Logs {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Logs {
        Logs {
            ring: Arc::new(Ring::new(limits)),
            metrics,
            step: Budget { events: limits.catch_up_step_events, bytes: limits.queue_bytes },
            tails: Flights::default(),
            stretches: Flights::default(),
        }
    }

    pub(super) fn ring(&self) -> &Ring {
        &self.ring
    }

    /// The head of a log at some moment after the call began. `claimed` is where a client says that it
    /// stands: when that is beyond what the ring knows, the store has the last word.
    pub async fn head(&self, store: &Arc<dyn Store>, log: &RoomLog, claimed: Option<Seq>) -> Result<Seq, StoreError> {
        for _ in 0..LOADS {
            match self.ring.head(log.room, &store.epoch()) {
                Some(head) if claimed.is_none_or(|claimed| claimed <= head) => return Ok(head),
                Some(head) => return self.confirmed_head(store, log, head).await,
                None => self.load(store, log).await?,
            }
        }
        self.stored_head(store, log.room).await
    }

    /// Another process may have written a moment ago.
    async fn confirmed_head(&self, store: &Arc<dyn Store>, log: &RoomLog, known: Seq) -> Result<Seq, StoreError> {
        let head = self.stored_head(store, log.room).await?;
        if head > known {
            self.ring.forget(log.room);
        }
        Ok(head)
    }

    async fn stored_head(&self, store: &Arc<dyn Store>, room: RoomId) -> Result<Seq, StoreError> {
        self.metrics.count_read(StoreRead::Head);
        let heads = store.heads(&[room]).await?;
        Ok(heads.first().map_or(Seq::ZERO, |(_, head)| *head))
    }

    /// The next stretch of what is wanted; an empty one when the store does not have it, pruned or never there.
    pub async fn after(&self, store: &Arc<dyn Store>, wanted: &Wanted) -> Result<Stretch, StoreError> {
        let (room, after) = (wanted.log.room, wanted.after);
        for _ in 0..LOADS {
            match self.ring.after(wanted, &store.epoch(), self.step) {
                Found::Stretch(stretch) => return Ok(stretch),
                Found::Older => break,
                Found::Nothing => self.load(store, &wanted.log).await?,
            }
        }
        // Older than the ring. Who boards a read under way may get what it found a moment ago: the
        // events are the same, and later changes to them follow.
        let (store, log, step) = (Arc::clone(store), wanted.log.clone(), self.step);
        let metrics = Arc::clone(&self.metrics);
        let read = async move {
            metrics.count_read(StoreRead::Stretch);
            let epoch = store.epoch();
            let page = store.events_within(log.room, after, step).await?;
            Ok(stretch(log, epoch, after, &page))
        };
        self.stretches.join((room, after), || read.boxed()).await.unwrap_or_else(panicked)
    }

    /// Reads the tail of a log into the ring, once for all who want it now.
    async fn load(&self, store: &Arc<dyn Store>, log: &RoomLog) -> Result<(), StoreError> {
        let (store, log, ring) = (Arc::clone(store), log.clone(), Arc::clone(&self.ring));
        let metrics = Arc::clone(&self.metrics);
        let room = log.room;
        let read = async move {
            metrics.count_read(StoreRead::Tail);
            // Before the read, so that a history that begins meanwhile is not taken for this one.
            let epoch = store.epoch();
            let ticket = ring.begin(log);
            let page = store.tail(room, ring.budget()).await?;
            ring.finish(&ticket, epoch, &page);
            Ok(())
        };
        self.tails.join(room, || read.boxed()).await.unwrap_or_else(panicked)
    }
}

fn panicked<T>() -> Result<T, StoreError> {
    Err(StoreError::Internal("a read panicked".into()))
}

fn stretch(log: RoomLog, epoch: Arc<str>, after: Seq, page: &EventPage) -> Stretch {
    let dense = page.events.first().is_some_and(|event| event.seq == after.next());
    let events: Vec<_> = page.events.iter().filter(|_| dense).map(encode::event).collect();
    let events: Vec<_> = events.iter().collect();
    let name = LogName { slug: log.slug, epoch };
    Stretch { frames: encode::events(&name, after.next(), &events).into(), head: page.head }
}
