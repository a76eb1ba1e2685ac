//! The tables behind the hub: connections by id, by user and network, and by room.

use super::connection::Peer;
use super::queue::Queue;
use super::sweep::{Followers, Sweep, Visits};
use super::{ConnectionLimits, TooManyConnections};
use crate::domain::{RoomId, UserId};
use crate::server::channel_layer::{Group, Growth};
use crate::server::limits::network;
use crate::server::presence::People;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

/// Who is connected and who follows what. Nothing in it waits, so it is locked for moments only.
#[derive(Default)]
pub struct Registry {
    next_id: u64,
    connections: HashMap<u64, Registered>,
    /// How many connections each has.
    users: HashMap<UserId, usize>,
    networks: HashMap<IpAddr, usize>,
    rooms: HashMap<RoomId, Room>,
}

#[derive(Default)]
struct Room {
    followers: Followers,
    /// Until everybody has the last news.
    sweep: Option<Sweep>,
}

struct Registered {
    peer: Peer,
    queue: Arc<Queue>,
}

/// One connection's subscription to one room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Follower {
    pub connection: u64,
    pub user: UserId,
    pub room: RoomId,
}

/// What may have ended without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// The session of some connections.
    Session([u8; 32]),
    Reading(Follower),
}

impl Registry {
    pub fn add(&mut self, peer: Peer, queue: Arc<Queue>, limits: &ConnectionLimits) -> Result<u64, TooManyConnections> {
        let of_user = self.users.get(&peer.user).copied().unwrap_or_default();
        let network = network(peer.address);
        let of_network = self.networks.get(&network).copied().unwrap_or_default();
        if of_user >= limits.per_user || of_network >= limits.per_address {
            return Err(TooManyConnections);
        }
        self.users.insert(peer.user, of_user + 1);
        self.networks.insert(network, of_network + 1);
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
        count_down(&mut self.networks, network(peer.address));
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
            self.rooms.entry(room).or_default().followers.insert(id, Arc::clone(&entry.queue));
        }
    }

    pub fn unfollow(&mut self, id: u64, room: RoomId) {
        if let Some(Room { followers, .. }) = self.rooms.get_mut(&room) {
            followers.remove(&id);
            if followers.is_empty() {
                self.rooms.remove(&room);
            }
        }
    }

    /// Nobody follows anything from the return on; returns the rooms that were followed.
    pub fn unfollow_all(&mut self) -> Vec<RoomId> {
        for queue in self.connections.values().map(|entry| &entry.queue) {
            for room in queue.followed() {
                queue.unfollow(room);
            }
        }
        self.rooms.drain().map(|(room, _)| room).collect()
    }

    pub fn followed(&self) -> Vec<RoomId> {
        self.rooms.keys().copied().collect()
    }

    pub fn followers(&self, room: RoomId) -> impl Iterator<Item = &Arc<Queue>> {
        self.rooms.get(&room).into_iter().flat_map(|room| room.followers.values())
    }

    /// The log of a room grew. Whether a sweep begins with that; one that is under way goes on with at
    /// most `limit` bytes of news.
    pub fn news(&mut self, growth: &Growth, limit: usize) -> bool {
        let Some(room) = self.rooms.get_mut(&growth.room) else { return false };
        match &mut room.sweep {
            Some(sweep) => {
                sweep.add(growth, limit);
                false
            }
            None => {
                room.sweep = Some(Sweep::new(growth));
                true
            }
        }
    }

    /// Whom to tell the news of a room next, if there are news and followers.
    pub fn next_visits(&mut self, room: RoomId) -> Option<Visits> {
        let Room { followers, sweep } = self.rooms.get_mut(&room)?;
        Some(sweep.as_mut()?.next(followers))
    }

    /// Whether somebody is still to be told; if not, the sweep is over.
    pub fn has_more_visits(&mut self, room: RoomId) -> bool {
        let Some(Room { followers, sweep }) = self.rooms.get_mut(&room) else { return false };
        *sweep = sweep.take().filter(|sweep| !sweep.is_over(followers));
        sweep.is_some()
    }

    /// The sweep is over before its time: the rest of the followers find out by themselves.
    pub fn abandon_sweep(&mut self, room: RoomId) {
        let Some(Room { followers, sweep }) = self.rooms.get_mut(&room) else { return };
        if let Some(sweep) = sweep.take() {
            followers.values().for_each(|queue| queue.observe_head(room, sweep.head()));
        }
    }

    /// Who follows the room, by connection and user.
    pub fn followers_by_user(&self, room: RoomId) -> Vec<Follower> {
        let ids = self.rooms.get(&room).into_iter().flat_map(|room| room.followers.keys()).copied();
        ids.filter_map(|connection| {
            let user = self.connections.get(&connection)?.peer.user;
            Some(Follower { connection, user, room })
        })
        .collect()
    }

    /// All rights that connections here rest on.
    pub fn rights(&self) -> Vec<Right> {
        let sessions: HashSet<_> = self.peers().filter_map(|(peer, _)| peer.session).collect();
        let reading = self.rooms.keys().flat_map(|room| self.followers_by_user(*room)).map(Right::Reading);
        sessions.into_iter().map(Right::Session).chain(reading).collect()
    }

    /// Whether at most so many accounts follow the room.
    pub fn is_followed_by_at_most(&self, room: RoomId, most: usize) -> bool {
        let mut users = HashSet::new();
        let followers = self.rooms.get(&room).into_iter().flat_map(|room| room.followers.keys());
        followers.filter_map(|id| self.connections.get(id)).all(|entry| {
            users.insert(entry.peer.user);
            users.len() <= most
        })
    }

    /// Who follows the room, each account once.
    pub fn people(&self, room: RoomId) -> People {
        let followers = self.rooms.get(&room).into_iter().flat_map(|room| room.followers.keys());
        let peers = followers.filter_map(|id| self.connections.get(id)).map(|entry| &entry.peer);
        peers.map(|peer| (peer.user, Arc::clone(&peer.name))).collect()
    }

    /// The queues of all who follow the room but this account.
    pub fn others(&self, room: RoomId, user: UserId) -> Vec<Arc<Queue>> {
        let followers = self.rooms.get(&room).into_iter().flat_map(|room| &room.followers);
        let other = |id| self.connections.get(id).is_some_and(|entry| entry.peer.user != user);
        followers.filter(|(id, _)| other(*id)).map(|(_, queue)| Arc::clone(queue)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Seq, Slug};
    use crate::server::hub::queue::QueueLimits;

    const LIMITS: ConnectionLimits =
        ConnectionLimits { queue: QueueLimits { bytes: 1, frames: 1 }, per_user: 2, per_address: 3 };

    fn peer(user: i64, address: &str) -> Peer {
        Peer { user: UserId(user), name: "mina".into(), session: None, address: address.parse().unwrap() }
    }

    fn queue() -> Arc<Queue> {
        Arc::new(Queue::new(LIMITS.queue))
    }

    fn follow(registry: &mut Registry, id: u64, room: RoomId) {
        let queue = Arc::clone(registry.queue(id).unwrap());
        queue.follow(room, Slug::parse("general").unwrap(), Seq(0));
        registry.follow(id, room);
    }

    #[test]
    fn a_user_has_so_many_connections_and_a_closed_one_makes_space() {
        let mut registry = Registry::default();
        let first = registry.add(peer(1, "192.0.2.1"), queue(), &LIMITS).unwrap();
        registry.add(peer(1, "192.0.2.2"), queue(), &LIMITS).unwrap();
        assert_eq!(registry.add(peer(1, "192.0.2.3"), queue(), &LIMITS), Err(TooManyConnections));
        registry.add(peer(2, "192.0.2.3"), queue(), &LIMITS).unwrap();
        registry.remove(first);
        registry.add(peer(1, "192.0.2.3"), queue(), &LIMITS).unwrap();
    }

    #[test]
    fn the_addresses_of_one_subscriber_share_a_cap() {
        let mut registry = Registry::default();
        for user in 1..=3 {
            registry.add(peer(user, &format!("2001:db8:0:1::{user}")), queue(), &LIMITS).unwrap();
        }
        assert_eq!(registry.add(peer(4, "2001:db8:0:1:ffff::"), queue(), &LIMITS), Err(TooManyConnections));
        assert!(registry.add(peer(4, "2001:db8:0:2::"), queue(), &LIMITS).is_ok());
    }

    #[test]
    fn what_was_unfollowed_for_all_is_not_kept_for_those_who_end() {
        let mut registry = Registry::default();
        let ids = [1, 2].map(|user| registry.add(peer(user, "192.0.2.1"), queue(), &LIMITS).unwrap());
        ids.iter().for_each(|id| follow(&mut registry, *id, RoomId(1)));
        assert_eq!(registry.unfollow_all(), [RoomId(1)]);
        assert!(!registry.wants(Group::Room(RoomId(1))));
        assert_eq!(registry.remove(ids[0]), Some(vec![Group::User(UserId(1))]));
        assert!(registry.rooms.is_empty());
    }

    #[test]
    fn a_group_is_wanted_until_its_last_connection_goes() {
        let mut registry = Registry::default();
        let (one, room, user) = (RoomId(1), Group::Room(RoomId(1)), Group::User(UserId(1)));
        let first = registry.add(peer(1, "192.0.2.1"), queue(), &LIMITS).unwrap();
        let second = registry.add(peer(1, "192.0.2.1"), queue(), &LIMITS).unwrap();
        assert!(!registry.wants(room) && registry.wants(user));
        follow(&mut registry, first, one);
        follow(&mut registry, second, one);
        assert_eq!(registry.followers(one).count(), 2);
        registry.unfollow(first, one);
        assert!(registry.wants(room));
        assert_eq!(registry.remove(second), Some(vec![room, user]));
        assert!(!registry.wants(room) && registry.wants(user));
        registry.remove(first);
        assert!(!registry.wants(user));
        assert_eq!(registry.remove(first), None);
        assert!(registry.users.is_empty() && registry.networks.is_empty());
    }
}
