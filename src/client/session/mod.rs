//! The app's live state: one per tab, given to the UI as context. Making it does no I/O, so the
//! server renders from it too; `start` opens the socket and is called from an effect.

mod company;
mod frames;
mod page;
mod sending;
mod state;
#[cfg(test)]
pub(super) mod tests;

use self::state::Core;
use super::browser;
pub use super::room_list::unread_total;
use super::room_session::RoomSession;
use super::uploads::Upload;
use super::zone::Zone;
use crate::api::{self, AppStart, RoomStart};
use crate::domain::Seq;
use crate::protocol::{Author, ErrorCode, RoomSummary};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Milliseconds from telling the server what was seen to telling it more.
const READ_AFTER_MS: u32 = 1_000;

/// What the connection indicator says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Not yet live for the first time: say nothing.
    Connecting,
    Live,
    /// Lost; trying again.
    Reconnecting,
    /// The server has too many connections; trying again after so many seconds.
    Crowded {
        seconds: u32,
    },
    /// The browser says there is no network.
    Offline,
    /// The server does not want this client back; only a new page helps.
    Stopped,
    /// The session ended: the page is about to go to sign-in.
    SignedOut,
}

#[derive(Clone, Copy)]
pub struct Session {
    core: StoredValue<Core>,
    link: RwSignal<Link>,
    rooms: RwSignal<Vec<RoomSummary>>,
    zone: RwSignal<Zone>,
    now: RwSignal<i64>,
    unread_total: Memo<u32>,
    /// Counts the changes of the outbox.
    outbox_revision: RwSignal<u64>,
    keeps_nothing: RwSignal<bool>,
    /// Counts the changes of who is present and typing.
    company_revision: RwSignal<u64>,
    /// Of all rooms.
    uploads: RwSignal<Vec<Upload>>,
}

impl Session {
    /// Makes the session from what the page brought and provides it as context.
    pub fn provide(start: &AppStart) -> Session {
        let rooms = RwSignal::new(start.rooms.clone());
        let session = Session {
            core: StoredValue::new(Core::new(start)),
            link: RwSignal::new(Link::Connecting),
            rooms,
            zone: RwSignal::new(Zone::Fixed { utc_offset_min: start.utc_offset_min }),
            now: RwSignal::new(start.now),
            unread_total: Memo::new(move |_| rooms.with(|rooms| unread_total(rooms))),
            outbox_revision: RwSignal::new(0),
            keeps_nothing: RwSignal::new(false),
            company_revision: RwSignal::new(0),
            uploads: RwSignal::new(Vec::new()),
        };
        provide_context(session);
        session
    }

    pub fn expect() -> Session {
        expect_context()
    }

    /// Opens the live socket and keeps it open, as long as the owner it is called under lives. In
    /// the browser only (from an effect of the app's root); once.
    pub fn start(self) {
        page::start(self);
    }

    /// The signed-in account.
    pub fn reader(self) -> Author {
        self.core.with_value(|core| core.reader.clone())
    }

    pub fn link(self) -> Signal<Link> {
        self.link.into()
    }

    /// The room list, with unread counts that move live.
    pub fn rooms(self) -> Signal<Vec<RoomSummary>> {
        self.rooms.into()
    }

    /// Where the reader is in time, for wording days and times.
    pub fn zone(self) -> Signal<Zone> {
        self.zone.into()
    }

    /// Unix milliseconds that "today" is measured from; moves at midnight.
    pub fn now(self) -> Signal<i64> {
        self.now.into()
    }

    /// What the server's clock says about now, in Unix milliseconds. In the browser only.
    pub fn server_now(self) -> i64 {
        browser::now_ms() - self.update(|core| core.ahead_ms).unwrap_or_default()
    }

    /// Files for messages that are being written, in whatever room.
    pub(super) fn uploads(self) -> RwSignal<Vec<Upload>> {
        self.uploads
    }

    /// Posts by others that wait in all joined rooms, for the title.
    pub fn unread_total(self) -> Signal<u32> {
        self.unread_total.into()
    }

    /// Fetches the room list again (after a change made here).
    pub fn refresh_rooms(self) {
        if self.update(Core::begin_refresh) == Some(true) {
            spawn_local(self.fetch_rooms());
        }
    }

    /// The reader is about to leave the room, or cannot: its end is no surprise then.
    pub fn expect_to_leave(self, slug: Option<String>) {
        self.update(|core| core.leaving = slug);
    }

    /// Whether the reader asked to leave the room.
    pub fn is_leaving(self, slug: &str) -> bool {
        self.core.with_value(|core| core.leaving.as_deref() == Some(slug))
    }

