//! Reads the settings and runs what the command line asks for.

use clap::Parser;
use mimalloc::MiMalloc;
use pickmate::server::cli::{Cli, Command, Serve};
use pickmate::server::compute::{COMPUTATIONS, child};
use pickmate::server::config::{Config, ConfigError, Flags, Settings, leptos_options, process_environment};
use pickmate::server::node::{Duty, Node};
use pickmate::server::{admin, archive, moving, telemetry};
use std::io::{BufReader, Write, stderr, stdin, stdout};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tracing::level_filters::LevelFilter;

/// A page is made of thousands of short-lived strings, on many threads at once.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// As clap ends for a wrong flag.
const WRONG_SETTING: u8 = 2;

/// Signals within this time are one: terminals and wrappers often send the same one each.
const ONE_SIGNAL: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let outcome = obey(Cli::parse().command());
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    // Without a stderr there is nobody to tell.
    let _ = writeln!(stderr(), "pickmate: {error:#}");
    match () {
        () if error.is::<ConfigError>() => ExitCode::from(WRONG_SETTING),
        () if error.is::<child::Unready>() => ExitCode::from(child::UNREADY),
        () => ExitCode::FAILURE,
    }
}

fn obey(command: Command) -> anyhow::Result<()> {
    match command {
        // A child has no use for a runtime and its threads.
        Command::Compute(compute) => child::obey(&compute, COMPUTATIONS),
        Command::Serve(serve) => in_runtime(run_node(serve, Duty::Serve)),
        Command::Worker(serve) => in_runtime(run_node(serve, Duty::Work)),
        Command::Admin(verb) => {
            let config = beside(&verb.place.flags(), verb.place.config())?;
            in_runtime(admin::run(verb.command, &config, BufReader::new(stdin()), stdout()))
        }
        Command::Backup(backup) => {
            let config = beside(&backup.place.flags(), backup.place.config())?;
            in_runtime(archive::backup(&backup, &config, stdout()))
        }
        Command::Restore(restore) => {
            let config = beside(&restore.place.flags(), restore.place.config())?;
            in_runtime(archive::restore(&restore, &config, stdout()))
        }
        Command::Migrate(migrate) => {
            let config = beside(&Flags::default(), migrate.config.as_deref())?;
            in_runtime(moving::migrate(&migrate, &config, stdout()))
        }
    }
}

/// A task's thread that hears nothing may live for so long after the work.
const LAST_THREADS: Duration = Duration::from_secs(1);

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = Runtime::new()?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_THREADS);
    outcome
}

async fn run_node(serve: Serve, duty: Duty) -> anyhow::Result<()> {
    let Settings { config, file } = Settings::load(&serve.flags(), serve.config.as_deref(), &process_environment)?;
    telemetry::init(config.log_format, LevelFilter::INFO, process_environment("RUST_LOG").as_deref())?;
    if config.no_rate_limit {
        tracing::warn!("rate limits and connection caps are lifted: for benchmarks only");
    }
    // From here on, so that a signal during the start is not lost.
    let mut signals = Signals::listen()?;
    let node = Node::start(config, leptos_options(file.as_ref())?, duty).await?;
    // Serving goes on when nobody reads what is printed.
    let _ = announce(&node, stdout());
    signals.next().await;
    tracing::info!("stopping");
    tokio::select! {
        () = node.shutdown() => Ok(()),
        second = second_signal() => second.and_then(|()| anyhow::bail!("stopped at once by a second signal")),
    }
}

async fn second_signal() -> anyhow::Result<()> {
    sleep(ONE_SIGNAL).await;
    Signals::listen()?.next().await;
    Ok(())
}

fn announce(node: &Node, mut output: impl Write) -> std::io::Result<()> {
    match node.url() {
        Some(url) => writeln!(output, "PickMate serves on {url}")?,
        None => writeln!(output, "PickMate runs tasks")?,
    }
    if let Some(link) = node.set_up_link() {
        writeln!(output, "Set it up, once, at {link}")?;
    }
    output.flush()
}

/// Settings and logging of a command that is no server.
fn beside(flags: &Flags, file: Option<&Path>) -> anyhow::Result<Config> {
    let Settings { config, .. } = Settings::load(flags, file, &process_environment)?;
    telemetry::init(config.log_format, LevelFilter::WARN, process_environment("RUST_LOG").as_deref())?;
    Ok(config)
}

/// What asks the process to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Signals> {
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
