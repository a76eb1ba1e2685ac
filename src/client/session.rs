//! The app's live state: one per tab, given to the UI as context. Making it does no I/O, so the
//! server renders from it too; `start` opens the socket and is called from an effect.

use super::room_session::RoomSession;
use super::zone::Zone;
use crate::api::{AppStart, RoomStart};
use crate::protocol::RoomSummary;
use leptos::prelude::*;

/// What the connection indicator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not yet live for the first time: say nothing.
    Connecting,
    Live,
    /// Lost; trying again.
    Reconnecting,
    /// The browser says there is no network.
    Offline,
    /// The session ended: the page is about to go to sign-in.
    SignedOut,
}

#[derive(Clone, Copy)]
pub struct Session {}

impl Session {
    /// Makes the session from what the page brought and provides it as context.
    pub fn provide(_start: &AppStart) -> Session {
        todo!()
    }

    pub fn expect() -> Session {
        todo!()
    }

    /// Opens the live socket and keeps it open. In the browser only; once.
    pub fn start(self) {
        todo!()
    }

    pub fn link(self) -> Signal<Link> {
        todo!()
    }

    /// The room list, with unread counts that move live.
    pub fn rooms(self) -> Signal<Vec<RoomSummary>> {
        todo!()
    }

    /// Where the reader is in time, for wording days and times.
    pub fn zone(self) -> Signal<Zone> {
        todo!()
    }

    /// Unix milliseconds that "today" is measured from; moves at midnight.
    pub fn now(self) -> Signal<i64> {
        todo!()
    }

    /// Posts by others that wait in all joined rooms, for the title.
    pub fn unread_total(self) -> Signal<u32> {
        todo!()
    }

    /// Fetches the room list again (after a change made here).
    pub fn refresh_rooms(self) {
        todo!()
    }

    /// Begins to follow a room from the page's head. Dropped with the owner that called it.
    pub fn open(self, _start: RoomStart) -> RoomSession {
        todo!()
    }
}
