//! The way from one node to a server, which can break by itself.

use super::faults::Break;
use crate::proxy::{Jolt, Proxy};
use anyhow::Result;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::sleep;

pub struct Link(Proxy);

impl Link {
    pub async fn to(server: SocketAddr) -> Result<Link> {
        Ok(Link(Proxy::start(server).await?))
    }

    /// Where the node finds the server.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Breaks it, and mends it again.
    pub async fn fail(&self, how: Break, ms: u64) {
        match how {
            Break::Cut => {
                self.0.change(|weather| weather.refused = true);
                self.0.jolt(Jolt::Cut, 100);
            }
            Break::HalfOpen => {
                self.0.change(|weather| weather.stalled = 100);
                self.0.jolt(Jolt::HalfOpen, 100);
            }
            Break::Stalled => self.0.change(|weather| weather.stalled = 100),
        }
        sleep(Duration::from_millis(ms)).await;
        self.0.change(|weather| {
            weather.refused = false;
            weather.stalled = 0;
        });
    }
}
