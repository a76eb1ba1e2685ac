use super::Hub;
use super::queue::Queue;
use crate::domain::{RoomId, Seq, Slug, UserId};
use crate::protocol::ServerFrame;
use crate::server::channel_layer::Group;
use crate::server::encode;
use std::net::IpAddr;
use std::sync::Arc;

/// Who is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub user: UserId,
    pub name: Arc<str>,
    /// SHA-256 of the session's secret; `None` with a bearer token.
    pub session: Option<[u8; 32]>,
    pub address: IpAddr,
}

/// A registered connection. Dropping it takes it out of the hub, also after a panic.
pub struct Connection {
    hub: Hub,
    id: u64,
    queue: Arc<Queue>,
}

impl Connection {
    pub(super) fn new(hub: Hub, id: u64, queue: Arc<Queue>) -> Connection {
        Connection { hub, id, queue }
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hub
    }

    pub fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    /// Registers for fan-out from `after` on. Nothing is delivered before [`Queue::release`]. Read
    /// the log's head only after this returns: the reverse order loses events.
    pub async fn follow(&self, room: RoomId, slug: Slug, after: Seq) {
        {
            // Both or neither, whoever takes all followers out meanwhile.
            let mut registry = self.hub.registry();
            self.queue.follow(room, slug, after);
            registry.follow(self.id, room);
        }
        self.hub.settle_subscription(Group::Room(room)).await;
    }

    pub async fn unfollow(&self, room: RoomId) {
        {
            let mut registry = self.hub.registry();
            self.queue.unfollow(room);
            registry.unfollow(self.id, room);
        }
        self.hub.settle_subscription(Group::Room(room)).await;
    }

    /// An answer or notice to this connection only.
    pub fn push(&self, frame: &ServerFrame) {
        self.queue.push(encode::frame(frame));
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hub.disconnect(self.id);
    }
}
