//! One of the nodes, with its own ways to Redis and to Postgres.

use super::link::Link;
use super::postgres::Postgres;
use crate::people::LIMITS;
use crate::program::Program;
use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

pub struct Node {
    pub name: &'static str,
    pub program: Program,
    pub postgres: Link,
    pub redis: Link,
}

/// Beside those of everybody. Nobody is told to wait for having written much: how long acks take is measured. Who
/// waits for a silent Postgres does so for four seconds.
const MORE_LIMITS: &str = "posts_burst=1000,posts_per_minute=100000,busy_wait_ms=2000";

impl Node {
    /// Nothing runs yet.
    pub async fn new(folder: &Path, name: &'static str, postgres: SocketAddr, redis: SocketAddr) -> Result<Node> {
        let folder = folder.join(name);
        std::fs::create_dir(&folder)?;
        Ok(Node {
            name,
            program: Program::new(&folder)?,
            postgres: Link::to(postgres).await?,
            redis: Link::to(redis).await?,
        })
    }

    /// Returns when posts are taken.
    pub async fn start(&mut self, flags: &[&str]) -> Result<()> {
        let listen = self.program.addr.to_string();
        let mut serve = self.program.command(&[&["serve", "--listen", &listen], flags].concat());
        serve
            .env("PICKMATE_DATABASE", Postgres::url(self.postgres.addr()))
            .env("PICKMATE_REDIS", format!("redis://{}", self.redis.addr()))
            .env("PICKMATE_LIMIT", format!("{LIMITS},{MORE_LIMITS}"));
        self.program.start(serve).await
    }

    pub async fn kill(&mut self) -> Result<()> {
        self.program.signal(Signal::SIGKILL)?;
        self.program.end().await?;
        self.start(&[]).await
    }

    pub async fn deploy(&mut self) -> Result<()> {
        self.program.signal(Signal::SIGTERM)?;
        let status = self.program.end().await?;
        ensure!(status.success(), "a stop of {} ended with {status}", self.name);
        self.start(&[]).await
    }

    pub async fn freeze(&mut self, ms: u64) -> Result<()> {
        self.program.signal(Signal::SIGSTOP)?;
        sleep(Duration::from_millis(ms)).await;
        self.program.signal(Signal::SIGCONT)
    }

    pub fn stands(&mut self) -> Result<()> {
        let ended = self.program.ended()?;
        ensure!(ended.is_none(), "{} ended by itself: {ended:?}", self.name);
        Ok(())
    }
}
