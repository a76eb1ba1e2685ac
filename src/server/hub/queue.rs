//! What waits for one connection: a bounded queue of encoded frames, and a cursor into the log of
//! each room it follows. The hub puts in without waiting; the connection's task takes out.

use crate::domain::{RoomId, Seq, Slug};
use crate::protocol::CloseCode;
use crate::server::encode::EventsFrame;
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How much may wait before rooms fall behind.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub bytes: usize,
    pub frames: usize,
}

/// Where a connection stands in a room's log.
///
/// `at` is the last event it was given; `head` the newest it should be given. `at < head` means
/// *behind*: pushing stops and the connection reads the log until the two meet again. Joining,
/// resuming, a full queue and a lost notice all end up here, and only here.
#[derive(Debug)]
struct Cursor {
    slug: Slug,
    at: Seq,
    head: Seq,
    /// Held until the join is answered, so that no event overtakes `joined`.
    held: bool,
    /// The log could not be read; it is not tried again before this.
    paused: Option<Instant>,
}

impl Cursor {
    fn is_behind(&self) -> bool {
        !self.held && self.at < self.head
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

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Bytes>,
    bytes: usize,
    cursors: HashMap<RoomId, Cursor>,
    /// `rooms_changed`, once it is due: telling it twice tells no more.
    rooms_changed: Option<Bytes>,
    close: Option<CloseCode>,
}

/// One connection's queue, shared by the hub and the connection's task.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    changed: Notify,
    limits: QueueLimits,
}

/// What the connection's task is to do: write `frames`, then catch up, then close.
#[derive(Debug)]
pub struct Work {
    pub frames: VecDeque<Bytes>,
    pub behind: Option<Behind>,
    /// When there is more to catch up with that cannot be read now.
    pub resume: Option<Instant>,
    pub close: Option<CloseCode>,
}

/// What came of offering a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    Pushed,
    FellBehind,
    /// Not followed, already given, or behind already.
    Nothing,
}

impl Queue {
    pub fn new(limits: QueueLimits) -> Queue {
        Queue { state: Mutex::default(), changed: Notify::new(), limits }
    }

