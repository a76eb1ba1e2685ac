//! The conversation of one room as a fold of its log: a page of rows, then dense events. Pure, and
//! the one place that knows what an event does to a row.
//!
//! For any rows that came from applying events as they were served at any earlier times, applying
//! the rest as it is served now gives what a page read now would show. Applying an event twice
//! changes nothing.

#[cfg(test)]
mod tests;

use crate::domain::{Seq, TaskId};
use crate::protocol::{Event, EventKind, Page, Preview, Previews, TaskStatus};
use std::collections::VecDeque;
use std::sync::Arc;

/// Rows that are kept while the reader is at the end; older ones are fetched again when asked for.
pub const WINDOW_ROWS: usize = 300;

/// Rows that are loaded below the one that a reader is looking at: about a screen.
const ROWS_BELOW: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    epoch: String,
    head: Seq,
    /// Ascending by `seq`, as served: a row carries its newest known body and `rev`.
    rows: VecDeque<Arc<Event>>,
    older: bool,
    /// The first row after a place where rows are missing: those before it were loaded for a reader
    /// above the end when the log could not be followed.
    seam: Option<Seq>,
    awaiting: Awaiting,
    generation: Generation,
}

/// Pages of older rows belong to the newest page that they were asked for after, and to no later one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Generation(u32);

