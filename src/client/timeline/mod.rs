//! The conversation of one room as a fold of its log: a page of rows, then dense events. Pure, and
//! the one place that knows what an event does to a row.
//!
//! For any rows that came from applying events as they were served at any earlier times, applying
//! the rest as it is served now gives what a page read now would show. Applying an event twice
//! changes nothing.

#[cfg(test)]
mod tests;

use crate::domain::Seq;
use crate::protocol::{Event, EventKind, Page};
use std::collections::VecDeque;
use std::sync::Arc;

/// Rows that are kept while the reader is at the end; older ones are fetched again when asked for.
pub const WINDOW_ROWS: usize = 300;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    epoch: String,
    head: Seq,
    /// Ascending by `seq`, as served: a row carries its newest known body and `rev`.
    rows: VecDeque<Arc<Event>>,
    older: bool,
    awaiting: Awaiting,
}

/// Events that arrive while a page is under way are kept until it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Awaiting {
    Nothing,
    /// Older rows: events are applied, and changes to rows that are not here yet are kept.
    Older {
        changes: Vec<Event>,
    },
    /// The newest rows, after a gap: everything is kept, nothing applied.
    Newest {
        kept: Vec<Event>,
    },
}

/// What events did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    Changed,
    Nothing,
    /// The event after the head should have come; what follows it was not applied.
    Hole,
}

impl Timeline {
    pub fn from_page(page: Page) -> Timeline {
        Timeline {
            epoch: page.epoch,
            head: page.head,
            rows: page.rows.into_iter().map(Arc::new).collect(),
            older: page.older,
            awaiting: Awaiting::Nothing,
        }
    }

    /// The history that the seqs belong to.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Everything up to here has been applied.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Ascending by `seq`.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &Arc<Event>> {
        self.rows.iter()
    }

    /// Whether there are rows before the first one.
    pub fn has_older(&self) -> bool {
        self.older
    }

    /// The first row: older ones are asked for `before` it.
    pub fn oldest(&self) -> Option<Seq> {
        self.rows.front().map(|row| row.seq)
    }

    /// Applies events in order. They have to follow the head without a hole; those at or before it
    /// only bring newer revisions.
    pub fn apply(&mut self, events: &[Event]) -> Applied {
        if let Awaiting::Newest { kept } = &mut self.awaiting {
            kept.extend_from_slice(events);
            return Applied::Nothing;
        }
        if let Awaiting::Older { changes } = &mut self.awaiting {
            changes.extend(events.iter().filter(|event| changes_a_row(event)).cloned());
        }
        self.fold(events)
    }

    /// Older rows have been asked for.
    pub fn expect_older(&mut self) {
        if self.awaiting == Awaiting::Nothing {
            self.awaiting = Awaiting::Older { changes: Vec::new() };
        }
    }

    /// The older rows did not come.
    pub fn give_up_older(&mut self) {
        if matches!(self.awaiting, Awaiting::Older { .. }) {
            self.awaiting = Awaiting::Nothing;
        }
    }

    /// Puts the page that was asked for `before` a seq in front. A page that does not meet the first
    /// row any more is dropped.
    pub fn prepend(&mut self, before: Seq, page: Page) -> Applied {
        let Awaiting::Older { changes } = &mut self.awaiting else { return Applied::Nothing };
        let changes = std::mem::take(changes);
        self.awaiting = Awaiting::Nothing;
        if self.oldest() != Some(before) || page.epoch != self.epoch {
            return Applied::Nothing;
        }
        self.older = page.older;
        for row in page.rows.into_iter().rev().filter(|row| row.seq < before) {
            self.rows.push_front(Arc::new(row));
        }
        for change in &changes {
            self.change_row(change);
        }
        Applied::Changed
    }

    /// The log cannot be followed from here: events are kept until the newest page has come.
    pub fn expect_newest(&mut self) {
        if !matches!(self.awaiting, Awaiting::Newest { .. }) {
            self.awaiting = Awaiting::Newest { kept: Vec::new() };
        }
    }

    /// Starts over from the newest page and applies what was kept. They may have come in any order
    /// and more than once.
    pub fn replace(&mut self, page: Page) -> Applied {
        let kept = match std::mem::replace(&mut self.awaiting, Awaiting::Nothing) {
            Awaiting::Newest { kept } => in_order(kept),
            _ => Vec::new(),
        };
        *self = Timeline::from_page(page);
        match self.fold(&kept) {
            Applied::Hole => Applied::Hole,
            Applied::Changed | Applied::Nothing => Applied::Changed,
        }
    }

    /// Lets the oldest rows beyond [`WINDOW_ROWS`] go. Not while the reader looks at them, nor
    /// while older ones are under way. Whether any went.
    pub fn trim(&mut self) -> bool {
        let surplus = self.rows.len().saturating_sub(WINDOW_ROWS);
        if surplus == 0 || self.awaiting != Awaiting::Nothing {
            return false;
        }
        self.rows.drain(..surplus);
        self.older = true;
        true
    }

    fn fold(&mut self, events: &[Event]) -> Applied {
        let mut changed = false;
        for event in events {
            if event.seq > self.head.next() {
                return Applied::Hole;
            }
            let new = event.seq == self.head.next();
            if new {
                self.head = event.seq;
            }
            if new && event.kind.makes_row() {
                self.rows.push_back(Arc::new(event.clone()));
                changed = true;
            } else {
                changed |= self.change_row(event);
            }
        }
        if changed { Applied::Changed } else { Applied::Nothing }
    }

    /// Brings a row that is here up to `event`. Whether it was behind.
    fn change_row(&mut self, event: &Event) -> bool {
        let (target, change) = match &event.kind {
            EventKind::Posted { deleted: true, .. } => (event.seq, Change::Erase),
            EventKind::Posted { body: Some(body), rev: Some(rev), .. } => (event.seq, Change::Revise(*rev, body)),
            EventKind::Edited { target, rev, body: Some(body) } => (*target, Change::Revise(*rev, body)),
            EventKind::Edited { target, body: None, .. } | EventKind::Deleted { target } => (*target, Change::Erase),
            _ => return false,
        };
        let Ok(index) = self.rows.binary_search_by_key(&target, |row| row.seq) else { return false };
        let EventKind::Posted { rev, deleted, .. } = &self.rows[index].kind else { return false };
        let behind = match change {
            Change::Erase => !deleted,
            Change::Revise(newer, _) => !deleted && *rev < Some(newer),
        };
        if behind {
            change.carry_out(Arc::make_mut(&mut self.rows[index]));
        }
        behind
    }
}

enum Change<'a> {
    Revise(Seq, &'a str),
    Erase,
}

impl Change<'_> {
    fn carry_out(self, row: &mut Event) {
        let EventKind::Posted { body, rev, deleted, .. } = &mut row.kind else { return };
        match self {
            Change::Revise(newer, text) => {
                *rev = Some(newer);
                *body = Some(text.to_owned());
            }
            Change::Erase => {
                *rev = None;
                *body = None;
                *deleted = true;
            }
        }
    }
}

fn changes_a_row(event: &Event) -> bool {
    matches!(event.kind, EventKind::Edited { .. } | EventKind::Deleted { .. })
}

/// Ascending by `seq`. Repeats stay, since one may carry a newer revision: those after the first
/// are folded as seen events.
fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_unstable_by_key(|event| event.seq);
    events
}
