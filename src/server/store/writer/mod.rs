//! The writer: one a node that owns the way into the rooms' logs. It takes what has gathered
//! in its bounded queue, has the engine commit it in one transaction, tells the observer, then
//! answers. It outlives every failure: a batch that fails is answered and the next one is tried.

mod company;

use super::abroad::{Announcer, Foreign, ForeignWrites};
use super::plan::{Answer, Outcome};
use super::{Command, Commits, Committed, Observer, Refusal, StoreError, StoreOptions};
use super::{NewTask, TaskAnswer, TaskWork};
use crate::domain::{RoomId, Seq, UserId};
use crate::server::clock::now_ms;
use async_trait::async_trait;
use company::Company;
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// How often the writer looks whether another process wrote, and whether there are chores.
const LOOK_ABROAD_EVERY: Duration = Duration::from_millis(200);

/// How long a commit waits at a time for more to share it with; the system adds about as much.
pub(super) const BREATH: Duration = Duration::from_micros(50);

/// What an engine does for the writer. One caller at a time.
#[async_trait]
pub(super) trait Engine: Send + 'static {
    /// Carries the batch out in one transaction, in order; a refused command leaves nothing behind.
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, Failed>;

    /// Names the history that was committed to last.
    fn epoch(&self) -> Arc<str>;

    /// What kinds of writes another process may have made since the last call.
    async fn foreign_writes(&mut self) -> Result<Vec<Foreign>, StoreError>;

    /// Lets a moment pass, about [`BREATH`], in which more may come. An engine that cannot wait so
    /// briefly returns at once.
    fn breathe(&self) {}

    /// Called some times a second, for what is to be done beside commits. `now` in Unix milliseconds.
    async fn chores(&mut self, now: i64) -> Result<(), StoreError>;
}

/// Why a batch has no outcome.
#[derive(Debug)]
pub(super) enum Failed {
    /// Nothing is committed.
    Before(StoreError),
    /// It may be committed. `Unavailable`: a retry finds out.
    Unknown(StoreError),
}

impl Failed {
    pub fn error(&self) -> &StoreError {
        match self {
            Failed::Before(error) | Failed::Unknown(error) => error,
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Failed {
        Failed::Before(error)
    }
}

pub(super) struct Batch<'a> {
    pub commands: Vec<&'a Command>,
    pub reads: Vec<&'a ReadMark>,
    pub tasks: Vec<&'a TaskWork>,
}

impl Batch<'_> {
    /// Whether it does something to the queue.
    pub fn works(&self) -> bool {
        !self.tasks.is_empty() || self.commands.iter().any(|command| !command.follow_ups.is_empty())
    }

    /// What its commands enqueue, with the seqs of the events that cause it.
    pub fn caused(&self, answers: &[Answer]) -> Vec<(NewTask, Seq)> {
        let answered = self.commands.iter().zip(answers);
        let done = answered.filter_map(|(command, answer)| Some((command, answer.as_ref().ok()?)));
        let new = done.filter(|(_, committed)| !committed.repeated);
        new.flat_map(|(command, committed)| {
            let about = |task: &NewTask| NewTask { room: Some(committed.room), ..task.clone() };
            command.follow_ups.iter().map(move |task| (about(task), committed.seq.unwrap_or(Seq::ZERO)))
        })
        .collect()
    }
}

/// A member has read a room up to here.
#[derive(Clone, Debug)]
pub(super) struct ReadMark {
    pub room: RoomId,
    pub user: UserId,
    pub seq: Seq,
}

/// The queue's end that the store holds.
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    wait: Duration,
    abroad: Abroad,
    stop: CancellationToken,
    ended: CancellationToken,
}

enum Job {
    Command(Command, oneshot::Sender<Answer>),
    Read(ReadMark, oneshot::Sender<Result<(), StoreError>>),
    Task(TaskWork, oneshot::Sender<Result<TaskAnswer, StoreError>>),
}