    /// Begins to follow a room from the page's head. Dropped with the owner that called it.
    pub fn open(self, start: RoomStart) -> RoomSession {
        let slug = start.room.slug.clone();
        let room = RoomSession::new(self, start);
        let started = self.update(|core| {
            core.open.push(room);
            core.leaving = None;
            core.connection.is_some().then(|| core.list.room(&slug).is_some())
        });
        on_cleanup(move || self.close(room));
        if let Some(Some(listed)) = started {
            self.catch_up(room);
            self.follow();
            if !listed {
                self.refresh_rooms();
            }
        }
        room
    }

    fn close(self, room: RoomSession) {
        self.update(|core| core.open.retain(|open| *open != room));
        self.follow();
    }

    /// Works on the state. `None` when the page that owned it is gone.
    pub(super) fn update<T>(self, change: impl FnOnce(&mut Core) -> T) -> Option<T> {
        self.core.try_update_value(change)
    }

    fn is_gone(self) -> bool {
        self.core.try_with_value(|_| ()).is_none()
    }

    fn publish_rooms(self) {
        if let Some(rooms) = self.update(|core| core.list.rooms().to_vec()) {
            self.rooms.set(rooms);
        }
    }

    /// The list may have changed while it was on its way: then it is asked for again.
    async fn fetch_rooms(self) {
        let mut backoff = super::backoff::Backoff::default();
        loop {
            match api::rooms().await {
                Ok(rooms) => {
                    let again = self.update(|core| core.end_refresh(rooms));
                    if again.is_none() {
                        return;
                    }
                    self.publish_rooms();
                    self.follow();
                    if again != Some(true) {
                        return;
                    }
                }
                Err(error) if error.code == ErrorCode::Unauthenticated => return self.sign_out(),
                Err(_) => browser::sleep_ms(backoff.next_ms(browser::jitter()).max(500)).await,
            }
            if self.is_gone() {
                return;
            }
        }
    }

    /// Has the connection deliver the rooms that should be, and no others.
    fn follow(self) {
        self.update(|core| {
            let wanted = core.wanted();
            let frames = core.subscriptions.as_mut().map(|subscriptions| subscriptions.follow(wanted));
            core.send_all(frames.unwrap_or_default());
        });
    }

    /// Asks for what the room's timeline has missed, if the connection is beyond it already.
    fn catch_up(self, room: RoomSession) {
        self.update(|core| {
            let Some(place) = room.place() else { return };
            let Some(subscriptions) = &mut core.subscriptions else { return };
            if !place.reloading && subscriptions.is_beyond(&place.slug, place.head) {
                let frames = subscriptions.rejoin(place.wanted());
                core.send_all(frames);
            }
        });
    }

    fn sign_out(self) {
        if self.link.get_untracked() != Link::SignedOut {
            self.link.set(Link::SignedOut);
            self.sleep();
            browser::go_to_sign_in();
        }
    }
}

/// What an open room asks of the session.
impl Session {
    /// The reader has seen the room up to `head`.
    pub(super) fn see(self, slug: &str, head: Seq) {
        let seen = self.update(|core| {
            let cleared = core.list.clear_unread(slug);
            let moved = core.read.see(slug, head);
            (cleared, moved && !std::mem::replace(&mut core.tells_soon, true))
        });
        let Some((cleared, tell_soon)) = seen else { return };
        if cleared {
            self.publish_rooms();
        }
        if tell_soon {
            // The first at once, because the page may be left at any moment and a closing page's
            // frames get lost; then as many as gather.
            self.update(Core::tell_read_positions);
            self.update(|core| core.tells_soon = true);
            spawn_local(async move {
                browser::sleep_ms(READ_AFTER_MS).await;
                self.update(Core::tell_read_positions);
            });
        }
    }

    /// The timeline of an open room has a hole: delivers again from its head.
    pub(super) fn refill(self, room: RoomSession) {
        self.update(|core| {
            let Some(place) = room.place() else { return };
            let frames = core.subscriptions.as_mut().map(|subscriptions| subscriptions.rejoin(place.wanted()));
            core.send_all(frames.unwrap_or_default());
        });
    }

    /// The reader may no longer see the room.
    pub(super) fn end_room(self, slug: &str) {
        let Some((listed, open)) = self.update(|core| core.end_room(slug)) else { return };
        if listed {
            self.publish_rooms();
        }
        for room in open {
            room.revoke();
        }
    }

    /// Goes to sign-in if that is what the code asks for. Whether it does.
    pub(super) fn ended_by(self, code: ErrorCode) -> bool {
        if code == ErrorCode::Unauthenticated {
            self.sign_out();
        }
        code == ErrorCode::Unauthenticated
    }
}
