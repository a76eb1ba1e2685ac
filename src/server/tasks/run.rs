//! One run of a task: within its time limits, where its lane runs, to one end.

use super::context::{Context, Failure};
use super::stop::{Reason, Stop};
use crate::domain::{Lane, Progress};
use crate::server::clock::now_ms;
use crate::server::queue::{Payload, Policy};
use crate::server::state::AppState;
use crate::server::store::{RunEnd, Task, TaskFailure};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

/// Why a run that took too long has failed.
const TIMED_OUT: &str = "timed_out";

/// How a kind of task is done.
pub trait Work: Payload {
    /// Ends soon after [`Context::stopping`] says so. Its value is the task's result.
    fn run(self, context: &Context) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// A kind of task that can be run.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub lane: Lane,
    pub policy: Policy,
    work: fn(Context) -> BoxFuture<'static, Result<Value, Failure>>,
}

pub const fn kind<W: Work>() -> Kind {
    Kind { name: W::NAME, lane: W::LANE, policy: W::POLICY, work: work::<W> }
}

fn work<W: Work>(context: Context) -> BoxFuture<'static, Result<Value, Failure>> {
    Box::pin(async move {
        let payload: W =
            serde_json::from_str(&context.task.data.args).map_err(|error| Failure::give_up("bad_arguments", error))?;
        payload.run(&context).await
    })
}

/// What the worker holds of a run that it began.
pub(super) struct Reins {
    pub stop: Arc<Stop>,
    pub progress: watch::Receiver<Option<Progress>>,
    /// Is there for as long as the run, or the thread that it was given, which may outlive it.
    pub thread: Weak<()>,
}

/// The run of `task`, to be driven to its end, and its reins.
pub(super) fn prepare(kind: Option<Kind>, state: AppState, task: Task) -> (Reins, BoxFuture<'static, RunEnd>) {
    let stop = Arc::new(Stop::default());
    let (sender, progress) = watch::channel(None);
    let context = Context { state, task, progress: sender, stop: Arc::clone(&stop) };
    let thread = Arc::new(());
    let reins = Reins { stop: Arc::clone(&stop), progress, thread: Arc::downgrade(&thread) };
    let run: BoxFuture<'static, RunEnd> = match kind {
        Some(kind) => Box::pin(run(kind, context, stop, thread)),
        None => {
            let message = format!("this program has no task of the kind {}", context.task.data.name);
            let failure = TaskFailure { code: "unknown_task".to_owned(), message };
            Box::pin(async { RunEnd::Failed(failure) })
        }
    };
    (reins, run)
}

async fn run(kind: Kind, context: Context, stop: Arc<Stop>, thread: Arc<()>) -> RunEnd {
    let Policy { soft_limit, hard_limit, .. } = kind.policy;
    let attempts = context.task.data.attempts;
    let work = in_its_lane(kind, context, hard_limit, thread);
    tokio::pin!(work);
    let ended = match timeout(soft_limit, &mut work).await {
        Ok(ended) => ended,
        Err(_) => {
            stop.because(Reason::Late);
            work.await
        }
    };
    end(ended, &stop, || now_ms() + pause_ms(kind.policy, attempts))
}

/// What a run came to, before it is judged.
enum Ended {
    Returned(Result<Value, Failure>),
    Panicked,
    OutOfTime,
}

/// Gives it up at the hard limit, where it waits then. A thread that never waits goes on with `thread`, and is not heard any more.
async fn in_its_lane(kind: Kind, context: Context, hard_limit: Duration, thread: Arc<()>) -> Ended {
    let work = timeout(hard_limit, (kind.work)(context));
    let running = AbortOnDrop(match kind.lane {
        Lane::Io | Lane::Cpu => tokio::spawn(work),
        Lane::Blocking => {
            let runtime = Handle::current();
            tokio::task::spawn_blocking(move || {
                let _thread = thread;
                runtime.block_on(work)
            })
        }
    });
    match timeout(hard_limit, running).await {
        Ok(Ok(Ok(returned))) => Ended::Returned(returned),
        Ok(Ok(Err(_))) | Err(_) => Ended::OutOfTime,
        Ok(Err(_)) => Ended::Panicked,
    }
}

fn end(ended: Ended, stop: &Stop, again_at: impl FnOnce() -> i64) -> RunEnd {
    let failure = |code: &str, message: &str| TaskFailure { code: code.to_owned(), message: message.to_owned() };
    match (ended, stop.reason()) {
        (Ended::Returned(Ok(value)), _) => RunEnd::Succeeded(value.to_string()),
        (_, Some(Reason::Cancelled)) => RunEnd::Cancelled,
        (_, Some(Reason::Leaving)) => RunEnd::GivenBack,
        (Ended::Returned(Err(Failure::GiveUp(failure))), _) => RunEnd::Failed(failure),
        (Ended::Returned(Err(Failure::Retry(failure))), _) => RunEnd::Retry { failure, run_at: again_at() },
        (Ended::Panicked, _) => RunEnd::Retry { failure: failure("panicked", "the run panicked"), run_at: again_at() },
        (Ended::OutOfTime | Ended::Returned(Err(Failure::Stopped)), _) => {
            RunEnd::Retry { failure: failure(TIMED_OUT, "the run took too long"), run_at: again_at() }
        }
    }
}

fn pause_ms(policy: Policy, attempts: u32) -> i64 {
    i64::try_from(policy.pause_after(attempts).as_millis()).unwrap_or(i64::MAX)
}

/// A run that nobody waits for any more goes no further than its next wait.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(mut self: std::pin::Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(ended: Ended, reason: Option<Reason>) -> RunEnd {
        let stop = Stop::default();
        reason.into_iter().for_each(|reason| stop.because(reason));
        end(ended, &stop, || 9)
    }

    #[test]
    fn a_result_counts_whatever_was_asked_meanwhile() {
        let done = || Ended::Returned(Ok("x".into()));
        for reason in [None, Some(Reason::Cancelled), Some(Reason::Late), Some(Reason::Leaving)] {
            assert_eq!(ended(done(), reason), RunEnd::Succeeded("\"x\"".into()));
        }
    }

    #[test]
    fn who_was_asked_to_end_ends_for_that_reason() {
        let stopped = || Ended::Returned(Err(Failure::Stopped));
        assert_eq!(ended(stopped(), Some(Reason::Cancelled)), RunEnd::Cancelled);
        assert_eq!(ended(stopped(), Some(Reason::Leaving)), RunEnd::GivenBack);
        let RunEnd::Retry { failure, run_at: 9 } = ended(stopped(), Some(Reason::Late)) else { panic!() };
        assert_eq!(failure.code, TIMED_OUT);
    }

    #[test]
    fn the_first_reason_counts() {
        let stop = Stop::default();
        stop.because(Reason::Late);
        stop.because(Reason::Leaving);
        assert_eq!(stop.reason(), Some(Reason::Late));
    }
}
