//! HAProxy before the nodes: sockets go where the fewest are, requests to each in turn.

use super::node::Node;
use crate::client::{HOME, NODE};
use crate::program::{PATIENCE, Process, free_address};
use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use std::fmt::Write;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

pub struct Balancer {
    pub addr: SocketAddr,
    process: Process,
}

impl Balancer {
    /// Returns when it serves.
    pub async fn start(folder: &Path, nodes: &[Node]) -> Result<Balancer> {
        let (addr, file) = (free_address()?, folder.join("haproxy.cfg"));
        std::fs::write(&file, configuration(addr, folder, nodes)?)?;
        let log = File::create(folder.join("haproxy.log"))?;
        let mut command = Command::new("haproxy");
        command.args(["-W", "-f"]).arg(&file).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let process = Process::start(&mut command).context("run scripts/install-haproxy.sh")?;
        let mut balancer = Balancer { addr, process };
        balancer.until_it_serves().await?;
        Ok(balancer)
    }

    async fn until_it_serves(&mut self) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("http://{}/readyz", self.addr);
        let serves = async {
            while !http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                self.stands()?;
                sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        timeout(PATIENCE, serves).await.context("HAProxy does not serve")?
    }

    /// As an operator does after a change: new processes take over, old ones end within a second.
    pub async fn reload(&mut self) -> Result<()> {
        self.process.signal(Signal::SIGUSR2)?;
        self.until_it_serves().await
    }

    pub fn stands(&mut self) -> Result<()> {
        let ended = self.process.ended()?;
        ensure!(ended.is_none(), "HAProxy ended: {ended:?}");
        Ok(())
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // Killed, it would leave its worker.
        super::end_by(&mut self.process, Signal::SIGTERM);
    }
}

/// A node that does not answer, or says that it is not ready, gets nothing new; its sockets stay.
fn configuration(addr: SocketAddr, folder: &Path, nodes: &[Node]) -> Result<String> {
    let socket: PathBuf = folder.join("haproxy.sock");
    let mut text = format!(
        "global
    stats socket {} mode 600 level admin expose-fd listeners
    hard-stop-after 1s
defaults
    mode http
    option redispatch
    option httpchk GET /readyz
    retries 3
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    timeout tunnel 1h
    timeout check 1s
    default-server check inter 500ms fall 2 rise 1
frontend door
    bind {addr}
    use_backend live if {{ path /live }}
    default_backend pages
",
        socket.display()
    );
    for (backend, balance) in [("live", "leastconn"), ("pages", "roundrobin")] {
        write!(text, "backend {backend}\n    balance {balance}\n    http-response set-header {NODE} %s\n")?;
        for Node { name, program, .. } in nodes {
            writeln!(text, "    use-server {name} if {{ req.hdr({HOME}) {name} }}")?;
            writeln!(text, "    server {name} {}", program.addr)?;
        }
    }
    Ok(text)
}