impl Writer {
    /// The queue's end that the store holds, and the work, which is for the caller to drive; it ends after
    /// [`close`](Writer::close), or when the writer is dropped and all jobs are done.
    pub fn new(engine: impl Engine, options: &StoreOptions) -> (Writer, impl Future<Output = ()> + Send + 'static) {
        let (jobs, queue) = mpsc::channel(options.writer_queue.max(1));
        let abroad = Abroad { observer: options.observer.clone(), announcer: Announcer::new() };
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let end = ended.clone().drop_guard();
        let work = Work {
            engine,
            queue,
            batch: options.writer_batch.max(1),
            company: Company::new(),
            observer: options.observer.clone(),
            commits: options.commits.clone(),
            abroad: abroad.clone(),
            stop: stop.clone(),
        };
        let work = async move {
            let _end = end;
            work.run().await;
        };
        (Writer { jobs, wait: options.writer_wait, abroad, stop, ended }, work)
    }

    pub async fn submit(&self, command: Command) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.put(Job::Command(command, sender)).await?;
        Ok(receiver)
    }

    pub async fn mark_read(&self, mark: ReadMark) -> Result<(), StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.put(Job::Read(mark, sender)).await?;
        receiver.await.unwrap_or_else(|_| Err(closed()))
    }

    pub async fn work(&self, work: TaskWork) -> Result<TaskAnswer, StoreError> {
        let (sender, receiver) = oneshot::channel();
        self.put(Job::Task(work, sender)).await?;
        receiver.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Waits for a place, but not without end: who is refused may try again, who is held cannot know.
    async fn put(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.send_timeout(job, self.wait).await.map_err(|error| match error {
            SendTimeoutError::Timeout(_) => StoreError::Unavailable("the writer's queue is full".into()),
            SendTimeoutError::Closed(_) => closed(),
        })
    }

    pub fn foreign_writes(&self) -> ForeignWrites {
        self.abroad.announcer.subscribe()
    }

    /// Makes everybody who watches compare with the store.
    pub fn announce_foreign_write(&self, kind: Foreign) {
        self.abroad.announce(kind);
    }

    pub fn is_open(&self) -> bool {
        !self.jobs.is_closed()
    }

    /// Refuses further jobs, and waits until those that are queued are carried out.
    pub async fn close(&self) {
        self.stop.cancel();
        self.ended.cancelled().await;
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

/// Whom to tell that the store may be another than this process knows.
#[derive(Clone)]
struct Abroad {
    observer: Arc<dyn Observer>,
    announcer: Announcer,
}

impl Abroad {
    /// The observer first: whoever compares with the store meanwhile is not answered from memory.
    fn announce(&self, kind: Foreign) {
        if catch_unwind(AssertUnwindSafe(|| self.observer.foreign_write(kind))).is_err() {
            tracing::error!("the observer of foreign writes panicked");
        }
        self.announcer.announce(kind);
    }
}

/// The end that works.
struct Work<E> {
    engine: E,
    queue: mpsc::Receiver<Job>,
    batch: usize,
    company: Company,
    observer: Arc<dyn Observer>,
    commits: Commits,
    abroad: Abroad,
    stop: CancellationToken,
}

impl<E: Engine> Work<E> {
    async fn run(mut self) {
        let mut jobs = Vec::with_capacity(self.batch);
        let mut look = tokio::time::interval(LOOK_ABROAD_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = look.tick() => {
                    self.look_abroad().await;
                    self.do_chores().await;
                }
                () = self.stop.cancelled(), if !self.queue.is_closed() => self.queue.close(),
                taken = self.queue.recv_many(&mut jobs, self.batch) => match taken {
                    0 => return,
                    _ => {
                        self.gather(&mut jobs);
                        let answered = commands(&jobs);
                        self.carry_out(std::mem::take(&mut jobs)).await;
                        self.company.note(answered, self.queue.len(), Instant::now());
                    }
                },
            }
        }
    }

    /// Where many are at work, waits a moment for those who were just answered.
    fn gather(&mut self, jobs: &mut Vec<Job>) {
        let Some((size, breaths)) = self.company.expected(Instant::now()) else { return };
        let (wanted, before) = (size.min(self.batch), commands(jobs));
        for _ in 0..breaths {
            if commands(jobs) >= wanted {
                break;
            }
            self.engine.breathe();
            while jobs.len() < self.batch
                && let Ok(job) = self.queue.try_recv()
            {
                jobs.push(job);
            }
        }
        let now = commands(jobs);
        self.company.waited(now >= wanted || now > before);
    }

    async fn look_abroad(&mut self) {
        match AssertUnwindSafe(self.engine.foreign_writes()).catch_unwind().await {
            Ok(Ok(kinds)) => kinds.into_iter().for_each(|kind| self.abroad.announce(kind)),
            Ok(Err(error)) => tracing::debug!(%error, "could not look for writes of other processes"),
            Err(_) => tracing::error!("looking for writes of other processes panicked"),
        }
    }

    async fn do_chores(&mut self) {
        match AssertUnwindSafe(self.engine.chores(now_ms())).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a chore was not done"),
            Err(_) => tracing::error!("a chore panicked"),
        }
    }

    async fn carry_out(&mut self, jobs: Vec<Job>) {
        if let Err(spoilt) = self.attempt(jobs).await {
            // One command broke the transaction: alone, each shows whether it is the one.
            for job in spoilt {
                let _answered = self.attempt(vec![job]).await;
            }
        }
    }

    /// Commits the jobs together and answers them, or gives them back, uncommitted, if one of
    /// several is bad.
    async fn attempt(&mut self, jobs: Vec<Job>) -> Result<(), Vec<Job>> {
        let result = self.commit(&jobs).await;
        match result {
            Ok(outcome) => {
                self.tell(&outcome);
                answer(jobs, outcome);
            }
            Err(Failed::Before(StoreError::Internal(_))) if jobs.len() > 1 => return Err(jobs),
            Err(failed) => {
                tracing::error!(error = %failed.error(), commands = jobs.len(), "a batch was not committed");
                // Whoever knows the heads compares them, and only then: comparing is work, in hard times.
                if matches!(failed, Failed::Unknown(_)) {
                    self.abroad.announce(Foreign::Anything);
                }
                refuse(jobs, failed.error());
            }
        }
        Ok(())
    }

    async fn commit(&mut self, jobs: &[Job]) -> Result<Outcome, Failed> {
        let mut batch = Batch { commands: Vec::with_capacity(jobs.len()), reads: Vec::new(), tasks: Vec::new() };
        for job in jobs {
            match job {
                Job::Command(command, _) => batch.commands.push(command),
                Job::Read(mark, _) => batch.reads.push(mark),
                Job::Task(work, _) => batch.tasks.push(work),
            }
        }
        let begun = Instant::now();
        let commit = AssertUnwindSafe(self.engine.commit(&batch, now_ms())).catch_unwind().await;
        self.commits.size.observe(jobs.len() as f64);
        self.commits.seconds.observe(begun.elapsed().as_secs_f64());
        commit.unwrap_or_else(|_| Err(Failed::Unknown(StoreError::Unavailable("the writer panicked".into()))))
    }

    fn tell(&self, outcome: &Outcome) {
        let told = catch_unwind(AssertUnwindSafe(|| {
            if !outcome.grown.is_empty() {
                self.observer.grown(&self.engine.epoch(), &outcome.grown);
            }
            if outcome.tasks_changed {
                self.observer.tasks_changed();
            }
        }));
        if told.is_err() {
            tracing::error!("the observer of commits panicked");
            self.abroad.announce(Foreign::Anything);
        }
    }
}

