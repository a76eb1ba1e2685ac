//! What work does to tasks, decided from what the engine looked up in its transaction. Pure, so that every
//! engine decides alike.

mod series;
mod status;

use super::{NewTask, RunEnd, RunId, Task, TaskAnswer, TaskData, TaskFailure, TaskWork};
use crate::domain::{FileId, Lane, Progress, Seq, TaskId, TaskState};
use crate::protocol::TaskStatus;
use std::collections::{BTreeMap, BTreeSet};

/// The code of a task whose last run died with its worker.
const WORKER_LOST: &str = "worker_lost";

/// What the words of a task begin with that is enqueued again by itself.
pub const SERIES: &str = "series:";

/// What the words of a task begin with that stands for one thing for good: asked for again, it runs
/// again once it has ended, so that there is one row however often that is.
pub const STANDING: &str = "standing:";

/// What the words of a task begin with that makes an uploaded file ready; the file's id follows.
pub const IMAGE: &str = "image:";

/// Where the card is of a task that is to get one.
pub(super) const NO_CARD_YET: Seq = Seq::ZERO;

/// Tasks on their way through one transaction.
pub(super) struct Plan {
    pub tasks: BTreeMap<TaskId, Task>,
    /// As they were looked up, those that are due.
    order: Vec<TaskId>,
    unique: BTreeMap<String, TaskId>,
    changed: BTreeSet<TaskId>,
    /// Those that are to run, for the first time or once more, whatever else happens to them in this transaction.
    begun_anew: BTreeSet<TaskId>,
    /// What rooms are to see, in order.
    pub told: Vec<(TaskId, TaskStatus)>,
    pub now: i64,
}

impl Plan {
    pub fn new(found: Vec<Task>, now: i64) -> Plan {
        let order = found.iter().map(|task| task.id.clone()).collect();
        let unique = found.iter().filter_map(|task| Some((task.unique.clone()?, task.id.clone()))).collect();
        let tasks = found.into_iter().map(|task| (task.id.clone(), task)).collect();
        let (changed, begun_anew) = (BTreeSet::new(), BTreeSet::new());
        Plan { tasks, order, unique, changed, begun_anew, told: Vec::new(), now }
    }

    pub fn into_changed(mut self) -> Vec<Task> {
        let changed = self.changed.iter().filter_map(|id| self.tasks.remove(id));
        // Words are given up before another one takes them.
        let (named, mut ordered): (Vec<Task>, Vec<Task>) = changed.partition(|task| task.unique.is_some());
        ordered.extend(named);
        ordered
    }

    pub fn decide(&mut self, work: &TaskWork) -> TaskAnswer {
        match work {
            TaskWork::Enqueue(new) => {
                TaskAnswer::Enqueued(new.iter().map(|new| self.enqueue(new.clone(), None)).collect())
            }
            TaskWork::Claim { worker, free, lease_ms } => TaskAnswer::Claimed(self.claim(worker, free, *lease_ms)),
            TaskWork::Renew { runs, lease_ms } => TaskAnswer::Renewed(self.renew(runs, *lease_ms)),
            TaskWork::Progress(noted) => {
                let heard = noted.iter().filter(|(run, progress)| self.note(run, progress)).count();
                TaskAnswer::Done(heard > 0)
            }
            TaskWork::End(run, end) => TaskAnswer::Done(self.end(run, end)),
            TaskWork::Cancel(id) => TaskAnswer::Done(self.cancel(id)),
            TaskWork::Again(id) => TaskAnswer::Done(self.again(id)),
        }
    }

    /// Files whose task has ended without success, and those whose task is to run.
    pub fn files(&self) -> FileChanges {
        let mut files = FileChanges::default();
        for task in self.changed.iter().filter_map(|id| self.tasks.get(id)) {
            let Some(file) = task.unique.as_deref().and_then(|words| words.strip_prefix(IMAGE)) else { continue };
            let changed = match task.state {
                state if state.can_run_again() => &mut files.given_up,
                state if !state.is_final() && self.begun_anew.contains(&task.id) => &mut files.wanted,
                _ => continue,
            };
            changed.extend(FileId::parse(file).ok());
        }
        files
    }

    /// The id of the task, or of the one with the same `unique` that is there: one that stands for one thing, or did not
    /// make its file, runs again.
    pub fn enqueue(&mut self, new: NewTask, cause: Option<Seq>) -> TaskId {
        if let Some(there) = new.unique.as_ref().and_then(|unique| self.unique.get(unique)).cloned() {
            let words = new.unique.unwrap_or_default();
            if words.starts_with(STANDING) {
                self.want(&there);
            } else if words.starts_with(IMAGE) && self.can_run_again(&there) {
                self.restart(&there);
            }
            return there;
        }
        let id = new.id.clone();
        if let Some(unique) = &new.unique {
            self.unique.insert(unique.clone(), id.clone());
        }
        let card = new.card;
        self.tasks.insert(id.clone(), fresh(new, cause, self.now));
        self.changed.insert(id.clone());
        self.begun_anew.insert(id.clone());
        if card {
            self.tell(&id);
        }
        id
    }

