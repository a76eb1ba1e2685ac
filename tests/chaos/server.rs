//! The server on its small disk with its wrong clock, and the operator's commands beside it.

use crate::machine::{Clock, Disk};
use crate::program::{PATIENCE, Program};
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// Of every account.
pub const PASSWORD: &str = "correct horse battery";

/// So small that queues overflow, readers fall behind and waits end within a short run.
const LIMITS: &str = "catch_up_events=60,queue_frames=16,ping_every_ms=1000,silence_ms=6000,write_timeout_ms=4000,\
                      idle_timeout_ms=8000,request_timeout_ms=5000,shutdown_ms=4000,posts_burst=15,\
                      posts_per_minute=900,commands_burst=200,commands_per_minute=2000,connections_per_user=500,\
                      connections_per_address=5000,openings_burst=10000,openings_per_minute=60000,\
                      drain_retry_ms=300,reads_per_minute=60000";

pub struct Server {
    pub program: Program,
    pub disk: Disk,
    pub clock: Clock,
    folder: PathBuf,
}

impl Server {
    /// Prepares the machine; nothing runs yet.
    pub fn new(folder: &Path) -> Result<Server> {
        Ok(Server {
            program: Program::new(folder)?,
            disk: Disk::mount(folder)?,
            clock: Clock::build(folder)?,
            folder: folder.to_owned(),
        })
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = self.program.command(verb);
        command.env("PICKMATE_DATA", &self.disk.data).env("PICKMATE_LIMIT", LIMITS).envs(self.clock.environment());
        command
    }

    /// Returns when posts are taken.
    pub async fn start(&mut self) -> Result<()> {
        let listen = self.program.addr.to_string();
        let serve = self.command(&["serve", "--listen", &listen]);
        self.program.start(serve).await
    }

    /// Makes an account; extra flags may follow.
    pub async fn add_user(&self, name: &str, flags: &[&str]) -> Result<()> {
        let verb = [&["admin", "user", "create", name, "--password-stdin"], flags].concat();
        self.run(&verb, PASSWORD).await.map(drop)
    }

    /// Makes a backup while the server runs, and a community of its own out of it.
    pub async fn back_up(&self) -> Result<()> {
        let (file, data) = (self.folder.join("backup"), self.folder.join("restored"));
        let (file, data) = (file.to_string_lossy(), data.to_string_lossy());
        self.run(&["backup", "--overwrite", &file], "").await?;
        self.run(&["restore", "--data", &data, &file], "").await?;
        Ok(std::fs::remove_dir_all(&*data)?)
    }

    /// Runs another command of the same program on the same data; its output.
    pub async fn run(&self, verb: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(verb);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read it has closed the pipe.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = timeout(PATIENCE, child.wait_with_output()).await.with_context(|| verb.join(" "))??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pickmate {}: {}", verb.join(" "), said.trim());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}
