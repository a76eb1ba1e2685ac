//! Many small rooms, each with a post a second: what a node does all day. Timed from the moment when a post is due.

use crate::dialect::Start;
use crate::fleet::{Fleet, Heard};
use crate::post::{Post, now};
use crate::process::Server;
use crate::report::{Figures, quantile};
use anyhow::Result;
use std::time::Duration;

pub const ROOMS: usize = 500;
const MEMBERS: usize = 10;
pub const POSTS_PER_SECOND: u64 = ROOMS as u64;

/// Before anything counts.
const WARM_UP: u64 = 1_000_000_000;

pub fn run(server: &mut Server, time: Duration) -> Result<Figures> {
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    let rooms = (0..ROOMS * MEMBERS).map(|member| format!("room{}", member / MEMBERS));
    fleet.connect(rooms, Start::Head)?;
    let (began, mut sent, mut late) = (now(), 0, Vec::new());
    let (from, until) = (began + WARM_UP, began + WARM_UP + time.as_nanos() as u64);
    let mut cpu = None;
    while now() < until {
        if cpu.is_none() && now() >= from {
            cpu = Some(server.cpu_seconds()?);
        }
        let mut due = began + sent * 1_000_000_000 / POSTS_PER_SECOND;
        while due <= now() {
            fleet.send(sent as usize % ROOMS * MEMBERS, Post { number: sent, due })?;
            sent += 1;
            due = began + sent * 1_000_000_000 / POSTS_PER_SECOND;
        }
        fleet.turn(Duration::ZERO, &mut |_, heard| {
            if let Heard::Post(post) = heard
                && post.due >= from
            {
                late.push(now() - post.due);
            }
        })?;
    }
    let cpu = server.cpu_seconds()? - cpu.unwrap_or_default();
    Ok(Figures::default()
        .with("p50 ms", quantile(&mut late, 0.5))
        .with("p99 ms", quantile(&mut late, 0.99))
        .with("CPU %", cpu / time.as_secs_f64() * 100.0))
}