    fn claim(&mut self, worker: &str, free: &[(Lane, u32)], lease_ms: i64) -> Vec<Task> {
        let mut free: BTreeMap<Lane, u32> = free.iter().copied().collect();
        let mut claimed = Vec::new();
        for id in self.order.clone() {
            let Some(task) = self.tasks.get(&id).filter(|task| is_due(task, self.now)) else { continue };
            let Some(places) = free.get_mut(&task.lane) else { continue };
            if task.lease_until.is_some() && self.is_over(&id) {
                continue;
            }
            if *places == 0 {
                continue;
            }
            *places -= 1;
            claimed.push(self.begin(&id, worker, lease_ms));
        }
        claimed
    }

    /// It runs again: once it has ended, also by its worker's going away, whether or not somebody has noticed.
    fn want(&mut self, id: &TaskId) {
        if self.tasks.get(id).and_then(|task| task.lease_until).is_some_and(|until| until < self.now) {
            self.is_over(id);
        }
        match self.tasks.get(id) {
            Some(task) if task.state.is_final() => self.restart(id),
            // What its run has not seen may be what it is wanted for.
            Some(task) if task.state == TaskState::Running && !task.data.wanted => {
                self.change(id, |task| task.data.wanted = true);
            }
            _ => {}
        }
    }

    /// A run outlived its lease: whether the task has no other.
    fn is_over(&mut self, id: &TaskId) -> bool {
        let Some(task) = self.tasks.get(id) else { return true };
        if task.data.cancelling {
            self.finish(id, TaskState::Cancelled, |_| {});
            return true;
        }
        if task.data.attempts >= task.data.max_attempts {
            let message = "its worker went away during the last run".to_owned();
            let failure = TaskFailure { code: WORKER_LOST.to_owned(), message };
            self.finish(id, TaskState::Failed, |data| data.error = Some(failure));
            return true;
        }
        false
    }

    fn begin(&mut self, id: &TaskId, worker: &str, lease_ms: i64) -> Task {
        let now = self.now;
        self.change(id, |task| {
            task.state = TaskState::Running;
            task.lease_until = Some(now.saturating_add(lease_ms));
            task.progress = None;
            task.data.wanted = false;
            task.data.attempts += 1;
            // Rows of versions that did not count runs have attempts.
            task.data.runs = task.data.runs.max(task.data.attempts - 1) + 1;
            task.data.started_at = Some(now);
            task.data.worker = Some(worker.to_owned());
        });
        self.tell(id);
        if !self.tasks[id].data.repeated {
            self.repeat(id);
        }
        self.tasks[id].clone()
    }

    fn renew(&mut self, runs: &[RunId], lease_ms: i64) -> Vec<RunId> {
        let until = self.now.saturating_add(lease_ms);
        let on: Vec<RunId> = runs.iter().filter(|run| self.runs(run)).cloned().collect();
        for run in &on {
            self.change(&run.task, |task| task.lease_until = Some(until));
        }
        on.into_iter().filter(|run| !self.tasks[&run.task].data.cancelling).collect()
    }

    fn note(&mut self, run: &RunId, progress: &Progress) -> bool {
        let runs = self.runs(run);
        if runs {
            self.change(&run.task, |task| task.progress = Some(progress.clone()));
        }
        runs
    }

    fn end(&mut self, run: &RunId, end: &RunEnd) -> bool {
        if !self.runs(run) {
            return false;
        }
        let (id, data) = (&run.task, &self.tasks[&run.task].data);
        match end {
            RunEnd::Succeeded(result) => self.finish(id, TaskState::Succeeded, |data| {
                data.result = Some(result.clone());
                data.error = None;
            }),
            RunEnd::Cancelled => self.finish(id, TaskState::Cancelled, |_| {}),
            _ if data.cancelling => self.finish(id, TaskState::Cancelled, |_| {}),
            RunEnd::Retry { failure, run_at } if data.attempts < data.max_attempts => {
                self.wait(id, *run_at, |data| data.error = Some(failure.clone()));
            }
            RunEnd::Failed(failure) | RunEnd::Retry { failure, .. } => {
                self.finish(id, TaskState::Failed, |data| data.error = Some(failure.clone()));
            }
            RunEnd::GivenBack => self.wait(id, self.now, |data| data.attempts = data.attempts.saturating_sub(1)),
        }
        true
    }

