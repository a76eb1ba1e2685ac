use super::misbehaving::{Chattering, Confined, Endless, Filling, Greedy, Panicking, Refusing, Sum};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::server::compute::primes::{Primes, Range};
use pickmate::server::compute::{Bounds, Compute, ComputeError, Computer, Step};
use std::future::Future;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// A trial that takes longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

const MIB: u64 = 1024 * 1024;

/// Beyond what the program itself takes of an address space, unoptimised and with symbols.
pub const BOUNDS: Bounds = Bounds { time: PATIENCE, cpu: None, memory_bytes: 1024 * MIB, file_bytes: MIB };

pub struct Trial {
    pub name: &'static str,
    pub run: Pin<Box<dyn Future<Output = ()> + Send>>,
}

macro_rules! trials {
    ($($name:ident),+ $(,)?) => {
        pub fn all() -> Vec<Trial> {
            vec![$(Trial { name: stringify!($name), run: Box::pin($name()) }),+]
        }
    };
}

trials! {
    progress_arrives_and_then_the_result,
    an_endless_loop_is_killed_at_its_time,
    one_that_computes_longer_than_it_may_is_ended_for_that,
    one_that_allocates_without_end_is_stopped_and_its_parent_lives,
    one_that_panics_is_reported,
    one_that_is_killed_is_reported,
    one_that_never_stops_talking_is_cut_off,
    one_that_fills_the_disk_is_stopped,
    a_refusal_keeps_its_code,
    a_computation_that_nobody_knows_is_reported,
    a_cancelled_one_is_killed,
    a_dropped_one_is_killed,
    it_dies_with_its_parent,
    no_more_run_at_once_than_have_a_place,
    a_child_is_confined_and_knows_no_secrets,
    one_that_cannot_be_confined_says_nothing_of_its_input,
}

async fn run<C: Compute>(input: &C::Input, bounds: Bounds) -> Result<C::Output, ComputeError> {
    Computer::new(1).unwrap().run::<C>(input, bounds, &CancellationToken::new(), |_| {}).await
}