    /// Live delivery. Pushes if the frame is the very next of a room that is not behind and there
    /// is space; otherwise remembers the head for the connection to catch up to.
    pub fn offer(&self, room: RoomId, frame: &EventsFrame) -> Offered {
        let mut state = self.lock();
        let space = state.bytes + frame.bytes.len() <= self.limits.bytes && state.frames.len() < self.limits.frames;
        let Some(cursor) = state.cursors.get_mut(&room) else { return Offered::Nothing };
        if frame.last <= cursor.head {
            return Offered::Nothing;
        }
        let live = !cursor.held && cursor.at == cursor.head;
        cursor.head = frame.last;
        if live && space && frame.first == cursor.at.next() {
            cursor.at = frame.last;
            state.bytes += frame.bytes.len();
            state.frames.push_back(frame.bytes.clone());
        }
        let behind = state.cursors.get(&room).is_some_and(|cursor| cursor.at < cursor.head);
        drop(state);
        self.changed.notify_one();
        match (live, behind) {
            (true, true) => Offered::FellBehind,
            (true, false) => Offered::Pushed,
            (false, _) => Offered::Nothing,
        }
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

    /// Answers to the connection's own commands, and what ends one of its subscriptions. Their number
    /// is bounded by the commands under way and the rooms followed, so they are not dropped.
    pub fn push(&self, frame: Bytes) {
        let mut state = self.lock();
        state.bytes += frame.len();
        state.frames.push_back(frame);
        drop(state);
        self.changed.notify_one();
    }

    /// What a client can learn otherwise: taken only while the queue is less than half full. Whether
    /// it was.
    pub fn offer_notice(&self, frame: Bytes) -> bool {
        let mut state = self.lock();
        let space = (state.bytes + frame.len()) * 2 <= self.limits.bytes && state.frames.len() * 2 < self.limits.frames;
        if space {
            state.bytes += frame.len();
            state.frames.push_back(frame);
            drop(state);
            self.changed.notify_one();
        }
        space
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
        let cursor = Cursor { slug, at: after, head: Seq::ZERO, held: true, paused: None };
        self.lock().cursors.insert(room, cursor);
    }

    /// While held: what is before `at` is not wanted.
    pub fn skip_to(&self, room: RoomId, at: Seq) {
        if let Some(cursor) = self.lock().cursors.get_mut(&room) {
            cursor.at = at;
            cursor.head = cursor.head.max(at);
        }
    }

    /// The join was answered with `head`: deliver from here on, catching up first if need be.
    pub fn release(&self, room: RoomId, head: Seq) {
        if let Some(cursor) = self.lock().cursors.get_mut(&room) {
            cursor.held = false;
            cursor.head = cursor.head.max(head);
        }
        self.changed.notify_one();
    }

    /// Events up to `to` were sent from the log, whose head was `head`. `from` is where the reading
    /// began: if the cursor moved since (left, joined again), this is not news and is refused.
    pub fn advance(&self, behind: &Behind, to: Seq, head: Seq) -> bool {
        match self.lock().cursors.get_mut(&behind.room) {
            Some(cursor) if cursor.at == behind.at && !cursor.held => {
                (cursor.at, cursor.paused) = (to, None);
                cursor.head = cursor.head.max(head).max(to);
                true
            }
            _ => false,
        }
    }

    /// The log has nothing for `behind` and ends at `head`, so its reader begins anew there. What was said
    /// of the head before does not count any more, only what was said since. Refused like
    /// [`advance`](Queue::advance).
    pub fn jump(&self, behind: &Behind, head: Seq) -> bool {
        match self.lock().cursors.get_mut(&behind.room) {
            Some(cursor) if cursor.at == behind.at && !cursor.held => {
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

    /// All rooms followed, in no order.
    pub fn followed(&self) -> Vec<RoomId> {
        self.lock().cursors.keys().copied().collect()
    }

    /// The followed room with this slug.
    pub fn room_named(&self, slug: &str) -> Option<RoomId> {
        self.lock().cursors.iter().find(|(_, cursor)| cursor.slug.as_str() == slug).map(|(room, _)| *room)
    }

    /// Resolves when something may have changed since the last call.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes all that is to be done now, as one step: frames pushed later for a room that is behind
    /// cannot exist, so writing `frames` first and then reading the log keeps each room in order.
    pub fn take(&self) -> Work {
        let mut state = self.lock();
        state.bytes = 0;
        let mut frames = std::mem::take(&mut state.frames);
        frames.extend(state.rooms_changed.take());
        let now = Instant::now();
        let paused = |cursor: &Cursor| cursor.paused.filter(|until| *until > now);
        let late = state.cursors.iter().filter(|(_, cursor)| cursor.is_behind());
        let behind = late.clone().find(|(_, cursor)| paused(cursor).is_none());
        let resume = late.filter_map(|(_, cursor)| paused(cursor)).min();
        let behind = behind.map(|(room, cursor)| Behind {
            room: *room,
            slug: cursor.slug.clone(),
            at: cursor.at,
            head: cursor.head,
        });
        Work { frames, behind, resume, close: state.close }
    }

    /// Sections are short and leave the state whole even if one panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const ROOM: RoomId = RoomId(1);

    fn queue(frames: usize) -> Queue {
        let queue = Queue::new(QueueLimits { bytes: 1_000, frames });
        queue.follow(ROOM, Slug::parse("general").unwrap(), Seq(0));
        queue
    }

    fn frame(first: u64, last: u64) -> EventsFrame {
        EventsFrame { first: Seq(first), last: Seq(last), bytes: Bytes::from(format!("{first}-{last}")) }
    }

    #[test]
    fn a_notice_is_taken_while_there_is_space_for_more_than_it() {
        let queue = queue(4);
        assert!(queue.offer_notice(Bytes::from("one")));
        assert!(queue.offer_notice(Bytes::from("two")));
        assert!(!queue.offer_notice(Bytes::from("three")));
        assert_eq!(queue.take().frames, ["one", "two"]);
        assert!(!queue.offer_notice(Bytes::from(vec![b' '; 501])));
    }

    #[test]
    fn the_next_event_is_pushed_and_a_seen_one_ignored() {
        let queue = queue(10);
        queue.release(ROOM, Seq(0));
        assert_eq!(queue.offer(ROOM, &frame(1, 2)), Offered::Pushed);
        assert_eq!(queue.offer(ROOM, &frame(2, 2)), Offered::Nothing);
        assert_eq!(queue.offer(ROOM, &frame(3, 3)), Offered::Pushed);
        let work = queue.take();
        assert_eq!(work.frames, ["1-2", "3-3"]);
        assert_eq!(work.behind, None);
    }

    #[test]
    fn nothing_is_delivered_before_the_join_is_answered() {
        let queue = queue(10);
        assert_eq!(queue.offer(ROOM, &frame(1, 1)), Offered::Nothing);
        let work = queue.take();
        assert_eq!((work.frames.len(), work.behind), (0, None));
        queue.release(ROOM, Seq(0));
        assert_eq!(queue.take().behind.map(|behind| (behind.at, behind.head)), Some((Seq(0), Seq(1))));
    }

    #[test]
    fn a_jump_falls_behind_and_live_delivery_resumes_after_catching_up() {
        let queue = queue(10);
        queue.release(ROOM, Seq(0));
        assert_eq!(queue.offer(ROOM, &frame(2, 2)), Offered::FellBehind);
        assert_eq!(queue.offer(ROOM, &frame(3, 3)), Offered::Nothing);
        let behind = queue.take().behind.unwrap();
        assert_eq!((behind.at, behind.head), (Seq(0), Seq(3)));
        assert!(queue.advance(&behind, Seq(3), Seq(3)));
        assert_eq!(queue.offer(ROOM, &frame(4, 4)), Offered::Pushed);
    }

    #[test]
    fn a_full_queue_falls_behind_instead_of_growing() {
        let queue = queue(1);
        queue.release(ROOM, Seq(0));
        assert_eq!(queue.offer(ROOM, &frame(1, 1)), Offered::Pushed);
        assert_eq!(queue.offer(ROOM, &frame(2, 2)), Offered::FellBehind);
        let work = queue.take();
        assert_eq!(work.frames.len(), 1);
        assert_eq!(work.behind.map(|behind| behind.at), Some(Seq(1)), "the log is read from where the queue ends");
    }

    #[test]
    fn a_head_that_the_log_does_not_have_is_given_up_with_one_gap() {
        let queue = queue(10);
        queue.release(ROOM, Seq(90));
        queue.observe_head(ROOM, Seq(101));
        let behind = queue.take().behind.unwrap();
        assert!(queue.jump(&behind, Seq(90)));
        assert_eq!(queue.take().behind, None);
        queue.observe_head(ROOM, Seq(95));
        let behind = queue.take().behind.unwrap();
        queue.observe_head(ROOM, Seq(96));
        assert!(queue.jump(&behind, Seq(90)), "what was offered during the read counts");
        assert_eq!(queue.take().behind.map(|behind| behind.head), Some(Seq(96)));
    }

    #[test]
    fn a_room_that_cannot_be_read_does_not_hold_up_the_others() {
        let queue = queue(10);
        let other = RoomId(2);
        queue.follow(other, Slug::parse("other").unwrap(), Seq(0));
        queue.release(ROOM, Seq(1));
        queue.release(other, Seq(1));
        let until = Instant::now() + Duration::from_secs(3_600);
        for (broken, readable) in [(ROOM, other), (other, ROOM)] {
            queue.pause(broken, until);
            queue.pause(readable, Instant::now());
            let work = queue.take();
            assert_eq!((work.behind.map(|behind| behind.room), work.resume), (Some(readable), Some(until)));
        }
    }

    #[test]
    fn rooms_changed_waits_once_however_often_it_comes() {
        let queue = queue(10);
        for _ in 0..1_000 {
            queue.rooms_changed(Bytes::from_static(b"rooms_changed"));
        }
        assert_eq!(queue.take().frames, ["rooms_changed"]);
        assert!(queue.take().frames.is_empty());
    }

    #[test]
    fn what_was_read_for_an_earlier_join_does_not_move_the_new_cursor() {
        let queue = queue(10);
        queue.release(ROOM, Seq(5));
        let behind = queue.take().behind.unwrap();
        queue.follow(ROOM, Slug::parse("general").unwrap(), Seq(3));
        assert!(!queue.advance(&behind, Seq(5), Seq(5)));
    }
}
