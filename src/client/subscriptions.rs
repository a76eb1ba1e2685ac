//! Which rooms this connection delivers, and from where. Pure: answers with the frames to send.

use crate::domain::Seq;
use crate::protocol::ClientFrame;

/// A room that should be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub room: String,
    /// Everything up to here is known; `None` starts at the head.
    pub after: Option<Seq>,
    pub epoch: String,
}

/// Of one connection: made with it and forgotten with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscriptions {
    limit: usize,
    /// At most `limit`, so few that a list is enough.
    rooms: Vec<Delivery>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Delivery {
    room: String,
    /// Whether the last `join` has been answered.
    joined: bool,
    /// The last seq that was delivered.
    delivered: Seq,
}

impl Subscriptions {
    pub fn new(limit: usize) -> Subscriptions {
        Subscriptions { limit, rooms: Vec::new() }
    }

    /// Leaves what is not wanted and joins what is, the first ones first, as far as the limit goes.
    pub fn follow(&mut self, mut wanted: Vec<Wanted>) -> Vec<ClientFrame> {
        wanted.truncate(self.limit);
        let mut frames = Vec::new();
        self.rooms.retain(|delivery| {
            let stays = wanted.iter().any(|wanted| wanted.room == delivery.room);
            if !stays {
                frames.push(ClientFrame::Leave { room: delivery.room.clone() });
            }
            stays
        });
        for wanted in wanted {
            if self.find(&wanted.room).is_none() {
                frames.push(self.join(wanted));
            }
        }
        frames
    }

    /// Starts over from a known place, unless that has been asked for and not been answered yet.
    pub fn rejoin(&mut self, wanted: Wanted) -> Vec<ClientFrame> {
        match self.find(&wanted.room) {
            Some(delivery) if delivery.joined => {
                let leave = ClientFrame::Leave { room: wanted.room.clone() };
                vec![leave, self.join(wanted)]
            }
            _ => Vec::new(),
        }
    }

    /// Whether events after `seq` have been delivered on this connection already.
    pub fn is_beyond(&self, room: &str, seq: Seq) -> bool {
        self.rooms.iter().any(|delivery| delivery.room == room && delivery.delivered > seq)
    }

    pub fn joined(&mut self, room: &str) {
        if let Some(delivery) = self.find(room) {
            delivery.joined = true;
        }
    }

    pub fn delivered(&mut self, room: &str, seq: Seq) {
        if let Some(delivery) = self.find(room) {
            delivery.delivered = delivery.delivered.max(seq);
        }
    }

    /// The server ended it, or did not begin it.
    pub fn ended(&mut self, room: &str) {
        self.rooms.retain(|delivery| delivery.room != room);
    }

    fn find(&mut self, room: &str) -> Option<&mut Delivery> {
        self.rooms.iter_mut().find(|delivery| delivery.room == room)
    }

    fn join(&mut self, wanted: Wanted) -> ClientFrame {
        let delivered = wanted.after.unwrap_or_default();
        self.ended(&wanted.room);
        self.rooms.push(Delivery { room: wanted.room.clone(), joined: false, delivered });
        let epoch = wanted.after.map(|_| wanted.epoch);
        ClientFrame::Join { room: wanted.room, after: wanted.after, epoch }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(room: &str, after: u64) -> Wanted {
        Wanted { room: room.into(), after: Some(Seq(after)), epoch: "e".into() }
    }

    fn join(room: &str, after: u64) -> ClientFrame {
        ClientFrame::Join { room: room.into(), after: Some(Seq(after)), epoch: Some("e".into()) }
    }

    fn leave(room: &str) -> ClientFrame {
        ClientFrame::Leave { room: room.into() }
    }

    #[test]
    fn rooms_are_joined_once_and_left_when_not_wanted() {
        let mut subscriptions = Subscriptions::new(10);
        assert_eq!(subscriptions.follow(vec![wanted("a", 1), wanted("b", 2)]), [join("a", 1), join("b", 2)]);
        assert_eq!(subscriptions.follow(vec![wanted("a", 5), wanted("c", 3)]), [leave("b"), join("c", 3)]);
    }

    #[test]
    fn the_first_rooms_win_when_there_are_too_many() {
        let mut subscriptions = Subscriptions::new(1);
        assert_eq!(subscriptions.follow(vec![wanted("open", 1), wanted("b", 2)]), [join("open", 1)]);
    }

    #[test]
    fn a_hole_is_asked_for_once() {
        let mut subscriptions = Subscriptions::new(10);
        subscriptions.follow(vec![wanted("a", 1)]);
        assert_eq!(subscriptions.rejoin(wanted("a", 1)), [], "the first join is still under way");
        subscriptions.joined("a");
        assert_eq!(subscriptions.rejoin(wanted("a", 4)), [leave("a"), join("a", 4)]);
        assert_eq!(subscriptions.rejoin(wanted("a", 4)), []);
        assert_eq!(subscriptions.rejoin(wanted("unknown", 4)), []);
    }

    #[test]
    fn without_a_known_place_a_join_starts_at_the_head() {
        let mut subscriptions = Subscriptions::new(10);
        let frames = subscriptions.follow(vec![Wanted { after: None, ..wanted("a", 0) }]);
        assert_eq!(frames, [ClientFrame::Join { room: "a".into(), after: None, epoch: None }]);
    }

    #[test]
    fn what_was_delivered_is_known() {
        let mut subscriptions = Subscriptions::new(10);
        subscriptions.follow(vec![wanted("a", 1)]);
        assert!(!subscriptions.is_beyond("a", Seq(1)));
        subscriptions.delivered("a", Seq(3));
        assert!(subscriptions.is_beyond("a", Seq(2)));
        subscriptions.ended("a");
        assert!(!subscriptions.is_beyond("a", Seq(2)));
    }
}
