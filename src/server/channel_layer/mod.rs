//! The channel layer carries notices between the nodes of an installation: a hint that something
//! changed in the store. The term and its verbs are Django Channels'. Losing a notice costs
//! latency, never a message: the hub compares what it knows with the store and catches up.

mod inbox;
mod memory;
mod metrics;
pub mod redis;

pub use memory::MemoryLayer;
pub use metrics::LayerMetrics;

use super::encode::LogName;
use crate::domain::{RoomId, Seq, Slug, UserId};
use crate::protocol::Author;
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;

/// The address of a notice. A node gets the notices of the groups it subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    Room(RoomId),
    User(UserId),
    /// Every node, always; needs no subscription.
    Everyone,
}

/// What a node tells the others, and itself. A hint: whoever misses one finds the same in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The log of a room grew.
    Grew(Arc<Growth>),
    /// The log of a room grew, by events that are to be read from the store.
    Unread { room: RoomId },
    /// Some account may have lost the right to read the room: ask the store who still may.
    Recheck { room: RoomId },
    /// The room list of `user`, or of everybody, is not what it was.
    RoomsChanged { user: Option<UserId> },
    /// The node's people in the room are others than before. Fleeting: it is looked at once in a while, too.
    Present { room: RoomId, node: u64 },
    /// Somebody is at work on a message. Fleeting.
    Typing(Arc<Typing>),
    /// What was taken from rate limits on a node. Fleeting: without it each node limits by itself.
    Spent(Arc<Spending>),
    /// The account has read the room up to `seq`.
    Read { user: UserId, room: Slug, seq: Seq },
    /// A session ended (by its SHA-256).
    SessionEnded { session: [u8; 32] },
    /// All sessions of the account ended but one.
    SignedOut { user: UserId, except: Option<[u8; 32]> },
}

/// What was taken from some buckets of a node since it last told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    pub node: u64,
    pub list: Vec<Spent>,
}

/// What was taken from one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// Which limit it is of, as a number that all versions agree on.
    pub kind: u8,
    /// A keyed hash of whose it is.
    pub bucket: [u8; 16],
    pub count: u32,
}

/// Who is typing where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typing {
    pub room: RoomId,
    pub slug: Slug,
    pub by: Author,
}

/// Consecutive events of one room, each encoded once for every receiver there will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    pub room: RoomId,
    pub log: LogName,
    /// The seq of the first event; the others follow densely.
    pub first: Seq,
    /// JSON of one event each.
    pub events: Vec<Bytes>,
    /// The events that change a message, each with the seq of that message.
    pub changes: Vec<(Seq, Seq)>,
}

impl Growth {
    /// The seq of the last event.
    pub fn last(&self) -> Seq {
        Seq(self.first.0 + self.events.len() as u64 - 1)
    }
}

impl Notice {
    pub fn group(&self) -> Group {
        match self {
            Notice::Grew(growth) => Group::Room(growth.room),
            Notice::Unread { room } | Notice::Present { room, .. } => Group::Room(*room),
            Notice::Typing(typing) => Group::Room(typing.room),
            Notice::Read { user, .. } | Notice::RoomsChanged { user: Some(user) } => Group::User(*user),
            // Every node remembers rights and sessions, also where nobody follows the room or is connected.
            Notice::Recheck { .. } | Notice::SignedOut { .. } | Notice::SessionEnded { .. } => Group::Everyone,
            Notice::RoomsChanged { user: None } | Notice::Spent(_) => Group::Everyone,
        }
    }

    /// Of use for a moment only: dropped before all others, and nobody has to look up what it said.
    pub fn is_fleeting(&self) -> bool {
        matches!(self, Notice::Typing(_) | Notice::Present { .. } | Notice::Spent(_))
    }
}

/// What a node takes out of the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    Notice(Notice),
    /// Notices may have been lost: compare everything subscribed with the store.
    Lost,
}

/// Whether a node and the others hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// There are no others.
    Alone,
    Whole,
    /// Nothing of the others arrives, or nothing reaches them. [`Delivery::Lost`] follows once it does again.
    Cut,
}

/// One node's end of the layer. Delivery is at most once. Notices that one node publishes to one
/// group arrive in order unless lost; between nodes there is no order.
#[async_trait]
pub trait ChannelLayer: Send + Sync + 'static {
    /// Sends to every subscribed node, this one included. Never waits and never fails: what the
    /// layer cannot carry is reported to the receivers as [`Delivery::Lost`] as soon as it can be, unless
    /// it is [fleeting](Notice::is_fleeting).
    fn publish(&self, notice: Notice);

    /// From the return on, notices published to `group` reach this node. While the node is cut off it
    /// returns at once: the [`Delivery::Lost`] that follows covers the group.
    async fn subscribe(&self, group: Group);

    async fn unsubscribe(&self, group: Group);

    /// The next delivery for this node; `None` when the layer is closed. One caller at a time.
    async fn next(&self) -> Option<Delivery>;

    fn reach(&self) -> Reach;
}
