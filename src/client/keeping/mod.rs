//! Keeps unsent commands on disk until they are acknowledged, over a reload and a crash, and finds
//! those that an earlier page or another tab left behind. One task does it, one thing after the other,
//! and tells one callback. In the browser only.

mod database;
mod tab;

use self::database::Database;
use self::tab::Tab;
use super::outbox::{Entry, record};
use crate::domain::{Key, UserId};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt;
use std::future::Future;

/// What the task tells.
pub enum Told {
    /// The entry with this key is on disk.
    Kept { key: Key, then: Then },
    /// It is not, and cannot be: it lives as long as the page.
    NotKept { key: Key, then: Then },
    /// Entries whose tabs are gone, perhaps none: the caller's from now on, to be kept again as such.
    Found(Vec<Entry>),
}

/// What is to be done with an entry once it is on disk as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    Nothing,
    /// It was on disk as unsent: a crash between sending it and saying so would offer to take back
    /// what has been posted.
    Send,
}

/// Handle to the task, which ends when the handle is dropped.
pub struct Keeping {
    jobs: UnboundedSender<Job>,
}

enum Job {
    Put(Box<Entry>, Then),
    Remove(Key),
    Find,
    Stay,
    Go,
}

impl Keeping {
    /// For one account. The task is to be spawned.
    pub fn new(account: UserId, tell: impl FnMut(Told) + 'static) -> (Keeping, impl Future<Output = ()> + 'static) {
        let (jobs, receiver) = unbounded();
        (Keeping { jobs }, run(account, receiver, tell))
    }

    /// Keeps the entry as it is now, for this tab.
    pub fn put(&self, entry: Entry, then: Then) {
        self.begin(Job::Put(Box::new(entry), then));
    }

    pub fn remove(&self, key: Key) {
        self.begin(Job::Remove(key));
    }

    /// Looks for entries without a tab.
    pub fn find(&self) {
        self.begin(Job::Find);
    }

    /// This tab sends what it has: to be said once a minute, and when the page comes back.
    pub fn stay(&self) {
        self.begin(Job::Stay);
    }

    /// This tab has nothing to send, or goes.
    pub fn go(&self) {
        self.begin(Job::Go);
    }

    fn begin(&self, job: Job) {
        // Fails when the task was aborted: the page is going away.
        let _ = self.jobs.unbounded_send(job);
    }
}

async fn run(account: UserId, mut jobs: UnboundedReceiver<Job>, mut tell: impl FnMut(Told)) {
    let mut tab = Tab::new();
    let database = Database::open(account).await.ok();
    while let Some(job) = jobs.next().await {
        match (job, &database) {
            (Job::Put(entry, then), Some(database)) => {
                tab.stay();
                let kept = database.put(entry.key.as_str(), &record::write(&entry, tab.name())).await;
                let key = entry.key;
                tell(if kept.is_ok() { Told::Kept { key, then } } else { Told::NotKept { key, then } });
            }
            (Job::Put(entry, then), None) => tell(Told::NotKept { key: entry.key, then }),
            (Job::Remove(key), Some(database)) => database.remove(key.as_str()),
            (Job::Find, Some(database)) => tell(Told::Found(left_behind(database, &tab).await)),
            (Job::Find, None) => tell(Told::Found(Vec::new())),
            (Job::Stay, _) => tab.stay(),
            (Job::Go, _) => tab.go(),
            (Job::Remove(_), None) => {}
        }
    }
}

async fn left_behind(database: &Database, tab: &Tab) -> Vec<Entry> {
    let records = database.all().await.unwrap_or_default();
    let entries: Vec<(String, Entry)> = records.iter().filter_map(|record| record::read(record)).collect();
    if entries.is_empty() {
        return Vec::new();
    }
    let gone = tab.gone(entries.iter().map(|(owner, _)| owner.clone()).collect()).await;
    entries.into_iter().filter(|(owner, _)| gone.contains(owner)).map(|(_, entry)| entry).collect()
}
