//! What a run tells: the faults, what came of them, and what the oracle found.

use crate::course::Tally;
use crate::oracle::{Evidence, Kind, Verdict};
use std::fmt;

pub struct Report<'a> {
    pub tally: &'a Tally,
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
        writeln!(text, "\n{:<24} {:>6} {:>14} {:>14}", "fault", "times", "next ack, mean", "longest")?;
        let mut times = 0;
        for (name, row) in &self.tally.0 {
            let mean = row.total.as_millis() / u128::from(row.times.max(1));
            writeln!(text, "{name:<24} {:>6} {mean:>11} ms {:>11} ms", row.times, row.longest.as_millis())?;
            times += row.times;
        }
        writeln!(text, "{:<24} {times:>6}", "all")
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
        writeln!(text, "{} readers got {events} events in {sessions} connections and pages\n", readers.len())?;
        if let Some(shown) = &self.evidence.shown {
            writeln!(text, "a browser wrote {} posts and was looked at {} times\n", shown.sent.len(), shown.looks)?;
        }
        for kind in Kind::ALL {
            writeln!(text, "{:<12} {:>6}", format!("{kind:?}").to_lowercase(), self.verdict.count(kind))?;
        }
        write!(text, "\n{}", self.verdict)
    }
}
