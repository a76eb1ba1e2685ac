//! What waits for one connection: a bounded queue of encoded frames, and a cursor into the log of
//! each room it follows. The hub puts in without waiting, and writes to the socket itself while that
//! takes everything; the connection's task writes the rest.

mod backlog;
mod cursor;
#[cfg(test)]
mod tests;

pub use backlog::Flushed;
pub use cursor::Behind;

use super::attendance::View;
use super::news::Joined;
use super::wire::Wire;
use crate::domain::{RoomId, Seq, Slug};
use crate::protocol::CloseCode;
use crate::server::encode::EventsFrame;
use backlog::Backlog;
use bytes::Bytes;
use cursor::Cursor;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How much may wait before rooms fall behind.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub bytes: usize,
    pub frames: usize,
}

#[derive(Default)]
struct State {
    backlog: Backlog,
    cursors: HashMap<RoomId, Cursor>,
    /// `rooms_changed`, once it is due: telling it twice tells no more.
    rooms_changed: Option<Bytes>,
    close: Option<CloseCode>,
    /// The close frame is on its way: nothing may follow it (RFC 6455, section 5.5.1).
    ended: bool,
}

/// One connection's queue, shared by the hub and the connection's task.
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
    limits: QueueLimits,
}

/// What the connection's task is to do once all that waited is written: catch up, then close.
#[derive(Debug)]
pub struct Work {
    pub behind: Option<Behind>,
    /// When there is more to catch up with that cannot be read now.
    pub resume: Option<Instant>,
    pub close: Option<CloseCode>,
}

/// What came of offering news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// So many events were written, or wait in order.
    Pushed(u64),
    FellBehind,
    /// Not followed, already given, or behind already.
    Nothing,
}

impl Queue {
    pub fn new(limits: QueueLimits) -> Queue {
        Queue { state: Mutex::default(), changed: Notify::new(), limits }
    }

    /// The socket is open: from here on frames leave, `first` before all that came earlier.
    pub fn open<const N: usize>(&self, wire: Arc<dyn Wire>, first: [Bytes; N]) {
        self.lock().backlog.open(wire, first.into_iter());
    }

    /// Live delivery. Gives the connection all that it lacks of a room's news if it is not behind, the
    /// news go on where it stands, and there is space; otherwise remembers the head for the connection
    /// to catch up to. The socket is written to at once while nothing waits for it.
    pub fn offer(&self, room: RoomId, news: &mut Joined<'_>) -> Offered {
        let mut state = self.lock();
        if state.is_closing() {
            return Offered::Nothing;
        }
        let State { backlog, cursors, .. } = &mut *state;
        let head = news.head();
        let Some(cursor) = cursors.get_mut(&room).filter(|cursor| cursor.head < head) else {
            return Offered::Nothing;
        };
        let live = cursor.is_live();
        cursor.head = head;
        if !live {
            return Offered::Nothing;
        }
        // News are of bounded size themselves: to one for whom nothing waits they may go whatever they are.
        let fit = |frames: &&[EventsFrame]| backlog.is_empty() || self.limits.have_space(backlog, frames);
        let frames = news.after(cursor.at).filter(fit);
        let offered = match frames {
            Some(frames) => {
                frames.iter().for_each(|frame| backlog.send(&frame.bytes));
                let events = head.0 - cursor.at.0;
                cursor.at = head;
                Offered::Pushed(events)
            }
            None => Offered::FellBehind,
        };
        // When all of it has left, the connection's task has nothing to do.
        let done = backlog.is_empty() && offered != Offered::FellBehind;
        drop(state);
        if !done {
            self.changed.notify_one();
        }
        offered
    }