    fn cancel(&mut self, id: &TaskId) -> bool {
        let Some(task) = self.tasks.get(id) else { return false };
        match task.state {
            TaskState::Queued | TaskState::Retrying => {
                self.finish(id, TaskState::Cancelled, |_| {});
                // What is done again and again by itself is left out this once: its words are free for the next.
                self.change(id, |task| drop(task.unique.take_if(|unique| unique.starts_with(SERIES))));
            }
            TaskState::Running if !task.data.cancelling => self.change(id, |task| task.data.cancelling = true),
            _ => return false,
        }
        true
    }

    fn again(&mut self, id: &TaskId) -> bool {
        let can = self.can_run_again(id);
        if can {
            self.restart(id);
        }
        can
    }

    fn can_run_again(&self, id: &TaskId) -> bool {
        self.tasks.get(id).is_some_and(|task| task.state.can_run_again())
    }

    /// It waits once more, with new attempts.
    fn restart(&mut self, id: &TaskId) {
        let now = self.now;
        self.change(id, |task| {
            task.state = TaskState::Queued;
            task.run_at = now;
            task.ended_at = None;
            task.progress = None;
            if task.unique.as_deref().is_some_and(|words| words.starts_with(STANDING)) {
                // There is no end of its runs: each beginning is told as one.
                task.data.runs = task.data.runs.max(task.data.attempts);
                task.data.attempts = 0;
                task.data.created_at = now;
            }
            task.data.max_attempts = task.data.attempts.saturating_add(task.data.granted);
            task.data.cancelling = false;
            task.data.wanted = false;
            task.data.result = None;
            task.data.error = None;
        });
        self.begun_anew.insert(id.clone());
        self.tell(id);
    }

    /// Whether this is the run that the task has.
    fn runs(&self, run: &RunId) -> bool {
        self.tasks.get(&run.task).is_some_and(|task| task.state == TaskState::Running && task.data.runs == run.number)
    }

    fn wait(&mut self, id: &TaskId, run_at: i64, change: impl FnOnce(&mut TaskData)) {
        self.change(id, |task| {
            task.state = TaskState::Retrying;
            task.run_at = run_at;
            task.lease_until = None;
            task.progress = None;
            task.data.worker = None;
            task.data.wanted = false;
            change(&mut task.data);
        });
        self.tell(id);
    }

    fn finish(&mut self, id: &TaskId, state: TaskState, change: impl FnOnce(&mut TaskData)) {
        let now = self.now;
        self.change(id, |task| {
            task.state = state;
            task.ended_at = Some(now);
            task.lease_until = None;
            task.progress = None;
            change(&mut task.data);
        });
        self.tell(id);
        if self.tasks.get(id).is_some_and(|task| task.data.wanted) {
            self.restart(id);
        }
    }

    fn change(&mut self, id: &TaskId, change: impl FnOnce(&mut Task)) {
        if let Some(task) = self.tasks.get_mut(id) {
            change(task);
            self.changed.insert(id.clone());
        }
    }

    /// The task's room sees it as it stands, if it has a card there or is to get one.
    fn tell(&mut self, id: &TaskId) {
        let task = &self.tasks[id];
        if task.data.card.is_some() {
            self.told.push((id.clone(), task.status()));
        }
    }
}

/// What the end of tasks, or their being wanted again, does to files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::server::store) struct FileChanges {
    pub given_up: Vec<FileId>,
    pub wanted: Vec<FileId>,
}

fn is_due(task: &Task, now: i64) -> bool {
    match task.state {
        TaskState::Queued | TaskState::Retrying => task.run_at <= now,
        TaskState::Running => task.lease_until.is_none_or(|until| until < now),
        _ => false,
    }
}

fn fresh(new: NewTask, cause: Option<Seq>, now: i64) -> Task {
    Task {
        id: new.id,
        lane: new.lane,
        state: TaskState::Queued,
        priority: new.priority,
        run_at: new.run_at.unwrap_or(now),
        lease_until: None,
        room: new.room,
        unique: new.unique,
        ended_at: None,
        progress: None,
        data: TaskData {
            name: new.name,
            args: new.args,
            actor: new.actor,
            cause,
            card: new.card.then_some(NO_CARD_YET),
            attempts: 0,
            runs: 0,
            max_attempts: new.max_attempts,
            granted: new.max_attempts,
            repeat: new.repeat,
            series: None,
            repeated: false,
            worker: None,
            cancelling: false,
            wanted: false,
            result: None,
            error: None,
            created_at: now,
            started_at: None,
        },
    }
}

#[cfg(test)]
mod tests;
