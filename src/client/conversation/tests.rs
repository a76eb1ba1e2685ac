use super::*;
use crate::domain::{Key, TaskState, day_number};

const SEOUL_MIN: i32 = 9 * 60;
const MINUTE: i64 = 60_000;
/// 2025-11-22 17:26:40 in Seoul.
const NOW: i64 = 1_763_800_000_000;

fn person(id: i64) -> Author {
    Author { id, name: format!("person {id}") }
}

fn posted(seq: u64, author: i64, at: i64) -> Arc<Event> {
    let (key, body) = (format!("k{seq}"), Some(format!("body {seq}")));
    let kind = EventKind::Posted {
        key,
        author: person(author),
        body,
        rev: Some(Seq(seq)),
        deleted: false,
        files: vec![],
        previews: None,
    };
    Arc::new(Event { seq: Seq(seq), at, kind })
}

fn joined(seq: u64, at: i64) -> Arc<Event> {
    Arc::new(Event { seq: Seq(seq), at, kind: EventKind::Joined { member: person(9) } })
}

fn entry(key: &str, at: i64, state: EntryState) -> Entry {
    let command = Command::Post { body: "waiting".into(), files: vec![] };
    let (key, room, epoch) = (Key::parse(key).unwrap(), "a".into(), "e".into());
    Entry { key, room, command, at, epoch, sent: false, state, kept: Kept::Yes }
}

fn change(command: Command, state: EntryState) -> Entry {
    Entry { command, ..entry("change", NOW, state) }
}

fn shown(rows: &[Arc<Event>], outbox: &[Entry]) -> Vec<Item> {
    shown_while(Delay::Nothing, rows, outbox)
}

fn shown_while(delay: Delay, rows: &[Arc<Event>], outbox: &[Entry]) -> Vec<Item> {
    let day_of = |at| day_number(at, SEOUL_MIN);
    let outbox: Vec<&Entry> = outbox.iter().collect();
    let (reader, day_of): (_, &dyn Fn(i64) -> i64) = (&person(1), &day_of);
    items(Source { rows: rows.iter(), seam: None, outbox: &outbox, epoch: "e", delay, reader, day_of })
}

fn keys(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.key().as_ref()).collect()
}

fn messages(items: &[Item]) -> Vec<&MessageItem> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Message(message) => Some(message),
            _ => None,
        })
        .collect()
}

fn runs(items: &[Item]) -> Vec<bool> {
    messages(items).iter().map(|message| message.first_of_run).collect()
}

#[test]
fn a_day_begins_at_the_readers_midnight() {
    // 15:00 UTC is midnight in Seoul.
    let midnight = 1_763_823_600_000;
    let items = shown(&[posted(1, 1, midnight - 1), posted(2, 1, midnight)], &[]);
    assert_eq!(keys(&items), ["d20414", "m1:k1", "d20415", "m1:k2"]);
    assert_eq!(runs(&items), [true, true], "a new day begins a new run");
    let Item::Day(day) = &items[2] else { panic!("a day") };
    assert_eq!(day.at, midnight);
}

#[test]
fn a_clock_set_back_makes_no_day_twice() {
    let day = 24 * 60 * MINUTE;
    let items = shown(&[posted(1, 1, NOW), posted(2, 1, NOW + day), posted(3, 1, NOW)], &[]);
    assert_eq!(keys(&items), ["d20414", "m1:k1", "d20415", "m1:k2", "m1:k3"]);
}

#[test]
fn a_run_lasts_while_the_same_author_goes_on_within_five_minutes() {
    let items = shown(
        &[
            posted(1, 1, NOW),
            posted(2, 1, NOW + RUN_MS),
            posted(3, 1, NOW + 2 * RUN_MS + 1),
            posted(4, 2, NOW + 2 * RUN_MS + 2),
            posted(5, 1, NOW + 2 * RUN_MS + 3),
        ],
        &[],
    );
    assert_eq!(runs(&items), [true, false, true, true, true]);
}

#[test]
fn a_notice_breaks_a_run() {
    let items = shown(&[posted(1, 1, NOW), joined(2, NOW), posted(3, 1, NOW)], &[]);
    assert_eq!(keys(&items), ["d20414", "m1:k1", "n2", "m1:k3"]);
    assert_eq!(runs(&items), [true, true]);
}

