//! Carries the faults out, and looks how long the writers wait after each.

use crate::client::Client;
use crate::hostile;
use crate::proxy::{Jolt, Proxy};
use crate::schedule::{Fault, Schedule};
use crate::server::Server;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Without an ack for so long after a fault is over, service has not resumed.
const RECOVERY: Duration = Duration::from_secs(30);

pub struct Stage {
    pub server: Server,
    pub proxy: Proxy,
    /// Acks of all writers so far.
    pub acks: watch::Receiver<u64>,
    /// An account for those who break rules.
    pub mallory: Client,
    pub tally: Tally,
    /// Accounts that `admin` put into the room.
    pub guests: BTreeSet<String>,
}

#[derive(Default)]
pub struct Tally {
    pub faults: BTreeMap<&'static str, Row>,
    /// What came of each kind of bad input, and how often.
    pub inputs: BTreeMap<&'static str, BTreeMap<String, u32>>,
}

#[derive(Default)]
pub struct Row {
    pub times: u32,
    /// From the end of the fault to the next ack of anybody, the longest and all together.
    pub longest: Duration,
    pub total: Duration,
}

impl Stage {
    /// Faults are spread over the posts: none comes before its share of `posts` is acked.
    pub async fn run(&mut self, schedule: &Schedule, posts: usize) -> Result<()> {
        for (number, step) in schedule.0.iter().enumerate() {
            self.wait_for_acks((posts * number / schedule.0.len()) as u64).await;
            sleep(Duration::from_millis(step.calm_ms)).await;
            self.carry_out(&step.fault).await.with_context(|| format!("{:?}", step.fault))?;
            if let Some(status) = self.server.program.ended()? {
                bail!("the server ended by itself after {:?}: {status}", step.fault);
            }
            self.look_for_an_ack(&step.fault).await?;
        }
        Ok(())
    }

    async fn wait_for_acks(&mut self, share: u64) {
        // Those who are too slow are waited for in the end.
        let _ = timeout(RECOVERY, self.acks.wait_for(|acks| *acks >= share)).await;
    }

    async fn look_for_an_ack(&mut self, fault: &Fault) -> Result<()> {
        let over = Instant::now();
        self.acks.mark_unchanged();
        let resumed = timeout(RECOVERY, self.acks.changed()).await;
        ensure!(resumed.is_ok(), "stuck: no ack within {RECOVERY:?} after {fault:?}");
        let row = self.tally.faults.entry(fault.name()).or_default();
        row.times += 1;
        row.longest = row.longest.max(over.elapsed());
        row.total += over.elapsed();
        Ok(())
    }

    async fn carry_out(&mut self, fault: &Fault) -> Result<()> {
        match *fault {
            Fault::Kill => {
                self.server.program.signal(Signal::SIGKILL)?;
                self.server.program.end().await?;
                self.server.start().await?;
            }
            Fault::Deploy => {
                self.server.program.signal(Signal::SIGTERM)?;
                let status = self.server.program.end().await?;
                ensure!(status.success(), "a stop ended with {status}");
                self.server.start().await?;
            }
            Fault::Freeze { ms } => {
                self.server.program.signal(Signal::SIGSTOP)?;
                sleep(Duration::from_millis(ms)).await;
                self.server.program.signal(Signal::SIGCONT)?;
            }
            Fault::DiskFull { ms } => {
                self.server.disk.fill()?;
                sleep(Duration::from_millis(ms)).await;
                self.server.disk.free()?;
            }
            Fault::Locked { ms } => self.hold_the_lock(Duration::from_millis(ms)).await?,
            Fault::Clock { seconds } => self.server.clock.show(seconds)?,
            Fault::Cut { share } => self.proxy.jolt(Jolt::Cut, share),
            Fault::HalfOpen { share } => self.proxy.jolt(Jolt::HalfOpen, share),
            Fault::Truncate { share } => self.proxy.jolt(Jolt::Truncate, share),
            Fault::Corrupt { share } => self.proxy.jolt(Jolt::Corrupt, share),
            Fault::Stall { share, ms } => {
                self.proxy.change(|weather| weather.stalled = share);
                self.mend_after(ms, |proxy| proxy.change(|weather| weather.stalled = 0));
            }
            Fault::Slow { share, ms } => {
                self.proxy.change(|weather| weather.slow = share);
                self.mend_after(ms, |proxy| proxy.change(|weather| weather.slow = 0));
            }
            Fault::Hostile => self.receive_the_hostile().await,
            Fault::Neighbour => self.add_a_guest().await?,
            Fault::Backup => self.server.back_up().await?,
        }
        Ok(())
    }

    /// The weather changes back while other faults come.
    fn mend_after(&self, ms: u64, mend: impl FnOnce(&Proxy) + Send + 'static) {
        let proxy = self.proxy.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(ms)).await;
            mend(&proxy);
        });
    }

    async fn hold_the_lock(&self, time: Duration) -> Result<()> {
        let database = self.server.disk.data.join("pickmate.sqlite3");
        let options = SqliteConnectOptions::new().filename(database).busy_timeout(Duration::from_secs(20));
        let mut connection = options.connect().await?;
        let lock = connection.begin_with("BEGIN IMMEDIATE").await?;
        sleep(time).await;
        lock.rollback().await?;
        Ok(connection.close().await?)
    }

    async fn receive_the_hostile(&mut self) {
        for outcome in hostile::all_kinds(&self.mallory).await {
            *self.tally.inputs.entry(outcome.kind).or_default().entry(outcome.result).or_default() += 1;
        }
    }

    async fn add_a_guest(&mut self) -> Result<()> {
        let guest = format!("guest{}", self.guests.len());
        self.server.add_user(&guest, &[]).await?;
        self.server.run(&["admin", "room", "add", &self.mallory.room, &guest], "").await?;
        self.guests.insert(guest);
        Ok(())
    }
}
