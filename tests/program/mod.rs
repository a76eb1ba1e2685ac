//! The real program as a process at an address that stays, so that those who come back find it.

mod process;

pub use process::{PATIENCE, Process};

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;
use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// Nobody listens there yet.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

pub struct Program {
    pub addr: SocketAddr,
    file: OsString,
    folder: PathBuf,
    http: reqwest::Client,
    process: Option<Process>,
}

impl Program {
    /// Takes a free port; nothing runs yet. `PICKMATE_SERVER` names another program than the one that
    /// cargo has just built: a release, with its site beside it.
    pub fn new(folder: &Path) -> Result<Program> {
        let release = std::env::var_os("PICKMATE_SERVER");
        if release.is_none() {
            // Looks like a built site, which a page without scripts can do without.
            std::fs::create_dir_all(folder.join("target/site/pkg"))?;
            std::fs::write(folder.join("target/site/pkg/pickmate.js"), "")?;
        }
        Ok(Program {
            addr: free_address()?,
            file: release.unwrap_or_else(|| env!("CARGO_BIN_EXE_pickmate").into()),
            folder: folder.to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
            process: None,
        })
    }

    /// The program with nothing of this process' environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.file);
        command.args(arguments).current_dir(&self.folder).env_clear().kill_on_drop(true);
        command
    }

    /// Runs a command that serves at `addr`; returns when posts are taken.
    pub async fn start(&mut self, mut serve: Command) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log())?;
        self.process = Some(Process::start(serve.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log))?);
        timeout(PATIENCE, self.until_ready()).await.context("the server does not get ready")?
    }

    async fn until_ready(&mut self) -> Result<()> {
        loop {
            if let Some(status) = self.ended()? {
                bail!("the server ended: {status}");
            }
            if self.get("/readyz").await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    pub async fn get(&self, path: &str) -> Result<reqwest::Response> {
        Ok(self.http.get(format!("http://{}{path}", self.addr)).send().await?)
    }

    /// What the server has written.
    fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    fn process(&mut self) -> Result<&mut Process> {
        self.process.as_mut().context("the server was not started")
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process()?.ended()
    }

    pub fn signal(&mut self, signal: Signal) -> Result<()> {
        self.process()?.signal(signal)
    }

    /// Waits for its end after a signal.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        self.process()?.end().await
    }
}
