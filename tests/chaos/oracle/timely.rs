//! How long everybody waited, for messages and for acks.

use super::{Evidence, Kind, Verdict};
use crate::course::Past;
use crate::readers::{Record, Stance};
use pickmate::domain::Seq;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Within so long after the end of a fault every member has every message.
const EVERYBODY_WITHIN: Duration = Duration::from_secs(5);

/// An ack is not waited for longer while only Redis is gone. Posting never waits for Redis, so it takes what a commit
/// takes: milliseconds; the rest is for a machine whose processors have other work.
const ACKED_WITHIN: Duration = Duration::from_secs(2);

/// A Redis that is gone is found out within so long; from then on nobody waits for it.
const FOUND_OUT_WITHIN: Duration = Duration::from_secs(3);

/// The row of what was there before anything went wrong.
pub const CALM: &str = "before the first fault";

/// The longest waits by fault.
#[derive(Debug, Default)]
pub struct Delays(pub BTreeMap<&'static str, Delay>);

#[derive(Clone, Copy, Debug, Default)]
pub struct Delay {
    /// From the end of the fault, or from the ack if that came later, until every attentive reader had a message that
    /// came before the next fault.
    pub message: Duration,
    /// For an ack, during the fault.
    pub ack: Duration,
}

pub fn delays(evidence: &Evidence) -> Delays {
    let mut delays = Delays::default();
    for Message { late, fault, .. } in messages(evidence) {
        let delay = delays.0.entry(fault).or_default();
        delay.message = delay.message.max(late);
    }
    for past in &evidence.past {
        let delay = delays.0.entry(past.name).or_default();
        delay.ack = waits(evidence, past).map(|(_, wait)| wait).max().unwrap_or_default().max(delay.ack);
    }
    delays
}

pub fn judge(evidence: &Evidence, verdict: &mut Verdict) {
    for Message { seq, reader, late, fault } in messages(evidence) {
        if late > EVERYBODY_WITHIN {
            verdict.complain(Kind::Late, format!("{reader} had {seq} after {late:?} ({fault})"));
        }
    }
    for past in evidence.past.iter().filter(|past| past.spares_posting) {
        for (key, wait) in waits(evidence, past).filter(|(_, wait)| *wait > ACKED_WITHIN) {
            verdict.complain(Kind::Halted, format!("{key} waited {wait:?} for its ack during {}", past.name));
        }
    }
}

impl Past {
    /// What was acked at this moment, during the fault, may be late by it until then.
    fn excuses_until(&self, acked: Instant) -> Instant {
        if self.spares_posting { self.over.min(acked.max(self.begun) + FOUND_OUT_WITHIN) } else { self.over }
    }
}

/// One message on its way to one reader.
struct Message<'a> {
    seq: Seq,
    reader: &'a str,
    late: Duration,
    /// The last one that had begun when it came.
    fault: &'static str,
}

fn messages(evidence: &Evidence) -> impl Iterator<Item = Message<'_>> {
    let attentive = |reader: &&Record| matches!(reader.stance, Stance::Attentive(_));
    evidence.readers.iter().filter(attentive).flat_map(move |reader| {
        acks(evidence).filter_map(move |(seq, acked)| {
            let seen = reader.arrived_at(seq)?;
            // A fault that is under way excuses; one that is over may still be felt.
            let last = evidence.past.iter().rfind(|past| past.begun <= seen);
            let (since, fault) = last.map_or((acked, CALM), |past| (acked.max(past.excuses_until(acked)), past.name));
            Some(Message { seq, reader: &reader.name, late: seen.saturating_duration_since(since), fault })
        })
    })
}

fn acks(evidence: &Evidence) -> impl Iterator<Item = (Seq, Instant)> {
    let intents = evidence.ledgers.iter().flat_map(|ledger| &ledger.intents);
    intents.filter_map(|intent| Some((intent.seq()?, intent.acked_at?)))
}

/// Of the commands that were under way during the fault, counted from its begin.
fn waits<'a>(evidence: &'a Evidence, past: &'a Past) -> impl Iterator<Item = (&'a str, Duration)> {
    let intents = evidence.ledgers.iter().flat_map(|ledger| &ledger.intents);
    intents.filter_map(move |intent| {
        let (sent, acked) = (intent.sent_at?, intent.acked_at?);
        let during = sent < past.over && acked > past.begun;
        during.then(|| (intent.key.as_str(), acked - sent.max(past.begun)))
    })
}
