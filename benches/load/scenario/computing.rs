//! A room while the lane for computing is full: how long a message takes before, and meanwhile.

use crate::dialect::Start;
use crate::fleet::{Fleet, Heard};
use crate::post::{Post, now};
use crate::process::{Server, cores};
use crate::report::{Figures, quantile};
use anyhow::{Result, ensure};
use std::time::{Duration, Instant};

const MEMBERS: usize = 100;
const POSTS_PER_SECOND: u64 = 20;

const WARM_UP: Duration = Duration::from_secs(2);
const QUIET: Duration = Duration::from_secs(30);
const FULL: Duration = Duration::from_secs(60);

/// More than are done meanwhile: the lane is never empty.
const TASKS_OF_A_CORE: usize = 50;
const TASK: &str = r#"{"below":1000000000}"#;
const RUNNING: &str = r#"pickmate_tasks_running{lane="cpu"}"#;

pub fn run(server: &mut Server, _: Duration) -> Result<Figures> {
    let mut fleet = Fleet::new(&server.addrs, &server.dialect)?;
    fleet.connect((0..MEMBERS).map(|_| "room0".to_owned()), Start::Head)?;
    let mut number = 0;
    talk(&mut fleet, &mut number, WARM_UP)?;
    let mut quiet = talk(&mut fleet, &mut number, QUIET)?;
    let places = cores()?;
    for _ in 0..places * TASKS_OF_A_CORE {
        server.start_task("primes", TASK)?;
    }
    let cores = places as f64;
    let begun = Instant::now();
    while server.counter(RUNNING)? < cores {
        ensure!(begun.elapsed() < WARM_UP * 5, "the lane does not fill");
        talk(&mut fleet, &mut number, WARM_UP / 4)?;
    }
    let idle = idle_seconds()?;
    let mut full = talk(&mut fleet, &mut number, FULL)?;
    let idle = (idle_seconds()? - idle) / FULL.as_secs_f64() / cores;
    ensure!(server.counter(RUNNING)? == cores, "the lane was full no more");
    let (before, meanwhile) = (quantile(&mut quiet, 0.99), quantile(&mut full, 0.99));
    Ok(Figures::default()
        .with("quiet p50 ms", quantile(&mut quiet, 0.5))
        .with("quiet p99 ms", before)
        .with("full p50 ms", quantile(&mut full, 0.5))
        .with("full p99 ms", meanwhile)
        .with("p99, full by quiet", meanwhile / before)
        .with("cores idle while full, %", idle * 100.0))
}

/// Posts at a steady pace; how long each was on its way to each member, in nanoseconds.
fn talk(fleet: &mut Fleet<'_>, number: &mut u64, time: Duration) -> Result<Vec<u64>> {
    let (began, pause) = (now(), 1_000_000_000 / POSTS_PER_SECOND);
    let (mut sent, mut late) = (0, Vec::new());
    while now() < began + time.as_nanos() as u64 {
        let due = began + sent * pause;
        if due <= now() {
            fleet.send(sent as usize % MEMBERS, Post { number: *number, due: now() })?;
            *number += 1;
            sent += 1;
        }
        fleet.turn(Duration::from_nanos((began + sent * pause).saturating_sub(now())), &mut |_, heard| {
            if let Heard::Post(post) = heard {
                late.push(now() - post.due);
            }
        })?;
    }
    Ok(late)
}

/// Of all cores together, since the machine was started.
fn idle_seconds() -> Result<f64> {
    let uptime = std::fs::read_to_string("/proc/uptime")?;
    Ok(uptime.split_whitespace().nth(1).unwrap_or_default().parse()?)
}
