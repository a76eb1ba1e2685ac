//! The promise of the log under faults: nothing lost, nothing doubled, nothing out of order. Runs the
//! real program on a small disk behind a bad network while a seeded schedule of faults goes on, and
//! compares in the end what everybody did and saw with the log. `docs/testing.md` tells how to use it.

// Clippy's `allow-unwrap-in-tests` knows `#[test]` functions only.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod browser;
mod client;
mod course;
mod dice;
mod ledger;
mod one;
mod operator;
mod oracle;
mod people;
mod plant;
#[path = "../program/mod.rs"]
mod program;
mod proxy;
mod readers;
mod report;
mod run;
mod schedule;
mod stage;
mod writers;

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use one::OneNode;
use oracle::Kind;
use plant::Plant;
use run::{Outcome, Plan, Presence};
use schedule::Schedule;
use stage::Stage;
use std::process::ExitCode;
use tempfile::TempDir;

#[derive(Debug, Default, PartialEq, Eq, Parser)]
struct Args {
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

/// Posts and faults of a run without arguments, which is part of `cargo test`: each fault once, in
/// about half a minute.
const SHORT: (usize, usize) = (300, 15);

/// A seed of its own for each run would be a test that fails now and then; `--seed` and `make chaos`
/// look further.
const SHORT_SEED: u64 = 20_261_123;

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.names.is_empty() && !args.names.iter().any(|name| "chaos".contains(name.as_str())) {
        return ExitCode::SUCCESS;
    }
    match one::with_own_mounts().and_then(|()| go(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("chaos: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn go(args: &Args) -> Result<()> {
    let plan = Plan {
        seed: args.seed.unwrap_or(SHORT_SEED),
        posts: args.posts.unwrap_or(SHORT.0),
        faults: args.faults.unwrap_or(SHORT.1),
        plant: args.plant,
        browser: if args.browser { Presence::Present } else { Presence::Absent },
    };
    if args.browser && std::env::var_os("PICKMATE_SERVER").is_none() {
        bail!("a browser needs the release build and its site: make build, then scripts/chaos.sh --browser");
    }
    if args.list_faults {
        print!("{}", Schedule::<<OneNode as Stage>::Fault>::of(plan.seed, plan.faults));
        return Ok(());
    }
    if *args == Args::default() {
        for (name, plant) in Plant::ALL {
            is_seen(name, plant).await?;
        }
    }
    println!("chaos: seed {}, {} posts, {} faults", plan.seed, plan.posts, plan.faults);
    let Outcome { verdict, report } = in_a_folder(plan).await?;
    println!("{report}");
    ensure!(verdict.is_clean(), "the oracle complains; seed {}", plan.seed);
    Ok(())
}

/// A planted bug is complained of, as what it is.
async fn is_seen(name: &str, plant: Plant) -> Result<()> {
    let Outcome { verdict, .. } =
        in_a_folder(Plan { seed: SHORT_SEED, posts: 60, faults: 0, plant: Some(plant), browser: Presence::Absent })
            .await?;
    let wanted = match plant {
        Plant::LostAck | Plant::LostFrame => Kind::Lost,
        Plant::DoubledPost | Plant::DoubledFrame => Kind::Doubled,
        Plant::ReorderedPosts | Plant::ReorderedFrames => Kind::Reordered,
    };
    ensure!(verdict.count(wanted) > 0, "the planted bug `{name}` was not seen");
    println!("chaos: the planted bug `{name}` is seen");
    Ok(())
}

/// The folder stays when something went wrong.
async fn in_a_folder(plan: Plan) -> Result<Outcome> {
    let folder = TempDir::new()?;
    let outcome = async { run::run(plan, OneNode::start(folder.path()).await?, folder.path()).await }.await;
    if !matches!(&outcome, Ok(outcome) if outcome.verdict.is_clean() || plan.plant.is_some()) {
        println!("chaos: what the server wrote is in {}", folder.keep().join("server.log").display());
    }
    outcome.with_context(|| format!("seed {}", plan.seed))
}
