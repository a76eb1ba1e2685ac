//! The tables behind the hub: connections by id, by user and address, and by room.

use super::connection::Peer;
use super::queue::Queue;
use super::{ConnectionLimits, TooManyConnections};
use crate::domain::{RoomId, UserId};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Default)]
pub struct Registry {
    next_id: u64,
    connections: HashMap<u64, Entry>,
    rooms: HashMap<RoomId, HashMap<u64, Arc<Queue>>>,
}

struct Entry {
    peer: Peer,
    queue: Arc<Queue>,
}

/// One connection's subscription to one room.
pub struct Follower {
    pub connection: u64,
    pub user: UserId,
    pub room: RoomId,
}

impl Registry {
    pub fn add(&mut self, peer: Peer, queue: Arc<Queue>, limits: &ConnectionLimits) -> Result<u64, TooManyConnections> {
        let of = |same: &dyn Fn(&Peer) -> bool| self.connections.values().filter(|entry| same(&entry.peer)).count();
        // Counting walks the table only where a cap is set, and the caps are small.
        let capped = limits.per_user != usize::MAX || limits.per_address != usize::MAX;
        if capped
            && (of(&|other| other.user == peer.user) >= limits.per_user
                || of(&|other| other.address == peer.address) >= limits.per_address)
        {
            return Err(TooManyConnections);
        }
        self.next_id += 1;
        self.connections.insert(self.next_id, Entry { peer, queue });
        Ok(self.next_id)
    }

    /// Takes a connection out of everything; returns the rooms it followed.
    pub fn remove(&mut self, id: u64) -> Option<Vec<RoomId>> {
        let entry = self.connections.remove(&id)?;
        let rooms = entry.queue.followed();
        for room in &rooms {
            self.unfollow(id, *room);
        }
        Some(rooms)
    }

    pub fn follow(&mut self, id: u64, room: RoomId) {
        if let Some(entry) = self.connections.get(&id) {
            self.rooms.entry(room).or_default().insert(id, Arc::clone(&entry.queue));
        }
    }

    pub fn unfollow(&mut self, id: u64, room: RoomId) {
        if let Some(followers) = self.rooms.get_mut(&room) {
            followers.remove(&id);
            if followers.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    pub fn is_followed(&self, room: RoomId) -> bool {
        self.rooms.contains_key(&room)
    }

    pub fn followed(&self) -> Vec<RoomId> {
        self.rooms.keys().copied().collect()
    }

    pub fn followers(&self, room: RoomId) -> impl Iterator<Item = &Arc<Queue>> {
        self.rooms.get(&room).into_iter().flat_map(HashMap::values)
    }

    /// Who follows the room, by connection and user.
    pub fn followers_by_user(&self, room: RoomId) -> Vec<Follower> {
        let ids = self.rooms.get(&room).into_iter().flat_map(HashMap::keys).copied();
        ids.filter_map(|connection| {
            let user = self.connections.get(&connection)?.peer.user;
            Some(Follower { connection, user, room })
        })
        .collect()
    }

    pub fn queue(&self, id: u64) -> Option<&Arc<Queue>> {
        self.connections.get(&id).map(|entry| &entry.queue)
    }

    pub fn peers(&self) -> impl Iterator<Item = (&Peer, &Arc<Queue>)> {
        self.connections.values().map(|entry| (&entry.peer, &entry.queue))
    }

    pub fn len(&self) -> usize {
        self.connections.len()
    }
}