    /// The log of a followed room has this head: catch up if it is news.
    pub fn observe_head(&self, room: RoomId, head: Seq) {
        let mut state = self.lock();
        if let Some(cursor) = state.cursors.get_mut(&room)
            && cursor.head < head
        {
            cursor.head = head;
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Answers to the connection's own commands. Their number is bounded by the commands under way, so they are
    /// not dropped. For the connection's task, which flushes before it waits, so that answers that come together
    /// are written together.
    pub fn push(&self, frame: Bytes) {
        let mut state = self.lock();
        if !state.ended {
            state.backlog.push(frame);
        }
    }

    /// Like [`push`](Queue::push), but wakes the connection's task: what others have to say that must not be
    /// dropped, like the end of a subscription. Its amount is bounded by the rooms followed and the pings read.
    pub fn tell(&self, frame: Bytes) {
        self.push(frame);
        self.changed.notify_one();
    }

    /// The last frame of all, a close.
    pub fn end(&self, frame: Bytes) {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.ended, true) {
            state.backlog.push(frame);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// What a client can learn otherwise: taken only while the queue is less than half full. Whether
    /// it was.
    pub fn offer_notice(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        let space = !state.ended && self.limits.have_half(&state.backlog, &frame);
        if space {
            state.backlog.push(frame);
            drop(state);
            self.changed.notify_one();
        }
        space
    }

    /// What is of use for a moment only, about a room: goes to one whose join has been answered, while the queue is
    /// less than half full.
    pub fn offer_fleeting(&self, room: RoomId, frame: &Bytes) {
        let state = self.lock();
        if state.is_open_for(room) && self.limits.have_half(&state.backlog, frame) {
            self.send(state, frame);
        }
    }

    /// Shows who is present in a room to one whose join has been answered, while the queue is less than half full.
    /// `false`: there was no space, and it is to be offered again.
    pub fn offer_view(&self, room: RoomId, view: &View) -> bool {
        let mut state = self.lock();
        if !state.is_open_for(room) {
            return true;
        }
        let State { backlog, cursors, .. } = &mut *state;
        let Some(cursor) = cursors.get_mut(&room) else { return true };
        let Some(frame) = view.after(cursor.shown) else { return true };
        let space = self.limits.have_half(backlog, frame);
        if space {
            cursor.shown = view.version;
            self.send(state, frame);
        }
        space
    }

    /// At once, if nothing waits before it.
    fn send(&self, mut state: MutexGuard<'_, State>, frame: &Bytes) {
        state.backlog.send(frame);
        let done = state.backlog.is_empty();
        drop(state);
        if !done {
            self.changed.notify_one();
        }
    }

    /// Whether others in the room may be told that its reader is typing: they are, at most once in `every`.
    pub fn may_type(&self, room: RoomId, every: Duration) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let Some(cursor) = state.cursors.get_mut(&room).filter(|cursor| !cursor.held) else { return false };
        let may = cursor.typed.is_none_or(|typed| now - typed >= every);
        if may {
            cursor.typed = Some(now);
        }
        may
    }

    /// `frame` is `rooms_changed`. However often it comes, it waits once.
    pub fn rooms_changed(&self, frame: Bytes) {
        self.lock().rooms_changed = Some(frame);
        self.changed.notify_one();
    }

    /// Ends the connection once what is queued has been sent. The first reason stays.
    pub fn close(&self, code: CloseCode) {
        self.lock().close.get_or_insert(code);
        self.changed.notify_one();
    }

    /// Follows a room from `after` on; held until [`release`](Queue::release). `after` is a claim and says
    /// nothing about the head.
    pub fn follow(&self, room: RoomId, slug: Slug, after: Seq) {
        self.lock().cursors.insert(room, Cursor::new(slug, after));
    }

    /// While held: what is before `at` is not wanted.
    pub fn skip_to(&self, room: RoomId, at: Seq) {
        if let Some(cursor) = self.lock().cursors.get_mut(&room) {
            cursor.at = at;
            cursor.head = cursor.head.max(at);
        }
    }

    /// The join was answered with `head`: deliver from here on, catching up first if need be. For the connection's
    /// task, which looks for that before it waits.
    pub fn release(&self, room: RoomId, head: Seq) {
        if let Some(cursor) = self.lock().cursors.get_mut(&room) {
            cursor.held = false;
            cursor.head = cursor.head.max(head);
        }
    }

    /// Sends events that were read of the log, whose head was `head`. Refused if the cursor has moved since
    /// the reading began (left, joined again), and when the connection is about to end.
    pub fn advance(&self, behind: &Behind, frames: &[EventsFrame], head: Seq) -> bool {
        let mut state = self.lock();
        let closing = state.is_closing();
        let State { backlog, cursors, .. } = &mut *state;
        match cursors.get_mut(&behind.room) {
            Some(cursor) if cursor.at == behind.at && !cursor.held && !closing => {
                frames.iter().for_each(|frame| backlog.push(frame.bytes.clone()));
                let to = frames.last().map_or(cursor.at, |frame| frame.last);
                (cursor.at, cursor.paused) = (to, None);
                cursor.head = cursor.head.max(head).max(to);
                true
            }
            _ => false,
        }
    }

    /// The log has nothing for `behind` and ends at `head`, so its reader is sent `gap` and begins anew there.
    /// What was said of the head before does not count any more, only what was said since. Refused like
    /// [`advance`](Queue::advance).
    pub fn jump(&self, behind: &Behind, gap: Bytes, head: Seq) -> bool {
        let mut state = self.lock();
        let closing = state.is_closing();
        let State { backlog, cursors, .. } = &mut *state;
        match cursors.get_mut(&behind.room) {
            Some(cursor) if cursor.at == behind.at && !cursor.held && !closing => {
                backlog.push(gap);
                let news = cursor.head > behind.head;
                (cursor.at, cursor.paused) = (head, None);
                cursor.head = if news { cursor.head.max(head) } else { head };
                true
            }
            _ => false,
        }
    }

    /// The log of one room cannot be read now; the others are not kept waiting for it.
    pub fn pause(&self, room: RoomId, until: Instant) {
        if let Some(cursor) = self.lock().cursors.get_mut(&room) {
            cursor.paused = Some(until);
        }
    }

    /// Nothing more of the room is delivered from the return on. Its slug, if it was followed.
    pub fn unfollow(&self, room: RoomId) -> Option<Slug> {
        self.lock().cursors.remove(&room).map(|cursor| cursor.slug)
    }

    /// Also while the join is not answered.
    pub fn follows(&self, room: RoomId) -> bool {
        self.lock().cursors.contains_key(&room)
    }

    /// What the client calls a followed room.
    pub fn slug(&self, room: RoomId) -> Option<Slug> {
        self.lock().cursors.get(&room).map(|cursor| cursor.slug.clone())
    }

    /// All rooms followed, in no order.
    pub fn followed(&self) -> Vec<RoomId> {
        self.lock().cursors.keys().copied().collect()
    }

    /// The followed room with this slug.
    pub fn room_named(&self, slug: &str) -> Option<RoomId> {
        self.lock().cursors.iter().find(|(_, cursor)| cursor.slug.as_str() == slug).map(|(room, _)| *room)
    }

    /// The bytes that wait, and whether some room is behind.
    pub fn waiting(&self) -> (usize, bool) {
        let state = self.lock();
        (state.backlog.bytes(), state.cursors.values().any(Cursor::is_behind))
    }

    /// Resolves when something may have changed since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What a [`flush`](Queue::flush) has to get past for all to have left that waits now.
    pub fn mark(&self) -> u64 {
        let mut state = self.lock();
        if let Some(frame) = state.rooms_changed.take().filter(|_| !state.ended) {
            state.backlog.push(frame);
        }
        state.backlog.mark()
    }

    /// Writes what waits, as far as the socket takes it now.
    pub fn flush(&self, mark: u64) -> Flushed {
        self.lock().backlog.flush(mark)
    }

    /// What is to be done once the queue was flushed: frames pushed later for a room that is behind cannot
    /// exist, so flushing first and then reading the log keeps each room in order.
    pub fn take(&self) -> Work {
        let state = self.lock();
        let now = Instant::now();
        let late = state.cursors.iter().filter(|(_, cursor)| cursor.is_behind());
        let behind = late.clone().find(|(_, cursor)| cursor.pause(now).is_none());
        let behind = behind.map(|(room, cursor)| Behind::of(*room, cursor));
        let resume = late.filter_map(|(_, cursor)| cursor.pause(now)).min();
        Work { behind, resume, close: state.close }
    }

    /// Sections are short and leave the state whole even if one panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The reader has no right to more, or has been told that there is no more.
    fn is_closing(&self) -> bool {
        self.close.is_some() || self.ended
    }

    /// The reader follows the room, and has been told so.
    fn is_open_for(&self, room: RoomId) -> bool {
        !self.is_closing() && self.cursors.get(&room).is_some_and(|cursor| !cursor.held)
    }
}

impl QueueLimits {
    fn have_space(&self, backlog: &Backlog, frames: &[EventsFrame]) -> bool {
        let bytes: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
        backlog.bytes() + bytes <= self.bytes && backlog.frames() + frames.len() <= self.frames
    }

    /// Whether it is less than half full with one more frame.
    fn have_half(&self, backlog: &Backlog, frame: &Bytes) -> bool {
        (backlog.bytes() + frame.len()) * 2 <= self.bytes && backlog.frames() * 2 < self.frames
    }
}
