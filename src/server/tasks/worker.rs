//! A worker: takes due tasks from the store, as many as its lanes have room for, runs them, keeps their leases,
//! notes their progress and tells how they ended.

use super::run::{Kind, Reins, prepare};
use super::stop::Reason;
use crate::domain::{Lane, TaskId};
use crate::server::clock::now_ms;
use crate::server::queue;
use crate::server::service::webhooks;
use crate::server::state::AppState;
use crate::server::store::{RunEnd, RunId, StoreError, Task, TaskWork};
use data_encoding::HEXLOWER;
use rand::Rng;
use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// An end that the store did not take is told again so often.
const TELL_AGAIN: Duration = Duration::from_millis(500);
/// How often what is kept too long is dropped, and those that repeat by themselves are looked at.
const CHORES_EVERY: Duration = Duration::from_secs(60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// How many runs a lane has at a time.
pub type Places = Vec<(Lane, u32)>;

pub struct Worker {
    state: AppState,
    kinds: &'static [Kind],
    places: Places,
    name: String,
    running: HashMap<RunId, (Lane, Reins)>,
    /// Which run each of them is.
    names: HashMap<Id, RunId>,
    runs: JoinSet<()>,
    /// Threads of runs that were given up, each in a place of its lane until it ends.
    deaf: Vec<(Lane, Weak<()>)>,
}

impl Worker {
    /// For the lanes that have a place. Names itself: no two are alike.
    pub fn new(state: AppState, kinds: &'static [Kind], places: Places) -> Worker {
        let name = format!("{}-{}", std::process::id(), HEXLOWER.encode(&rand::rng().random::<[u8; 4]>()));
        let places = places.into_iter().filter(|(_, places)| *places > 0).collect();
        let (running, names, runs) = (HashMap::new(), HashMap::new(), JoinSet::new());
        Worker { state, kinds, places, name, running, names, runs, deaf: Vec::new() }
    }

    /// Works until `stop`; then runs that do not end by themselves soon are asked to, and given back.
    pub async fn run(mut self, stop: CancellationToken) {
        let limits = self.state.config.limits.clone();
        let every = |period: Duration| {
            let mut every = interval(period.max(Duration::from_millis(1)));
            every.set_missed_tick_behavior(MissedTickBehavior::Delay);
            every
        };
        let every_ms = |ms: u64| every(Duration::from_millis(ms));
        let (mut poll, mut beat) = (every_ms(limits.task_poll_ms), every_ms(limits.task_heartbeat_ms));
        let (mut note, mut changes) = (every_ms(limits.task_progress_ms), self.state.task_changes.subscribe());
        let mut series = every(CHORES_EVERY);
        let mut forget_at = Instant::now();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                Ok(()) = changes.changed() => self.look().await,
                _ = poll.tick() => {
                    self.enqueue_deliveries().await;
                    self.look().await;
                    if forget_at <= Instant::now() && !self.forget().await {
                        forget_at = Instant::now() + CHORES_EVERY;
                    }
                }
                _ = series.tick() => self.enqueue_series().await,
                _ = beat.tick(), if !self.running.is_empty() => self.renew().await,
                _ = note.tick(), if !self.running.is_empty() => self.note_progress().await,
                Some(ended) = self.runs.join_next_with_id() => {
                    self.let_go(ended);
                    self.look().await;
                }
            }
        }
        self.leave(Duration::from_millis(limits.task_grace_ms)).await;
    }

    /// Ends runs that somebody cancelled, and begins due ones where there is room.
    async fn look(&mut self) {
        self.end_cancelled().await;
        let free = self.free();
        let lanes: Vec<Lane> = free.iter().map(|(lane, _)| *lane).collect();
        // Nothing is written while nothing is due.
        let due = !lanes.is_empty() && self.told(self.state.store.due(&lanes, now_ms()).await).unwrap_or(false);
        if !due {
            return;
        }
        let claimed = self.state.store.claim(&self.name, free, self.lease_ms()).await;
        self.told(claimed).into_iter().flatten().for_each(|task| self.begin(task));
    }

    fn begin(&mut self, task: Task) {
        let (run, lane, state) = (task.run(), task.lane, self.state.clone());
        state.metrics.tasks.begin(&task, now_ms());
        let kind = self.kinds.iter().find(|kind| kind.name == task.data.name).copied();
        let (reins, work) = prepare(kind, self.state.clone(), task);
        self.running.insert(run.clone(), (lane, reins));
        let patience = Duration::from_millis(self.state.config.limits.task_lease_ms);
        let name = run.clone();
        let spawned = self.runs.spawn(async move {
            let end = work.await;
            state.metrics.tasks.end(lane, &end);
            // Nobody else's once the lease is over: then it is somebody else's to run it again.
            let _told = timeout(patience, tell_end(&state, &run, end)).await;
        });
        self.names.insert(spawned.id(), name);
    }

    fn let_go(&mut self, ended: Result<(Id, ()), JoinError>) {
        // It is not the run that panicked then but what tells of it: without its lease it is run again.
        let id = ended.map_or_else(
            |error| {
                tracing::error!(%error, "a run ended without a word");
                error.id()
            },
            |(id, ())| id,
        );
        self.deaf.retain(|(_, thread)| lives(thread));
        if let Some((lane, reins)) = self.names.remove(&id).and_then(|run| self.running.remove(&run))
            && lives(&reins.thread)
        {
            self.deaf.push((lane, reins.thread));
        }
    }

    fn free(&self) -> Places {
        let deaf = || self.deaf.iter().filter(|(_, thread)| lives(thread)).map(|(lane, _)| *lane);
        let used = |lane: Lane| {
            self.running.values().map(|(lane, _)| *lane).chain(deaf()).filter(|other| *other == lane).count()
        };
        let free = self
            .places
            .iter()
            .map(|(lane, places)| (*lane, places.saturating_sub(u32::try_from(used(*lane)).unwrap_or(u32::MAX))));
        free.filter(|(_, places)| *places > 0).collect()
    }

    async fn end_cancelled(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let ids: Vec<TaskId> = self.running.keys().map(|run| run.task.clone()).collect();
        let ended = self.told(self.state.store.cancelling(&ids).await).unwrap_or_default();
        for (run, (_, reins)) in &self.running {
            if ended.contains(&run.task) {
                reins.stop.because(Reason::Cancelled);
            }
        }
    }

    async fn renew(&mut self) {
        let runs: Vec<RunId> = self.running.keys().cloned().collect();
        let Some(on) = self.told(self.state.store.renew(runs, self.lease_ms()).await) else { return };
        for (run, (_, reins)) in &self.running {
            if !on.contains(run) {
                reins.stop.because(Reason::Cancelled);
            }
        }
    }

    async fn note_progress(&mut self) {
        let mut noted = Vec::new();
        for (run, (_, reins)) in &mut self.running {
            if reins.progress.has_changed().unwrap_or(false)
                && let Some(progress) = reins.progress.borrow_and_update().clone()
            {
                noted.push((run.clone(), progress));
            }
        }
        if !noted.is_empty() {
            self.told(self.state.store.work(TaskWork::Progress(noted)).await);
        }
    }

    /// Those that are there already stay as they are.
    async fn enqueue_series(&self) {
        match queue::series(now_ms()) {
            Ok(series) => drop(self.told(self.state.store.enqueue(series).await)),
            Err(error) => tracing::error!(%error, "a series has no time"),
        }
    }

    /// What webhooks are to be told stands beside the events; a worker that may send it makes tasks of it.
    async fn enqueue_deliveries(&self) {
        if self.places.iter().any(|(lane, _)| *lane == Lane::Io) {
            self.told(webhooks::enqueue_due(&*self.state.store, self.lease_ms()).await);
        }
    }

    /// Some of what is kept too long; whether there may be more, which goes the next time, so that leases are renewed
    /// meanwhile.
    async fn forget(&self) -> bool {
        let before = now_ms() - i64::from(self.state.config.limits.task_days) * DAY_MS;
        self.told(self.state.store.forget_tasks(before).await).unwrap_or(false)
    }

    /// Runs have `grace` to end by themselves.
    async fn leave(&mut self, grace: Duration) {
        let ended = timeout(grace / 2, self.all_ended()).await;
        if ended.is_err() {
            for (_, reins) in self.running.values() {
                reins.stop.because(Reason::Leaving);
            }
            // What does not end even now is run again once its lease is over.
            let _late = timeout(grace / 2, self.all_ended()).await;
        }
    }

    async fn all_ended(&mut self) {
        while let Some(ended) = self.runs.join_next_with_id().await {
            self.let_go(ended);
        }
    }

    fn lease_ms(&self) -> i64 {
        i64::try_from(self.state.config.limits.task_lease_ms).unwrap_or(i64::MAX)
    }

    /// A store that is away is met again at the next look.
    fn told<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        answer.inspect_err(|error| tracing::debug!(%error, "the queue cannot be reached")).ok()
    }
}

fn lives(thread: &Weak<()>) -> bool {
    thread.strong_count() > 0
}

async fn tell_end(state: &AppState, run: &RunId, end: RunEnd) {
    loop {
        match state.store.work(TaskWork::End(run.clone(), end.clone())).await {
            Ok(_) => return,
            Err(StoreError::Unavailable(_)) => sleep(TELL_AGAIN).await,
            Err(error @ StoreError::Internal(_)) => {
                tracing::error!(%error, task.id = %run.task, "the end of a task could not be kept");
                return;
            }
        }
    }
}
