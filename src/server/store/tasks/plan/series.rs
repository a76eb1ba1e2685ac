//! What repeats.

use super::Plan;
use crate::domain::{TaskId, TaskState};
use sha2::{Digest, Sha256};

impl Plan {
    /// The next one of those that repeat is enqueued as this one begins for the first time, so that there is always
    /// exactly one that waits. It takes the words over by which the series is known.
    pub(super) fn repeat(&mut self, id: &TaskId) {
        let task = &self.tasks[id];
        let Some(run_at) = task.data.repeat.as_ref().and_then(|repeat| repeat.next(self.now)) else { return };
        let series = task.data.series.clone().unwrap_or_else(|| id.clone());
        let mut bits = [0; 16];
        bits.copy_from_slice(&Sha256::digest(format!("{series} {run_at}"))[..16]);
        let next = TaskId::from_random(bits);
        let mut another = task.clone();
        another.id = next.clone();
        another.state = TaskState::Queued;
        another.run_at = run_at;
        another.lease_until = None;
        another.data.series = Some(series);
        another.data.attempts = 0;
        another.data.runs = 0;
        another.data.worker = None;
        another.data.card = None;
        another.data.created_at = self.now;
        another.data.started_at = None;
        self.change(id, |task| {
            task.unique = None;
            task.data.repeated = true;
        });
        self.tasks.insert(next.clone(), another);
        self.changed.insert(next);
    }
}
