//! Compares what everybody did and saw with the log as it is in the end.

mod browser;
mod log;
mod readers;
mod spoilt;
mod timely;

pub use browser::shows_the_end;
pub use spoilt::are_seen;
pub use timely::{CALM, Delays, delays};

use crate::browser::Shown;
use crate::client::Client;
use crate::course::Past;
use crate::ledger::{Intent, Ledger, What};
use crate::readers::Record;
use anyhow::{Result, ensure};
use pickmate::domain::Seq;
use pickmate::protocol::Event;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Acked, or in the log, and not where it should be.
    Lost,
    /// There more than once.
    Doubled,
    /// There, but not in its order.
    Reordered,
    /// There, though nobody did it.
    Phantom,
    /// A seq of the log that is no event.
    Hole,
    /// There with another text, author or target.
    Altered,
    /// Neither acked nor refused, or not delivered, in the end.
    Stuck,
    /// A fair command that was refused for good.
    Refused,
    /// A seq from another history, though there was no other.
    Epoch,
    /// Long after its ack, or after the fault that held it up, a member did not have it.
    Late,
    /// An ack that was waited for too long while nothing was gone that posting needs.
    Halted,
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::Lost,
        Kind::Doubled,
        Kind::Reordered,
        Kind::Phantom,
        Kind::Hole,
        Kind::Altered,
        Kind::Stuck,
        Kind::Refused,
        Kind::Epoch,
        Kind::Late,
        Kind::Halted,
    ];
}

#[derive(Debug, Default)]
pub struct Verdict(pub Vec<(Kind, String)>);

impl Verdict {
    pub fn complain(&mut self, kind: Kind, what: impl Into<String>) {
        self.0.push((kind, what.into()));
    }

    pub fn count(&self, kind: Kind) -> usize {
        self.0.iter().filter(|(known, _)| *known == kind).count()
    }

    pub fn is_clean(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(40).try_for_each(|(kind, what)| writeln!(f, "{kind:?}: {what}"))
    }
}

/// The room as the server tells it when everything is quiet.
pub struct Truth {
    pub epoch: String,
    pub head: Seq,
    pub log: Vec<Event>,
    /// Its messages, read as pages from the newest to the oldest; ascending.
    pub messages: Vec<Event>,
}

impl Truth {
    pub async fn read(client: &Client) -> Result<Truth> {
        let first = client.events(Seq::ZERO, 1_000).await?;
        let mut truth = Truth { epoch: first.epoch, head: first.head, log: first.events, messages: Vec::new() };
        while truth.last() < truth.head {
            let page = client.events(truth.last(), 1_000).await?;
            ensure!(!page.events.is_empty(), "the log ends at {} though its head is {}", truth.last(), truth.head);
            truth.log.extend(page.events);
        }
        let mut pages = vec![client.messages(None, 200).await?.messages];
        while let Some(first) = pages.last().and_then(|page| page.first()) {
            pages.push(client.messages(Some(first.seq), 200).await?.messages);
        }
        truth.messages = pages.into_iter().rev().flatten().collect();
        Ok(truth)
    }

    fn last(&self) -> Seq {
        self.log.last().map(|event| event.seq).unwrap_or_default()
    }
}

pub struct Evidence {
    pub truth: Truth,
    pub ledgers: Vec<Ledger>,
    pub readers: Vec<Record>,
    /// Everybody who became a member, each once.
    pub members: BTreeSet<String>,
    /// Of the browser, if there was one.
    pub shown: Option<Shown>,
    /// What went wrong when.
    pub past: Vec<Past>,
}

/// What the writers know of the log, by seq.
struct Facts<'a>(BTreeMap<Seq, (&'a Ledger, &'a Intent)>);

impl<'a> Facts<'a> {
    fn of(ledgers: &'a [Ledger]) -> Facts<'a> {
        let intents = ledgers.iter().flat_map(|ledger| ledger.intents.iter().map(move |intent| (ledger, intent)));
        Facts(intents.filter_map(|fact| fact.1.seq().map(|seq| (seq, fact))).collect())
    }

    fn at(&self, seq: Seq) -> Option<(&'a Ledger, &'a Intent)> {
        self.0.get(&seq).copied()
    }

    /// The text that the command at `seq` gave its message.
    fn text_at(&self, seq: Seq) -> Option<&'a str> {
        match &self.at(seq)?.1.what {
            What::Post { body } | What::Edit { body, .. } => Some(body),
            What::Delete { .. } => None,
        }
    }
}

pub fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    let facts = Facts::of(&evidence.ledgers);
    log::judge(evidence, &facts, &mut verdict);
    for reader in &evidence.readers {
        readers::judge(reader, &evidence.truth, &facts, &mut verdict);
    }
    if let Some(shown) = &evidence.shown {
        browser::judge(shown, &evidence.truth, &evidence.ledgers, &mut verdict);
    }
    timely::judge(evidence, &mut verdict);
    verdict
}
