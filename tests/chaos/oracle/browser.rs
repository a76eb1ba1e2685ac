//! What a browser wrote and showed against the log.

use super::{Kind, Truth, Verdict};
use crate::browser::{NAME, Row, Shown};
use crate::ledger::{Ledger, What};
use pickmate::domain::Seq;
use pickmate::protocol::{Event, EventKind};
use std::collections::{BTreeSet, HashMap};

pub fn judge(shown: &Shown, truth: &Truth, ledgers: &[Ledger], verdict: &mut Verdict) {
    for panic in &shown.panics {
        verdict.complain(Kind::Lost, format!("{NAME}'s page broke: {panic}"));
    }
    wrote(shown, truth, verdict);
    let places = places(truth, ledgers);
    for rows in &shown.seen {
        ordered(rows, &places, verdict);
    }
    if !shows_the_end(shown, truth) {
        let last: Vec<_> = shown.seen.last().into_iter().flatten().rev().take(3).map(|row| tag(&row.text)).collect();
        verdict.complain(Kind::Stuck, format!("{NAME}'s page does not end as the room does, but with {last:?}"));
    }
}

/// The page's rows are the last messages of the room, all acked.
pub fn shows_the_end(shown: &Shown, truth: &Truth) -> bool {
    let Some(rows) = shown.seen.last() else { return false };
    let tail = &truth.messages[truth.messages.len().saturating_sub(rows.len())..];
    let same = |(row, message): (&Row, &Event)| match &message.kind {
        EventKind::Posted { body: Some(body), .. } => row.delivery == "sent" && tag(&row.text) == tag(body),
        _ => row.delivery == "sent" && tag(&row.text).is_none(),
    };
    !rows.is_empty() && rows.len() == tail.len() && rows.iter().zip(tail).all(same)
}

/// Author and number, with which every text begins.
pub(super) fn tag(text: &str) -> Option<&str> {
    let number = text.find(" #")? + 2;
    let digits = text[number..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - number);
    Some(&text[..number + digits])
}

/// Each of its texts is in the log once, in the order of writing.
fn wrote(shown: &Shown, truth: &Truth, verdict: &mut Verdict) {
    let mut last = Seq::ZERO;
    for text in &shown.sent {
        let there: Vec<Seq> = truth.messages.iter().filter(|event| is(event, text)).map(|event| event.seq).collect();
        match there[..] {
            [] => verdict.complain(Kind::Lost, format!("{text} of {NAME}'s page")),
            [seq] if seq < last => verdict.complain(Kind::Reordered, format!("{text} is at {seq}, after {last}")),
            [seq] => last = seq,
            _ => verdict.complain(Kind::Doubled, format!("{text} is at {there:?}")),
        }
    }
    for event in &truth.messages {
        if let EventKind::Posted { author, body: Some(body), .. } = &event.kind
            && author.name == NAME
            && !shown.sent.contains(body)
        {
            verdict.complain(Kind::Phantom, format!("{NAME} never wrote {body} at {}", event.seq));
        }
    }
}

fn is(event: &Event, text: &str) -> bool {
    matches!(&event.kind, EventKind::Posted { author, body: Some(body), .. } if author.name == NAME && body == text)
}

/// Where the message with a tag stands; an edited one has had several.
fn places(truth: &Truth, ledgers: &[Ledger]) -> HashMap<String, Seq> {
    let mut places = HashMap::new();
    for ledger in ledgers {
        for (number, intent) in ledger.intents.iter().enumerate() {
            let (post, body) = match &intent.what {
                What::Post { body } => (number, body),
                What::Edit { of, body } => (*of, body),
                What::Delete { .. } => continue,
            };
            if let (Some(tag), Some(seq)) = (tag(body), ledger.intents[post].seq()) {
                places.insert(tag.to_owned(), seq);
            }
        }
    }
    for message in &truth.messages {
        if let EventKind::Posted { body: Some(body), .. } = &message.kind
            && let Some(tag) = tag(body)
        {
            places.insert(tag.to_owned(), message.seq);
        }
    }
    places
}

/// At every look, sent rows stood in the order of the log, and none twice.
fn ordered(rows: &[Row], places: &HashMap<String, Seq>, verdict: &mut Verdict) {
    let mut keys = BTreeSet::new();
    let mut last = Seq::ZERO;
    for row in rows {
        if !keys.insert(&row.key) {
            verdict.complain(Kind::Doubled, format!("{NAME}'s page showed {} twice", row.key));
        }
        let Some(tag) = tag(&row.text).filter(|_| row.delivery == "sent") else { continue };
        match places.get(tag) {
            None => verdict.complain(Kind::Phantom, format!("{NAME}'s page showed {tag}, which nobody wrote")),
            Some(seq) if *seq <= last => {
                verdict.complain(Kind::Reordered, format!("{NAME}'s page showed {tag} after what is at {last}"));
            }
            Some(seq) => last = *seq,
        }
    }
}