#[test]
fn older_rows_regroup_the_first_ones_and_keep_every_key() {
    let rows = [posted(1, 1, NOW), posted(2, 1, NOW + MINUTE), posted(3, 1, NOW + 2 * MINUTE)];
    let newest = shown(&rows[1..], &[]);
    let all = shown(&rows, &[]);
    assert_eq!(runs(&newest), [true, false]);
    assert_eq!(runs(&all), [true, false, false]);
    assert!(keys(&newest).iter().all(|key| keys(&all).contains(key)));
}

#[test]
fn waiting_posts_follow_the_rows_and_go_on_with_the_run() {
    let states = [EntryState::Waiting, EntryState::InFlight, EntryState::Failed(ErrorCode::Forbidden)];
    let outbox: Vec<Entry> =
        states.iter().enumerate().map(|(index, state)| entry(&format!("p{index}"), NOW + MINUTE, *state)).collect();
    let items = shown(&[posted(1, 1, NOW)], &outbox);
    assert_eq!(keys(&items), ["d20414", "m1:k1", "m1:p0", "m1:p1", "m1:p2"]);
    assert_eq!(runs(&items), [true, false, false, false]);
    let deliveries: Vec<Delivery> = messages(&items).iter().map(|message| message.delivery).collect();
    let failed = Delivery::Failed(ErrorCode::Forbidden);
    assert_eq!(deliveries, [Delivery::Sent, Delivery::Pending, Delivery::Pending, failed]);
}

#[test]
fn a_post_keeps_its_key_from_pending_to_row_and_is_never_shown_twice() {
    let pending = shown(&[], &[entry("k1", NOW, EntryState::InFlight)]);
    let acked = shown(&[], &[entry("k1", NOW, EntryState::Acked(Seq(1)))]);
    let both = shown(&[posted(1, 1, NOW)], &[entry("k1", NOW, EntryState::InFlight)]);
    for items in [&pending, &acked, &both] {
        assert_eq!(keys(items), ["d20414", "m1:k1"]);
    }
    assert_eq!(messages(&acked)[0].seq, Some(Seq(1)));
    assert_eq!(messages(&acked)[0].delivery, Delivery::Sent);
}

#[test]
fn another_authors_equal_key_is_another_message() {
    let items = shown(&[posted(1, 2, NOW)], &[entry("k1", NOW, EntryState::InFlight)]);
    assert_eq!(keys(&items), ["d20414", "m2:k1", "m1:k1"]);
}

#[test]
fn edited_and_erased_messages_say_so() {
    let event = |rev, body: Option<&str>, deleted| {
        let kind = EventKind::Posted {
            key: "k".into(),
            author: person(1),
            body: body.map(Into::into),
            rev,
            deleted,
            files: vec![],
            previews: None,
        };
        Arc::new(Event { seq: Seq(1), at: NOW, kind })
    };
    let edited = shown(&[event(Some(Seq(5)), Some("new"), false)], &[]);
    assert!(messages(&edited)[0].edited);
    let erased = shown(&[event(None, None, true)], &[]);
    assert_eq!((messages(&erased)[0].edited, &messages(&erased)[0].body), (false, &None));
}

#[test]
fn a_change_shows_at_once_on_its_row() {
    let target = Seq(1);
    let rows = [posted(1, 1, NOW), posted(2, 1, NOW)];
    let edit = || Command::Edit { target, body: "better".into() };
    let edited = shown(&rows, &[change(edit(), EntryState::InFlight)]);
    let row = messages(&edited)[0];
    assert_eq!((row.body.as_deref(), row.edited, row.delivery), (Some("better"), true, Delivery::Pending));
    assert_eq!(row.unsent.as_ref().map(|unsent| unsent.deed), Some(Deed::Edit));
    assert_eq!((messages(&edited).len(), messages(&edited)[1].delivery), (2, Delivery::Sent));

    let acked = shown(&rows, &[change(edit(), EntryState::Acked(Seq(3)))]);
    assert_eq!((messages(&acked)[0].body.as_deref(), &messages(&acked)[0].unsent), (Some("better"), &None));

    let erased = shown(&rows, &[change(Command::Delete { target }, EntryState::Waiting)]);
    assert_eq!((&messages(&erased)[0].body, messages(&erased)[0].delivery), (&None, Delivery::Pending));
}

