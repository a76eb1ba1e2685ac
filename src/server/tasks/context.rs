//! What a running task may use.

use super::stop::Stop;
use crate::domain::{Key, Progress};
use crate::server::compute::{Bounds, Compute, ComputeError, Refused, Step};
use crate::server::state::AppState;
use crate::server::store::{Task, TaskFailure};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A message of progress is cut after so many characters.
const MESSAGE_CHARS: usize = 200;

/// One run of a task.
pub struct Context {
    pub state: AppState,
    pub task: Task,
    pub(super) progress: watch::Sender<Option<Progress>>,
    pub(super) stop: Arc<Stop>,
}

/// Why a run did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// For now: it may succeed another time.
    Retry(TaskFailure),
    /// For good.
    GiveUp(TaskFailure),
    /// It was asked to end, and did.
    Stopped,
}

impl Failure {
    /// `code` is stable, in snake_case; `message` for whoever operates the installation.
    pub fn retry(code: &str, message: impl ToString) -> Failure {
        Failure::Retry(TaskFailure { code: code.to_owned(), message: message.to_string() })
    }

    pub fn give_up(code: &str, message: impl ToString) -> Failure {
        Failure::GiveUp(TaskFailure { code: code.to_owned(), message: message.to_string() })
    }
}

impl Context {
    /// Tells how far the task is. May be called as often as one likes: a few a second are told.
    pub fn progress(&self, current: u64, total: Option<u64>, message: Option<&str>) {
        let message = message.map(|message| message.chars().take(MESSAGE_CHARS).collect());
        self.progress.send_replace(Some(Progress { current, total, message }));
    }

    /// Cancelled once the run shall end: somebody cancelled the task, the soft time limit is over, or the worker
    /// stops.
    pub fn stopping(&self) -> &CancellationToken {
        self.stop.token()
    }

    /// Whether the run shall end, for code that does not wait.
    pub fn check(&self) -> Result<(), Failure> {
        if self.stop.token().is_cancelled() { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// Waits, but not once the run shall end.
    pub async fn unless_stopped<T>(&self, wait: impl Future<Output = T>) -> Result<T, Failure> {
        self.stop.token().run_until_cancelled(wait).await.ok_or(Failure::Stopped)
    }

    /// Computes in a child process, which is killed once the run shall end; its steps are the task's progress.
    pub async fn compute<C: Compute>(&self, input: &C::Input, bounds: Bounds) -> Result<C::Output, Failure> {
        let on_step = |step: Step| self.progress(step.current, Some(step.total), None);
        self.state.computer.run::<C>(input, bounds, self.stopping(), on_step).await.map_err(|error| match error {
            ComputeError::Cancelled => Failure::Stopped,
            // The same input meets the same end.
            ComputeError::Refused(Refused { code }) => Failure::give_up(&code, "the computation refused it"),
            ComputeError::OutOfMemory => Failure::give_up("out_of_memory", error),
            ComputeError::OutOfCpu => Failure::give_up("out_of_cpu", error),
            ComputeError::TimedOut => Failure::retry("timed_out", error),
            ComputeError::Crashed(_) => Failure::retry("crashed", error),
            ComputeError::Unavailable(_) => Failure::retry("unavailable", error),
        })
    }

    /// The idempotency key of an effect of this task, the same in every run. `what` tells several apart.
    pub fn key(&self, what: &str) -> Key {
        let digest: [u8; 32] = Sha256::digest(format!("{} {what}", self.task.id)).into();
        let mut bits = [0; 16];
        bits.copy_from_slice(&digest[..16]);
        Key::from_random(bits)
    }
}
