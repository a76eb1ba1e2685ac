//! How commands of the reader reach the server: written into the outbox, kept by the browser, sent
//! in order, acknowledged or refused.

use super::super::browser;
use super::super::conversation::Delay;
use super::super::keeping::{Keeping, Then, Told};
use super::super::outbox::{Command, Entry, EntryState, Kept};
use super::{Core, Link, Session};
use crate::domain::{BodyError, Key, MessageBody, Seq};
use crate::protocol::{Event, Refused};
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Milliseconds between two looks at the time that is left, to count the seconds down.
const COUNT_MS: i64 = 1_000;
/// What is written is held back so many milliseconds at most for what an earlier page left behind.
const LOOK_FOR_MS: u32 = 2_000;

/// What the interface asks.
impl Session {
    /// How many commands the server has not acknowledged; followed.
    pub fn unsent_count(self) -> u32 {
        self.with_unsent(|entries| entries.iter().filter(|entry| entry.is_unsent()).count() as u32)
    }

    /// The room of the first command that cannot go on by itself; followed.
    pub fn stuck_room(self) -> Option<String> {
        self.with_unsent(|entries| entries.iter().find(|entry| entry.is_stuck()).map(|entry| entry.room.clone()))
    }

    /// What was to be said in a room that can be opened no more, as far as it may go: a deletion says
    /// nothing. Followed.
    pub fn unsaid_in(self, slug: &str) -> Vec<String> {
        let unsaid = |entry: &&Entry| entry.room == slug && entry.may_go();
        let text = |entry: &Entry| entry.command.body().unwrap_or_default().to_owned();
        self.with_unsent(|entries| entries.iter().filter(unsaid).map(text).collect())
    }

    /// Takes back whatever may go of a room.
    pub fn discard_in(self, slug: &str) {
        let keys = self.update(|core| {
            let keys: Vec<String> = core.outbox.of(slug).map(|entry| entry.key.as_str().to_owned()).collect();
            keys
        });
        keys.into_iter().flatten().for_each(|key| drop(self.take_back(&key)));
    }

    fn with_unsent<T>(self, read: impl FnOnce(&[Entry]) -> T) -> T {
        self.outbox_revision.track();
        self.core.with_value(|core| read(core.outbox.entries()))
    }

    /// The browser refused to keep a command: what is unsent lives as long as the page.
    pub fn keeps_nothing(self) -> Signal<bool> {
        self.keeps_nothing.into()
    }

    /// Sends what failed or was asked about.
    pub fn send_again(self, key: &str) {
        let now = browser::now_ms();
        let again = self.update(|core| {
            let entry = core.outbox.retry(key, now)?;
            core.keep(entry, Then::Nothing);
            Some(())
        });
        if again.flatten().is_some() {
            self.send_waiting();
        }
    }

    /// Takes a command back that may go.
    pub fn take_back(self, key: &str) -> Option<Command> {
        let command = self.update(|core| {
            let command = core.outbox.discard(key)?;
            core.forget(Key::parse(key).ok());
            Some(command)
        });
        self.outbox_changed();
        command.flatten()
    }
}

impl Session {
    /// A text as a message may have it.
    pub(in super::super) fn body(self, text: &str) -> Result<String, BodyError> {
        let max_bytes = self.core.with_value(|core| core.body_bytes);
        MessageBody::parse(text, max_bytes).map(|body| body.as_str().to_owned())
    }

    /// Puts a command into the outbox, keeps it, and sends it if it can be sent. `epoch` is the history
    /// of its target.
    pub(in super::super) fn command(self, room: String, epoch: String, command: Command) {
        let (key, now) = (browser::random_key(), browser::now_ms());
        self.update(|core| {
            let outdated = core.outbox.take_outdated(&room, &epoch, &command);
            core.forget(outdated);
            let at = core.outbox.time(now);
            let (state, kept) = (EntryState::Waiting, Kept::No);
            core.outbox.put(Entry { key: key.clone(), room, command, at, epoch, sent: false, state, kept });
        });
        self.send_waiting();
        // As it is now: what is sent at once is never kept as unsent.
        self.update(|core| {
            if let Some(entry) = core.outbox.entry(key.as_str()).cloned() {
                core.keep(entry, Then::Nothing);
            }
        });
    }

    /// Sends what waits, and comes back when a refusal has been waited out.
    pub(in super::super) fn send_waiting(self) {
        let wait = self.update(|core| {
            // Before the rest: if the wait ends in between, somebody has to come back.
            let held = core.outbox.hold_until(browser::now_ms).is_some();
            for entry in core.take_sendable(browser::now_ms) {
                core.send(&entry);
            }
            let wait = held && !core.waits_to_send;
            core.waits_to_send |= wait;
            wait
        });
        self.outbox_changed();
        if wait == Some(true) {
            spawn_local(self.wait_to_send());
        }
    }

    async fn wait_to_send(self) {
        while let Some(left_ms) = self.held_ms() {
            browser::sleep_ms(left_ms.min(COUNT_MS) as u32).await;
            self.outbox_changed();
        }
        if self.update(|core| core.waits_to_send = false).is_some() {
            self.send_waiting();
        }
    }

