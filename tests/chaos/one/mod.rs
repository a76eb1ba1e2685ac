//! One node on SQLite: the real program on a small disk, with a wrong clock, behind a bad network.

mod faults;
mod hostile;
mod machine;
mod server;

pub use machine::with_own_mounts;

use crate::client::Client;
use crate::operator::Operator;
use crate::people::{Accounts, Cast, READERS, WRITERS};
use crate::plant::Plant;
use crate::proxy::{Jolt, Proxy};
use crate::stage::Stage;
use anyhow::{Context, Result, bail, ensure};
use faults::Fault;
use nix::sys::signal::Signal;
use server::Server;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::time::sleep;

pub struct OneNode {
    server: Server,
    proxy: Proxy,
    /// An account for those who break rules.
    mallory: Option<Client>,
    /// Accounts that `admin` put into the room.
    guests: BTreeSet<String>,
    /// What came of each kind of bad input, and how often.
    inputs: BTreeMap<&'static str, BTreeMap<String, u32>>,
}

impl OneNode {
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

    fn mallory(&self) -> Result<&Client> {
        self.mallory.as_ref().context("nobody is there to break rules")
    }

    async fn receive_the_hostile(&mut self) -> Result<()> {
        for outcome in hostile::all_kinds(self.mallory()?).await {
            *self.inputs.entry(outcome.kind).or_default().entry(outcome.result).or_default() += 1;
        }
        Ok(())
    }

    async fn add_a_guest(&mut self) -> Result<()> {
        let guest = format!("guest{}", self.guests.len());
        self.server.add_user(&guest, &[]).await?;
        self.server.run(&["admin", "room", "add", &self.mallory()?.room, &guest], "").await?;
        self.guests.insert(guest);
        Ok(())
    }
}

impl Stage for OneNode {
    type Fault = Fault;

    const PLANTS: &[Plant] = Plant::ALL.split_at(6).0;

    const SHORT: (usize, usize) = (300, 15);

    const FAULT_TIME: Duration = Duration::from_secs(2);

    const CAST: Cast = Cast { writers: &WRITERS, readers: &READERS, nodes: &[] };

    async fn start(folder: &Path) -> Result<OneNode> {
        let mut server = Server::new(folder)?;
        server.start().await?;
        let proxy = Proxy::start(server.program.addr).await?;
        Ok(OneNode { server, proxy, mallory: None, guests: BTreeSet::new(), inputs: BTreeMap::new() })
    }

    fn door(&self) -> SocketAddr {
        self.proxy.addr()
    }

    fn inside(&self) -> SocketAddr {
        self.server.program.addr
    }

    fn operator(&self) -> &impl Operator {
        &self.server
    }

    fn meet(&mut self, stranger: Client) {
        self.mallory = Some(stranger);
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
            Fault::Hostile => self.receive_the_hostile().await?,
            Fault::Neighbour => self.add_a_guest().await?,
            Fault::Backup => self.server.back_up().await?,
        }
        Ok(())
    }

    fn stands(&mut self) -> Result<()> {
        match self.server.program.ended()? {
            None => Ok(()),
            Some(status) => bail!("the server ended by itself: {status}"),
        }
    }

    async fn trials(&mut self, _: &Accounts, _: &Path) -> Result<String> {
        Ok(String::new())
    }

    fn guests(&self) -> BTreeSet<String> {
        self.guests.clone()
    }

    fn remarks(&self) -> String {
        let mut text = String::new();
        if self.inputs.is_empty() {
            return text;
        }
        let _ = writeln!(text, "\n{:<34} {:>6}  result", "bad input", "times");
        for (kind, results) in &self.inputs {
            let times: u32 = results.values().sum();
            let results: Vec<_> = results.iter().map(|(result, times)| format!("{result} ×{times}")).collect();
            let _ = writeln!(text, "{kind:<34} {times:>6}  {}", results.join(", "));
        }
        text
    }
}
