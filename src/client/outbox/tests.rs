use super::*;
use crate::protocol::Author;

const ME: i64 = 7;
const EPOCH: &str = "e";

fn entry(key: &str, room: &str, command: Command) -> Entry {
    let (state, kept) = (EntryState::Waiting, Kept::No);
    let key = Key::parse(key).unwrap();
    Entry { key, room: room.into(), command, at: 0, epoch: EPOCH.into(), sent: false, state, kept }
}

fn post(key: &str) -> Entry {
    entry(key, "a", Command::Post { body: format!("text of {key}"), files: vec![] })
}

fn outbox(keys: &[&str]) -> Outbox {
    let mut outbox = Outbox::default();
    keys.iter().for_each(|key| outbox.put(post(key)));
    outbox
}

fn sendable(outbox: &mut Outbox, now: i64) -> Vec<String> {
    outbox.take_sendable(now, EPOCH).into_iter().map(|entry| entry.key.as_str().to_owned()).collect()
}

fn keys(outbox: &Outbox) -> Vec<&str> {
    outbox.entries().iter().map(|entry| entry.key.as_str()).collect()
}

fn state(outbox: &Outbox, key: &str) -> EntryState {
    outbox.entry(key).unwrap().state
}

fn refused(key: &str, code: ErrorCode, retry_after_ms: Option<u32>) -> Refused {
    Refused { key: Some(key.into()), room: None, code, retry_after_ms }
}

fn posted(seq: u64, key: &str, author: i64) -> Event {
    let author = Author { id: author, name: "민아".into() };
    let kind = EventKind::Posted {
        key: key.into(),
        author,
        body: None,
        rev: None,
        deleted: true,
        files: vec![],
        previews: None,
    };
    Event { seq: Seq(seq), at: 0, kind }
}

#[test]
fn one_command_of_a_room_is_under_way_at_a_time_and_in_order() {
    let mut outbox = outbox(&["a", "b", "c"]);
    outbox.put(entry("other", "another room", Command::Delete { target: Seq(3) }));
    assert_eq!(sendable(&mut outbox, 0), ["a", "other"]);
    assert!(sendable(&mut outbox, 1).is_empty());
    assert_eq!(outbox.ack("a", Seq(1)).as_deref(), Some("a"));
    assert_eq!(sendable(&mut outbox, 2), ["b"]);
    outbox.refuse(&refused("b", ErrorCode::Forbidden, None), 2, Jitter(0));
    assert_eq!(sendable(&mut outbox, 3), ["c"], "what failed for good holds nothing up");
}

#[test]
fn what_was_written_first_goes_first_whenever_it_is_found() {
    let mut outbox = outbox(&[]);
    for (key, at) in [("late", 9), ("early", 3), ("between", 5), ("early", 1)] {
        outbox.put(Entry { at, ..post(key) });
    }
    assert_eq!(keys(&outbox), ["early", "between", "late"]);
    assert_eq!((outbox.time(4), outbox.time(40)), (10, 40), "a clock set back does not change the order");
}

#[test]
fn a_lost_connection_sends_the_unacknowledged_again_with_the_same_keys() {
    let mut outbox = outbox(&["a", "b"]);
    outbox.take_sendable(0, EPOCH);
    outbox.ack("a", Seq(1));
    outbox.take_sendable(0, EPOCH);
    outbox.connection_lost();
    assert_eq!(sendable(&mut outbox, 0), ["b"]);
}

#[test]
fn what_was_ever_sent_is_not_taken_back() {
    let mut outbox = outbox(&["a", "b"]);
    let taken = outbox.take_sendable(0, EPOCH);
    assert!(!taken[0].sent, "told as it was before");
    outbox.connection_lost();
    assert!(outbox.discard("a").is_none());
    assert_eq!(outbox.discard("b"), Some(Command::Post { body: "text of b".into(), files: vec![] }));
    assert_eq!(keys(&outbox), ["a"]);
}

#[test]
fn what_is_kept_is_looked_after_until_its_ack() {
    let mut outbox = outbox(&["a", "b", "c"]);
    ["a", "b"].iter().for_each(|key| outbox.set_kept(key, Kept::Yes));
    let kept = |outbox: &Outbox| outbox.kept().iter().map(|key| key.as_str().to_owned()).collect::<Vec<_>>();
    outbox.take_sendable(0, EPOCH);
    assert_eq!(kept(&outbox), ["a", "b"]);
    outbox.connection_lost();
    assert_eq!(kept(&outbox), ["a", "b"]);
    outbox.ack("a", Seq(1));
    assert_eq!(kept(&outbox), ["b"]);
}

#[test]
fn an_old_entry_asks_first_and_lets_the_others_pass() {
    let mut outbox = Outbox::default();
    outbox.put(post("old"));
    outbox.put(Entry { at: ASK_AFTER_MS, ..post("new") });
    assert_eq!(sendable(&mut outbox, ASK_AFTER_MS + 1), ["new"]);
    assert_eq!(state(&outbox, "old"), EntryState::Undecided);
    assert!(outbox.is_unsent());
    let kept = outbox.retry("old", ASK_AFTER_MS + 5).unwrap();
    assert_eq!((kept.at, kept.state), (ASK_AFTER_MS + 5, EntryState::Waiting));
    assert_eq!(keys(&outbox), ["new", "old"]);
    outbox.ack("new", Seq(1));
    assert_eq!(sendable(&mut outbox, ASK_AFTER_MS + 6), ["old"]);
}

