//! A Redis (or Valkey) at an address that stays.

use crate::program::{PATIENCE, Process, free_address};
use crate::redis_program::redis_program;
use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

pub struct Redis {
    pub addr: SocketAddr,
    folder: PathBuf,
    process: Process,
}

impl Redis {
    pub async fn start(folder: &Path) -> Result<Redis> {
        let (addr, folder) = (free_address()?, folder.join("redis"));
        let process = run(addr, &folder).await?;
        Ok(Redis { addr, folder, process })
    }

    /// Ends as it should, and keeps what it has stored.
    pub async fn stop(&mut self) -> Result<()> {
        self.process.signal(Signal::SIGTERM)?;
        let status = self.process.end().await?;
        ensure!(status.success(), "a stop of Redis ended with {status}");
        Ok(())
    }

    /// Ends and forgets everything.
    pub async fn lose(&mut self) -> Result<()> {
        self.process.signal(Signal::SIGKILL)?;
        self.process.end().await?;
        Ok(std::fs::remove_dir_all(&self.folder)?)
    }

    pub async fn start_again(&mut self) -> Result<()> {
        self.process = run(self.addr, &self.folder).await?;
        Ok(())
    }

    pub async fn freeze(&self, ms: u64) -> Result<()> {
        self.process.signal(Signal::SIGSTOP)?;
        sleep(Duration::from_millis(ms)).await;
        self.process.signal(Signal::SIGCONT)
    }

    pub fn stands(&mut self) -> Result<()> {
        let ended = self.process.ended()?;
        ensure!(ended.is_none(), "Redis ended by itself");
        Ok(())
    }
}

/// Returns when it answers.
async fn run(addr: SocketAddr, folder: &Path) -> Result<Process> {
    std::fs::create_dir_all(folder)?;
    let port = addr.port().to_string();
    let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", "3600 1", "--logfile", "log"];
    let mut command = Command::new(redis_program());
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let mut process = Process::start(&mut command)?;
    let answers = async {
        while !is_there(addr).await {
            ensure!(process.ended()?.is_none(), "Redis ends; {} tells why", folder.join("log").display());
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    };
    timeout(PATIENCE, answers).await.context("Redis does not start")??;
    Ok(process)
}

async fn is_there(addr: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    matches!(ask.await, Ok(answer) if &answer == b"+PONG")
}
