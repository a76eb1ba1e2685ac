mod examples;

use super::*;
use crate::domain::FileId;
use crate::protocol::{Attached, Author};
use proptest::prelude::*;
use proptest::sample::Index;

/// What a room's members did, one step per event.
#[derive(Clone, Debug)]
enum Step {
    Post,
    /// Of some earlier message, if there is one that is not erased.
    Edit(Index),
    Delete(Index),
    Preview(Index),
    Join,
    Foreign,
}

/// A log, and how it is served after so many of its events have happened.
#[derive(Clone, Debug)]
struct History {
    log: Vec<EventKind>,
}

impl History {
    fn of(steps: &[Step]) -> History {
        let mut log: Vec<EventKind> = Vec::new();
        for step in steps {
            let alive = alive_messages(&log);
            let pick = |index: &Index| (!alive.is_empty()).then(|| alive[index.index(alive.len())]);
            let seq = Seq(log.len() as u64 + 1);
            log.push(match step {
                Step::Post => post(seq),
                Step::Join => EventKind::Joined { member: author() },
                Step::Foreign => EventKind::Unknown,
                Step::Edit(index) => match pick(index) {
                    Some(target) => EventKind::Edited { target, rev: seq, body: Some(body_at(target, seq)) },
                    None => post(seq),
                },
                Step::Delete(index) => match pick(index) {
                    Some(target) => EventKind::Deleted { target },
                    None => post(seq),
                },
                Step::Preview(index) => match pick(index) {
                    Some(target) => EventKind::Preview { target, rev: Some(seq), list: list_at(seq) },
                    None => post(seq),
                },
            });
        }
        History { log }
    }

    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// Body and rev of the message at `target` at time `now` (the head then); `None` once erased.
    fn message(&self, target: Seq, now: u64) -> Option<(String, Seq)> {
        let mut newest = Some((body_at(target, target), target));
        for (index, kind) in self.log[..now as usize].iter().enumerate() {
            match kind {
                EventKind::Edited { target: edited, rev, .. } if *edited == target => {
                    newest = Some((body_at(target, *rev), *rev));
                }
                EventKind::Deleted { target: deleted } if *deleted == target && index as u64 >= target.0 => {
                    return None;
                }
                _ => {}
            }
        }
        newest
    }

    /// The previews of the message at `target` at time `now`.
    fn previews(&self, target: Seq, now: u64) -> Option<Previews> {
        let (_, body_rev) = self.message(target, now)?;
        let mut brought = self.log[..now as usize].iter().filter_map(|kind| match kind {
            EventKind::Preview { target: shown, rev: Some(rev), list } if *shown == target => {
                Some(Previews { rev: *rev, list: list.clone() })
            }
            _ => None,
        });
        brought.next_back().filter(|newest| newest.rev > body_rev)
    }

    /// The event at `seq` as it is read when the head is `now`.
    fn served(&self, seq: u64, now: u64) -> Event {
        let kind = match &self.log[seq as usize - 1] {
            EventKind::Posted { key, author, .. } => {
                let (body, rev) = self.message(Seq(seq), now).unzip();
                EventKind::Posted {
                    key: key.clone(),
                    author: author.clone(),
                    deleted: body.is_none(),
                    files: carried(Seq(seq)).into_iter().filter(|_| body.is_some()).collect(),
                    previews: self.previews(Seq(seq), now),
                    body,
                    rev,
                }
            }
            EventKind::Edited { target, rev, .. } => {
                let newest = self.message(*target, now);
                let rev = newest.as_ref().map_or(*rev, |(_, newest)| *newest);
                EventKind::Edited { target: *target, rev, body: newest.map(|(body, _)| body) }
            }
            EventKind::Preview { target, .. } => {
                let (rev, list) = self.previews(*target, now).map(|shown| (shown.rev, shown.list)).unzip();
                EventKind::Preview { target: *target, rev, list: list.unwrap_or_default() }
            }
            other => other.clone(),
        };
        Event { seq: Seq(seq), at: seq as i64, kind }
    }

    fn stretch(&self, after: u64, up_to: u64, now: u64) -> Vec<Event> {
        (after + 1..=up_to).map(|seq| self.served(seq, now)).collect()
    }

