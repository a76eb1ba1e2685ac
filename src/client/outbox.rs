//! Posts of one room that the server has not made part of the log yet, in the order they were
//! written. Pure: the caller brings keys, time and jitter, and does the sending.

use super::backoff::{Backoff, Jitter, after_asked_ms};
use crate::domain::{Key, MessageBody, Seq};
use crate::protocol::{ErrorCode, Event, EventKind, Refused};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    entries: Vec<Entry>,
    backoff: Backoff,
    /// Unix milliseconds before which nothing is sent, after a refusal that is worth a retry.
    hold_until: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Key,
    pub body: MessageBody,
    /// Unix milliseconds of the writer's own clock, for display.
    pub at: i64,
    pub state: EntryState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Not sent on this connection.
    Waiting,
    /// Sent; neither ack nor refusal has come.
    InFlight,
    /// Durable at this seq, but its event has not come yet.
    Acked(Seq),
    /// Refused for good.
    Failed(ErrorCode),
}

impl Outbox {
    /// In the order they were written.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn push(&mut self, key: Key, body: MessageBody, at: i64) {
        self.entries.push(Entry { key, body, at, state: EntryState::Waiting });
    }

    /// What to send now, in order; it counts as sent. Empty while a refusal is being waited out.
    pub fn take_sendable(&mut self, now: i64) -> Vec<(Key, MessageBody)> {
        if self.hold_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        self.hold_until = None;
        let waiting = self.entries.iter_mut().filter(|entry| entry.state == EntryState::Waiting);
        waiting
            .map(|entry| {
                entry.state = EntryState::InFlight;
                (entry.key.clone(), entry.body.clone())
            })
            .collect()
    }

    /// When `take_sendable` should be asked again, if it is holding something back.
    pub fn hold_until(&self) -> Option<i64> {
        let waiting = self.entries.iter().any(|entry| entry.state == EntryState::Waiting);
        self.hold_until.filter(|_| waiting)
    }

    /// The connection is gone: whatever is unacknowledged will be sent again, with the same keys.
    pub fn connection_lost(&mut self) {
        self.hold_until = None;
        self.backoff.reset();
        for entry in &mut self.entries {
            if entry.state == EntryState::InFlight {
                entry.state = EntryState::Waiting;
            }
        }
    }

    /// The post is durable. Its row stays until its event is there. Whether the key was known.
    pub fn ack(&mut self, key: &str, seq: Seq) -> bool {
        self.backoff.reset();
        let Some(entry) = self.entry_mut(key) else { return false };
        entry.state = EntryState::Acked(seq);
        true
    }

    /// Worth a retry: waits and goes again by itself, in order, with the same key. Else it failed.
    /// Whether the key was known.
    pub fn refuse(&mut self, refused: &Refused, now: i64, jitter: Jitter) -> bool {
        let Some(key) = refused.key.as_deref() else { return false };
        let Some(entry) = self.entry_mut(key) else { return false };
        if !refused.code.retryable() {
            entry.state = EntryState::Failed(refused.code);
            return true;
        }
        entry.state = EntryState::Waiting;
        let delay_ms = match refused.retry_after_ms {
            Some(retry_after_ms) => after_asked_ms(retry_after_ms, jitter),
            // At least a little while: the server is in trouble.
            None => self.backoff.next_ms(jitter).max(250),
        };
        let until = now + i64::from(delay_ms);
        self.hold_until = Some(self.hold_until.map_or(until, |held| held.max(until)));
        true
    }

    /// Takes out what `events` show to be in the log. Whether there was any.
    pub fn settle(&mut self, reader: i64, events: &[Event]) -> bool {
        let before = self.entries.len();
        for event in events {
            if let EventKind::Posted { key, author, .. } = &event.kind
                && author.id == reader
            {
                self.entries.retain(|entry| entry.key.as_str() != key);
            }
        }
        self.entries.len() != before
    }

    /// Takes out what was acknowledged at or before `head`: its event has been applied, or lies
    /// before the window that is shown.
    pub fn settle_up_to(&mut self, head: Seq) {
        self.entries.retain(|entry| !matches!(entry.state, EntryState::Acked(seq) if seq <= head));
    }

    /// A failed entry goes again, with its key.
    pub fn retry(&mut self, key: &str) {
        if let Some(entry) = self.entry_mut(key)
            && matches!(entry.state, EntryState::Failed(_))
        {
            entry.state = EntryState::Waiting;
        }
    }

    /// Takes a failed entry out and gives its text back.
    pub fn discard(&mut self, key: &str) -> Option<String> {
        let failed = |entry: &Entry| entry.key.as_str() == key && matches!(entry.state, EntryState::Failed(_));
        let index = self.entries.iter().position(failed)?;
        Some(self.entries.remove(index).body.as_str().to_owned())
    }

    fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key.as_str() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Author;

    const ME: i64 = 7;

    fn outbox(keys: &[&str]) -> Outbox {
        let mut outbox = Outbox::default();
        for key in keys {
            outbox.push(Key::parse(key).unwrap(), MessageBody::parse(&format!("text of {key}"), 100).unwrap(), 0);
        }
        outbox
    }

    fn sendable(outbox: &mut Outbox, now: i64) -> Vec<String> {
        outbox.take_sendable(now).into_iter().map(|(key, _)| key.as_str().to_owned()).collect()
    }

    fn refused(key: &str, code: ErrorCode, retry_after_ms: Option<u32>) -> Refused {
        Refused { key: Some(key.into()), room: None, code, retry_after_ms }
    }

    fn posted(seq: u64, key: &str, author: i64) -> Event {
        let author = Author { id: author, name: "민아".into() };
        let kind = EventKind::Posted { key: key.into(), author, body: None, rev: None, deleted: true };
        Event { seq: Seq(seq), at: 0, kind }
    }

    #[test]
    fn posts_go_out_once_and_in_order() {
        let mut outbox = outbox(&["a", "b", "c"]);
        assert_eq!(sendable(&mut outbox, 0), ["a", "b", "c"]);
        assert!(sendable(&mut outbox, 1).is_empty());
    }

    #[test]
    fn a_lost_connection_sends_the_unacknowledged_again_with_the_same_keys() {
        let mut outbox = outbox(&["a", "b", "c"]);
        outbox.take_sendable(0);
        outbox.ack("a", Seq(1));
        outbox.connection_lost();
        assert_eq!(sendable(&mut outbox, 0), ["b", "c"]);
    }

    #[test]
    fn ack_and_event_settle_a_post_in_either_order() {
        let mut event_last = outbox(&["a"]);
        event_last.ack("a", Seq(1));
        assert_eq!(event_last.entries()[0].state, EntryState::Acked(Seq(1)));
        assert!(event_last.settle(ME, &[posted(1, "a", ME)]));
        assert!(event_last.entries().is_empty());

        let mut event_first = outbox(&["a"]);
        event_first.settle(ME, &[posted(1, "a", ME)]);
        assert!(!event_first.ack("a", Seq(1)));
        assert!(event_first.entries().is_empty());
    }

    #[test]
    fn the_same_key_of_another_author_settles_nothing() {
        let mut outbox = outbox(&["a"]);
        assert!(!outbox.settle(ME, &[posted(1, "a", ME + 1)]));
        assert!(!outbox.entries().is_empty());
    }

    #[test]
    fn an_ack_before_the_window_settles_without_its_event() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.ack("a", Seq(5));
        outbox.ack("b", Seq(9));
        outbox.settle_up_to(Seq(8));
        assert_eq!(outbox.entries().len(), 1);
        assert_eq!(outbox.entries()[0].key.as_str(), "b");
    }

    #[test]
    fn a_passing_refusal_is_waited_out_in_order() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.take_sendable(0);
        outbox.refuse(&refused("a", ErrorCode::RateLimited, Some(800)), 100, Jitter(0));
        outbox.push(Key::parse("c").unwrap(), MessageBody::parse("c", 10).unwrap(), 0);
        assert!(sendable(&mut outbox, 899).is_empty());
        assert_eq!(outbox.hold_until(), Some(900));
        outbox.refuse(&refused("b", ErrorCode::Unavailable, None), 200, Jitter(0));
        assert_eq!(sendable(&mut outbox, 900), ["a", "b", "c"]);
        assert_eq!(outbox.hold_until(), None);
    }

    #[test]
    fn a_final_refusal_offers_retry_with_the_same_key_and_discard() {
        let mut outbox = outbox(&["a", "b"]);
        outbox.take_sendable(0);
        outbox.refuse(&refused("a", ErrorCode::Forbidden, None), 0, Jitter(0));
        assert_eq!(outbox.entries()[0].state, EntryState::Failed(ErrorCode::Forbidden));
        assert!(sendable(&mut outbox, 0).is_empty());
        outbox.retry("a");
        assert_eq!(sendable(&mut outbox, 0), ["a"]);
        assert_eq!(outbox.discard("a"), None, "on its way: not to be taken back");
        outbox.refuse(&refused("a", ErrorCode::Forbidden, None), 0, Jitter(0));
        assert_eq!(outbox.discard("a").as_deref(), Some("text of a"));
        assert_eq!(outbox.entries().len(), 1);
    }

    #[test]
    fn answers_to_unknown_keys_change_nothing() {
        let mut outbox = outbox(&["a"]);
        let before = outbox.entries().to_vec();
        assert!(!outbox.ack("x", Seq(1)));
        assert!(!outbox.refuse(&refused("x", ErrorCode::Forbidden, None), 0, Jitter(0)));
        assert_eq!(outbox.entries(), before);
    }
}
