//! Where a connection stands in each room that it follows.

use crate::domain::{RoomId, Seq, Slug};
use tokio::time::Instant;

/// Where a connection stands in a room's log.
///
/// `at` is the last event it was given; `head` the newest it should be given. `at < head` means
/// *behind*: pushing stops and the connection reads the log until the two meet again. Joining,
/// resuming, a full queue and a lost notice all end up here, and only here.
#[derive(Debug)]
pub struct Cursor {
    pub slug: Slug,
    pub at: Seq,
    pub head: Seq,
    /// Held until the join is answered, so that no event overtakes `joined`.
    pub held: bool,
    /// The log could not be read; it is not tried again before this.
    pub paused: Option<Instant>,
    /// When the others were last told that somebody is typing here.
    pub typed: Option<Instant>,
    /// The version of the room's people that was last shown; 0 before the first.
    pub shown: u64,
}

impl Cursor {
    pub fn new(slug: Slug, after: Seq) -> Cursor {
        Cursor { slug, at: after, head: Seq::ZERO, held: true, paused: None, typed: None, shown: 0 }
    }

    pub fn is_behind(&self) -> bool {
        !self.held && self.at < self.head
    }

    /// It has all that was known to be in the log, and is to be given what comes next at once.
    pub fn is_live(&self) -> bool {
        !self.held && self.at == self.head
    }

    pub fn pause(&self, now: Instant) -> Option<Instant> {
        self.paused.filter(|until| *until > now)
    }
}

/// A room to catch up in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behind {
    pub room: RoomId,
    pub slug: Slug,
    pub at: Seq,
    pub head: Seq,
}

impl Behind {
    pub fn of(room: RoomId, cursor: &Cursor) -> Behind {
        Behind { room, slug: cursor.slug.clone(), at: cursor.at, head: cursor.head }
    }
}
