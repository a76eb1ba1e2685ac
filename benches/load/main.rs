//! Load against real servers: PickMate's release build with SQLite and full sync, and a bare axum server
//! that only forwards, and the bare engine, for comparison. One thread of sockets here, each server on a core of its own
//! (`scripts/bench.sh` pins both). `docs/performance.md` tells what is measured and what came of it.

mod bare;
mod dialect;
mod engine;
mod fleet;
mod post;
mod process;
mod report;
mod scenario;
mod services;
mod wire;

use anyhow::{Context, Result, bail};
use clap::Parser;
use engine::Work;
use mimalloc::MiMalloc;
use process::{Kind, Server};
use report::{ENGINE, Figures, Report};
use scenario::{SCENARIOS, Scenario};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Parser)]
struct Args {
    /// Scenarios to run; all without
    scenarios: Vec<String>,
    /// The release build of `pickmate`
    #[arg(long, required_unless_present_any = ["bare", "engine"])]
    server: Option<PathBuf>,
    /// Each scenario so often; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Of one measurement
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Where the results go as JSON
    #[arg(long)]
    json: Option<PathBuf>,
    /// Serves as the bare server at this port, and measures nothing
    #[arg(long, exclusive = true)]
    bare: Option<u16>,
    /// Works as the bare engine, as this JSON says, and measures nothing else
    #[arg(long, exclusive = true, value_parser = Work::parse)]
    engine: Option<Work>,
    /// Cargo says so to every benchmark
    #[arg(long)]
    bench: bool,
}

/// As PickMate has, so that the servers differ in what they do.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<()> {
    let args = Args::parse();
    if let Some(port) = args.bare {
        return bare::serve(port);
    }
    if let Some(work) = args.engine {
        return work.run();
    }
    let pickmate = args.server.context("there is no server to measure")?;
    let chosen = chosen(&args.scenarios)?;
    let mut report = Report::default();
    let time = Duration::from_secs(args.seconds);
    for round in 1..=args.rounds {
        let mut note = |scenario, kind, figures: Figures| {
            eprintln!("{round}/{} {scenario:16} {kind:8} {figures}", args.rounds);
            report.add(scenario, kind, figures);
        };
        for scenario in &chosen {
            for kind in scenario.servers {
                let name = format!("{} on {}", scenario.name, kind.name());
                let mut server = Server::start(*kind, &pickmate, scenario.rooms).with_context(|| name.clone())?;
                let figures = (scenario.run)(&mut server, time).context(name)?;
                note(scenario.name, kind.name(), figures);
                if *kind == Kind::PickMate
                    && let Some(figures) = scenario.beside.figures(server.stop()?, scenario.rooms, time)?
                {
                    note(scenario.name, ENGINE, figures);
                }
            }
        }
    }
    println!("{report}");
    if let Some(path) = args.json {
        std::fs::write(path, report.json())?;
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Scenario>> {
    if let Some(unknown) = names.iter().find(|name| !SCENARIOS.iter().any(|one| one.name == name.as_str())) {
        let known: Vec<_> = SCENARIOS.iter().map(|one| one.name).collect();
        bail!("there is no scenario {unknown}; there are {}", known.join(", "));
    }
    let wanted = |one: &&Scenario| names.is_empty() || names.iter().any(|name| name == one.name);
    Ok(SCENARIOS.iter().filter(wanted).collect())
}
