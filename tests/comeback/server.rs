//! The server as a process at an address that stays, so that those who come back find it.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// A start or a stop that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Server {
    pub addr: SocketAddr,
    pub data: PathBuf,
    http: reqwest::Client,
    program: OsString,
    folder: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Takes a free port; nothing runs yet.
    pub fn new(folder: &Path) -> Result<Server> {
        // Looks like a built site when there is none beside the program.
        std::fs::create_dir_all(folder.join("target/site/pkg"))?;
        std::fs::write(folder.join("target/site/pkg/pickmate.js"), "")?;
        Ok(Server {
            addr: TcpListener::bind("127.0.0.1:0")?.local_addr()?,
            data: folder.join("data"),
            http: reqwest::Client::builder().no_proxy().build()?,
            program: std::env::var_os("PICKMATE_SERVER").unwrap_or_else(|| env!("CARGO_BIN_EXE_pickmate").into()),
            folder: folder.to_owned(),
            process: None,
        })
    }

    /// Returns when posts are taken.
    pub async fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = Command::new(&self.program);
        command.args(["serve", "--no-rate-limit", "--listen", &self.addr.to_string()]).current_dir(&self.folder);
        command.env_clear().env("PICKMATE_DATA", &self.data).kill_on_drop(true);
        self.process = Some(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
        timeout(PATIENCE, self.until_ready()).await.context("the server does not get ready")?
    }

    async fn until_ready(&mut self) -> Result<()> {
        let url = format!("http://{}/readyz", self.addr);
        loop {
            if let Some(status) = self.running()?.try_wait()? {
                bail!("the server ended: {status}");
            }
            if self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the server has written.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Asks it to stop, as a deploy does.
    pub fn ask_to_stop(&mut self) -> Result<()> {
        let process = self.running()?.id().context("the server has ended by itself")?;
        Ok(kill(Pid::from_raw(i32::try_from(process)?), Signal::SIGTERM)?)
    }

    /// Waits for its end, which has to be a good one.
    pub async fn end(&mut self) -> Result<()> {
        let status = timeout(PATIENCE, self.running()?.wait()).await.context("the server does not end")??;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    fn running(&mut self) -> Result<&mut Child> {
        self.process.as_mut().context("the server was not started")
    }

    pub async fn numbers(&self) -> Result<Numbers> {
        let text = self.http.get(format!("http://{}/metrics", self.addr)).send().await?.text().await?;
        let number = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(Numbers(text.lines().filter(|line| !line.starts_with('#')).filter_map(number).collect()))
    }
}

/// What `/metrics` says of one process.
pub struct Numbers(BTreeMap<String, u64>);

impl Numbers {
    /// Resident memory.
    pub fn bytes(&self) -> u64 {
        self.of("pickmate_resident_bytes")
    }

    /// Reads of the store, whatever for.
    pub fn reads(&self) -> u64 {
        self.of("pickmate_store_reads_total")
    }

    /// Those made for the live sockets, by what was read.
    pub fn reads_for_sockets(&self) -> BTreeMap<&str, u64> {
        self.0
            .iter()
            .filter_map(|(name, count)| {
                let labels = name.strip_prefix("pickmate_cache_reads_total{what=\"")?;
                Some((labels.strip_suffix("\"}")?, *count))
            })
            .collect()
    }

    fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}
