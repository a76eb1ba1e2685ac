//! What was written by others than this process, as far as it concerns those who know the store from memory.

use std::sync::Arc;
use tokio::sync::watch;

/// What a write of somebody else may have changed, the gravest last. None says anything of the others, but the last
/// of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foreign {
    /// Logs grew by messages and their changes.
    Logs,
    /// Rooms were made, renamed or joined.
    Rooms,
    /// What an account has chosen for itself, as its language.
    Settings,
    /// A session may have ended, an account may be another.
    Accounts,
    /// Somebody may have lost the right to read a room, or been given it.
    Rights,
    /// It cannot be told, or was written by somebody who tells the nodes nothing.
    Anything,
}

/// How often others have been found to write, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    logs: u64,
    rooms: u64,
    settings: u64,
    accounts: u64,
    rights: u64,
    anything: u64,
}

impl Counts {
    /// The gravest kind of which there is more than `seen`, which then knows of it; `None` when there is none.
    fn take(&self, seen: &mut Counts) -> Option<Foreign> {
        if self.anything != seen.anything {
            *seen = *self;
            return Some(Foreign::Anything);
        }
        for kind in [Foreign::Rights, Foreign::Accounts, Foreign::Settings, Foreign::Rooms, Foreign::Logs] {
            let (mut now, known) = (*self, seen.of(kind));
            if std::mem::replace(known, *now.of(kind)) != *now.of(kind) {
                return Some(kind);
            }
        }
        None
    }

    fn of(&mut self, kind: Foreign) -> &mut u64 {
        match kind {
            Foreign::Logs => &mut self.logs,
            Foreign::Rooms => &mut self.rooms,
            Foreign::Settings => &mut self.settings,
            Foreign::Accounts => &mut self.accounts,
            Foreign::Rights => &mut self.rights,
            Foreign::Anything => &mut self.anything,
        }
    }
}

/// Follows what others write. Whoever looks late finds all of it, each kind once.
pub struct ForeignWrites {
    counts: watch::Receiver<Counts>,
    seen: Counts,
}

impl ForeignWrites {
    /// A kind of which something was written since it was told last, the gravest first; waits while there is none.
    /// `None` when the store is gone. May be dropped at any moment; nothing is missed by that.
    pub async fn next(&mut self) -> Option<Foreign> {
        loop {
            if let Some(kind) = self.take() {
                return Some(kind);
            }
            self.counts.changed().await.ok()?;
        }
    }

    /// The same without waiting.
    pub fn take(&mut self) -> Option<Foreign> {
        self.counts.borrow_and_update().take(&mut self.seen)
    }
}

/// The end that tells.
#[derive(Clone)]
pub(super) struct Announcer(Arc<watch::Sender<Counts>>);

impl Announcer {
    pub fn new() -> Announcer {
        Announcer(Arc::new(watch::Sender::new(Counts::default())))
    }

    pub fn announce(&self, kind: Foreign) {
        self.0.send_modify(|counts| *counts.of(kind) += 1);
    }

    pub fn subscribe(&self) -> ForeignWrites {
        let counts = self.0.subscribe();
        let seen = *counts.borrow();
        ForeignWrites { counts, seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_looks_late_hears_of_each_kind_once() {
        let announcer = Announcer::new();
        let mut writes = announcer.subscribe();
        assert_eq!(writes.take(), None);
        for kind in [Foreign::Logs, Foreign::Rights, Foreign::Rooms, Foreign::Rights] {
            announcer.announce(kind);
        }
        assert_eq!(writes.next().await, Some(Foreign::Rights));
        assert_eq!(writes.next().await, Some(Foreign::Rooms), "hidden by nothing graver");
        assert_eq!(writes.take(), Some(Foreign::Logs));
        assert_eq!(writes.take(), None);
        for kind in [Foreign::Rooms, Foreign::Anything] {
            announcer.announce(kind);
        }
        assert_eq!(writes.take(), Some(Foreign::Anything));
        assert_eq!(writes.take(), None, "it says all of it");
        announcer.announce(Foreign::Logs);
        assert_eq!(writes.take(), Some(Foreign::Logs));
        assert_eq!(announcer.subscribe().take(), None, "what was before does not concern who comes later");
        drop(announcer);
        assert_eq!(writes.next().await, None);
    }
}
