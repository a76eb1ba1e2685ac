//! What a run measured, and what must hold of it.

use crate::community::Size;
use crate::server::Numbers;
use anyhow::{Result, ensure};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

pub struct Report {
    pub size: Size,
    /// When SIGTERM was sent, when the process had ended, and when the next one took posts.
    pub stopped: Instant,
    pub ended: Instant,
    pub listening: Instant,
    /// How long each was told to stay away, in milliseconds.
    pub told: Vec<u32>,
    /// Attempts of each until it was let in, and when it was joined and caught up.
    pub back: Vec<(u32, Instant)>,
    pub posts: usize,
    /// From the first attempt to the ack.
    pub longest_post: Duration,
    /// Of the first process without sockets and with all of them.
    pub empty: Numbers,
    pub full: Numbers,
    /// Of the second process when all were back.
    pub again: Numbers,
}

/// Reads for one room: its newest events, who may read it, each once more when it changed meanwhile.
const READS_PER_ROOM: u64 = 6;

/// Those who ask at the same time share a read: there are so many of these a second.
const SHARED_READS_PER_SECOND: u64 = 30;

impl Report {
    pub fn judge(&self, within: Duration) -> Result<()> {
        let took = self.last_back() - self.listening;
        ensure!(
            took <= within,
            "the last socket was back {took:?} after the new process listened; {within:?} are allowed"
        );
        let (reads, allowed) = (self.again.reads_for_sockets().values().sum::<u64>(), self.reads_allowed());
        ensure!(reads <= allowed, "the sockets cost {reads} reads of the store; {allowed} are allowed");
        Ok(())
    }

    /// By rooms and time, not by sockets.
    fn reads_allowed(&self) -> u64 {
        let seconds = (self.last_back() - self.stopped).as_secs() + 1;
        READS_PER_ROOM * self.size.rooms as u64 + SHARED_READS_PER_SECOND * seconds
    }

    fn last_back(&self) -> Instant {
        self.back.iter().map(|(_, at)| *at).max().unwrap_or(self.listening)
    }

    fn times(&self) -> [(&'static str, String); 6] {
        let ms = |duration: Duration| format!("{} ms", duration.as_millis());
        let mut back: Vec<_> = self.back.iter().map(|(_, at)| at.saturating_duration_since(self.listening)).collect();
        back.sort_unstable();
        let told = (self.told.iter().min().unwrap_or(&0), self.told.iter().max().unwrap_or(&0));
        [
            ("SIGTERM to the end of the process", ms(self.ended - self.stopped)),
            ("end to the next one listening", ms(self.listening - self.ended)),
            ("told to stay away for", format!("{} to {} ms", told.0, told.1)),
            ("listening to half of them back", back.get(back.len() / 2).map_or_else(String::new, |half| ms(*half))),
            ("listening to the last one back", ms(self.last_back() - self.listening)),
            ("SIGTERM to the last one back", ms(self.last_back() - self.stopped)),
        ]
    }

    fn reads(numbers: &Numbers) -> String {
        let kinds = numbers.reads_for_sockets();
        let kinds: Vec<_> = kinds.iter().map(|(what, count)| format!("{} {count}", what.to_lowercase())).collect();
        format!("{} ({} in all)", kinds.join(", "), numbers.reads())
    }

    fn memory(&self) -> String {
        let per_socket = self.full.bytes().saturating_sub(self.empty.bytes()) / self.size.sockets as u64;
        format!("{} KiB each, {} MiB in all", per_socket / 1024, self.full.bytes() >> 20)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Size { sockets, rooms, accounts } = self.size;
        let mut line = |name: &str, value: String| writeln!(text, "{name:<36} {value}");
        line("sockets, rooms, accounts", format!("{sockets}, {rooms}, {accounts}"))?;
        for (name, value) in self.times() {
            line(name, value)?;
        }
        line("more than one attempt", self.back.iter().filter(|(attempts, _)| *attempts > 1).count().to_string())?;
        line("reads when they came first", Report::reads(&self.full))?;
        line("reads when they came back", Report::reads(&self.again))?;
        line("memory of the server", self.memory())?;
        line("posts meanwhile, longest wait", format!("{}, {} ms", self.posts, self.longest_post.as_millis()))
    }
}
