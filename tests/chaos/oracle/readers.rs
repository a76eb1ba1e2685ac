//! What one reader saw against the log.

use super::{Facts, Kind, Truth, Verdict};
use crate::readers::{Manner, Record, Session};
use pickmate::domain::Seq;
use pickmate::protocol::{Event, EventKind};
use std::collections::BTreeSet;

pub fn judge(reader: &Record, truth: &Truth, facts: &Facts<'_>, verdict: &mut Verdict) {
    let mut seen = Seq::ZERO;
    for session in &reader.sessions {
        if reader.manner != Manner::Window && session.after > seen {
            let skipped = format!("{} was led from {seen} to {}", reader.name, session.after);
            verdict.complain(Kind::Lost, skipped);
        }
        dense(reader, session, verdict);
        for event in &session.events {
            same(reader, event, truth, facts, verdict);
            seen = seen.max(event.seq);
        }
    }
    fold(reader, truth, verdict);
    if reader.epochs.iter().any(|epoch| *epoch != truth.epoch) {
        verdict.complain(Kind::Epoch, format!("{} saw the epochs {:?}", reader.name, reader.epochs));
    }
}

/// A session brings one event after the other, from its position on.
fn dense(reader: &Record, session: &Session, verdict: &mut Verdict) {
    let seqs: Vec<u64> = session.events.iter().map(|event| event.seq.0).collect();
    let wanted = session.after.0 + 1..=seqs.iter().copied().max().unwrap_or_default();
    if wanted.clone().eq(seqs.iter().copied()) {
        return;
    }
    let distinct: BTreeSet<u64> = seqs.iter().copied().collect();
    let missing = wanted.filter(|seq| !distinct.contains(seq)).count();
    let repeated = seqs.len() - distinct.len() + distinct.range(..=session.after.0).count();
    let place = format!("{}, from {} on", reader.name, session.after);
    if missing > 0 {
        verdict.complain(Kind::Lost, format!("{place}: {missing} events did not come"));
    }
    if repeated > 0 {
        verdict.complain(Kind::Doubled, format!("{place}: {repeated} events came again"));
    }
    if missing == 0 && repeated == 0 {
        verdict.complain(Kind::Reordered, format!("{place}: {seqs:?}"));
    }
}

/// The event is the one of the log, with a text that its message had at that `rev`.
fn same(reader: &Record, event: &Event, truth: &Truth, facts: &Facts<'_>, verdict: &mut Verdict) {
    let logged = (event.seq.0 as usize).checked_sub(1).and_then(|index| truth.log.get(index));
    let Some(logged) = logged else {
        return verdict.complain(Kind::Phantom, format!("{} saw {event:?}, beyond the log", reader.name));
    };
    if identity(event) != identity(logged) {
        let phantom = format!("{} saw {event:?}, the log has {logged:?}", reader.name);
        return verdict.complain(Kind::Phantom, phantom);
    }
    let (EventKind::Posted { body: Some(body), rev: Some(rev), .. } | EventKind::Edited { body: Some(body), rev, .. }) =
        &event.kind
    else {
        return;
    };
    if facts.text_at(*rev).is_some_and(|text| text != body) {
        verdict.complain(
            Kind::Altered,
            format!("{} saw at {} what was not written at {rev}: {body}", reader.name, event.seq),
        );
    }
}

/// What does not depend on when it was read.
fn identity(event: &Event) -> (&str, Option<&str>, Option<i64>, Option<Seq>) {
    match &event.kind {
        EventKind::Posted { key, author, .. } => ("posted", Some(key), Some(author.id), None),
        EventKind::Edited { target, .. } => ("edited", None, None, Some(*target)),
        EventKind::Deleted { target } => ("deleted", None, None, Some(*target)),
        EventKind::Joined { member } => ("joined", None, Some(member.id), None),
        _ => ("other", None, None, None),
    }
}

/// What the reader shows in the end is what the room is now.
fn fold(reader: &Record, truth: &Truth, verdict: &mut Verdict) {
    let head = reader.timeline.head();
    if head != truth.head {
        return verdict.complain(Kind::Stuck, format!("{} is at {head}, the room at {}", reader.name, truth.head));
    }
    let posted = |event: &&Event| matches!(event.kind, EventKind::Posted { .. });
    let rows: Vec<&Event> = reader.timeline.rows().map(AsRef::as_ref).filter(posted).collect();
    let shown = match reader.manner {
        Manner::Window => rows.len().min(truth.messages.len()),
        Manner::Whole | Manner::Pages => truth.messages.len(),
    };
    let tail = &truth.messages[truth.messages.len() - shown..];
    if !rows.iter().copied().eq(tail) {
        let differs = rows.iter().zip(tail).find(|(row, message)| **row != *message);
        verdict.complain(Kind::Altered, format!("{} shows something else: {differs:?}", reader.name));
    }
}
