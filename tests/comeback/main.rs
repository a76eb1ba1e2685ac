//! A deploy with everybody there: the real program is stopped and started again while thousands of
//! live sockets follow their rooms and posts never pause. Each socket is sent away, comes back when it
//! was told to and gets every event once and in order; what that costs is measured.
//! `docs/testing.md` tells how to use it.

// Clippy's `allow-unwrap-in-tests` knows `#[test]` functions only.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod community;
mod descriptors;
mod line;
mod member;
#[path = "../program/mod.rs"]
mod program;
mod record;
mod report;
mod run;
mod server;
mod writers;

use anyhow::Result;
use clap::Parser;
use community::Size;
use std::process::ExitCode;
use std::time::Duration;
use tempfile::TempDir;

#[derive(Debug, Parser)]
struct Args {
    /// Live sockets, each with a session of its own
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    sockets: u32,
    /// Rooms, every second one closed; a socket follows one or two
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,
    /// Accounts that the sockets belong to
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    accounts: u32,
    /// The last socket has to be back so long after the new process listens
    #[arg(long, default_value_t = 10_000)]
    within_ms: u64,
    /// Taken for the sake of `cargo test`: nothing is captured anyway
    #[arg(long)]
    nocapture: bool,
    /// Taken for the sake of `cargo test -- NAME`: this is one test, `comeback`
    names: Vec<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if !args.names.is_empty() && !args.names.iter().any(|name| "comeback".contains(name.as_str())) {
        return ExitCode::SUCCESS;
    }
    match go(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("comeback: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn go(args: &Args) -> Result<()> {
    let size = Size { sockets: args.sockets as usize, rooms: args.rooms as usize, accounts: args.accounts as usize };
    descriptors::allow(size.sockets)?;
    let folder = TempDir::new()?;
    let judged = match run::run(size, folder.path()).await {
        Ok(report) => {
            println!("{report}");
            report.judge(Duration::from_millis(args.within_ms))
        }
        Err(error) => Err(error),
    };
    if judged.is_err() {
        println!("comeback: what the server wrote is in {}", folder.keep().join("server.log").display());
    }
    judged
}
