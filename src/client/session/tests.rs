use super::super::connection::Update;
use super::super::conversation::{Delivery, Item, MessageItem};
use super::super::outbox::{Command, Entry, EntryState, Kept};
use super::super::room_session::Older;
use super::*;
use crate::domain::{Access, Key, Progress, Role, TaskId, TaskState};
use crate::i18n::Locale;
use crate::protocol::{Community, Event, EventKind, Limits, Me, Page, ServerFrame, TaskStatus};
use std::sync::Arc;

const ME: i64 = 1;

fn person(id: i64) -> Author {
    Author { id, name: "민아".into() }
}

fn summary(slug: &str, head: u64) -> RoomSummary {
    RoomSummary {
        slug: slug.into(),
        name: slug.into(),
        access: Access::Open,
        member: true,
        manages: false,
        keep_days: None,
        head: Seq(head),
        unread: 0,
    }
}

fn posted(seq: u64, author: i64, key: &str) -> Event {
    let (key, body, rev) = (key.into(), Some(format!("body {seq}")), Some(Seq(seq)));
    Event {
        seq: Seq(seq),
        at: 0,
        kind: EventKind::Posted {
            key,
            author: person(author),
            body,
            rev,
            deleted: false,
            files: vec![],
            previews: None,
        },
    }
}

/// A session in `a` (open, one message) and `b`, as the page brings it; nothing has run yet.
pub(in super::super) fn rendered() -> (Owner, Session, RoomSession) {
    let owner = Owner::new();
    let (session, room) = owner.with(|| {
        let session = Session::provide(&AppStart {
            community: Community { name: "모임".into() },
            me: Me { id: ME, name: "민아".into(), role: Role::Member },
            rooms: vec![summary("a", 1), summary("b", 4)],
            epoch: "e".into(),
            locale: Locale::Ko,
            chosen_locale: None,
            utc_offset_min: 540,
            now: 0,
            invite_max_days: 90,
            invite_max_uses: 100,
            body_bytes: 100,
            upload_bytes: 100,
            message_files: 1,
        });
        let page =
            Page { epoch: "e".into(), head: Seq(1), rows: vec![posted(1, 2, "k1")], older: true, progress: Vec::new() };
        let room = session.open(RoomStart { room: summary("a", 1), page, form_key: "f".into() });
        (session, room)
    });
    (owner, session, room)
}

fn hear(session: Session, frame: ServerFrame) {
    session.on_update(Update::Frame(frame));
}

fn hear_events(session: Session, slug: &str, list: Vec<Event>) {
    hear(session, ServerFrame::Events { room: slug.into(), epoch: "e".into(), list });
}

/// As a command of the reader's does, but without a browser to make key and time.
fn put_in_outbox(session: Session, key: &str, command: Command) {
    let (key, epoch) = (Key::parse(key).unwrap(), "e".to_owned());
    let (state, kept) = (EntryState::Waiting, Kept::No);
    session.update(|core| {
        core.outbox.put(Entry { key, room: "a".into(), command, at: 0, epoch, sent: false, state, kept });
    });
    session.outbox_revision.set(session.outbox_revision.get_untracked() + 1);
}

fn waiting() -> Command {
    Command::Post { body: "waiting".into(), files: vec![] }
}

fn items(room: RoomSession) -> Vec<Arc<Item>> {
    untrack(|| room.with_items(<[_]>::to_vec))
}

fn messages(room: RoomSession) -> Vec<MessageItem> {
    items(room)
        .iter()
        .filter_map(|item| match &**item {
            Item::Message(message) => Some(message.clone()),
            _ => None,
        })
        .collect()
}

fn unread(session: Session) -> Vec<u32> {
    session.rooms().get_untracked().iter().map(|room| room.unread).collect()
}

#[test]
fn the_first_render_needs_no_browser() {
    let (_owner, session, room) = rendered();
    assert_eq!(messages(room).len(), 1);
    assert_eq!(room.older().get_untracked(), Older::More);
    assert_eq!(session.link().get_untracked(), Link::Connecting);
    assert_eq!(session.zone().get_untracked(), Zone::Fixed { utc_offset_min: 540 });
    assert_eq!(session.unread_total().get_untracked(), 0);
}

