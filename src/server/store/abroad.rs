//! What was written by others than this process, as far as it concerns those who know the store from memory.

use std::sync::Arc;
use tokio::sync::watch;

/// What a write of somebody else may have changed. Each kind implies those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Foreign {
    /// Logs grew by messages and their changes.
    Logs,
    /// Rooms were made, renamed or joined.
    Rooms,
    /// Somebody may have lost the right to read a room, a session may have ended, an account may be another.
    Rights,
    /// It cannot be told, or was written by somebody who tells the nodes nothing.
    Anything,
}

/// How often others have been found to write, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    logs: u64,
    rooms: u64,
    rights: u64,
    anything: u64,
}

impl Counts {
    /// The gravest kind that was written since `before`; `None` when nobody wrote.
    fn since(&self, before: &Counts) -> Option<Foreign> {
        if self.anything != before.anything {
            Some(Foreign::Anything)
        } else if self.rights != before.rights {
            Some(Foreign::Rights)
        } else if self.rooms != before.rooms {
            Some(Foreign::Rooms)
        } else {
            (self.logs != before.logs).then_some(Foreign::Logs)
        }
    }

    fn count(&mut self, kind: Foreign) {
        let count = match kind {
            Foreign::Logs => &mut self.logs,
            Foreign::Rooms => &mut self.rooms,
            Foreign::Rights => &mut self.rights,
            Foreign::Anything => &mut self.anything,
        };
        *count += 1;
    }
}

/// Follows what others write. Whoever looks late finds all of it in one.
pub struct ForeignWrites {
    counts: watch::Receiver<Counts>,
    seen: Counts,
}

impl ForeignWrites {
    /// Waits for the next write, and tells the gravest kind of all since the last call. `None` when the store
    /// is gone. May be dropped at any moment; nothing is missed by that.
    pub async fn next(&mut self) -> Option<Foreign> {
        loop {
            self.counts.changed().await.ok()?;
            if let Some(kind) = self.take() {
                return Some(kind);
            }
        }
    }

    /// What was written since the last call, without waiting.
    pub fn take(&mut self) -> Option<Foreign> {
        let now = *self.counts.borrow_and_update();
        now.since(&std::mem::replace(&mut self.seen, now))
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
        self.0.send_modify(|counts| counts.count(kind));
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
    async fn who_looks_late_hears_of_the_gravest_once() {
        let announcer = Announcer::new();
        let mut writes = announcer.subscribe();
        assert_eq!(writes.take(), None);
        for kind in [Foreign::Logs, Foreign::Rights, Foreign::Rooms] {
            announcer.announce(kind);
        }
        assert_eq!(writes.next().await, Some(Foreign::Rights));
        assert_eq!(writes.take(), None);
        announcer.announce(Foreign::Logs);
        assert_eq!(writes.take(), Some(Foreign::Logs));
        assert_eq!(announcer.subscribe().take(), None, "what was before does not concern who comes later");
        drop(announcer);
        assert_eq!(writes.next().await, None);
    }
}
