//! Who is present in the rooms that are followed here, and what the followers were last told. Pure: the
//! time and what other nodes say come in. A state is compared, and no stream of comings and goings
//! followed: whatever was missed is made good by the next look.

mod room;
#[cfg(test)]
mod tests;

pub use room::View;

use crate::domain::{RoomId, UserId};
use crate::server::presence::People;
use room::{Membership, Room};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub struct PresenceLimits {
    /// People of a room beyond whom only their number is told.
    pub people: usize,
    /// What comes and goes within so long is told together.
    pub gather: Duration,
    /// The same for rooms of which only a number is told.
    pub count_every: Duration,
    /// Whoever is back within so long was not away.
    pub grace: Duration,
}

pub struct Attendance {
    limits: PresenceLimits,
    rooms: HashMap<RoomId, Room>,
    /// Rooms to be looked at, and when.
    agenda: HashMap<RoomId, Instant>,
    /// The last version of a view. Never used again, also not of a room that was let go.
    version: u64,
}

impl Attendance {
    pub fn new(limits: PresenceLimits) -> Attendance {
        Attendance { limits, rooms: HashMap::new(), agenda: HashMap::new(), version: 0 }
    }

    /// Something may have changed in the room.
    pub fn touch(&mut self, room: RoomId, now: Instant) {
        let not_before = self.rooms.get(&room).and_then(|room| room.not_before);
        let at = (now + self.limits.gather).max(not_before.unwrap_or(now));
        self.look_at(room, at);
    }

    fn look_at(&mut self, room: RoomId, at: Instant) {
        let planned = self.agenda.entry(room).or_insert(at);
        *planned = at.min(*planned);
    }

    /// When to look at something next.
    pub fn due(&self) -> Option<Instant> {
        self.agenda.values().min().copied()
    }

    /// The rooms to be looked at now.
    pub fn take_due(&mut self, now: Instant) -> Vec<RoomId> {
        let due: Vec<_> = self.agenda.iter().filter(|(_, at)| **at <= now).map(|(room, _)| *room).collect();
        for room in &due {
            self.agenda.remove(room);
        }
        due
    }

    /// Of those who follow the room here, the ones of whom it is not known, or in doubt, whether they are members.
    pub fn unknown(&self, room: RoomId, following: &People) -> Vec<UserId> {
        let known = self.rooms.get(&room).map(|room| &room.members);
        let is_known = |user: &UserId| known.and_then(|known| known.get(user)).is_some_and(|known| !known.doubtful);
        following.keys().filter(|user| !is_known(user)).copied().collect()
    }

    /// Whether somebody is a member of the room.
    pub fn learn(&mut self, room: RoomId, user: UserId, member: bool) {
        self.rooms.entry(room).or_default().members.insert(user, Membership { member, doubtful: false });
    }

    /// Memberships may be others, of one account or of all.
    pub fn doubt(&mut self, user: Option<UserId>, now: Instant) {
        let doubtful: Vec<_> = self.rooms.iter_mut().filter_map(|(id, room)| room.doubt(user).then_some(*id)).collect();
        doubtful.into_iter().for_each(|room| self.touch(room, now));
    }

    /// Memberships of one room may be others.
    pub fn doubt_room(&mut self, room: RoomId, now: Instant) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.doubt(None);
        }
        self.touch(room, now);
    }

    /// Those who follow the room here now. What other nodes are to be told of this node's people, if that is news.
    pub fn gather(&mut self, id: RoomId, following: &People, now: Instant) -> Option<People> {
        let room = self.rooms.entry(id).or_default();
        let back = room.gather(following, now, self.limits.grace);
        let said = room.take_news();
        if let Some(at) = back {
            self.look_at(id, at);
        } else if following.is_empty() {
            self.rooms.remove(&id);
        }
        said
    }

    /// All people of this node, to be said from the beginning.
    pub fn all(&self) -> Vec<(RoomId, People)> {
        self.rooms.iter().map(|(id, room)| (*id, room.own())).filter(|(_, own)| !own.is_empty()).collect()
    }

    /// The people that all other nodes have in the room.
    pub fn hear(&mut self, room: RoomId, elsewhere: People) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.elsewhere = elsewhere;
        }
    }

    /// Of other nodes nothing is known any more.
    pub fn forget_elsewhere(&mut self, now: Instant) {
        let rooms: Vec<_> = self.rooms.keys().copied().collect();
        for id in rooms {
            self.hear(id, People::new());
            self.touch(id, now);
        }
    }

    /// What the room's followers are to be shown: something new, or what some of them could not take.
    pub fn view(&mut self, id: RoomId, slug: &str, now: Instant) -> Option<View> {
        let room = self.rooms.get_mut(&id)?;
        if let Some(at) = room.not_before.filter(|at| *at > now && room.present() > self.limits.people) {
            self.look_at(id, at);
            return None;
        }
        if room.changes(slug, self.version + 1, self.limits.people) {
            self.version += 1;
            let large = room.present() > self.limits.people;
            room.not_before = large.then(|| now + self.limits.count_every);
            return room.view.clone();
        }
        std::mem::take(&mut room.missed).then(|| room.view.clone()).flatten()
    }

    /// What a new follower is shown first, if anything is known.
    pub fn shown(&self, room: RoomId) -> Option<View> {
        self.rooms.get(&room)?.view.clone()
    }

    /// Somebody could not take the last view, and is shown it later.
    pub fn missed(&mut self, room: RoomId) {
        if let Some(room) = self.rooms.get_mut(&room) {
            room.missed = true;
        }
    }

    /// Rooms where somebody could not.
    pub fn missing(&self) -> Vec<RoomId> {
        self.rooms.iter().filter(|(_, room)| room.missed).map(|(id, _)| *id).collect()
    }

    /// How many are present, as far as is known here.
    pub fn present(&self, room: RoomId) -> usize {
        self.rooms.get(&room).map_or(0, Room::present)
    }
}