#[test]
fn events_show_in_the_open_room_and_count_in_the_list() {
    let (_owner, session, room) = rendered();
    hear_events(session, "a", vec![posted(2, 2, "k2")]);
    hear_events(session, "b", vec![posted(5, 2, "k5"), posted(6, ME, "k6"), posted(7, 2, "k7")]);
    assert_eq!(messages(room).len(), 2);
    assert_eq!(unread(session), [1, 2]);
    assert_eq!(session.unread_total().get_untracked(), 3);
}

#[test]
fn a_pending_row_becomes_the_confirmed_one_whatever_comes_first() {
    for ack_first in [true, false] {
        let (_owner, session, room) = rendered();
        put_in_outbox(session, "mine", waiting());
        let pending = messages(room)[1].clone();
        assert_eq!((pending.seq, pending.delivery), (None, Delivery::Pending));

        let ack = || hear(session, ServerFrame::Ack { key: "mine".into(), seq: Seq(2) });
        let event = || hear_events(session, "a", vec![posted(2, ME, "mine")]);
        if ack_first {
            ack();
            assert_eq!(messages(room)[1].delivery, Delivery::Sent);
            assert_eq!(messages(room)[1].body.as_deref(), Some("waiting"));
            event();
        } else {
            event();
            ack();
        }
        let sent = messages(room);
        assert_eq!(sent.len(), 2, "ack first: {ack_first}");
        assert_eq!((&sent[1].key, sent[1].seq, sent[1].delivery), (&pending.key, Some(Seq(2)), Delivery::Sent));
        assert!(session.update(|core| core.outbox.entries().is_empty()).unwrap());
        let Some(Item::Message(row)) = untrack(|| room.item(&pending.key)).as_deref().cloned() else {
            panic!("the row is there")
        };
        assert_eq!(row, sent[1]);
    }
}

#[test]
fn a_row_that_did_not_change_stays_the_same_allocation() {
    let (_owner, session, room) = rendered();
    let before = items(room);
    hear_events(session, "a", vec![posted(2, 2, "k2")]);
    let after = items(room);
    assert!(before.iter().zip(&after).all(|(before, after)| Arc::ptr_eq(before, after)));
    assert_eq!(after.len(), before.len() + 1);
}