/// The process that noted its id there, once it has.
async fn noted(note: &Path) -> Pid {
    loop {
        let text = std::fs::read_to_string(note).unwrap_or_default();
        if let Some(id) = text.strip_suffix('\n') {
            return Pid::from_raw(id.parse().unwrap());
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// A zombie that nobody has asked after is gone too.
fn is_gone(process: Pid) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat"));
    state.map_or(true, |state| state.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

async fn until_gone(process: Pid) {
    while !is_gone(process) {
        sleep(Duration::from_millis(5)).await;
    }
}

async fn progress_arrives_and_then_the_result() {
    let mut steps = Vec::new();
    let (computer, cancel) = (Computer::new(1).unwrap(), CancellationToken::new());
    let sum = computer.run::<Sum>(&vec![1, 2, 3], BOUNDS, &cancel, |step| steps.push(step)).await.unwrap();
    assert_eq!(sum, 6);
    assert_eq!(steps, [1, 2, 3].map(|current| Step { current, total: 3 }));
}

async fn an_endless_loop_is_killed_at_its_time() {
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("note");
    let (time, begun) = (Duration::from_millis(1_500), Instant::now());
    let outcome = run::<Endless>(&note, Bounds { time, ..BOUNDS }).await;
    assert!(matches!(outcome, Err(ComputeError::TimedOut)), "{outcome:?}");
    assert!(begun.elapsed() >= time);
    assert!(is_gone(noted(&note).await));
}

async fn one_that_computes_longer_than_it_may_is_ended_for_that() {
    let folder = TempDir::new().unwrap();
    let bounds = Bounds { cpu: Some(Duration::from_millis(300)), ..BOUNDS };
    let outcome = run::<Endless>(&folder.path().join("note"), bounds).await;
    assert!(matches!(outcome, Err(ComputeError::OutOfCpu)), "{outcome:?}");
    // Waiting is no computing.
    assert_eq!(run::<Sum>(&vec![1; 15], bounds).await.unwrap(), 15);
}

async fn one_that_allocates_without_end_is_stopped_and_its_parent_lives() {
    let outcome = run::<Greedy>(&(), BOUNDS).await;
    assert!(matches!(outcome, Err(ComputeError::OutOfMemory)), "{outcome:?}");
    assert_eq!(run::<Sum>(&vec![1], BOUNDS).await.unwrap(), 1);
}

async fn one_that_panics_is_reported() {
    let outcome = run::<Panicking>(&(), BOUNDS).await;
    let Err(ComputeError::Crashed(words)) = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("as it is meant to"), "{words}");
}

async fn one_that_is_killed_is_reported() {
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("note");
    let running = tokio::spawn({
        let note = note.clone();
        async move { run::<Endless>(&note, BOUNDS).await }
    });
    kill(noted(&note).await, Signal::SIGKILL).unwrap();
    let outcome = running.await.unwrap();
    assert!(matches!(outcome, Err(ComputeError::Crashed(_))), "{outcome:?}");
}

async fn one_that_never_stops_talking_is_cut_off() {
    let outcome = run::<Chattering>(&(), BOUNDS).await;
    assert!(matches!(outcome, Err(ComputeError::Crashed(_))), "{outcome:?}");
}

async fn one_that_fills_the_disk_is_stopped() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    let outcome = run::<Filling>(&file, BOUNDS).await;
    assert!(matches!(outcome, Err(ComputeError::Crashed(_))), "{outcome:?}");
    assert!(file.metadata().unwrap().len() <= BOUNDS.file_bytes);
}

async fn a_refusal_keeps_its_code() {
    let outcome = run::<Refusing>(&(), BOUNDS).await;
    let Err(ComputeError::Refused(refused)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(refused.code, "not_today");
}

async fn a_computation_that_nobody_knows_is_reported() {
    let computer = Computer::with_program(env!("CARGO_BIN_EXE_pickmate").into(), 1);
    let outcome = computer.run::<Sum>(&vec![1], BOUNDS, &CancellationToken::new(), |_| {}).await;
    let Err(ComputeError::Crashed(words)) = outcome else { panic!("{outcome:?}") };
    assert!(words.contains("there is no computation `sum`"), "{words}");
}

async fn a_cancelled_one_is_killed() {
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("note");
    let (computer, cancel) = (Computer::new(1).unwrap(), CancellationToken::new());
    let begun = async {
        let process = noted(&note).await;
        cancel.cancel();
        process
    };
    let (outcome, process) = tokio::join!(computer.run::<Endless>(&note, BOUNDS, &cancel, |_| {}), begun);
    assert!(matches!(outcome, Err(ComputeError::Cancelled)), "{outcome:?}");
    assert!(is_gone(process));
}

async fn a_dropped_one_is_killed() {
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("note");
    let process = tokio::select! {
        outcome = run::<Endless>(&note, BOUNDS) => panic!("it ended: {outcome:?}"),
        process = noted(&note) => process,
    };
    until_gone(process).await;
}

async fn it_dies_with_its_parent() {
    let folder = TempDir::new().unwrap();
    let note = folder.path().join("note");
    let own = std::env::current_exe().unwrap();
    let mut parent = tokio::process::Command::new(own).arg("serve").arg(&note).stdin(Stdio::null()).spawn().unwrap();
    let process = noted(&note).await;
    assert!(!is_gone(process));
    parent.kill().await.unwrap();
    until_gone(process).await;
}

async fn no_more_run_at_once_than_have_a_place() {
    let folder = TempDir::new().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (computer, cancel) = (Computer::new(1).unwrap(), CancellationToken::new());
    let begun = async {
        noted(&first).await;
        sleep(Duration::from_millis(300)).await;
        assert!(!second.exists(), "two run in one place");
        cancel.cancel();
    };
    let (one, two, ()) = tokio::join!(
        computer.run::<Endless>(&first, BOUNDS, &cancel, |_| {}),
        computer.run::<Endless>(&second, BOUNDS, &cancel, |_| {}),
        begun
    );
    assert!(matches!((one, two), (Err(ComputeError::Cancelled), Err(ComputeError::Cancelled))));
    assert!(!second.exists());
}

async fn a_child_is_confined_and_knows_no_secrets() {
    let confined = run::<Confined>(&(), BOUNDS).await.unwrap();
    assert_eq!(confined.policy, "Normal(Idle)", "whoever else wants the core has it");
    assert_eq!(confined.memory, Some(BOUNDS.memory_bytes));
    assert_eq!(confined.file, Some(BOUNDS.file_bytes));
    assert_eq!((confined.core, confined.cpu), (Some(0), None));
    let bounds = Bounds { cpu: Some(Duration::from_millis(2_001)), ..BOUNDS };
    assert_eq!(run::<Confined>(&(), bounds).await.unwrap().cpu, Some(3));
    assert_eq!(confined.variables, ["MIMALLOC_ARENA_RESERVE"]);
}

async fn one_that_cannot_be_confined_says_nothing_of_its_input() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("program");
    // Root raises its limits again, so that it goes without the right to.
    let script = format!(
        "#!/bin/sh\nulimit -v 2097152\nset -- \"{}\" \"$@\"\n\
        [ \"$(id -u)\" != 0 ] || exec setpriv --bounding-set=-sys_resource -- \"$@\"\nexec \"$@\"\n",
        env!("CARGO_BIN_EXE_pickmate")
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let primes = async |memory_bytes| {
        let computer = Computer::with_program(program.clone(), 1);
        let bounds = Bounds { memory_bytes, ..BOUNDS };
        computer.run::<Primes>(&Range { below: 10 }, bounds, &CancellationToken::new(), |_| {}).await
    };
    assert_eq!(primes(1024 * MIB).await.unwrap(), 4);
    let outcome = primes(4096 * MIB).await;
    assert!(matches!(outcome, Err(ComputeError::Unavailable(_))), "{outcome:?}");
}
