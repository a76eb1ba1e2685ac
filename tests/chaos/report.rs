//! What a run tells: the faults, what came of them, and what the oracle found.

use crate::course::Tally;
use crate::oracle::{CALM, Delays, Evidence, Kind, Verdict};
use std::collections::BTreeMap;
use std::fmt;

pub struct Report<'a> {
    pub tally: &'a Tally,
    pub delays: Delays,
    /// Of the stage.
    pub remarks: String,
    pub evidence: &'a Evidence,
    pub verdict: &'a Verdict,
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults(text)?;
        text.write_str(&self.remarks)?;
        self.findings(text)
    }
}

impl Report<'_> {
    fn faults(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(text, "\n{:<30} {:>6} {:>14} {:>14}", "fault", "times", "next ack, mean", "longest")?;
        // Only attentive readers tell how long messages took.
        let timely = self.delays.0.contains_key(CALM);
        if timely {
            write!(text, " {:>14} {:>14}", "all have all", "an ack took")?;
        }
        writeln!(text)?;
        let mut times = 0;
        for (name, row) in &self.tally.0 {
            let mean = row.total.as_millis() / u128::from(row.times.max(1));
            write!(text, "{name:<30} {:>6} {mean:>11} ms {:>11} ms", row.times, row.longest.as_millis())?;
            if let Some(delay) = self.delays.0.get(name).filter(|_| timely) {
                write!(text, " {:>11} ms {:>11} ms", delay.message.as_millis(), delay.ack.as_millis())?;
            }
            writeln!(text)?;
            times += row.times;
        }
        writeln!(text, "{:<30} {times:>6}", "all")?;
        match self.delays.0.get(CALM) {
            Some(calm) => writeln!(text, "{CALM:<74} {:>11} ms", calm.message.as_millis()),
            None => Ok(()),
        }
    }

    fn findings(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Evidence { truth, ledgers, readers, .. } = self.evidence;
        let intents = ledgers.iter().flat_map(|ledger| &ledger.intents);
        let sent: usize = intents.clone().map(|intent| intent.sent_on.len()).sum();
        let posts: usize = ledgers.iter().map(|ledger| ledger.posts()).sum();
        let sessions: usize = readers.iter().map(|reader| reader.sessions.len()).sum();
        let events: usize =
            readers.iter().flat_map(|reader| &reader.sessions).map(|session| session.events.len()).sum();
        writeln!(
            text,
            "\n{posts} posts and {} changes of posts, sent {sent} times; {} events in the log",
            intents.count() - posts,
            truth.head
        )?;
        writeln!(text, "{} readers got {events} events in {sessions} connections and pages", readers.len())?;
        let nodes = connections(self.evidence);
        if !nodes.is_empty() {
            writeln!(text, "their connections were made to {nodes:?}")?;
        }
        writeln!(text)?;
        if let Some(shown) = &self.evidence.shown {
            writeln!(text, "a browser wrote {} posts and was looked at {} times\n", shown.sent.len(), shown.looks)?;
        }
        for kind in Kind::ALL {
            writeln!(text, "{:<12} {:>6}", format!("{kind:?}").to_lowercase(), self.verdict.count(kind))?;
        }
        write!(text, "\n{}", self.verdict)
    }
}

/// How often readers were let in to each node.
pub fn connections(evidence: &Evidence) -> BTreeMap<&str, usize> {
    let mut nodes = BTreeMap::new();
    for (node, times) in evidence.readers.iter().flat_map(|reader| &reader.nodes) {
        *nodes.entry(node.as_str()).or_default() += times;
    }
    nodes
}