#[test]
fn a_revoked_room_leaves_the_list_and_tells_its_page() {
    let (_owner, session, room) = rendered();
    hear(session, ServerFrame::Revoked { room: "a".into() });
    assert!(room.revoked().get_untracked());
    assert_eq!(session.rooms().get_untracked().len(), 1);
    let wanted = session.update(|core| core.wanted()).unwrap();
    assert_eq!(wanted.iter().map(|wanted| wanted.room.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_room_that_the_reader_leaves_ends_without_surprise() {
    let (owner, session, room) = rendered();
    session.expect_to_leave(Some("a".into()));
    hear(session, ServerFrame::Revoked { room: "a".into() });
    assert!(room.revoked().get_untracked());
    assert!(session.is_leaving("a") && !session.is_leaving("b"));
    let page = Page { epoch: "e".into(), head: Seq(9), rows: Vec::new(), older: false, progress: Vec::new() };
    owner.with(|| session.open(RoomStart { room: summary("a", 9), page, form_key: "f".into() }));
    assert!(!session.is_leaving("a"), "back in the room, its end is news again");
}

#[test]
fn rooms_are_followed_from_where_page_and_list_both_are() {
    let (_owner, session, _room) = rendered();
    hear_events(session, "b", vec![posted(5, 2, "k5")]);
    let wanted = session.update(|core| core.wanted()).unwrap();
    let cursors: Vec<_> = wanted.iter().map(|wanted| (wanted.room.as_str(), wanted.after)).collect();
    assert_eq!(cursors, [("a", Some(Seq(1))), ("b", Some(Seq(5)))]);

    // The list has counted further than the page shows: the page decides.
    hear_events(session, "a", vec![posted(2, 2, "k2")]);
    session.update(|core| core.list.apply("a", &[posted(3, 2, "k3")]));
    let wanted = session.update(|core| core.wanted()).unwrap();
    assert_eq!(wanted[0].after, Some(Seq(2)));
}

#[test]
fn who_is_present_is_known_and_whoever_has_posted_is_not_typing() {
    let (_owner, session, _room) = rendered();
    assert_eq!(session.present("a"), None);
    let (present, came, left) = (Some(vec![person(ME), person(2)]), Vec::new(), Vec::new());
    hear(session, ServerFrame::Presence { room: "a".into(), present, came, left, count: None });
    assert_eq!((session.present("a"), session.present("b")), (Some(2), None));
    assert!(session.is_present("a", 2) && !session.is_present("a", 3));
    for user in [2, 3] {
        session.update(|core| core.company.types("a", person(user), i64::MAX));
    }
    hear_events(session, "b", vec![posted(5, 2, "k5")]);
    assert_eq!(session.with_typing("a", |names| names.len()), 2);
    hear_events(session, "a", vec![posted(2, 2, "k2")]);
    assert_eq!(session.with_typing("a", |names| names.len()), 1);
}

#[test]
fn closing_the_page_ends_what_is_followed_for_it() {
    let (owner, session, _room) = rendered();
    let page = owner.with(Owner::new);
    page.with(|| {
        let start = Page { epoch: "e".into(), head: Seq(9), rows: Vec::new(), older: false, progress: Vec::new() };
        session.open(RoomStart { room: summary("visited", 9), page: start, form_key: "f".into() });
    });
    let rooms = |session: Session| session.update(|core| core.wanted().len()).unwrap();
    assert_eq!(rooms(session), 3);
    page.cleanup();
    assert_eq!(rooms(session), 2);
}

#[test]
fn a_list_asked_for_twice_is_fetched_again_after_the_first() {
    let (_owner, session, _room) = rendered();
    session.update(|core| {
        assert!(core.begin_refresh());
        assert!(!core.begin_refresh());
        assert!(core.end_refresh(vec![summary("a", 1)]));
        assert!(!core.end_refresh(vec![summary("a", 1)]));
        assert!(core.begin_refresh());
    });
}

#[test]
fn a_connection_of_another_account_sends_nothing_of_this_one() {
    let (_owner, session, _room) = rendered();
    put_in_outbox(session, "mine", waiting());
    // As after the first of such frames, without a browser that goes to another page.
    session.link.set(Link::SignedOut);
    let limits = Limits { rooms_per_connection: 9, body_bytes: 9, frame_bytes: 9, catch_up_events: 9 };
    let (user, epoch) = (person(ME + 1), "e".to_owned());
    let hello = ServerFrame::Hello {
        epoch,
        user,
        server_time: 0,
        limits,
        ping_every_ms: 1,
        dead_after_ms: 1,
        typing_every_ms: 3_000,
        typing_shown_ms: 6_000,
    };
    hear(session, hello);
    assert!(session.update(|core| core.subscriptions.is_none()).unwrap(), "nothing is sent without");
    assert_eq!(session.link().get_untracked(), Link::SignedOut);
}

fn card(seq: u64, kind: fn(Seq, TaskStatus) -> EventKind, state: TaskState) -> Event {
    let status = TaskStatus { state, attempts: 1, started: None, ended: None, result: None, link: None, error: None };
    Event { seq: Seq(seq), at: 0, kind: kind(Seq(seq), status) }
}

#[test]
fn progress_is_that_of_the_run_under_way() {
    let (_owner, session, room) = rendered();
    let id = TaskId::parse("a1").unwrap();
    let start = |rev, status| EventKind::Task {
        id: TaskId::parse("a1").unwrap(),
        task: "demo".into(),
        by: person(ME),
        rev,
        status,
    };
    let change = |rev, status| EventKind::TaskChanged { target: Seq(2), rev, status };
    let current = || untrack(|| room.progress_of(&id)).map(|told| told.current);
    hear_events(session, "a", vec![card(2, start, TaskState::Queued), card(3, change, TaskState::Running)]);
    for current in [1, 2] {
        let progress = Progress { current, total: Some(5), message: None };
        hear(session, ServerFrame::Progress { room: "a".into(), task: id.clone(), progress });
    }
    hear_events(session, "a", vec![posted(4, 2, "k4")]);
    assert_eq!(current(), Some(2));
    hear_events(session, "a", vec![card(5, change, TaskState::Running)]);
    assert_eq!(current(), None);
}
