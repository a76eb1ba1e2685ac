//! The scenarios: each starts with a fresh server and returns its figures.

mod catch_up;
mod fanout;
mod idle;
mod pages;
mod rooms;
mod writes;

use crate::process::{Kind, Server};
use crate::report::Figures;
use anyhow::Result;
use std::time::Duration;

pub struct Scenario {
    pub name: &'static str,
    pub servers: &'static [Kind],
    /// How many rooms there are.
    pub rooms: usize,
    /// Measures for so long.
    pub run: fn(&mut Server, Duration) -> Result<Figures>,
}

const BOTH: &[Kind] = &[Kind::PickMate, Kind::Bare];
const OURS: &[Kind] = &[Kind::PickMate];

pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "fanout-100", servers: BOTH, rooms: 1, run: |server, time| fanout::many(server, 100, time) },
    Scenario { name: "fanout-1000", servers: BOTH, rooms: 1, run: |server, time| fanout::many(server, 1_000, time) },
    Scenario { name: "fanout-5000", servers: BOTH, rooms: 1, run: |server, time| fanout::many(server, 5_000, time) },
    Scenario { name: "one-in-flight", servers: BOTH, rooms: 1, run: |server, time| fanout::one(server, 1_000, time) },
    Scenario { name: "rooms", servers: BOTH, rooms: rooms::ROOMS, run: rooms::run },
    Scenario { name: "idle", servers: BOTH, rooms: 100, run: idle::run },
    Scenario { name: "writes-1", servers: OURS, rooms: 1, run: |server, time| writes::run(server, 1, 1, time) },
    Scenario { name: "writes-16", servers: OURS, rooms: 1, run: |server, time| writes::run(server, 16, 1, time) },
    Scenario { name: "writes-256", servers: OURS, rooms: 1, run: |server, time| writes::run(server, 256, 1, time) },
    Scenario {
        name: "writes-100-rooms",
        servers: OURS,
        rooms: 100,
        run: |server, time| writes::run(server, 256, 100, time),
    },
    Scenario { name: "catch-up", servers: OURS, rooms: 1, run: catch_up::run },
    Scenario { name: "pages", servers: OURS, rooms: 1, run: pages::run },
];