#[test]
fn a_change_to_a_message_of_another_history_is_not_sent() {
    let mut outbox = Outbox::default();
    outbox.put(entry("edit", "a", Command::Edit { target: Seq(3), body: "new".into() }));
    outbox.put(post("post"));
    let sent = outbox.take_sendable(0, "after a restore");
    assert_eq!(sent.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["post"]);
    assert_eq!(state(&outbox, "edit"), EntryState::Failed(ErrorCode::NotFound));
}

#[test]
fn ack_and_event_settle_a_post_in_either_order() {
    let mut event_last = outbox(&["a"]);
    event_last.ack("a", Seq(1));
    assert!(!event_last.is_unsent());
    assert_eq!(event_last.settle("a", ME, &[posted(1, "a", ME)]).len(), 1);
    assert!(event_last.entries().is_empty());

    let mut event_first = outbox(&["a"]);
    event_first.settle("a", ME, &[posted(1, "a", ME)]);
    assert_eq!(event_first.ack("a", Seq(1)), None);
    assert!(event_first.entries().is_empty());
}

#[test]
fn the_same_key_of_another_author_or_room_settles_nothing() {
    let mut outbox = outbox(&["a"]);
    assert!(outbox.settle("a", ME, &[posted(1, "a", ME + 1)]).is_empty());
    assert!(outbox.settle("b", ME, &[posted(1, "a", ME)]).is_empty());
    assert_eq!(keys(&outbox), ["a"]);
}

#[test]
fn an_ack_before_the_window_settles_without_its_event() {
    let mut outbox = outbox(&["a", "b"]);
    outbox.put(entry("c", "c", Command::Delete { target: Seq(1) }));
    for (key, seq) in [("a", 5), ("b", 9), ("c", 5)] {
        outbox.ack(key, Seq(seq));
    }
    assert!(outbox.settle_up_to("a", Seq(8)));
    assert!(!outbox.settle_up_to("a", Seq(8)));
    assert_eq!(keys(&outbox), ["b", "c"]);
}

#[test]
fn a_passing_refusal_is_waited_out_in_order() {
    let mut outbox = outbox(&["a", "b"]);
    outbox.take_sendable(0, EPOCH);
    outbox.refuse(&refused("a", ErrorCode::RateLimited, Some(800)), 100, Jitter(0));
    outbox.put(post("c"));
    assert!(sendable(&mut outbox, 899).is_empty());
    assert_eq!(outbox.hold_until(|| 899), Some(900));
    outbox.connection_lost();
    assert_eq!(outbox.hold_until(|| 0), Some(900), "coming back does not shorten what the server asked for");
    // Without a connection nobody takes what is sendable, and nothing is held back all the same.
    assert_eq!(outbox.hold_until(|| 900), None);
    assert_eq!(sendable(&mut outbox, 900), ["a"]);
    assert_eq!(outbox.hold_until(|| 0), None);
}

#[test]
fn an_ended_session_leaves_the_entry_for_the_next_one() {
    let mut outbox = outbox(&["a"]);
    outbox.take_sendable(0, EPOCH);
    outbox.refuse(&refused("a", ErrorCode::Unauthenticated, None), 0, Jitter(0));
    assert_eq!(state(&outbox, "a"), EntryState::Waiting);
}

#[test]
fn a_final_refusal_offers_retry_with_the_same_key_and_discard() {
    let mut outbox = outbox(&["a", "b"]);
    outbox.take_sendable(0, EPOCH);
    outbox.refuse(&refused("a", ErrorCode::Forbidden, None), 0, Jitter(0));
    assert_eq!(sendable(&mut outbox, 0), ["b"]);
    outbox.ack("b", Seq(2));
    assert!(outbox.retry("a", 0).is_some());
    assert!(outbox.retry("a", 0).is_none(), "it goes already");
    assert_eq!(sendable(&mut outbox, 0), ["a"]);
    assert_eq!(outbox.discard("a"), None, "on its way: not to be taken back");
    outbox.refuse(&refused("a", ErrorCode::Forbidden, None), 0, Jitter(0));
    assert!(outbox.discard("a").is_some());
    assert_eq!(keys(&outbox), ["b"]);
}

#[test]
fn answers_to_unknown_keys_change_nothing() {
    let mut outbox = outbox(&["a"]);
    let before = outbox.entries().to_vec();
    assert_eq!(outbox.ack("x", Seq(1)), None);
    assert_eq!(outbox.refuse(&refused("x", ErrorCode::Forbidden, None), 0, Jitter(0)), None);
    assert_eq!(outbox.entries(), before);
}

#[test]
fn a_new_change_takes_the_place_of_one_that_got_stuck() {
    let edit = |body: &str| Command::Edit { target: Seq(3), body: body.into() };
    let mut outbox = Outbox::default();
    outbox.put(entry("before", "a", edit("A")));
    assert_eq!(outbox.take_outdated("a", EPOCH, &edit("B")), None, "it waits");
    outbox.take_sendable(0, EPOCH);
    outbox.refuse(&refused("before", ErrorCode::Forbidden, None), 0, Jitter(0));
    assert_eq!(outbox.take_outdated("a", "after a restore", &edit("B")), None);
    assert_eq!(outbox.take_outdated("a", EPOCH, &edit("B")), Key::parse("before").ok());
    assert!(outbox.entries().is_empty());
}
