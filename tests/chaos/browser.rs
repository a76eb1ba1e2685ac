//! A real browser in the room: `end2end/chaos/member.spec.ts`, told by a file how far the run is.

use crate::server::PASSWORD;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use std::fs::{self, File};
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
    record: PathBuf,
    phase: PathBuf,
}

/// What it wrote and what it showed.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Shown {
    /// Texts in the order of writing.
    pub sent: Vec<String>,
    /// The rows of its page, look by look.
    pub seen: Vec<Vec<Row>>,
    pub panics: Vec<String>,
    /// No row waits for its ack.
    pub settled: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub key: String,
    pub delivery: String,
    pub text: String,
}

impl Browser {
    /// Returns when it has written its first post.
    pub async fn start(folder: &Path, proxy: SocketAddr, room: &str) -> Result<Browser> {
        let (record, phase) = (folder.join("browser.json"), folder.join("browser.phase"));
        let member = json!({
            "url": format!("http://{proxy}"), "room": room, "name": NAME, "password": PASSWORD,
            "record": record, "phase": phase, "pace": 700,
        });
        let log = File::create(folder.join("browser.log"))?;
        let end2end = Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end");
        let mut command = Command::new(end2end.join("node_modules/.bin/playwright"));
        command.args(["test", "--config", "chaos.config.ts"]).current_dir(end2end);
        command.env("PICKMATE_CHAOS_MEMBER", member.to_string()).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = command.spawn().context("the browser needs what scripts/install-node-tools.sh installs")?;
        let mut browser = Browser { process, record, phase };
        timeout(PATIENCE, browser.until(|shown| shown.is_some())).await.context("the browser does not enter")??;
        Ok(browser)
    }

    /// It writes no more, and everything it wrote is acked.
    pub async fn settle(&mut self) -> Result<()> {
        fs::write(&self.phase, "settle")?;
        let looks = self.shown().map_or(0, |shown| shown.seen.len()) + 2;
        let settled = self.until(|shown| shown.is_some_and(|shown| shown.settled && shown.seen.len() > looks));
        // What it did not settle is the oracle's to say.
        let _ = timeout(PATIENCE, settled).await;
        Ok(())
    }

    /// Waits until its page ends with `tail`, or long enough; then it ends.
    pub async fn end(mut self, is_there: impl Fn(&Shown) -> bool) -> Result<Shown> {
        let _ = timeout(PATIENCE, self.until(|shown| shown.is_some_and(&is_there))).await;
        fs::write(&self.phase, "end")?;
        let status = timeout(PATIENCE, self.process.wait()).await.context("the browser does not end")??;
        ensure!(status.success(), "the browser ended with {status}");
        self.shown().context("the browser left no record")
    }

    async fn until(&mut self, reached: impl Fn(Option<&Shown>) -> bool) -> Result<()> {
        while !reached(self.shown().as_ref()) {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "the browser ended with {status}; browser.log beside server.log tells why");
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    fn shown(&self) -> Option<Shown> {
        serde_json::from_slice(&fs::read(&self.record).ok()?).ok()
    }
}
