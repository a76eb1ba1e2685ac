//! The scenarios: each starts with a fresh server and returns its figures.

mod catch_up;
mod computing;
mod fanout;
mod idle;
mod nodes;
mod pages;
mod rooms;
mod writes;

use crate::engine::Work;
use crate::process::{Kind, Server};
use crate::report::Figures;
use anyhow::Result;
use std::path::Path;
use std::time::Duration;

pub struct Scenario {
    pub name: &'static str,
    pub servers: &'static [Kind],
    /// How many rooms there are.
    pub rooms: usize,
    /// What the bare engine does beside it.
    pub beside: Beside,
    /// Measures for so long.
    pub run: Run,
}

type Run = fn(&mut Server, Duration) -> Result<Figures>;

pub enum Beside {
    Nothing,
    /// As much as it can, in the batch size that it likes best.
    Most,
    /// So many posts a second, each in a commit of its own.
    Paced(u64),
}

impl Beside {
    /// On this data directory, with the rooms that the server had.
    pub fn figures(&self, data: &Path, rooms: usize, time: Duration) -> Result<Option<Figures>> {
        let work = |batch, every_us| Work {
            data: data.to_owned(),
            batch,
            rooms: rooms as u64,
            every_us,
            seconds: time.as_secs(),
        };
        match self {
            Beside::Nothing => Ok(None),
            Beside::Most => {
                let rates = BATCHES.iter().map(|batch| Ok(work(*batch, 0).measure()?.posts_per_second));
                let best = rates.collect::<Result<Vec<_>>>()?.into_iter().fold(0.0, f64::max);
                Ok(Some(Figures::default().with("posts/s", best)))
            }
            Beside::Paced(rate) => {
                let worked = work(1, 1_000_000 / rate).measure()?;
                let figures = Figures::default().with("p50 ms", worked.p50_ms).with("p99 ms", worked.p99_ms);
                Ok(Some(figures.with("CPU %", worked.cpu_percent)))
            }
        }
    }
}

/// From which the bare engine chooses.
const BATCHES: [u64; 3] = [16, 256, 1_024];

const BOTH: &[Kind] = &[Kind::PickMate, Kind::Bare];
const OURS: &[Kind] = &[Kind::PickMate];
const NODES: [&[Kind]; 3] = [&[Kind::Nodes(1)], &[Kind::Nodes(2)], &[Kind::Nodes(3)]];

const fn nodes(name: &'static str, servers: &'static [Kind], run: Run) -> Scenario {
    Scenario { name, servers, rooms: 1, beside: Beside::Nothing, run }
}

pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "fanout-100",
        servers: BOTH,
        rooms: 1,
        beside: Beside::Nothing,
        run: |server, time| fanout::many(server, 100, time),
    },
    Scenario {
        name: "fanout-1000",
        servers: BOTH,
        rooms: 1,
        beside: Beside::Nothing,
        run: |server, time| fanout::many(server, 1_000, time),
    },
    Scenario {
        name: "fanout-5000",
        servers: BOTH,
        rooms: 1,
        beside: Beside::Nothing,
        run: |server, time| fanout::many(server, 5_000, time),
    },
    Scenario {
        name: "one-in-flight",
        servers: BOTH,
        rooms: 1,
        beside: Beside::Nothing,
        run: |server, time| fanout::one(server, 1_000, time),
    },
    Scenario {
        name: "rooms",
        servers: BOTH,
        rooms: rooms::ROOMS,
        beside: Beside::Paced(rooms::POSTS_PER_SECOND),
        run: rooms::run,
    },
    Scenario { name: "idle", servers: BOTH, rooms: 100, beside: Beside::Nothing, run: idle::run },
    Scenario {
        name: "writes-1",
        servers: OURS,
        rooms: 1,
        beside: Beside::Most,
        run: |server, time| writes::run(server, 1, 1, time),
    },
    Scenario {
        name: "writes-16",
        servers: OURS,
        rooms: 1,
        beside: Beside::Most,
        run: |server, time| writes::run(server, 16, 1, time),
    },
    Scenario {
        name: "writes-256",
        servers: OURS,
        rooms: 1,
        beside: Beside::Most,
        run: |server, time| writes::run(server, 256, 1, time),
    },
    Scenario {
        name: "writes-100-rooms",
        servers: OURS,
        rooms: 100,
        beside: Beside::Most,
        run: |server, time| writes::run(server, 256, 100, time),
    },
    nodes("nodes-1", NODES[0], |server, time| nodes::run(server, 1_000, time)),
    nodes("nodes-2", NODES[1], |server, time| nodes::run(server, 1_000, time)),
    nodes("nodes-3", NODES[2], |server, time| nodes::run(server, 1_000, time)),
    nodes("nodes-1-writes", NODES[0], |server, time| writes::run(server, 256, 1, time)),
    nodes("nodes-3-writes", NODES[2], |server, time| writes::run(server, 256, 1, time)),
    nodes("nodes-3-of-100", NODES[2], |server, time| nodes::run(server, 100, time)),
    Scenario { name: "catch-up", servers: OURS, rooms: 1, beside: Beside::Nothing, run: catch_up::run },
    Scenario {
        name: "computing",
        servers: &[Kind::Everywhere],
        rooms: 1,
        beside: Beside::Nothing,
        run: computing::run,
    },
    Scenario { name: "pages", servers: OURS, rooms: 1, beside: Beside::Nothing, run: pages::run },
];