#[test]
fn a_change_shows_on_no_message_of_another_author_or_history() {
    let edit = || change(Command::Edit { target: Seq(1), body: "better".into() }, EntryState::Waiting);
    let others = shown(&[posted(1, 2, NOW)], &[edit()]);
    assert_eq!(messages(&others)[0].body.as_deref(), Some("body 1"));
    assert_eq!(messages(&others)[1].body.as_deref(), Some("better"));
    let restored = shown(&[posted(1, 1, NOW)], &[Entry { epoch: "before".into(), ..edit() }]);
    assert_eq!(messages(&restored)[0].body.as_deref(), Some("body 1"));
}

#[test]
fn a_change_whose_row_is_not_loaded_shows_at_the_end_until_it_is_acked() {
    let edit = |state| change(Command::Edit { target: Seq(1), body: "better".into() }, state);
    let refused = shown(&[posted(7, 1, NOW)], &[edit(EntryState::Failed(ErrorCode::NotFound))]);
    let last = messages(&refused)[1];
    assert_eq!((last.seq, last.body.as_deref()), (None, Some("better")));
    assert_eq!(last.delivery, Delivery::Failed(ErrorCode::NotFound));
    assert_eq!(last.unsent.as_ref().map(|unsent| unsent.deed), Some(Deed::Edit));
    assert_eq!(messages(&shown(&[posted(7, 1, NOW)], &[edit(EntryState::Acked(Seq(8)))])).len(), 1);
}

#[test]
fn a_refused_edit_keeps_its_text_and_a_refused_deletion_its_message() {
    let failed = EntryState::Failed(ErrorCode::Erased);
    let edit = Command::Edit { target: Seq(1), body: "better".into() };
    let edited = shown(&[posted(1, 1, NOW)], &[change(edit, failed)]);
    assert_eq!(messages(&edited)[0].body.as_deref(), Some("better"));
    assert_eq!(messages(&edited)[0].delivery, Delivery::Failed(ErrorCode::Erased));
    let kept = shown(&[posted(1, 1, NOW)], &[change(Command::Delete { target: Seq(1) }, failed)]);
    assert_eq!(messages(&kept)[0].body.as_deref(), Some("body 1"));
}

#[test]
fn what_waits_says_for_what_and_promises_only_what_is_kept() {
    let delivery = |delay, kept| {
        let entry = Entry { kept, ..entry("p", NOW, EntryState::Waiting) };
        messages(&shown_while(delay, &[], &[entry]))[0].delivery
    };
    assert_eq!(delivery(Delay::Nothing, Kept::Yes), Delivery::Pending);
    assert_eq!(delivery(Delay::Connection, Kept::Soon), Delivery::Pending);
    assert_eq!(delivery(Delay::Connection, Kept::Yes), Delivery::Waiting);
    assert_eq!(delivery(Delay::Server(3), Kept::Soon), Delivery::Held(3));
}

#[test]
fn a_task_is_a_row_that_keeps_its_key_while_it_changes() {
    let card = |rev, state| {
        let status =
            TaskStatus { state, attempts: 1, started: None, ended: None, result: None, link: None, error: None };
        let (id, task, by) = (TaskId::parse("a1").unwrap(), "demo".into(), person(1));
        Arc::new(Event { seq: Seq(2), at: NOW, kind: EventKind::Task { id, task, by, rev: Seq(rev), status } })
    };
    let with = |card| shown(&[posted(1, 1, NOW), card, posted(4, 1, NOW)], &[]);
    let (before, after) = (with(card(2, TaskState::Queued)), with(card(3, TaskState::Running)));
    assert_eq!(keys(&before), keys(&after));
    assert_ne!(before[2], after[2]);
    assert!(matches!(&after[2], Item::Task(task) if task.status.state == TaskState::Running));
    assert_eq!(runs(&after), [true, true], "a card stands between them");
}
