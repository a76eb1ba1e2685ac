//! The channel layer of a single process: a bounded inbox a node. [`MemoryLayer::peer`] adds a node
//! to the same bus, which is how tests run two nodes in one process.

use super::inbox::{CAPACITY, Inbox, locked};
use super::{ChannelLayer, Delivery, Group, Notice, Reach};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};

/// One node's end of an in-process bus.
pub struct MemoryLayer {
    bus: Arc<Bus>,
    inbox: Arc<Inbox>,
}

#[derive(Default)]
struct Bus {
    inboxes: Mutex<Vec<Arc<Inbox>>>,
}

impl MemoryLayer {
    pub fn new() -> MemoryLayer {
        MemoryLayer::with_capacity(CAPACITY)
    }

    pub fn with_capacity(capacity: usize) -> MemoryLayer {
        MemoryLayer::on(Arc::default(), capacity)
    }

    /// Another node's end of the same bus.
    pub fn peer(&self) -> MemoryLayer {
        MemoryLayer::on(Arc::clone(&self.bus), self.inbox.capacity)
    }

    fn on(bus: Arc<Bus>, capacity: usize) -> MemoryLayer {
        let inbox = Arc::new(Inbox::new(capacity));
        locked(&bus.inboxes).push(Arc::clone(&inbox));
        MemoryLayer { bus, inbox }
    }
}

impl Default for MemoryLayer {
    fn default() -> MemoryLayer {
        MemoryLayer::new()
    }
}

impl Drop for MemoryLayer {
    fn drop(&mut self) {
        locked(&self.bus.inboxes).retain(|inbox| !Arc::ptr_eq(inbox, &self.inbox));
    }
}

#[async_trait]
impl ChannelLayer for MemoryLayer {
    fn publish(&self, notice: Notice) {
        for inbox in locked(&self.bus.inboxes).iter() {
            inbox.offer(&notice);
        }
    }

    async fn subscribe(&self, group: Group) {
        self.inbox.subscribe(group);
    }

    async fn unsubscribe(&self, group: Group) {
        self.inbox.unsubscribe(group);
    }

    async fn next(&self) -> Option<Delivery> {
        Some(self.inbox.next().await)
    }

    fn reach(&self) -> Reach {
        Reach::Alone
    }
}
