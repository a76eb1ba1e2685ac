//! One open room: timeline and outbox joined into what the room page shows, and the verbs a reader has.

mod loading;
mod view;

use self::view::View;
use super::browser;
use super::conversation::Item;
use super::outbox::Command;
use super::session::Session;
use super::subscriptions::Wanted;
use super::task_progress::ProgressBoard;
use super::timeline::{Applied, Timeline};
use crate::api::RoomStart;
use crate::domain::{BodyError, Progress, Seq, TaskId};
use crate::protocol::{Attached, Event, EventKind, TaskProgress};
use leptos::prelude::*;
use std::sync::Arc;

/// How it stands with rows that are not here: those above the oldest one, or those before the seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// There is more; `load_older` or `load_missing` fetches it.
    More,
    Loading,
    /// Fetching failed; the same tries again.
    Failed,
    /// The conversation begins here: above the oldest row only.
    Beginning,
}

#[derive(Clone, Copy)]
pub struct RoomSession {
    session: Session,
    room: StoredValue<Room>,
    view: Memo<Arc<View>>,
    /// Counts the changes of the timeline.
    revision: RwSignal<u64>,
    older: RwSignal<Older>,
    /// Of the rows before the seam.
    missing: RwSignal<Older>,
    revoked: RwSignal<bool>,
    progress: RwSignal<ProgressBoard>,
}

struct Room {
    slug: String,
    timeline: Timeline,
    /// While the newest page is being fetched: the head it has to reach.
    reload_to: Option<Seq>,
    /// The reader is at the end, but the page is not in front.
    seen_waits: bool,
    /// The row that a reader above the end is looking at.
    reading: Option<Arc<str>>,
    /// The history in which the reader chose the message to change.
    chosen_in: String,
}

/// How far a room has been followed.
pub(super) struct Place {
    pub slug: String,
    pub head: Seq,
    pub epoch: String,
    /// The newest page is under way: the head is about to jump.
    pub reloading: bool,
}

impl Place {
    pub fn wanted(self) -> Wanted {
        Wanted { room: self.slug, after: Some(self.head), epoch: self.epoch }
    }
}

/// The same room of the same page.
impl PartialEq for RoomSession {
    fn eq(&self, other: &RoomSession) -> bool {
        self.room == other.room
    }
}

impl RoomSession {
    pub(super) fn new(session: Session, mut start: RoomStart) -> RoomSession {
        let mut board = ProgressBoard::default();
        board.note(std::mem::take(&mut start.page.progress));
        let older = RwSignal::new(if start.page.older { Older::More } else { Older::Beginning });
        let timeline = Timeline::from_page(start.page);
        let room = StoredValue::new(Room {
            slug: start.room.slug,
            chosen_in: timeline.epoch().to_owned(),
            timeline,
            reload_to: None,
            seen_waits: false,
            reading: None,
        });
        let revision = RwSignal::new(0);
        let view = Memo::new(move |before: Option<&Arc<View>>| {
            revision.track();
            Arc::new(View::of(session, room, before.map(Arc::as_ref)))
        });
        let missing = RwSignal::new(Older::More);
        let (revoked, progress) = (RwSignal::new(false), RwSignal::new(board));
        RoomSession { session, room, view, revision, older, missing, revoked, progress }
    }

    /// Reads everything in the conversation, in order, and follows it.
    pub fn with_items<T>(self, read: impl FnOnce(&[Arc<Item>]) -> T) -> T {
        self.view.with(|view| read(&view.list))
    }

    /// The keys of all items, in order, followed. A key stays when a pending row is confirmed.
    pub fn keys(self) -> Vec<Arc<str>> {
        self.with_items(|items| items.iter().map(|item| Arc::clone(item.key())).collect())
    }

    /// One item by its key, followed.
    pub fn item(self, key: &str) -> Option<Arc<Item>> {
        self.view.with(|view| view.by_key.get(key).cloned())
    }

    pub fn older(self) -> Signal<Older> {
        self.older.into()
    }

    /// Fetches a page of rows before the first one. Nothing happens while one is under way, or at
    /// the beginning.
    pub fn load_older(self) {
        if let Some(Some(before)) = self.update(|room| room.timeline.oldest()) {
            self.load(self.older, before);
        }
    }

    /// How it stands with the rows that are missing in the middle.
    pub fn missing(self) -> Signal<Older> {
        self.missing.into()
    }

    /// Fetches rows that are missing in the middle, before the row at `before`, likewise.
    pub fn load_missing(self, before: Seq) {
        self.load(self.missing, before);
    }

    /// Shows the row as pending at once and sends it when the connection can. An error leaves the
    /// text with the caller.
    pub fn post(self, text: &str, files: Vec<Attached>) -> Result<(), BodyError> {
        let body = match self.session.body(text) {
            Err(BodyError::Empty) if !files.is_empty() => String::new(),
            body => body?,
        };
        self.command(Command::Post { body, files });
        Ok(())
    }

