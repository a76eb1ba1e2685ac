//! Children that compute, and everything that can become of them. This program is its own child, as `pickmate` is, with
//! computations that misbehave.

// Clippy's `allow-unwrap-in-tests` knows `#[test]` functions only.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod misbehaving;
mod trials;

use clap::Parser;
use misbehaving::{COMPUTATIONS, Endless};
use pickmate::server::cli::{Cli, Command};
use pickmate::server::compute::{Computer, child};
use std::path::Path;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["compute", ..] => compute(),
        // A server that is killed while a child works for it.
        ["serve", note] => serve(Path::new(note)),
        _ => try_all(&arguments),
    }
}

fn compute() -> ExitCode {
    let Command::Compute(compute) = Cli::parse().command() else { return ExitCode::FAILURE };
    match child::obey(&compute, COMPUTATIONS) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(note: &Path) -> ExitCode {
    let computer = Computer::new(1).unwrap();
    let cancel = CancellationToken::new();
    let outcome = computer.run::<Endless>(&note.to_owned(), trials::BOUNDS, &cancel, |_| {}).await;
    panic!("it ended: {outcome:?}");
}

/// As `cargo test -- NAME` expects; options are taken and mean nothing.
#[tokio::main]
async fn try_all(arguments: &[String]) -> ExitCode {
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let mut failed = false;
    for trial in trials::all().into_iter().filter(|trial| is_wanted(trial.name)) {
        let ended = tokio::spawn(tokio::time::timeout(trials::PATIENCE, trial.run)).await;
        let passed = matches!(ended, Ok(Ok(())));
        println!("compute: {} ... {}", trial.name, if passed { "ok" } else { "FAILED" });
        failed |= !passed;
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