    /// The newest `limit` rows before `before`, read when the head is `now`.
    fn page(&self, before: u64, limit: usize, now: u64) -> Page {
        let mut rows = self.stretch(0, (before - 1).min(now), now);
        rows.retain(|event| event.kind.makes_row());
        let cut = rows.len().saturating_sub(limit);
        Page { epoch: "e".into(), head: Seq(now), rows: rows.split_off(cut), older: cut > 0, progress: Vec::new() }
    }

    fn snapshot(&self, now: u64) -> Timeline {
        Timeline::from_page(self.page(now + 1, usize::MAX, now))
    }
}

fn author() -> Author {
    Author { id: 1, name: "민아".into() }
}

/// Every second message carries something.
fn carried(seq: Seq) -> Vec<Attached> {
    let file = |id| Attached { id, name: "a".into(), media_type: "b/c".into(), bytes: 1, width: None, height: None };
    let id = FileId::from_random([seq.0 as u8; 16]);
    if seq.0.is_multiple_of(2) { vec![file(id)] } else { vec![] }
}

fn body_at(target: Seq, rev: Seq) -> String {
    format!("{target} as of {rev}")
}

fn post(seq: Seq) -> EventKind {
    let key = format!("k{seq}");
    EventKind::Posted {
        key,
        author: author(),
        body: Some(body_at(seq, seq)),
        rev: Some(seq),
        deleted: false,
        files: carried(seq),
        previews: None,
    }
}

fn list_at(rev: Seq) -> Vec<Preview> {
    vec![Preview { url: "https://a.example".into(), title: format!("as of {rev}"), ..Preview::default() }]
}

fn alive_messages(log: &[EventKind]) -> Vec<Seq> {
    let erased = |seq: Seq| log.contains(&EventKind::Deleted { target: seq });
    let messages = log.iter().enumerate().filter(|(_, kind)| matches!(kind, EventKind::Posted { .. }));
    messages.map(|(index, _)| Seq(index as u64 + 1)).filter(|seq| !erased(*seq)).collect()
}

fn histories() -> impl Strategy<Value = History> {
    let step = prop_oneof![
        4 => Just(Step::Post),
        3 => any::<Index>().prop_map(Step::Edit),
        2 => any::<Index>().prop_map(Step::Delete),
        3 => any::<Index>().prop_map(Step::Preview),
        1 => Just(Step::Join),
        1 => Just(Step::Foreign),
    ];
    prop::collection::vec(step, 1..40).prop_map(|steps| History::of(&steps))
}

/// Where among `0..=max` an index falls.
fn up_to(index: &Index, max: u64) -> u64 {
    index.index(max as usize + 1) as u64
}

