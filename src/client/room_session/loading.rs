//! How a room's rows come: older ones when they are asked for, and the newest ones when the log cannot be
//! followed.

use super::super::backoff::Backoff;
use super::super::browser;
use super::super::conversation::Item;
use super::super::timeline::{Applied, Generation};
use super::{Older, RoomSession};
use crate::api;
use crate::domain::Seq;
use crate::protocol::{ErrorBody, ErrorCode, Event, Page};
use leptos::prelude::*;
use leptos::task::spawn_local;

impl RoomSession {
    pub(super) fn load(self, state: RwSignal<Older>, before: Seq) {
        if !matches!(state.get_untracked(), Older::More | Older::Failed) {
            return;
        }
        let asked = self.update(|room| {
            let asked = room.timeline.expect_older();
            (asked, room.slug.clone())
        });
        let Some((asked, slug)) = asked else { return };
        state.set(Older::Loading);
        spawn_local(async move {
            let answer = api::older_rows(slug, before).await;
            state.try_set(Older::More);
            match answer {
                Ok(page) => self.put_older(asked, before, page),
                Err(error) => self.older_failed(state, asked, error.code),
            }
        });
    }

    /// The log cannot be followed from the timeline's head: starts over from the newest page, which
    /// has to reach `head`.
    pub(in super::super) fn reload(self, head: Seq) {
        let begun = self.update(|room| {
            room.timeline.expect_newest();
            let begun = room.reload_to.is_none();
            room.reload_to = Some(room.reload_to.map_or(head, |before| before.max(head)));
            begun
        });
        if begun == Some(true) {
            spawn_local(self.fetch_newest());
        }
    }

    async fn fetch_newest(self) {
        let mut backoff = Backoff::default();
        while let Some(slug) = self.slug() {
            match self.newest_and_read(slug.clone()).await {
                Ok((newest, read)) => match self.put_newest(newest, read) {
                    Fetched::Enough => return,
                    Fetched::TooOld => {}
                },
                Err(error) if self.session.ended_by(error.code) => return,
                Err(error) if matches!(error.code, ErrorCode::NotFound | ErrorCode::Forbidden) => {
                    return self.session.end_room(&slug);
                }
                Err(_) => {}
            }
            browser::sleep_ms(backoff.next_ms(browser::jitter()).max(250)).await;
        }
    }

    /// The newest page, and after it the page that a reader above it is looking at: in this order, so
    /// that no change falls between them.
    async fn newest_and_read(self, slug: String) -> Result<(Page, Option<Page>), ErrorBody> {
        let newest = api::open_room(slug.clone()).await?.page;
        let reading = self.reading_until();
        let is_older = |until: &Seq| newest.rows.first().is_some_and(|first| *until < first.seq);
        match reading.filter(is_older) {
            Some(until) => {
                let read = api::older_rows(slug, until.next()).await?;
                Ok((newest, Some(read)))
            }
            None => Ok((newest, None)),
        }
    }

    /// The last of the rows to be loaded for a reader above the end: some way below the one that is
    /// looked at.
    fn reading_until(self) -> Option<Seq> {
        let key = self.update(|room| room.reading.clone()).flatten()?;
        let seq = match untrack(|| self.item(&key)).as_deref()? {
            Item::Message(message) => message.seq?,
            Item::Notice(notice) => notice.seq,
            Item::Task(task) => task.seq,
            Item::Day(_) | Item::Seam(_) => return None,
        };
        self.update(|room| room.timeline.some_way_below(seq))
    }

    fn put_newest(self, mut page: Page, mut read: Option<Page>) -> Fetched {
        let told = [Some(&mut page), read.as_mut()].into_iter().flatten();
        let told = told.flat_map(|page| std::mem::take(&mut page.progress)).collect();
        let put = self.update(|room| {
            let same_history = page.epoch == room.timeline.epoch();
            if same_history && room.reload_to.is_some_and(|head| page.head < head) {
                return None;
            }
            room.reload_to = None;
            let applied = room.timeline.replace_around(page, read);
            let rows: Vec<Event> = room.timeline.rows().map(|row| Event::clone(row)).collect();
            Some((applied, room.slug.clone(), room.timeline.head(), rows))
        });
        let Some(Some((applied, slug, head, rows))) = put else { return Fetched::TooOld };
        self.session.settle(&slug, &rows, head);
        self.note_progress(told);
        self.show_older();
        // It stands with a new seam as with none before.
        if self.missing.try_get_untracked() != Some(Older::Loading) {
            self.missing.try_set(Older::More);
        }
        self.changed();
        if matches!(applied, Applied::Hole) {
            self.session.refill(self);
        }
        Fetched::Enough
    }

    fn put_older(self, asked: Generation, before: Seq, mut page: Page) {
        self.note_progress(std::mem::take(&mut page.progress));
        let same_history = self.update(|room| {
            let same = room.timeline.epoch() == page.epoch;
            room.timeline.prepend(asked, before, page);
            same
        });
        self.show_older();
        self.changed();
        if same_history == Some(false) {
            self.reload(Seq::ZERO);
        }
    }

    fn older_failed(self, state: RwSignal<Older>, asked: Generation, code: ErrorCode) {
        self.update(|room| room.timeline.give_up_older(asked));
        if !self.session.ended_by(code) {
            state.try_set(Older::Failed);
        }
    }

    pub(super) fn show_older(self) {
        if self.older.try_get_untracked() == Some(Older::Loading) {
            return;
        }
        if let Some(has_older) = self.update(|room| room.timeline.has_older()) {
            self.older.set(if has_older { Older::More } else { Older::Beginning });
        }
    }
}

/// Whether a fetched page reaches as far as it has to.
enum Fetched {
    Enough,
    TooOld,
}

#[cfg(test)]
mod tests {
    use super::super::super::session::tests::rendered;
    use super::*;

    #[test]
    fn a_new_seam_does_not_begin_with_the_failure_of_the_one_before() {
        for (before, after) in [(Older::Failed, Older::More), (Older::Loading, Older::Loading)] {
            let (_owner, _session, room) = rendered();
            room.missing.set(before);
            let page = Page { epoch: "e".into(), head: Seq(9), rows: Vec::new(), older: false, progress: Vec::new() };
            room.put_newest(page, None);
            assert_eq!(room.missing().get_untracked(), after);
        }
    }
}
