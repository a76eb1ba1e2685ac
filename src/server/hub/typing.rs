//! Who is typing, told to the others in a room: fleeting, so whoever has no space for it does not get it.

use super::{Connection, Hub};
use crate::domain::{RoomId, UserId};
use crate::protocol::ServerFrame;
use crate::server::channel_layer::Typing;
use crate::server::encode;
use std::time::Duration;

/// When and to how many.
#[derive(Clone, Copy)]
pub struct TypingLimits {
    pub every: Duration,
    /// Accounts in a room beyond which nobody is told.
    pub people: usize,
}

impl Connection {
    /// The followed room of this slug, if the others there are to be told now that its reader is typing. A
    /// client's clock is not ours, so it may be twice as quick as it was told.
    pub fn types_in(&self, slug: &str) -> Option<RoomId> {
        let room = self.queue().room_named(slug)?;
        (self.hub().is_small(room) && self.queue().may_type(room, self.hub().0.typing.every / 2)).then_some(room)
    }
}

impl Hub {
    /// Tells everybody here who follows the room, but not the typist.
    pub(super) fn tell_typing(&self, typing: &Typing) {
        let Typing { room, slug, by } = typing;
        if !self.is_small(*room) {
            return;
        }
        let others = self.registry().others(*room, UserId(by.id));
        let frame = encode::frame(&ServerFrame::Typing { room: slug.to_string(), user: by.clone() });
        others.iter().for_each(|queue| queue.offer_fleeting(*room, &frame));
    }

    /// Whether so few are there that they are told of each other.
    fn is_small(&self, room: RoomId) -> bool {
        let people = self.0.typing.people;
        self.attendance().present(room) <= people && self.registry().is_followed_by_at_most(room, people)
    }
}
