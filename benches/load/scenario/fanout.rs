//! One room; each post goes to everybody in it. A post is over when everybody has it, and the next one follows.

use crate::dialect::Start;
use crate::fleet::{Fleet, Heard};
use crate::post::{Post, now};
use crate::process::Server;
use crate::report::{Figures, quantile};
use anyhow::Result;
use std::time::Duration;

/// Members who write, and how much each has under way.
const WRITERS: usize = 4;
const EACH: usize = 4;

const SAMPLED: u64 = 16;

/// Before anything counts.
const WARM_UP: Duration = Duration::from_secs(1);

pub fn many(server: &mut Server, members: usize, time: Duration) -> Result<Figures> {
    run(server, members, WRITERS * EACH, time)
}

pub fn one(server: &mut Server, members: usize, time: Duration) -> Result<Figures> {
    run(server, members, 1, time)
}

/// What was got of the posts under way.
#[derive(Default)]
struct Progress {
    /// By the post's number: how many have it.
    got: Vec<u32>,
    deliveries: u64,
    /// Posts that everybody has, until others take their place.
    over: Vec<usize>,
    /// From sending to hearing, in nanoseconds, of one delivery in [`SAMPLED`].
    late: Vec<u64>,
}

fn run(server: &mut Server, members: usize, under_way: usize, time: Duration) -> Result<Figures> {
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    fleet.connect((0..members).map(|_| "room0".to_owned()), Start::Head)?;
    let mut progress = Progress::default();
    for lane in 0..under_way {
        post(&mut fleet, &mut progress, lane)?;
    }
    drive(&mut fleet, &mut progress, under_way, WARM_UP)?;
    progress.late.clear();
    let (before, cpu, began) = (progress.deliveries, server.cpu_seconds()?, now());
    drive(&mut fleet, &mut progress, under_way, time)?;
    let seconds = (now() - began) as f64 / 1e9;
    let cpu = server.cpu_seconds()? - cpu;
    let deliveries = (progress.deliveries - before) as f64;
    Ok(Figures::default()
        .with("deliveries/s", deliveries / seconds)
        .with("CPU-s per million", cpu / deliveries * 1e6)
        .with("CPU %", cpu / seconds * 100.0)
        .with("p50 ms", quantile(&mut progress.late, 0.5))
        .with("p99 ms", quantile(&mut progress.late, 0.99)))
}

fn drive(fleet: &mut Fleet<'_>, progress: &mut Progress, under_way: usize, time: Duration) -> Result<()> {
    let (members, until) = (fleet.len() as u32, now() + time.as_nanos() as u64);
    while now() < until {
        // Spinning: to sleep and be woken would cost more than it spares, on a core of its own.
        fleet.turn(Duration::ZERO, &mut |_, heard| {
            if let Heard::Post(Post { number, due }) = heard {
                let got = &mut progress.got[number as usize];
                *got += 1;
                progress.deliveries += 1;
                if progress.deliveries.is_multiple_of(SAMPLED) {
                    progress.late.push(now() - due);
                }
                if *got == members {
                    progress.over.push(number as usize);
                }
            }
        })?;
        for over in std::mem::take(&mut progress.over) {
            post(fleet, progress, over % under_way)?;
        }
    }
    Ok(())
}

fn post(fleet: &mut Fleet<'_>, progress: &mut Progress, lane: usize) -> Result<()> {
    let number = progress.got.len() as u64;
    progress.got.push(0);
    fleet.send(lane % WRITERS, Post { number, due: now() })
}
