//! The tables behind the hub: connections by id, by user and address, and by room.

use super::connection::Peer;
use super::queue::Queue;
use super::{ConnectionLimits, TooManyConnections};
use crate::domain::{RoomId, UserId};
use crate::server::channel_layer::Group;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Default)]
pub struct Registry {
    next_id: u64,
    connections: HashMap<u64, Registered>,
    /// How many connections each has.
    users: HashMap<UserId, usize>,
    addresses: HashMap<IpAddr, usize>,
    rooms: HashMap<RoomId, HashMap<u64, Arc<Queue>>>,
}

struct Registered {
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
        let of_user = self.users.get(&peer.user).copied().unwrap_or_default();
        let of_address = self.addresses.get(&peer.address).copied().unwrap_or_default();
        if of_user >= limits.per_user || of_address >= limits.per_address {
            return Err(TooManyConnections);
        }
        self.users.insert(peer.user, of_user + 1);
        self.addresses.insert(peer.address, of_address + 1);
        self.next_id += 1;
        self.connections.insert(self.next_id, Registered { peer, queue });
        Ok(self.next_id)
    }

    /// Takes a connection out of everything; returns the groups that it may have been the last of.
    pub fn remove(&mut self, id: u64) -> Option<Vec<Group>> {
        let Registered { peer, queue } = self.connections.remove(&id)?;
        let rooms = queue.followed();
        for room in &rooms {
            self.unfollow(id, *room);
        }
        count_down(&mut self.users, peer.user);
        count_down(&mut self.addresses, peer.address);
        Some(rooms.into_iter().map(Group::Room).chain([Group::User(peer.user)]).collect())
    }

    /// Whether anybody here wants the notices of a group.
    pub fn wants(&self, group: Group) -> bool {
        match group {
            Group::Room(room) => self.rooms.contains_key(&room),
            Group::User(user) => self.users.contains_key(&user),
            Group::Everyone => true,
        }
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

fn count_down<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}
