//! The server as a process, on its small disk with its wrong clock.

use crate::machine::{Clock, Disk};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// A start, a stop or a command of the operator that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Of every account.
pub const PASSWORD: &str = "correct horse battery";

/// So small that queues overflow, readers fall behind and waits end within a short run.
const LIMITS: &str = "catch_up_events=60,queue_frames=16,ping_every_ms=1000,silence_ms=6000,write_timeout_ms=4000,\
                      header_timeout_ms=8000,request_timeout_ms=5000,shutdown_ms=4000,posts_burst=15,\
                      posts_per_minute=900,commands_burst=200,commands_per_minute=2000,connections_per_user=500,\
                      connections_per_address=5000,openings_burst=10000,openings_per_minute=60000,\
                      drain_retry_ms=300,reads_per_minute=60000";

pub struct Server {
    pub addr: SocketAddr,
    pub disk: Disk,
    pub clock: Clock,
    program: OsString,
    folder: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Prepares the machine; nothing runs yet.
    pub fn new(folder: &Path) -> Result<Server> {
        // Looks like a built site when there is none beside the program.
        std::fs::create_dir_all(folder.join("target/site/pkg"))?;
        std::fs::write(folder.join("target/site/pkg/pickmate.js"), "")?;
        Ok(Server {
            addr: TcpListener::bind("127.0.0.1:0")?.local_addr()?,
            disk: Disk::mount(folder)?,
            clock: Clock::build(folder)?,
            program: std::env::var_os("PICKMATE_SERVER").unwrap_or_else(|| env!("CARGO_BIN_EXE_pickmate").into()),
            folder: folder.to_owned(),
            process: None,
        })
    }

    fn command(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(verb).current_dir(&self.folder).env_clear().env("PICKMATE_DATA", &self.disk.data);
        command.env("PICKMATE_LIMIT", LIMITS).envs(self.clock.environment()).kill_on_drop(true);
        command
    }

    /// Returns when posts are taken.
    pub async fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let listen = self.addr.to_string();
        let mut command = self.command(&["serve", "--listen", &listen]);
        self.process = Some(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
        timeout(PATIENCE, self.until_ready()).await.context("the server does not get ready")?
    }

    async fn until_ready(&mut self) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{}/readyz", self.addr);
        loop {
            if let Some(status) = self.ended()? {
                bail!("the server ended: {status}");
            }
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the server has written.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.process.as_mut().context("the server was not started")?.try_wait()?)
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let process = self.process.as_ref().and_then(Child::id).context("the server does not run")?;
        Ok(kill(Pid::from_raw(i32::try_from(process)?), signal)?)
    }

    /// Waits for its end after a signal.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        let process = self.process.as_mut().context("the server was not started")?;
        Ok(timeout(PATIENCE, process.wait()).await.context("the server does not end")??)
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
