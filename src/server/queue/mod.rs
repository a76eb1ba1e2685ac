//! What tasks there are to enqueue: their names, lanes and rules, and what people may start. Who runs them is
//! `tasks`; where they wait is the store.

mod payload;
mod policy;
mod series;
mod startable;

pub use payload::{Demo, Export, Image, Payload, Preview, Primes, Retention, Say, Webhook};
pub use policy::Policy;
pub use series::series;
pub use startable::{Startable, Who, startable};

use super::secret::new_task_id;
use super::store::{IMAGE, NewTask, STANDING};
use crate::domain::FileId;
use std::sync::Arc;
use tokio::sync::watch;

/// A task of this kind, to be enqueued at once unless the rest says otherwise.
pub fn task<P: Payload>(payload: &P) -> NewTask {
    NewTask {
        id: new_task_id(),
        name: P::NAME.to_owned(),
        lane: P::LANE,
        // String keys and no failing `Serialize`.
        args: serde_json::to_string(payload).unwrap_or_else(|_| "{}".to_owned()),
        actor: None,
        room: None,
        card: false,
        priority: P::POLICY.priority,
        run_at: None,
        max_attempts: P::POLICY.attempts,
        unique: None,
        repeat: None,
    }
}

/// What sends a webhook what is due for it: one task for each, however often it is asked for.
pub fn webhook(webhook: i64) -> NewTask {
    NewTask { unique: Some(format!("{STANDING}webhook:{webhook}")), ..task(&Webhook { webhook }) }
}

/// What makes an uploaded image anew: one task for each, however often it is asked for. One that failed or was cancelled
/// runs again.
pub fn image(file: &FileId) -> NewTask {
    NewTask { unique: Some(format!("{IMAGE}{}", file.as_str())), ..task(&Image { file: file.clone() }) }
}

/// Tells those who wait for tasks of this process' commits. Clones share it.
#[derive(Clone, Debug)]
pub struct TaskChanges(Arc<watch::Sender<()>>);

impl TaskChanges {
    pub fn new() -> TaskChanges {
        TaskChanges(Arc::new(watch::Sender::new(())))
    }

    pub fn tell(&self) {
        self.0.send_replace(());
    }

    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.0.subscribe()
    }
}

impl Default for TaskChanges {
    fn default() -> TaskChanges {
        TaskChanges::new()
    }
}
