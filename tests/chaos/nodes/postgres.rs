//! A PostgreSQL at an address that stays.

use super::faults::Stop;
use crate::program::{PATIENCE, Process, free_address};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

/// The database of the nodes.
const DATABASE: &str = "pickmate";

pub struct Postgres {
    pub addr: SocketAddr,
    /// Of its own: another user may run it, who comes into no folder of ours.
    folder: TempDir,
    process: Process,
}

impl Postgres {
    /// With the nodes' database, which is empty.
    pub async fn start() -> Result<Postgres> {
        let (addr, folder) = (free_address()?, TempDir::new()?);
        let process = run(addr, &folder).await?;
        let postgres = Postgres { addr, folder, process };
        let mut connection = options(addr, "postgres").connect().await?;
        sqlx::raw_sql("CREATE DATABASE pickmate").execute(&mut connection).await?;
        connection.close().await?;
        Ok(postgres)
    }

    /// For whom to reach it at `addr`, itself or a way to it.
    pub fn url(addr: SocketAddr) -> String {
        format!("postgres://postgres@{addr}/{DATABASE}?sslmode=disable")
    }

    /// A connection of some other program.
    pub async fn connect(&self) -> Result<PgConnection> {
        Ok(options(self.addr, DATABASE).connect().await?)
    }

    pub async fn restart(&mut self, stop: Stop) -> Result<()> {
        self.process.signal(match stop {
            Stop::Fast => Signal::SIGINT,
            Stop::Immediate => Signal::SIGQUIT,
        })?;
        self.process.end().await?;
        self.process = run(self.addr, &self.folder).await?;
        Ok(())
    }

    /// All of its processes.
    pub async fn freeze(&self, ms: u64) -> Result<()> {
        let first = self.process.pid()?;
        // First, since it makes new ones.
        signal(first, Signal::SIGSTOP)?;
        let children = std::fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let children = children.split_whitespace().map(|child| Ok(Pid::from_raw(child.parse()?)));
        let children = children.collect::<Result<Vec<_>>>()?;
        children.iter().try_for_each(|child| signal(*child, Signal::SIGSTOP))?;
        sleep(Duration::from_millis(ms)).await;
        children.iter().chain([&first]).try_for_each(|process| signal(*process, Signal::SIGCONT))
    }

    pub fn stands(&mut self) -> Result<()> {
        let ended = self.process.ended()?;
        ensure!(ended.is_none(), "Postgres ended by itself");
        Ok(())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killed, it would leave its shared memory.
        super::end_by(&mut self.process, Signal::SIGQUIT);
    }
}

/// A process that has ended meanwhile is none the worse.
fn signal(process: Pid, signal: Signal) -> Result<()> {
    match kill(process, signal) {
        Err(nix::errno::Errno::ESRCH) => Ok(()),
        other => Ok(other?),
    }
}

fn options(addr: SocketAddr, database: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .host(&addr.ip().to_string())
        .port(addr.port())
        .username("postgres")
        .database(database)
}

/// Returns when it takes connections.
async fn run(addr: SocketAddr, folder: &TempDir) -> Result<Process> {
    let mut command = Command::new("scripts/run-postgres.sh");
    let listen = format!("listen_addresses={}", addr.ip());
    command.arg(folder.path()).args(["-p", &addr.port().to_string(), "-c", &listen]);
    let mut process = Process::start(command.stdin(Stdio::null()))?;
    let answers = async {
        while options(addr, "postgres").connect().await.is_err() {
            ensure!(process.ended()?.is_none(), "Postgres ends; {} tells why", folder.path().join("log").display());
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    };
    timeout(PATIENCE, answers).await.context("Postgres does not start")??;
    Ok(process)
}
