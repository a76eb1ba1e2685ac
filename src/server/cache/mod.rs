//! What this node remembers of the store, so that many sockets that come back at once cost reads by
//! rooms and not by sockets. Everything here is read through: a miss is one read for all who wait.
//! It is kept right by this node's commits, which it is told of in order and before they are
//! answered; whatever else may have changed the store makes it forget.

pub mod flights;
mod gathering;
pub mod log;
mod lru;
mod remembered;
pub mod ring;
pub mod rooms;
pub mod sessions;

use super::channel_layer::Growth;
use super::config::Limits;
use super::metrics::Metrics;
use crate::domain::{RoomId, Seq};
use crate::server::store::Grown;
use log::Logs;
use rooms::Rooms;
use sessions::Sessions;
use std::sync::Arc;

/// The caches of a node.
pub struct Cache {
    pub logs: Logs,
    pub rooms: Rooms,
    pub sessions: Sessions,
}

impl Cache {
    pub fn new(limits: &Limits, metrics: &Arc<Metrics>) -> Cache {
        Cache {
            logs: Logs::new(limits, Arc::clone(metrics)),
            rooms: Rooms::new(limits, Arc::clone(metrics)),
            sessions: Sessions::new(limits, Arc::clone(metrics)),
        }
    }

    /// This node's writer committed.
    pub fn committed(&self, grown: &Grown) {
        self.rooms.grew(grown);
    }

    /// This node changed an account, a session or a token.
    pub fn accounts_changed(&self) {
        self.sessions.forget_all();
    }

    /// Another node says that somebody may have lost the right to read a room.
    pub fn readers_changed(&self) {
        self.rooms.forget_all();
    }

    /// A log grew, here or on another node. To be told in the order of commits; telling twice changes nothing.
    pub fn grew(&self, growth: &Arc<Growth>) {
        self.logs.ring().apply(growth);
    }

    /// The head of a log in the store, which may have grown without a notice.
    pub fn head_seen(&self, room: RoomId, head: Seq) {
        self.logs.ring().outrun(room, head);
    }

    /// Nobody here follows the room any more, so that its notices no longer come.
    pub fn unfollowed(&self, room: RoomId) {
        self.logs.ring().forget(room);
    }

    /// Another process wrote something by which rights may have ended.
    pub fn rights_changed(&self) {
        self.readers_changed();
        self.accounts_changed();
    }

    /// Another process wrote, or notices were lost: anything may have changed.
    pub fn forget_all(&self) {
        self.logs.ring().forget_all();
        self.rooms.forget_all();
        self.sessions.forget_all();
    }
}