    /// Milliseconds for which a refusal is still waited out; `None` too when the page is gone.
    fn held_ms(self) -> Option<i64> {
        let until = self.core.try_with_value(|core| core.outbox.hold_until(browser::now_ms)).flatten()?;
        Some((until - browser::now_ms()).max(0))
    }

    /// What unsent commands wait for, followed.
    pub(in super::super) fn delay(self) -> Delay {
        self.outbox_revision.track();
        match (self.held_ms(), self.link.get()) {
            (Some(left_ms), _) => Delay::Server(left_ms.saturating_add(COUNT_MS - 1) as u32 / COUNT_MS as u32),
            (None, Link::Connecting | Link::Live) => Delay::Nothing,
            (None, _) => Delay::Connection,
        }
    }

    /// Takes out of the outbox what `events` of the room, and all up to `head`, show to be in its log.
    pub(in super::super) fn settle(self, room: &str, events: &[Event], head: Seq) {
        let settled = self.update(|core| {
            let keys = core.outbox.settle(room, core.reader.id, events);
            let any = !keys.is_empty();
            keys.into_iter().for_each(|key| core.forget(Some(key)));
            any | core.outbox.settle_up_to(room, head)
        });
        if settled == Some(true) {
            self.send_waiting();
        }
    }

    pub(super) fn on_ack(self, key: &str, seq: Seq) {
        self.update(|core| {
            let room = core.outbox.ack(key, seq)?;
            core.forget(Key::parse(key).ok());
            let shown = core.open_rooms(&room).iter().filter_map(|room| room.place()).map(|place| place.head).min();
            core.outbox.settle_up_to(&room, shown.unwrap_or(seq));
            Some(())
        });
        self.send_waiting();
    }

    pub(super) fn on_command_refused(self, refused: &Refused) {
        let (now, jitter) = (browser::now_ms(), browser::jitter());
        let known = self.update(|core| {
            core.outbox.refuse(refused, now, jitter)?;
            let entry = core.outbox.entry(refused.key.as_deref()?).filter(|entry| entry.is_stuck()).cloned();
            // So that it does not go again by itself after a reload.
            entry.into_iter().for_each(|entry| core.keep(entry, Then::Nothing));
            Some(())
        });
        if known.flatten().is_some() {
            self.ended_by(refused.code);
            self.send_waiting();
        }
    }

    /// Finds commands whose tabs are gone. This tab stays the owner of its own, unless another has taken
    /// them over while it was put aside.
    pub(super) fn look_for_left_behind(self) {
        self.update(|core| {
            if let Some(keeping) = &core.keeping {
                if core.outbox.is_unsent() {
                    keeping.stay();
                }
                keeping.find(core.outbox.kept());
            }
        });
    }

    pub(super) fn on_told(self, told: Told) {
        match told {
            Told::Kept { key, then } => self.on_kept(&key, Kept::Yes, then),
            Told::NotKept { key, then } => {
                self.on_kept(&key, Kept::No, then);
                self.keeps_nothing.try_set(true);
            }
            Told::Taken(key) => {
                self.update(|core| core.outbox.leave(&key));
                self.send_waiting();
            }
            Told::Found(entries) => {
                self.update(|core| {
                    entries.into_iter().for_each(|entry| core.outbox.put(entry));
                });
                self.has_looked();
            }
        }
    }

    /// Nothing older is to be expected any more.
    fn has_looked(self) {
        if self.update(|core| core.has_looked = true).is_some() {
            self.send_waiting();
        }
    }

    fn on_kept(self, key: &Key, kept: Kept, then: Then) {
        self.update(|core| {
            core.outbox.set_kept(key.as_str(), kept);
            let entry = core.outbox.entry(key.as_str()).filter(|entry| entry.state == EntryState::InFlight);
            if let (Then::Send, Some(entry)) = (then, entry) {
                core.send_all([entry.frame()]);
            }
        });
        self.outbox_changed();
    }

    fn outbox_changed(self) {
        self.outbox_revision.try_update(|revision| *revision += 1);
    }
}

impl Core {
    /// `entry` is as it was before it counted as sent.
    fn send(&mut self, entry: &Entry) {
        if entry.sent || entry.kept == Kept::No {
            self.send_all([entry.frame()]);
        } else {
            self.keep(Entry { sent: true, ..entry.clone() }, Then::Send);
        }
    }

    fn keep(&mut self, entry: Entry, then: Then) {
        if let Some(keeping) = &self.keeping {
            self.outbox.set_kept(entry.key.as_str(), Kept::Soon);
            keeping.put(entry, then);
        }
    }

    /// It is in the log, or taken back.
    fn forget(&mut self, key: Option<Key>) {
        if let (Some(keeping), Some(key)) = (&self.keeping, key) {
            keeping.remove(key);
            if !self.outbox.is_unsent() {
                keeping.go();
            }
        }
    }
}

/// Starts keeping, for the account that reads.
pub(super) fn keep(session: Session) -> impl Future<Output = ()> + 'static {
    let account = crate::domain::UserId(session.reader().id);
    let (keeping, task) = Keeping::new(account, move |told| session.on_told(told));
    session.update(|core| core.keeping = Some(keeping));
    session.look_for_left_behind();
    spawn_local(async move {
        browser::sleep_ms(LOOK_FOR_MS).await;
        session.has_looked();
    });
    task
}