fn commands(jobs: &[Job]) -> usize {
    jobs.iter().filter(|job| matches!(job, Job::Command(..))).count()
}

/// Gives every command its answer. Nobody may be waiting any more.
fn answer(jobs: Vec<Job>, outcome: Outcome) {
    let (mut answers, mut tasks) = (outcome.answers.into_iter(), outcome.tasks.into_iter());
    for job in jobs {
        match job {
            Job::Command(_, sender) => {
                let missing = || Err(StoreError::Internal("a command without an answer".into()).into());
                let _gone = sender.send(answers.next().unwrap_or_else(missing));
            }
            Job::Read(_, sender) => {
                let _gone = sender.send(Ok(()));
            }
            Job::Task(_, sender) => {
                let missing = || StoreError::Internal("work without an answer".into());
                let _gone = sender.send(tasks.next().ok_or_else(missing));
            }
        }
    }
}

fn refuse(jobs: Vec<Job>, error: &StoreError) {
    let again = || match error {
        StoreError::Unavailable(reason) => StoreError::Unavailable(reason.clone()),
        StoreError::Internal(reason) => StoreError::Internal(reason.clone()),
    };
    for job in jobs {
        match job {
            Job::Command(_, sender) => {
                let _gone = sender.send(Err::<Committed, _>(Refusal::Store(again())));
            }
            Job::Read(_, sender) => {
                let _gone = sender.send(Err(again()));
            }
            Job::Task(_, sender) => {
                let _gone = sender.send(Err(again()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