    /// The reader has chosen a message to edit or erase: its seq is of the history that is shown now.
    /// After a restore the change is refused, and does not reach another message.
    pub fn chose(self) {
        self.update(|room| room.chosen_in = room.timeline.epoch().to_owned());
    }

    /// Gives the reader's own message at `target` another text, at once here and for all when the
    /// connection can. An error leaves the text with the caller.
    pub fn edit(self, target: Seq, text: &str) -> Result<(), BodyError> {
        let body = self.session.body(text)?;
        self.command(Command::Edit { target, body });
        Ok(())
    }

    /// Erases the reader's own message at `target`, likewise.
    pub fn erase(self, target: Seq) {
        self.command(Command::Delete { target });
    }

    pub fn session(self) -> Session {
        self.session
    }

    /// The history that is shown; blank once the room may not be seen any more.
    pub fn epoch(self) -> String {
        self.place().map_or_else(String::new, |place| place.epoch)
    }

    /// The reader sees the end of the conversation: moves the read position to the head. To be
    /// called again whenever rows have come and the end is still in sight, whether or not the page
    /// is in front: it waits until it is. Rows far above are let go.
    pub fn seen_to_end(self) {
        let visible = browser::is_visible();
        let seen = self.update(|room| {
            room.seen_waits = !visible;
            (room.timeline.trim(), room.slug.clone(), room.timeline.head())
        });
        let Some((trimmed, slug, head)) = seen else { return };
        if trimmed {
            self.show_older();
            self.changed();
        }
        if visible {
            self.session.see(&slug, head);
        }
    }

    /// The row that the reader is looking at; none at the end. What is loaded anew keeps it.
    pub fn reads(self, row: Option<&str>) {
        self.update(|room| room.reading = row.map(Arc::from));
    }

    /// How far a running task is that has its card here, followed.
    pub fn progress_of(self, task: &TaskId) -> Option<Progress> {
        self.progress.with(|board| board.of(task).cloned())
    }

    /// The reader may no longer see the room.
    pub fn revoked(self) -> Signal<bool> {
        self.revoked.into()
    }
}

/// What the session tells a room.
impl RoomSession {
    pub(super) fn is(self, slug: &str) -> bool {
        self.room.try_with_value(|room| room.slug == slug) == Some(true)
    }

    /// `None` when the room is not to be followed any more.
    pub(super) fn place(self) -> Option<Place> {
        if self.revoked.try_get_untracked() != Some(false) {
            return None;
        }
        self.room.try_with_value(|room| Place {
            slug: room.slug.clone(),
            head: room.timeline.head(),
            epoch: room.timeline.epoch().to_owned(),
            reloading: room.reload_to.is_some(),
        })
    }

    /// Events of another history start the room over.
    pub(super) fn apply(self, epoch: &str, events: &[Event]) {
        let applied = self.update(|room| {
            let same = room.timeline.epoch() == epoch || room.reload_to.is_some();
            same.then(|| room.timeline.apply(events))
        });
        if applied == Some(None) {
            return self.reload(Seq::ZERO);
        }
        let changed: Vec<TaskId> = self.update(|room| changed_tasks(&room.timeline, events)).unwrap_or_default();
        if !changed.is_empty() {
            self.progress.try_update(|board| changed.iter().for_each(|task| board.forget(task)));
        }
        match applied.flatten() {
            Some(Applied::Changed) => self.changed(),
            Some(Applied::Hole) => {
                self.changed();
                self.session.refill(self);
            }
            Some(Applied::Nothing) | None => {}
        }
    }

    /// The tasks say how far they are.
    pub(super) fn note_progress(self, told: Vec<TaskProgress>) {
        if !told.is_empty() {
            self.progress.try_update(|board| board.note(told));
        }
    }

    /// What is shown is made anew.
    fn changed(self) {
        self.revision.try_update(|revision| *revision += 1);
    }

    pub(super) fn revoke(self) {
        self.revoked.try_set(true);
    }

    pub(super) fn seen_if_it_waited(self) {
        if self.room.try_with_value(|room| room.seen_waits) == Some(true) {
            self.seen_to_end();
        }
    }

    fn command(self, command: Command) {
        if let Some((room, epoch)) = self.update(|room| (room.slug.clone(), room.chosen_in.clone())) {
            self.session.command(room, epoch, command);
        }
    }

    fn slug(self) -> Option<String> {
        self.room.try_with_value(|room| room.slug.clone())
    }

    /// Works on the state. `None` when the page has gone.
    fn update<T>(self, change: impl FnOnce(&mut Room) -> T) -> Option<T> {
        self.room.try_update_value(change)
    }
}

/// The tasks whose cards the events change.
fn changed_tasks(timeline: &Timeline, events: &[Event]) -> Vec<TaskId> {
    let target = |event: &Event| matches!(event.kind, EventKind::TaskChanged { .. }).then(|| event.kind.target());
    let changed = events.iter().filter_map(|event| timeline.task_at(target(event)??));
    changed.cloned().collect()
}
