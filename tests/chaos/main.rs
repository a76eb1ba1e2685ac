//! The promise of the log under faults: nothing lost, nothing doubled, nothing out of order. Runs the
//! real program while a seeded schedule of faults goes on, and compares in the end what everybody did and saw with the
//! log. It has two stages: one node on a small disk behind a bad network, and several on Postgres and Redis behind a
//! load balancer. `docs/testing.md` tells how to use it.

// Clippy's `allow-unwrap-in-tests` knows `#[test]` functions only.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod browser;
mod client;
mod course;
mod dice;
mod ledger;
mod nodes;
mod one;
mod operator;
mod oracle;
mod people;
mod plant;
#[path = "../program/mod.rs"]
mod program;
mod proxy;
mod readers;
#[path = "../program/redis.rs"]
mod redis_program;
mod report;
mod run;
mod schedule;
mod stage;
mod writers;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use nodes::Nodes;
use one::OneNode;
use people::Accounts;
use plant::Plant;
use run::{Outcome, Plan, Presence};
use schedule::{Length, Schedule};
use stage::Stage;
use std::path::Path;
use std::process::ExitCode;
use tempfile::TempDir;

#[derive(Debug, Default, PartialEq, Eq, Parser)]
struct Args {
    /// Three nodes on Postgres and Redis behind a load balancer, not one on SQLite
    #[arg(long)]
    nodes: bool,
    /// Faults may take as long as in life
    #[arg(long)]
    long: bool,
    /// Decides the schedule and everything that writers and readers choose
    #[arg(long)]
    seed: Option<u64>,
    /// Posts to make, at least
    #[arg(long)]
    posts: Option<usize>,
    /// Faults to carry out
    #[arg(long)]
    faults: Option<usize>,
    /// Plant a bug, which the oracle should find
    #[arg(long)]
    plant: Option<Plant>,
    /// A real browser takes part; it needs the release build, as `scripts/chaos.sh` gives it
    #[arg(long)]
    browser: bool,
    /// Print the schedule and end
    #[arg(long)]
    list_faults: bool,
    /// Taken for the sake of `cargo test`: nothing is captured anyway
    #[arg(long)]
    nocapture: bool,
    /// Taken for the sake of `cargo test -- NAME`: this is one test, `chaos`
    names: Vec<String>,
}

/// A seed of its own for each run would be a test that fails now and then; `--seed` and `make chaos`
/// look further.
const SHORT_SEED: u64 = 20_261_123;

/// Posts of a run that shows a planted bug.
const PLANTED_POSTS: usize = 60;

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.names.is_empty() && !args.names.iter().any(|name| "chaos".contains(name.as_str())) {
        return ExitCode::SUCCESS;
    }
    let went = if args.nodes { go::<Nodes>(&args) } else { one::with_own_mounts().and_then(|()| go::<OneNode>(&args)) };
    match went {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn go<S: Stage>(args: &Args) -> Result<()> {
    let (posts, faults) = S::SHORT;
    let (seed, faults) = (args.seed.unwrap_or(SHORT_SEED), args.faults.unwrap_or(faults));
    let length = if args.long { Length::Long } else { Length::Short };
    let plan = Plan {
        room: "chaos".into(),
        seed,
        posts: args.posts.unwrap_or(posts),
        schedule: match args.plant {
            Some(Plant::LateAck) => Schedule::sparing(seed),
            _ => Schedule::of(seed, faults, length),
        },
        plant: args.plant,
        browser: if args.browser { Presence::Present } else { Presence::Absent },
    };
    if args.browser && std::env::var_os("PICKMATE_SERVER").is_none() {
        bail!("a browser needs the release build and its site: make build, then scripts/chaos.sh --browser");
    }
    if args.list_faults {
        print!("{}", plan.schedule);
        return Ok(());
    }
    let folder = TempDir::new()?;
    let outcome = perform::<S>(args, &plan, folder.path()).await.with_context(|| format!("seed {seed}"));
    // The folder stays when something went wrong.
    if outcome.is_err() {
        println!("chaos: what the servers wrote is in {}", folder.keep().display());
    }
    outcome
}

async fn perform<S: Stage>(args: &Args, plan: &Plan<S::Fault>, folder: &Path) -> Result<()> {
    let mut stage = S::start(folder).await?;
    let accounts = Accounts::make(&stage).await?;
    let without_arguments = *args == (Args { nodes: args.nodes, ..Args::default() });
    if without_arguments {
        for plant in S::PLANTS {
            is_seen(*plant, &mut stage, &accounts, folder).await?;
        }
    }
    if without_arguments || args.long {
        print!("{}", stage.trials(&accounts, folder).await?);
    }
    println!("chaos: seed {}, {} posts, {} faults", plan.seed, plan.posts, plan.schedule.0.len());
    let Outcome { verdict, report } = run::run(plan, &mut stage, &accounts, folder).await?;
    println!("{report}");
    ensure!(verdict.is_clean(), "the oracle complains");
    Ok(())
}

/// A planted bug is complained of, as what it is.
async fn is_seen<S: Stage>(plant: Plant, stage: &mut S, accounts: &Accounts, folder: &Path) -> Result<()> {
    let none = Schedule::of(SHORT_SEED, 0, Length::Short);
    let plan = Plan {
        room: plant.name().into(),
        seed: SHORT_SEED,
        posts: PLANTED_POSTS,
        schedule: if plant == Plant::LateAck { Schedule::sparing(SHORT_SEED) } else { none },
        plant: Some(plant),
        browser: Presence::Absent,
    };
    let Outcome { verdict, .. } = run::run(&plan, stage, accounts, folder).await?;
    ensure!(verdict.count(plant.complaint()) > 0, "the planted bug `{}` was not seen", plant.name());
    println!("chaos: the planted bug `{}` is seen", plant.name());
    Ok(())
}
