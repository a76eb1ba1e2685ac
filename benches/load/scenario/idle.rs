//! Ten thousand who are there and say nothing: how fast they come in and what they cost.

use crate::dialect::Start;
use crate::fleet::Fleet;
use crate::post::now;
use crate::process::Server;
use crate::report::Figures;
use anyhow::Result;
use std::time::Duration;

const MEMBERS: usize = 10_000;
const ROOMS: usize = 100;

/// For the server to put down what it needed for the handshakes.
const SETTLE: Duration = Duration::from_secs(2);

pub fn run(server: &mut Server, _: Duration) -> Result<Figures> {
    let before = server.resident_bytes()?;
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    let (began, cpu) = (now(), server.cpu_seconds()?);
    fleet.connect((0..MEMBERS).map(|member| format!("room{}", member % ROOMS)), Start::Head)?;
    let seconds = (now() - began) as f64 / 1e9;
    let cpu = server.cpu_seconds()? - cpu;
    let until = now() + SETTLE.as_nanos() as u64;
    while now() < until {
        fleet.turn(Duration::from_millis(50), &mut |_, _| {})?;
    }
    let bytes = server.resident_bytes()?.saturating_sub(before);
    Ok(Figures::default()
        .with("bytes per socket", bytes as f64 / MEMBERS as f64)
        .with("sockets/s", MEMBERS as f64 / seconds)
        .with("CPU-µs per socket", cpu / MEMBERS as f64 * 1e6))
}
