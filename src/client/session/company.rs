//! Who else is there, and who is typing: what the room pages show of it, and what the reader's own typing tells.

use super::super::browser;
use super::super::company::Presence;
use super::Session;
use crate::protocol::{Author, ClientFrame, Event, EventKind};
use leptos::prelude::*;
use leptos::task::spawn_local;

impl Session {
    /// How many are present in the room, once that is known; followed.
    pub fn present(self, slug: &str) -> Option<u32> {
        self.company_revision.track();
        self.core.with_value(|core| core.company.count(slug))
    }

    /// Whether somebody is, as far as they are named; followed.
    pub fn is_present(self, slug: &str, user: i64) -> bool {
        self.company_revision.track();
        self.core.with_value(|core| core.company.is_present(slug, user))
    }

    /// Reads the names of those who are typing in the room; followed.
    pub fn with_typing<T>(self, slug: &str, read: impl FnOnce(&[&str]) -> T) -> T {
        self.company_revision.track();
        self.core.with_value(|core| read(&core.company.typing(slug)))
    }

    /// The reader is at work on a message: the others are told, as often as they should be.
    pub fn types(self, slug: &str) {
        let now = browser::now_ms();
        self.update(|core| {
            let every = i64::from(core.typing_every_ms);
            // A clock that was set back must not silence it.
            if every > 0 && !(0..every).contains(&(now - core.typed_at)) {
                core.typed_at = now;
                core.send_all([ClientFrame::Typing { room: slug.to_owned() }]);
            }
        });
    }

    pub(super) fn on_presence(self, slug: &str, presence: Presence) {
        self.update(|core| core.company.changed(slug, presence));
        self.company_changed();
    }

    pub(super) fn on_typing(self, slug: &str, user: Author) {
        let shown_ms = self.update(|core| {
            core.company.types(slug, user, browser::now_ms() + i64::from(core.typing_shown_ms));
            core.typing_shown_ms
        });
        self.company_changed();
        spawn_local(async move {
            browser::sleep_ms(shown_ms.unwrap_or_default()).await;
            self.let_typing_go(browser::now_ms(), "", &[]);
        });
    }

    /// Whoever has posted in the room is not typing any more, nor is whose time was over at `now`.
    pub(super) fn let_typing_go(self, now: i64, slug: &str, events: &[Event]) {
        let posted = |user| {
            let by = |event: &Event| matches!(&event.kind, EventKind::Posted { author, .. } if author.id == user);
            events.iter().any(by)
        };
        if self.update(|core| core.company.let_go(now, |room, user| room == slug && posted(user))) == Some(true) {
            self.company_changed();
        }
    }

    fn company_changed(self) {
        self.company_revision.try_update(|revision| *revision += 1);
    }
}
