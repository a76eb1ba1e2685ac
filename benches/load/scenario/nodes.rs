//! What a node more costs: one room whose members are spread over the nodes, each post in it to all of them.

use super::fanout;
use crate::process::Server;
use crate::report::Figures;
use crate::services::Carried;
use anyhow::Result;
use std::time::Duration;

const MEGABYTE: f64 = 1e6;

pub fn run(server: &mut Server, members: usize, time: Duration) -> Result<Figures> {
    let before = Carried::by_redis()?;
    let figures = fanout::many(server, members, time)?;
    let after = Carried::by_redis()?;
    // Each node counts its own.
    let posts: f64 = server.counters("pickmate_posts_total")?.iter().sum();
    let nodes = server.addrs.len() as f64;
    Ok(figures
        .with("Redis messages per post", (after.published - before.published) / posts)
        .with("Redis CPU-µs per post", (after.cpu_seconds - before.cpu_seconds) / posts * 1e6)
        .with("Redis bytes out per post", (after.bytes_out - before.bytes_out) / posts)
        .with("MB per node", server.resident_bytes()? as f64 / nodes / MEGABYTE))
}
