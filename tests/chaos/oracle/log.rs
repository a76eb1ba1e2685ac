//! The log against the writers' books.

use super::{Evidence, Facts, Kind, Truth, Verdict};
use crate::browser;
use crate::ledger::{Intent, Ledger, What};
use pickmate::domain::Seq;
use pickmate::protocol::{Event, EventKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub fn judge(evidence: &Evidence, facts: &Facts<'_>, verdict: &mut Verdict) {
    let Evidence { truth, ledgers, .. } = evidence;
    dense(truth, verdict);
    pages_agree(truth, verdict);
    for ledger in ledgers {
        settled(ledger, truth, verdict);
        in_order(ledger, verdict);
    }
    let mut members = BTreeMap::<&str, u32>::new();
    for event in &truth.log {
        meant(event, evidence, facts, verdict);
        if let EventKind::Joined { member } = &event.kind {
            *members.entry(&member.name).or_default() += 1;
        }
    }
    joined(&members, &evidence.members, verdict);
    once(truth, verdict);
    texts(truth, ledgers, verdict);
}

fn dense(truth: &Truth, verdict: &mut Verdict) {
    for (event, seq) in truth.log.iter().zip(1..) {
        if event.seq != Seq(seq) {
            return verdict.complain(Kind::Hole, format!("the log has {} where {seq} should be", event.seq));
        }
    }
}

fn pages_agree(truth: &Truth, verdict: &mut Verdict) {
    let posted = truth.log.iter().filter(|event| matches!(event.kind, EventKind::Posted { .. }));
    if !posted.eq(&truth.messages) {
        verdict.complain(Kind::Altered, "the pages of messages are not the messages of the log");
    }
}

/// Every intent was acked once, and is there.
fn settled(ledger: &Ledger, truth: &Truth, verdict: &mut Verdict) {
    for intent in &ledger.intents {
        if let Some(code) = intent.refused {
            verdict.complain(Kind::Refused, format!("{}: {}", intent.key, code.as_str()));
        }
        let Some(seq) = intent.seq() else {
            if intent.refused.is_none() {
                verdict.complain(Kind::Stuck, format!("{} was never acked", intent.key));
            }
            continue;
        };
        if intent.acks.iter().any(|(_, other)| *other != seq) {
            verdict.complain(Kind::Doubled, format!("{} was acked at several seqs: {:?}", intent.key, intent.acks));
        }
        let event = truth.log.get(seq.0 as usize - 1);
        if !event.is_some_and(|event| carries_out(event, ledger, intent)) {
            verdict.complain(Kind::Lost, format!("{} was acked at {seq}, where the log has {event:?}", intent.key));
        }
    }
}

fn carries_out(event: &Event, ledger: &Ledger, intent: &Intent) -> bool {
    let target_of = |number: usize| ledger.intents[number].seq();
    match (&event.kind, &intent.what) {
        (EventKind::Posted { key, author, .. }, What::Post { .. }) => {
            *key == intent.key && author.name == ledger.author
        }
        (EventKind::Edited { target, .. }, What::Edit { of, .. }) => Some(*target) == target_of(*of),
        (EventKind::Deleted { target }, What::Delete { of }) => Some(*target) == target_of(*of),
        _ => false,
    }
}

/// One after the other when the writer waited for each; in the order of sending when they went out
/// on one connection, once each, and none was told to come later.
fn in_order(ledger: &Ledger, verdict: &mut Verdict) {
    let mut last = BTreeMap::<u64, (Seq, &str)>::new();
    for intent in &ledger.intents {
        let Some((connection, seq)) = intent.acks.first().copied() else { continue };
        let plain = !intent.postponed && intent.sent_on == [connection];
        if !ledger.strict && !plain {
            continue;
        }
        let line = if ledger.strict { 0 } else { connection };
        if let Some((before, key)) = last.insert(line, (seq, &intent.key))
            && before >= seq
        {
            let order = format!("{} is at {seq}, after {key} at {before}", intent.key);
            verdict.complain(Kind::Reordered, order);
        }
    }
}

/// Somebody meant this event.
fn meant(event: &Event, evidence: &Evidence, facts: &Facts<'_>, verdict: &mut Verdict) {
    let seq = event.seq;
    match &event.kind {
        EventKind::Posted { key, author, .. } => {
            let ledger = evidence.ledgers.iter().find(|ledger| ledger.author == author.name);
            let booked = ledger.is_some_and(|ledger| ledger.number_of(key).is_some());
            if !booked && author.name != browser::NAME {
                verdict.complain(Kind::Phantom, format!("{key} of {} at {seq} was never sent", author.name));
            }
        }
        EventKind::Edited { target, .. } | EventKind::Deleted { target } => {
            if facts.at(seq).is_none() && !is_unbooked(*target, evidence) {
                let kind = if was_changed(*target, evidence) { Kind::Doubled } else { Kind::Phantom };
                verdict.complain(kind, format!("the change of {target} at {seq} was never acked"));
            }
        }
        EventKind::Joined { .. } => {}
        other => verdict.complain(Kind::Phantom, format!("nobody did {other:?} at {seq}")),
    }
}

fn is_unbooked(target: Seq, evidence: &Evidence) -> bool {
    let post = evidence.truth.log.get(target.0 as usize - 1).map(|event| &event.kind);
    matches!(post, Some(EventKind::Posted { author, .. }) if author.name == browser::NAME)
}

fn was_changed(target: Seq, evidence: &Evidence) -> bool {
    evidence.ledgers.iter().any(|ledger| {
        ledger.intents.iter().any(|intent| match intent.what {
            What::Post { .. } => false,
            What::Edit { of, .. } | What::Delete { of } => ledger.intents[of].seq() == Some(target),
        })
    })
}

fn joined(found: &BTreeMap<&str, u32>, members: &BTreeSet<String>, verdict: &mut Verdict) {
    for (member, times) in found {
        if !members.contains(*member) {
            verdict.complain(Kind::Phantom, format!("{member} never joined"));
        } else if *times > 1 {
            verdict.complain(Kind::Doubled, format!("{member} joined {times} times"));
        }
    }
    for member in members.iter().filter(|member| !found.contains_key(member.as_str())) {
        verdict.complain(Kind::Lost, format!("{member} joined"));
    }
}

/// No key and no text twice: a text is unique to its intent.
fn once(truth: &Truth, verdict: &mut Verdict) {
    let mut keys = HashMap::<(i64, &str), Seq>::new();
    let mut bodies = HashMap::<&str, Seq>::new();
    for event in &truth.log {
        let EventKind::Posted { key, author, body, rev, .. } = &event.kind else { continue };
        if let Some(first) = keys.insert((author.id, key), event.seq) {
            verdict.complain(Kind::Doubled, format!("{key} of {} is at {first} and at {}", author.name, event.seq));
        }
        let unedited = *rev == Some(event.seq);
        if let Some(body) = body.as_deref().filter(|_| unedited)
            && let Some(first) = bodies.insert(body, event.seq)
        {
            verdict.complain(Kind::Doubled, format!("the text of {key} is at {first} and at {}", event.seq));
        }
    }
}

/// Every message shows what its last change made of it.
fn texts(truth: &Truth, ledgers: &[Ledger], verdict: &mut Verdict) {
    for ledger in ledgers {
        for (number, post) in ledger.intents.iter().enumerate() {
            let (What::Post { body }, Some(seq)) = (&post.what, post.seq()) else { continue };
            let mut last = (seq, Some(body.as_str()));
            for change in ledger.intents.iter().filter(|change| change.is_settled()) {
                let Some(at) = change.seq() else { continue };
                match &change.what {
                    What::Edit { of, body } if *of == number && at > last.0 => last = (at, Some(body)),
                    What::Delete { of } if *of == number => last = (Seq(u64::MAX), None),
                    _ => {}
                }
            }
            let Some(EventKind::Posted { body: shown, .. }) =
                truth.log.get(seq.0 as usize - 1).map(|event| &event.kind)
            else {
                continue;
            };
            if shown.as_deref() != last.1 {
                let text = format!("{} at {seq} reads {shown:?}, not {:?}", post.key, last.1);
                verdict.complain(Kind::Altered, text);
            }
        }
    }
}
