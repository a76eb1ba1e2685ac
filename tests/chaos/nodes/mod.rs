//! Several nodes on Postgres and Redis: the real programs behind a real load balancer, each node with its own ways
//! to what they share, so that one can be cut off alone.

mod balancer;
mod faults;
mod link;
mod many_rooms;
mod node;
mod postgres;
mod redis;
mod rights;

use crate::client::Client;
use crate::operator::Operator;
use crate::people::{Accounts, Cast, WRITERS};
use crate::plant::Plant;
use crate::program::{PATIENCE, Process, Program};
use crate::proxy::{Jolt, Proxy};
use crate::readers::{Manner, Stance};
use crate::stage::Stage;
use anyhow::Result;
use balancer::Balancer;
use faults::{Fault, NODES};
use nix::sys::signal::Signal;
use node::Node;
use postgres::Postgres;
use redis::Redis;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::time::sleep;

pub struct Nodes {
    // Dropped in this order.
    proxy: Proxy,
    balancer: Balancer,
    nodes: Vec<Node>,
    redis: Redis,
    postgres: Postgres,
    operator: DatabaseOperator,
}

/// The operator's machine has no node.
struct DatabaseOperator {
    program: Program,
    url: String,
}

impl Operator for DatabaseOperator {
    fn command(&self, verb: &[&str]) -> Command {
        let mut command = self.program.command(verb);
        command.env("PICKMATE_DATABASE", &self.url);
        command
    }
}

impl Stage for Nodes {
    type Fault = Fault;

    const PLANTS: &[Plant] = &Plant::ALL;

    const SHORT: (usize, usize) = (900, 19);

    const FAULT_TIME: Duration = Duration::from_secs(5);

    const CAST: Cast = Cast {
        writers: &WRITERS,
        readers: &[
            ("on node1", Manner::Whole, 0, Stance::Attentive(0)),
            ("on node2", Manner::Whole, 0, Stance::Attentive(1)),
            ("on node3", Manner::Whole, 0, Stance::Attentive(2)),
            ("on node1, too", Manner::Whole, 0, Stance::Attentive(0)),
            ("on node2, too", Manner::Whole, 0, Stance::Attentive(1)),
            ("on node3, too", Manner::Whole, 0, Stance::Attentive(2)),
            ("whole", Manner::Whole, 0, Stance::Restless),
            ("whole, slow", Manner::Whole, 40, Stance::Restless),
            ("window", Manner::Window, 0, Stance::Restless),
            ("pages", Manner::Pages, 0, Stance::Restless),
        ],
        nodes: &NODES,
    };

    async fn start(folder: &Path) -> Result<Nodes> {
        let (postgres, redis) = (Postgres::start().await?, Redis::start(folder).await?);
        let mut nodes = Vec::new();
        for name in NODES {
            let mut node = Node::new(folder, name, postgres.addr, redis.addr).await?;
            node.start(&[]).await?;
            nodes.push(node);
        }
        let balancer = Balancer::start(folder, &nodes).await?;
        let proxy = Proxy::start(balancer.addr).await?;
        let operator = DatabaseOperator { program: Program::new(folder)?, url: Postgres::url(postgres.addr) };
        Ok(Nodes { proxy, balancer, nodes, redis, postgres, operator })
    }

    fn door(&self) -> SocketAddr {
        self.proxy.addr()
    }

    fn inside(&self) -> SocketAddr {
        self.balancer.addr
    }

    fn operator(&self) -> &impl Operator {
        &self.operator
    }

    fn meet(&mut self, _: Client) {}

    async fn carry_out(&mut self, fault: &Fault) -> Result<()> {
        match *fault {
            Fault::Kill { node } => self.nodes[node].kill().await?,
            Fault::Deploy { node } => self.nodes[node].deploy().await?,
            Fault::RollingDeploy => {
                for node in &mut self.nodes {
                    node.deploy().await?;
                }
            }
            Fault::Freeze { node, ms } => self.nodes[node].freeze(ms).await?,
            Fault::RedisGone { ms } => {
                self.redis.stop().await?;
                sleep(Duration::from_millis(ms)).await;
                self.redis.start_again().await?;
            }
            Fault::RedisRestart => {
                self.redis.stop().await?;
                self.redis.start_again().await?;
            }
            Fault::RedisEmptied => {
                self.redis.lose().await?;
                self.redis.start_again().await?;
            }
            Fault::RedisFrozen { ms } => self.redis.freeze(ms).await?,
            Fault::Redis { node, how, ms } => self.nodes[node].redis.fail(how, ms).await,
            Fault::PostgresRestart { stop } => self.postgres.restart(stop).await?,
            Fault::PostgresFrozen { ms } => self.postgres.freeze(ms).await?,
            Fault::Postgres { node, how, ms } => self.nodes[node].postgres.fail(how, ms).await,
            Fault::BalancerReload => self.balancer.reload().await?,
            Fault::Cut { share } => self.proxy.jolt(Jolt::Cut, share),
        }
        Ok(())
    }

    fn stands(&mut self) -> Result<()> {
        self.nodes.iter_mut().try_for_each(Node::stands)?;
        self.redis.stands()?;
        self.postgres.stands()?;
        self.balancer.stands()
    }

    async fn trials(&mut self, accounts: &Accounts, folder: &Path) -> Result<String> {
        let rights = rights::Trial::new(self).await?.run().await?;
        Ok(rights + &many_rooms::trial(self, folder, &accounts.reader).await?)
    }

    fn guests(&self) -> BTreeSet<String> {
        BTreeSet::new()
    }

    fn remarks(&self) -> String {
        String::new()
    }
}

/// How often a `Drop` looks for the end of a process, of which nothing tells it.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// For a `Drop`: the process ends by itself after this signal, also one that was stopped. One that does not is killed by
/// its own `Drop`.
fn end_by(process: &mut Process, signal: Signal) {
    for signal in [signal, Signal::SIGCONT] {
        let _ = process.signal(signal);
    }
    let begun = Instant::now();
    while matches!(process.ended(), Ok(None)) && begun.elapsed() < PATIENCE {
        std::thread::sleep(LOOK_EVERY);
    }
}
