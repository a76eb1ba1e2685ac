//! Keeps unsent commands on disk until they are acknowledged, over a reload and a crash, and finds
//! those that an earlier page or another tab left behind. One task does it, one thing after the other,
//! and tells one callback. In the browser only.

mod database;
mod tab;

use self::database::{Database, Refused};
use self::tab::Tab;
use super::outbox::{Entry, record};
use crate::domain::{Key, UserId};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::StreamExt;
use std::future::Future;

/// A database that could not be opened is tried so many times more, until what tabs left behind is looked for
/// again: some browsers never answer.
const TRIES: u8 = 1;

/// What the task tells.
pub enum Told {
    /// The entry with this key is on disk.
    Kept { key: Key, then: Then },
    /// It is not, and cannot be: it lives as long as the page.
    NotKept { key: Key, then: Then },
    /// Another tab has taken it over, or taken it back: it is not to be sent from here.
    Taken(Key),
    /// Entries whose tabs are gone, perhaps none: the caller's from now on.
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
    Find { own: Vec<Key> },
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

    /// Looks for entries without a tab, and whether this tab's `own`, which are on disk, are so still: while
    /// the page was put aside another tab may have taken them over.
    pub fn find(&self, own: Vec<Key>) {
        self.begin(Job::Find { own });
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
    let database = Database::open(account).await.ok();
    let mut task = Task { account, database, tab: Tab::new(), claim: None, is_whole: true, tries_left: TRIES };
    while let Some(job) = jobs.next().await {
        match job {
            Job::Put(entry, then) => {
                task.tab.stay();
                let record = record::write(&entry, task.tab.name());
                let own = record::head(task.tab.name());
                let over = (then == Then::Send).then_some(own.as_str());
                let key = entry.key;
                let written = task.write(key.as_str(), over, Some(&record)).await;
                tell(match written {
                    Ok(true) => Told::Kept { key, then },
                    Ok(false) => Told::Taken(key),
                    Err(Refused) => Told::NotKept { key, then },
                });
            }
            Job::Remove(key) => {
                // What was sent does nothing twice; what was taken back was tried twice to be removed.
                let _ = task.write(key.as_str(), None, None).await;
            }
            Job::Find { own } => {
                let (taken, found) = task.look(own).await;
                taken.into_iter().for_each(|key| tell(Told::Taken(key)));
                tell(Told::Found(found));
            }
            Job::Stay => task.tab.stay(),
            Job::Go => task.tab.go(),
        }
    }
}

struct Task {
    account: UserId,
    database: Option<Database>,
    tab: Tab,
    /// What this tab was taking over when the browser said nothing in time: it may have done it all the same.
    /// Nothing more is taken over before that is known.
    claim: Option<Key>,
    /// Nothing of this tab was ever refused or swept away: what is not there was taken out by another tab.
    is_whole: bool,
    tries_left: u8,
}

impl Task {
    async fn write(&mut self, key: &str, over: Option<&str>, record: Option<&str>) -> Result<bool, Refused> {
        for _ in 0..2 {
            let over = over.filter(|_| self.is_whole);
            if let Some(database) = &self.database
                && let Ok(written) = database.write(key, over, record).await
            {
                return Ok(written);
            }
            self.open_again().await;
        }
        self.is_whole = false;
        Err(Refused)
    }

    /// Browsers close the databases of pages that they put aside, and of sites that are swept away: those
    /// are made anew.
    async fn open_again(&mut self) {
        if self.tries_left == 0 {
            return;
        }
        self.database = Database::open(self.account).await.ok();
        self.tries_left -= u8::from(self.database.is_none());
        self.is_whole &= self.database.as_ref().is_some_and(|database| !database.is_new());
    }

    /// Those of `own` that are this tab's no more, and what it takes over because it has no tab any more, unless
    /// another tab was faster. Nothing when the browser does not say, perhaps next time.
    async fn look(&mut self, own: Vec<Key>) -> (Vec<Key>, Vec<Entry>) {
        let (mut taken, mut found) = (Vec::new(), Vec::new());
        self.tries_left = TRIES;
        if self.database.is_none() {
            self.open_again().await;
        }
        let Some(database) = &self.database else { return (taken, found) };
        let Ok(records) = database.all().await else {
            self.open_again().await;
            return (taken, found);
        };
        let kept: Vec<(String, Entry)> = records.iter().filter_map(|record| record::read(record)).collect();
        if self.is_whole {
            taken = own;
            taken.retain(|key| !kept.iter().any(|(owner, entry)| owner == self.tab.name() && entry.key == *key));
        }
        if kept.is_empty() {
            return (taken, found);
        }
        let gone = self.tab.gone(kept.iter().map(|(owner, _)| owner.clone()).collect()).await;
        // Whatever became of it is on disk: the database does one thing after the other.
        let claim = self.claim.take();
        for (owner, entry) in kept {
            let is_mine = if self.claim.is_none() && gone.contains(&owner) {
                self.tab.stay();
                let record = record::write(&entry, self.tab.name());
                let claimed = database.write(entry.key.as_str(), Some(&record::head(&owner)), Some(&record)).await;
                if claimed.is_err() {
                    self.claim = Some(entry.key.clone());
                }
                claimed.unwrap_or(false)
            } else {
                owner == self.tab.name() && claim.as_ref() == Some(&entry.key)
            };
            if is_mine {
                self.tab.stay();
                found.push(entry);
            }
        }
        (taken, found)
    }
}
