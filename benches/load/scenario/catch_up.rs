//! Five thousand come back a hundred events behind.

use crate::dialect::Start;
use crate::fleet::Fleet;
use crate::post::{Post, now};
use crate::process::Server;
use crate::report::Figures;
use anyhow::{Result, ensure};
use std::time::Duration;

const MEMBERS: usize = 5_000;
const BEHIND: u64 = 100;

pub fn run(server: &mut Server, _: Duration) -> Result<Figures> {
    let mut log = Fleet::new(&server.addrs, &server.dialect)?;
    log.connect(["room0".to_owned()], Start::Head)?;
    let begins = log.hindmost();
    for number in 0..BEHIND {
        log.send(0, Post { number, due: now() })?;
    }
    // A writer's first post may make it a member, which is an event too.
    while log.hindmost() < begins + BEHIND {
        log.turn(Duration::from_millis(50), &mut |_, _| {})?;
    }
    let (head, reads) = (log.hindmost(), server.counter("pickmate_store_reads_total")?);
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    let (began, cpu) = (now(), server.cpu_seconds()?);
    fleet.connect((0..MEMBERS).map(|_| "room0".to_owned()), Start::After(head - BEHIND))?;
    while fleet.hindmost() < head {
        fleet.turn(Duration::from_millis(5), &mut |_, _| {})?;
        ensure!(now() - began < 60_000_000_000, "somebody does not arrive");
    }
    let seconds = (now() - began) as f64 / 1e9;
    Ok(Figures::default()
        .with("seconds until all have all", seconds)
        .with("CPU-µs per socket", (server.cpu_seconds()? - cpu) / MEMBERS as f64 * 1e6)
        .with("store reads", server.counter("pickmate_store_reads_total")? - reads))
}
