//! What the session knows, apart from signals: room list, read positions, outboxes, connection.

use super::super::company::Company;
use super::super::connection::Connection;
use super::super::keeping::Keeping;
use super::super::outbox::{Entry, Outbox};
use super::super::read_position::ReadPositions;
use super::super::room_list::{RoomList, cursor};
use super::super::room_session::RoomSession;
use super::super::subscriptions::{Subscriptions, Wanted};
use crate::api::AppStart;
use crate::protocol::{Author, ClientFrame, RoomSummary};

pub(in super::super) struct Core {
    pub reader: Author,
    /// Bytes of UTF-8 in a message.
    pub body_bytes: usize,
    pub epoch: String,
    pub list: RoomList,
    /// Whether the list's heads belong to `epoch`.
    pub list_is_current: bool,
    pub read: ReadPositions,
    /// Read positions are about to be told.
    pub tells_soon: bool,
    /// Of all rooms: what was written in one is sent after its page is left.
    pub outbox: Outbox,
    /// Waits for a refusal of the outbox to be over.
    pub waits_to_send: bool,
    /// From `start` on.
    pub keeping: Option<Keeping>,
    /// Whether what earlier pages left behind is in the outbox: it goes before what is new.
    pub has_looked: bool,
    pub open: Vec<RoomSession>,
    pub company: Company,
    /// How often the reader's typing is told; 0 before that is known.
    pub typing_every_ms: u32,
    /// How long that of others is shown.
    pub typing_shown_ms: u32,
    /// Unix milliseconds when it was last told.
    pub typed_at: i64,
    /// How far the browser's clock is ahead of the server's, in milliseconds; 0 before that is known.
    pub ahead_ms: i64,
    /// From `start` on.
    pub connection: Option<Connection>,
    /// While the connection is live.
    pub subscriptions: Option<Subscriptions>,
    /// The room that the reader asked to leave.
    pub leaving: Option<String>,
    /// Unix milliseconds since when the connection is not live.
    pub lost_at: Option<i64>,
    refresh: Refresh,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresh {
    Idle,
    UnderWay,
    /// Asked for again while under way: what comes may be too old.
    Again,
}

impl Core {
    pub fn new(start: &AppStart) -> Core {
        let reader = Author { id: start.me.id, name: start.me.name.clone() };
        Core {
            list: RoomList::new(&reader, start.rooms.clone()),
            reader,
            body_bytes: start.body_bytes as usize,
            epoch: start.epoch.clone(),
            list_is_current: true,
            read: ReadPositions::default(),
            tells_soon: false,
            outbox: Outbox::default(),
            waits_to_send: false,
            keeping: None,
            has_looked: false,
            open: Vec::new(),
            company: Company::default(),
            typing_every_ms: 0,
            typing_shown_ms: 0,
            typed_at: 0,
            ahead_ms: 0,
            connection: None,
            subscriptions: None,
            leaving: None,
            lost_at: None,
            refresh: Refresh::Idle,
        }
    }

    /// The open rooms with this slug: more than one only while pages change over.
    pub fn open_rooms(&self, slug: &str) -> Vec<RoomSession> {
        self.open.iter().filter(|room| room.is(slug)).copied().collect()
    }

    pub fn send_all(&self, frames: impl IntoIterator<Item = ClientFrame>) {
        let Some(connection) = &self.connection else { return };
        frames.into_iter().for_each(|frame| connection.send(frame));
    }

    /// The open rooms first, then all that the reader is a member of.
    pub fn wanted(&self) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for place in self.open.iter().filter_map(|room| room.place()) {
            let comparable = self.list_is_current && place.epoch == self.epoch;
            let counted = self.list.room(&place.slug).and_then(cursor).filter(|_| comparable);
            let after = counted.map_or(place.head, |counted| counted.min(place.head));
            wanted.push(Wanted { room: place.slug, after: Some(after), epoch: place.epoch });
        }
        for room in self.list.rooms() {
            if room.member && !wanted.iter().any(|wanted| wanted.room == room.slug) {
                let after = cursor(room).filter(|_| self.list_is_current);
                wanted.push(Wanted { room: room.slug.clone(), after, epoch: self.epoch.clone() });
            }
        }
        wanted
    }

    /// What of the outbox is to be sent now; none without a connection, nor before what is left behind
    /// has been looked for.
    pub fn take_sendable(&mut self, now: fn() -> i64) -> Vec<Entry> {
        if self.subscriptions.is_none() || !self.has_looked {
            return Vec::new();
        }
        self.outbox.take_sendable(now(), &self.epoch)
    }

    /// Positions in rooms that the reader is no member of are nobody's business.
    pub fn tell_read_positions(&mut self) {
        self.tells_soon = false;
        if self.subscriptions.is_none() {
            return;
        }
        let untold = self.read.take_untold();
        let member = |slug: &str| self.list.room(slug).is_some_and(|room| room.member);
        let frames = untold.into_iter().filter(|(room, _)| member(room));
        self.send_all(frames.map(|(room, seq)| ClientFrame::Read { room, seq }));
    }

    /// Whether the list has to be fetched now; otherwise it will be, again.
    pub fn begin_refresh(&mut self) -> bool {
        let idle = self.refresh == Refresh::Idle;
        if idle {
            self.list.expect();
        }
        self.refresh = if idle { Refresh::UnderWay } else { Refresh::Again };
        idle
    }

    /// Takes the fetched list. Whether it has to be fetched again.
    pub fn end_refresh(&mut self, rooms: Vec<RoomSummary>) -> bool {
        let again = self.refresh == Refresh::Again;
        self.list.replace(rooms, &self.read);
        self.list_is_current = true;
        self.refresh = if again { Refresh::UnderWay } else { Refresh::Idle };
        if again {
            self.list.expect();
        }
        again
    }

    /// The room leaves the list. Whether it was listed, and the pages that show it.
    pub fn end_room(&mut self, slug: &str) -> (bool, Vec<RoomSession>) {
        if let Some(subscriptions) = &mut self.subscriptions {
            subscriptions.ended(slug);
        }
        (self.list.remove(slug), self.open_rooms(slug))
    }
}
