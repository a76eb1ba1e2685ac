//! A real browser in the room: `end2end/chaos/member.spec.ts`, told by a file how far the run is.

use crate::operator::PASSWORD;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::json;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// Its account.
pub const NAME: &str = "gina";

/// A browser takes its time to start, to settle, and to end.
const PATIENCE: Duration = Duration::from_secs(90);

pub struct Browser {
    process: Child,
    record: Record,
    phase: PathBuf,
}

/// What it wrote and what it showed.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// Texts in the order of writing.
    pub sent: Vec<String>,
    /// The rows of its page, each time that they had changed.
    pub seen: Vec<Vec<Row>>,
    pub panics: Vec<String>,
    /// How often the page was looked at.
    pub looks: usize,
    /// At the last look no row waited for its ack.
    pub settled: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub key: String,
    pub delivery: String,
    pub text: String,
}

/// A line of the record.
#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Note {
    Wrote {
        text: String,
    },
    Broke {
        text: String,
    },
    /// Without rows: they were as before.
    Looked {
        rows: Option<Vec<Row>>,
        settled: bool,
    },
}

impl Browser {
    /// Returns when it has written its first post.
    pub async fn start(folder: &Path, proxy: SocketAddr, room: &str) -> Result<Browser> {
        let (record, phase) = (folder.join("browser.jsonl"), folder.join("browser.phase"));
        let member = json!({
            "url": format!("http://{proxy}"), "room": room, "name": NAME, "password": PASSWORD,
            "record": record, "phase": phase, "pace": 700,
        });
        let log = File::create(folder.join("browser.log"))?;
        // Cargo runs tests in the package's folder; the one it was compiled in may be another clone.
        let end2end = Path::new("end2end").canonicalize()?;
        let mut command = Command::new(end2end.join("node_modules/.bin/playwright"));
        command.args(["test", "--config", "chaos.config.ts"]).current_dir(end2end);
        command.env("PICKMATE_CHAOS_MEMBER", member.to_string()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = command.spawn().context("the browser needs what scripts/install-node-tools.sh installs")?;
        let mut browser = Browser { process, record: Record::new(record), phase };
        let entered = browser.until(|shown| shown.looks > 0 || !shown.panics.is_empty());
        timeout(PATIENCE, entered).await.context("the browser does not enter")??;
        // Nothing has gone wrong yet but the page itself.
        match browser.record.shown.panics.first() {
            Some(panic) => bail!("the page broke before any fault: {panic}"),
            None => Ok(browser),
        }
    }

    /// It writes no more, and everything it wrote is acked.
    pub async fn settle(&mut self) -> Result<()> {
        fs::write(&self.phase, "settle")?;
        self.record.read_on()?;
        // One look may have begun before.
        let looks = self.record.shown.looks + 2;
        let settled = self.until(|shown| shown.settled && shown.looks >= looks);
        // What it did not settle is the oracle's to say.
        match timeout(PATIENCE, settled).await {
            Ok(settled) => settled,
            Err(_) => Ok(()),
        }
    }

    /// Waits until its page ends with `tail`, or long enough; then it ends.
    pub async fn end(mut self, is_there: impl Fn(&Shown) -> bool) -> Result<Shown> {
        if let Ok(there) = timeout(PATIENCE, self.until(is_there)).await {
            there?;
        }
        fs::write(&self.phase, "end")?;
        let status = timeout(PATIENCE, self.process.wait()).await.context("the browser does not end")??;
        ensure!(status.success(), "the browser ended with {status}");
        self.record.read_on()?;
        Ok(self.record.shown)
    }

    async fn until(&mut self, reached: impl Fn(&Shown) -> bool) -> Result<()> {
        loop {
            self.record.read_on()?;
            if reached(&self.record.shown) {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "the browser ended with {status}; browser.log beside server.log tells why");
            }
            sleep(Duration::from_millis(200)).await;
        }
    }
}

/// The file that the browser writes, as far as it was read.
struct Record {
    path: PathBuf,
    bytes: u64,
    shown: Shown,
}

impl Record {
    fn new(path: PathBuf) -> Record {
        Record { path, bytes: 0, shown: Shown::default() }
    }

    fn read_on(&mut self) -> Result<()> {
        // It is not there before there is something to tell.
        let Ok(mut file) = File::open(&self.path) else { return Ok(()) };
        file.seek(SeekFrom::Start(self.bytes))?;
        let mut lines = Vec::new();
        file.read_to_end(&mut lines)?;
        // The last line may still be written.
        lines.truncate(lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        self.bytes += lines.len() as u64;
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.note(serde_json::from_slice(line)?);
        }
        Ok(())
    }

    fn note(&mut self, note: Note) {
        let shown = &mut self.shown;
        match note {
            Note::Wrote { text } => shown.sent.push(text),
            Note::Broke { text } => shown.panics.push(text),
            Note::Looked { rows, settled } => {
                shown.looks += 1;
                shown.settled = settled;
                shown.seen.extend(rows);
            }
        }
    }
}
