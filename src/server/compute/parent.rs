use super::line::{Line, Step};
use super::{Compute, ComputeError, Refused, child};
use rustix::process::Signal;
use serde::de::DeserializeOwned;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Everything that a child may say: its result, and ten minutes of progress.
const STDOUT_BYTES: u64 = 1024 * 1024;

/// What is kept of a child's last words, for the log.
const STDERR_BYTES: u64 = 4 * 1024;

/// What Rust's standard library says at the end of a process whose allocation failed, and what is said where
/// somebody asked whether there is memory and did not expect that there is none.
const NO_MEMORY: [&str; 2] = ["memory allocation of ", "TryReserveError"];

/// What one computation may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From its start to its end, by the clock; then it is killed. It may have waited for a core all that time.
    pub time: Duration,
    /// For which it computes, in whole seconds, of a part of one the whole; then it is killed. `None`: for all that time.
    pub cpu: Option<Duration>,
    /// Of its address space, with what the program itself takes.
    pub memory_bytes: u64,
    /// Of each file that it writes.
    pub file_bytes: u64,
}

/// Starts children, so many at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Computer {
    program: PathBuf,
    places: Arc<Semaphore>,
}

impl Computer {
    /// `children` at once, of this very program.
    pub fn new(children: usize) -> std::io::Result<Computer> {
        // On Linux this is the file that runs, also after another version was put in its place.
        let running = Path::new("/proc/self/exe");
        let program = if running.exists() { running.to_owned() } else { std::env::current_exe()? };
        Ok(Computer::with_program(program, children))
    }

    /// Of another program that obeys `compute`.
    pub fn with_program(program: PathBuf, children: usize) -> Computer {
        Computer { program, places: Arc::new(Semaphore::new(children)) }
    }

    /// Waits for a place, then for the result. The child is killed when `bounds` are passed, when `cancel` says so
    /// and when the future is dropped; `bounds.time` begins when it starts. Steps come at most ten a second.
    pub async fn run<C: Compute>(
        &self,
        input: &C::Input,
        bounds: Bounds,
        cancel: &CancellationToken,
        on_step: impl FnMut(Step) + Send,
    ) -> Result<C::Output, ComputeError> {
        let mut line = serde_json::to_vec(input).map_err(|error| ComputeError::Crashed(error.to_string()))?;
        line.push(b'\n');
        let place = cancel.run_until_cancelled(self.places.acquire()).await.ok_or(ComputeError::Cancelled)?;
        let _place = place.map_err(|closed| ComputeError::Crashed(closed.to_string()))?;
        let mut child = self.command(C::NAME, bounds).spawn()?;
        let outcome = tokio::select! {
            outcome = converse(&mut child, &line, on_step) => outcome,
            () = sleep(bounds.time) => Err(ComputeError::TimedOut),
            () = cancel.cancelled() => Err(ComputeError::Cancelled),
        };
        // It ends before its place is given to another. It may have ended by itself, which is no error here.
        let _ = child.kill().await;
        outcome
    }

    fn command(&self, name: &str, bounds: Bounds) -> Command {
        let mut command = Command::new(&self.program);
        command
            .arg0("pickmate")
            .args(["compute", name])
            .args(["--memory-bytes", &bounds.memory_bytes.to_string()])
            .args(["--file-bytes", &bounds.file_bytes.to_string()])
            .args(bounds.cpu.map(|cpu| format!("--cpu-seconds={}", cpu.as_millis().div_ceil(1_000))))
            .env_clear()
            // The allocator would take a gigabyte of addresses beforehand, which counts.
            .env("MIMALLOC_ARENA_RESERVE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

async fn converse<T: DeserializeOwned>(
    child: &mut Child,
    input: &[u8],
    on_step: impl FnMut(Step) + Send,
) -> Result<T, ComputeError> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(ComputeError::Crashed("it has no pipes".into()));
    };
    // Where it has ended already, its status tells why.
    let _ = stdin.write_all(input).await;
    let (said, words) = tokio::join!(listen(stdout, on_step), last_words(stderr));
    let status = ended(child, stdin).await?;
    if !status.success() {
        return Err(failure(status, &words));
    }
    match said? {
        Some(Line::Result(result)) => Ok(result),
        Some(Line::Error { code }) => Err(Refused { code: code.into() }.into()),
        Some(Line::Progress(_)) | None => Err(ComputeError::Crashed("it ended without a result".into())),
    }
}

/// A child that sees its stdin closed takes its parent for dead, so that is held until here.
async fn ended(child: &mut Child, _stdin: ChildStdin) -> Result<ExitStatus, ComputeError> {
    Ok(child.wait().await?)
}

/// Passes steps on and returns the last line, unless that was cut or is none.
async fn listen<T: DeserializeOwned>(
    stdout: ChildStdout,
    mut on_step: impl FnMut(Step) + Send,
) -> Result<Option<Line<T>>, ComputeError> {
    let nonsense = |error: &dyn std::fmt::Display| ComputeError::Crashed(format!("it said nonsense: {error}"));
    let mut lines = BufReader::new(stdout.take(STDOUT_BYTES)).lines();
    let mut last = None;
    while let Some(line) = lines.next_line().await.map_err(|error| nonsense(&error))? {
        match serde_json::from_str(&line).map_err(|error| nonsense(&error))? {
            Line::Progress(step) => on_step(step),
            said => last = Some(said),
        }
    }
    Ok(last)
}

async fn last_words(stderr: ChildStderr) -> String {
    let mut words = Vec::new();
    let _ = stderr.take(STDERR_BYTES).read_to_end(&mut words).await;
    String::from_utf8_lossy(&words).trim().to_owned()
}

fn failure(status: ExitStatus, words: &str) -> ComputeError {
    if status.code() == Some(child::UNREADY.into()) {
        return ComputeError::Unavailable(std::io::Error::other(words.to_owned()));
    }
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        return ComputeError::OutOfCpu;
    }
    if NO_MEMORY.iter().any(|said| words.contains(said)) {
        return ComputeError::OutOfMemory;
    }
    ComputeError::Crashed(format!("{status} {words}").trim_end().to_owned())
}