proptest! {
    #[test]
    fn a_fold_of_events_served_at_any_times_is_the_snapshot(
        history in histories(),
        start in any::<Index>(),
        stops in prop::collection::vec((any::<Index>(), any::<Index>()), 0..6),
    ) {
        let head = history.head();
        let begun = up_to(&start, head);
        let mut timeline = history.snapshot(begun);
        for (stop, read_at) in stops {
            let from = timeline.head().0;
            let stop = from + up_to(&stop, head - from);
            let now = stop + up_to(&read_at, head - stop);
            timeline.apply(&history.stretch(from, stop, now));
        }
        timeline.apply(&history.stretch(timeline.head().0, head, head));
        prop_assert_eq!(timeline, history.snapshot(head));
    }

    #[test]
    fn applying_twice_changes_nothing(history in histories(), from in any::<Index>(), read_at in any::<Index>()) {
        let head = history.head();
        let mut timeline = history.snapshot(head);
        let from = up_to(&from, head);
        let events = history.stretch(from, head, from + up_to(&read_at, head - from));
        // Served earlier than the rows: nothing in it is news.
        prop_assert_eq!(timeline.apply(&events), Applied::Nothing);
        prop_assert_eq!(timeline, history.snapshot(head));
    }

    #[test]
    fn frames_that_come_again_at_any_time_change_nothing(
        history in histories(),
        stops in prop::collection::vec((any::<Index>(), any::<Index>(), any::<Index>()), 1..8),
    ) {
        let head = history.head();
        let (mut timeline, mut undisturbed) = (history.snapshot(0), history.snapshot(0));
        let mut frames = Vec::new();
        for (stop, read_at, again) in stops {
            let from = timeline.head().0;
            let stop = from + up_to(&stop, head - from);
            let frame = history.stretch(from, stop, stop + up_to(&read_at, head - stop));
            timeline.apply(&frame);
            undisturbed.apply(&frame);
            frames.push(frame);
            let again: &Vec<Event> = again.get(&frames);
            prop_assert_eq!(timeline.apply(again), Applied::Nothing);
            prop_assert_eq!(&timeline, &undisturbed);
        }
    }

    #[test]
    fn what_is_kept_during_a_reload_may_come_in_any_order_and_twice(
        history in histories(),
        page_at in any::<Index>(),
        after in any::<Index>(),
        arrivals in prop::collection::vec((any::<Index>(), any::<Index>()), 0..40),
        salt in any::<u64>(),
    ) {
        let head = history.head();
        let page_at = up_to(&page_at, head);
        // The connection delivers from some point at or before the page's head on.
        let after = up_to(&after, page_at);
        let mut arriving: Vec<Event> = history.stretch(after, head, head);
        for (seq, read_at) in arrivals {
            let seq = after + up_to(&seq, head - after);
            if seq > after {
                arriving.push(history.served(seq, seq + up_to(&read_at, head - seq)));
            }
        }
        arriving.sort_by_key(|event| (event.seq.0 + 1).wrapping_mul(salt | 1));
        let mut timeline = history.snapshot(0);
        timeline.expect_newest();
        for event in &arriving {
            prop_assert_eq!(timeline.apply(std::slice::from_ref(event)), Applied::Nothing);
        }
        timeline.replace(history.page(page_at + 1, usize::MAX, page_at));
        prop_assert_eq!(first_generation(timeline), history.snapshot(head));
    }

    #[test]
    fn prepended_pages_make_the_whole(
        history in histories(),
        limit in 1_usize..5,
        begun in any::<Index>(),
        steps in prop::collection::vec((any::<Index>(), any::<Index>()), 0..12),
    ) {
        let head = history.head();
        let begun = up_to(&begun, head);
        let mut timeline = Timeline::from_page(history.page(begun + 1, limit, begun));
        let mut steps = steps.into_iter();
        while timeline.has_older() {
            let before = timeline.oldest().unwrap();
            let asked = timeline.expect_older();
            // The page is read at one time, and some events overtake it.
            let (read_at, overtaking) = steps.next().map_or((head, 0), |(read_at, overtaking)| {
                let from = timeline.head().0;
                (from + up_to(&read_at, head - from), up_to(&overtaking, head - from))
            });
            let page = history.page(before.0, limit, read_at);
            let from = timeline.head().0;
            timeline.apply(&history.stretch(from, from + overtaking, from + overtaking));
            prop_assert_eq!(timeline.prepend(asked, before, page), Applied::Changed);
        }
        timeline.apply(&history.stretch(timeline.head().0, head, head));
        prop_assert_eq!(timeline, history.snapshot(head));
    }
}

proptest! {
    #[test]
    fn a_gap_above_which_one_reads_closes_to_the_snapshot(
        history in histories(),
        (read_until, page_at, read_at) in any::<(Index, Index, Index)>(),
        limit in 1_usize..6,
        overtaking in any::<Index>(),
    ) {
        let head = history.head();
        let page_at = up_to(&page_at, head);
        let read_at = page_at + up_to(&read_at, head - page_at);
        let mut timeline = history.snapshot(0);
        timeline.expect_newest();
        timeline.apply(&history.stretch(page_at, read_at, read_at));
        let newest = history.page(page_at + 1, limit, page_at);
        let read = history.page(up_to(&read_until, page_at) + 1, limit, read_at);
        timeline.replace_around(newest, Some(read));
        while let Some(seam) = timeline.seam() {
            let asked = timeline.expect_older();
            let from = timeline.head().0;
            let to = from + up_to(&overtaking, head - from);
            timeline.apply(&history.stretch(from, to, to));
            prop_assert_eq!(timeline.prepend(asked, seam, history.page(seam.0, limit, from)), Applied::Changed);
        }
        while timeline.has_older() {
            let before = timeline.oldest().unwrap();
            let asked = timeline.expect_older();
            timeline.prepend(asked, before, history.page(before.0, limit, timeline.head().0));
        }
        timeline.apply(&history.stretch(timeline.head().0, head, head));
        prop_assert_eq!(first_generation(timeline), history.snapshot(head));
    }
}

/// As it would be if it had never started over.
fn first_generation(timeline: Timeline) -> Timeline {
    Timeline { generation: Generation::default(), ..timeline }
}