/// Events that arrive while a page is under way are kept until it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Awaiting {
    Nothing,
    /// Pages of older rows, so many: events are applied, and changes to rows that are not here yet are kept.
    Older {
        pages: u32,
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
            seam: None,
            awaiting: Awaiting::Nothing,
            generation: Generation::default(),
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

    /// The task whose card is the row at `seq`.
    pub fn task_at(&self, seq: Seq) -> Option<&TaskId> {
        let index = self.rows.binary_search_by_key(&seq, |row| row.seq).ok()?;
        match &self.rows[index].kind {
            EventKind::Task { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether there are rows before the first one.
    pub fn has_older(&self) -> bool {
        self.older
    }

    /// The row before which some are missing: they are asked for `before` it.
    pub fn seam(&self) -> Option<Seq> {
        self.seam
    }

    /// A row some way below the one at `seq`, so that what a reader sees there fits into one page.
    pub fn some_way_below(&self, seq: Seq) -> Seq {
        let at = self.rows.partition_point(|row| row.seq < seq);
        let below = (at + ROWS_BELOW).min(self.rows.len().saturating_sub(1));
        self.rows.get(below).map_or(seq, |row| row.seq)
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
        if let Awaiting::Older { changes, .. } = &mut self.awaiting {
            changes.extend(events.iter().filter(|event| changes_a_row(event)).cloned());
        }
        self.fold(events)
    }

    /// A page of older rows has been asked for; what is to be brought back with it.
    pub fn expect_older(&mut self) -> Generation {
        match &mut self.awaiting {
            Awaiting::Nothing => self.awaiting = Awaiting::Older { pages: 1, changes: Vec::new() },
            Awaiting::Older { pages, .. } => *pages += 1,
            Awaiting::Newest { .. } => {}
        }
        self.generation
    }

    /// A page of older rows did not come.
    pub fn give_up_older(&mut self, asked: Generation) {
        self.end_older(asked);
    }

    /// One page less is under way: the changes that were kept for it. `None` when it was asked for before the
    /// newest page.
    fn end_older(&mut self, asked: Generation) -> Option<Vec<Event>> {
        let Awaiting::Older { pages, changes } = &mut self.awaiting else { return None };
        if asked != self.generation {
            return None;
        }
        *pages -= 1;
        if *pages > 0 {
            return Some(changes.clone());
        }
        let changes = std::mem::take(changes);
        self.awaiting = Awaiting::Nothing;
        Some(changes)
    }

    /// Puts the page that was asked for `before` a seq in front of that row: the first one, or the one
    /// after the seam. A page that meets no such row any more is dropped.
    pub fn prepend(&mut self, asked: Generation, before: Seq, page: Page) -> Applied {
        let Some(changes) = self.end_older(asked) else { return Applied::Nothing };
        let at_seam = self.seam == Some(before);
        if page.epoch != self.epoch || !(at_seam || self.oldest() == Some(before)) {
            return Applied::Nothing;
        }
        if at_seam {
            self.fill(before, page);
        } else {
            self.older = page.older;
            for row in page.rows.into_iter().rev().filter(|row| row.seq < before) {
                self.rows.push_front(Arc::new(row));
            }
        }
        for change in &changes {
            self.change_row(change);
        }
        Applied::Changed
    }

    /// Rows for the seam, which closes when they reach the row before it.
    fn fill(&mut self, seam: Seq, page: Page) {
        let at = self.rows.partition_point(|row| row.seq < seam);
        let above = at.checked_sub(1).map_or(Seq::ZERO, |last| self.rows[last].seq);
        let closes = !page.older || page.rows.first().is_none_or(|row| row.seq <= above);
        let missing: Vec<Event> = page.rows.into_iter().filter(|row| above < row.seq && row.seq < seam).collect();
        self.seam = missing.first().map(|row| row.seq).filter(|_| !closes);
        for row in missing.into_iter().rev() {
            self.rows.insert(at, Arc::new(row));
        }
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
        self.replace_around(page, None)
    }

    /// Likewise for a reader above the end: `read`, a page of older rows read after the newest one,
    /// stays in front of it, with a seam between them.
    pub fn replace_around(&mut self, page: Page, read: Option<Page>) -> Applied {
        let kept = match std::mem::replace(&mut self.awaiting, Awaiting::Nothing) {
            Awaiting::Newest { kept } => in_order(kept),
            _ => Vec::new(),
        };
        let generation = Generation(self.generation.0.wrapping_add(1));
        *self = Timeline { generation, ..Timeline::from_page(page) };
        if let Some(read) = read.filter(|read| read.epoch == self.epoch) {
            self.keep_reading(read);
        }
        match self.fold(&kept) {
            Applied::Hole => Applied::Hole,
            Applied::Changed | Applied::Nothing => Applied::Changed,
        }
    }

    fn keep_reading(&mut self, read: Page) {
        let Some(first) = self.oldest() else { return };
        let rows: Vec<Event> = read.rows.into_iter().filter(|row| row.seq < first).collect();
        if let Some(last) = rows.last() {
            // Whether something lies between is known once it has been asked for, or where nothing can.
            self.seam = Some(first).filter(|first| last.seq.next() != *first);
            self.older = read.older;
            rows.into_iter().rev().for_each(|row| self.rows.push_front(Arc::new(row)));
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
        let first = self.oldest();
        self.seam = self.seam.filter(|seam| Some(*seam) > first);
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

    /// Rows up to `up_to` are gone, and there are none before those that stay. Whether there were any.
    fn prune(&mut self, up_to: Seq) -> bool {
        let gone = self.rows.partition_point(|row| row.seq <= up_to);
        self.rows.drain(..gone);
        let reached = self.oldest().is_none_or(|oldest| oldest == up_to.next());
        let older = self.older && gone == 0 && !reached;
        let changed = gone > 0 || older != self.older;
        self.older = older;
        self.seam = self.seam.filter(|seam| *seam > up_to);
        changed
    }

    /// Brings a row that is here up to `event`. Whether it was behind.
    fn change_row(&mut self, event: &Event) -> bool {
        if let EventKind::Pruned { up_to } = event.kind {
            return self.prune(up_to);
        }
        match &event.kind {
            EventKind::Posted { deleted: true, .. } => self.change(event.seq, Change::Erase),
            EventKind::Posted { body: Some(body), rev: Some(rev), previews, .. } => {
                let revised = self.change(event.seq, Change::Revise(*rev, body));
                let show = |shown: &Previews| self.change(event.seq, Change::Show(shown.rev, &shown.list));
                previews.as_ref().is_some_and(show) || revised
            }
            EventKind::Edited { target, rev, body: Some(body) } => self.change(*target, Change::Revise(*rev, body)),
            EventKind::Edited { target, body: None, .. } | EventKind::Deleted { target } => {
                self.change(*target, Change::Erase)
            }
            EventKind::Preview { target, rev: Some(rev), list } => self.change(*target, Change::Show(*rev, list)),
            EventKind::Task { rev, status, .. } => self.change(event.seq, Change::Status(*rev, status)),
            EventKind::TaskChanged { target, rev, status } => self.change(*target, Change::Status(*rev, status)),
            _ => false,
        }
    }

    /// Whether the row at `target` is here and was behind.
    fn change(&mut self, target: Seq, change: Change<'_>) -> bool {
        let Ok(index) = self.rows.binary_search_by_key(&target, |row| row.seq) else { return false };
        let behind = change.is_news_to(&self.rows[index]);
        if behind {
            change.carry_out(Arc::make_mut(&mut self.rows[index]));
        }
        behind
    }
}

enum Change<'a> {
    Revise(Seq, &'a str),
    Show(Seq, &'a [Preview]),
    Erase,
    Status(Seq, &'a TaskStatus),
}

impl Change<'_> {
    fn is_news_to(&self, row: &Event) -> bool {
        match (self, &row.kind) {
            (Change::Erase, EventKind::Posted { deleted, .. }) => !deleted,
            (Change::Revise(newer, _), EventKind::Posted { rev, deleted, .. }) => !deleted && *rev < Some(*newer),
            // Those of an earlier body are none of this one.
            (Change::Show(newer, _), EventKind::Posted { rev, deleted, previews, .. }) => {
                !deleted && *rev < Some(*newer) && previews.as_ref().is_none_or(|shown| shown.rev < *newer)
            }
            (Change::Status(newer, _), EventKind::Task { rev, .. }) => rev < newer,
            _ => false,
        }
    }

    fn carry_out(self, row: &mut Event) {
        match (self, &mut row.kind) {
            (Change::Revise(newer, text), EventKind::Posted { body, rev, previews, .. }) => {
                *rev = Some(newer);
                *body = Some(text.to_owned());
                *previews = previews.take().filter(|shown| shown.rev > newer);
            }
            (Change::Show(rev, list), EventKind::Posted { previews, .. }) => {
                *previews = Some(Previews { rev, list: list.to_vec() });
            }
            (Change::Erase, EventKind::Posted { body, rev, deleted, files, previews, .. }) => {
                *rev = None;
                *body = None;
                *previews = None;
                *deleted = true;
                files.clear();
            }
            (Change::Status(newer, told), EventKind::Task { rev, status, .. }) => {
                *rev = newer;
                *status = told.clone();
            }
            _ => {}
        }
    }
}

fn changes_a_row(event: &Event) -> bool {
    event.kind.target().is_some() || matches!(event.kind, EventKind::Pruned { .. })
}

/// Ascending by `seq`. Repeats stay, since one may carry a newer revision: those after the first
/// are folded as seen events. They come nearly in order, and a sort of the library is a kilobyte to load.
fn in_order(events: Vec<Event>) -> Vec<Event> {
    let mut sorted: Vec<Event> = Vec::new();
    for event in events {
        let at = sorted.partition_point(|before| before.seq <= event.seq);
        sorted.insert(at, event);
    }
    sorted
}
