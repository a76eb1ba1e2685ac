use std::sync::OnceLock;
use tokio_util::sync::CancellationToken;

/// Why a run shall end before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Somebody cancelled the task, or another worker has it.
    Cancelled,
    /// It takes too long.
    Late,
    /// The worker stops.
    Leaving,
}

/// How a run is told to end. The first reason counts.
#[derive(Debug, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: OnceLock<Reason>,
}

impl Stop {
    pub fn because(&self, reason: Reason) {
        let _later = self.reason.set(reason);
        self.token.cancel();
    }

    pub fn reason(&self) -> Option<Reason> {
        self.reason.get().copied()
    }

    pub fn token(&self) -> &CancellationToken {
        &self.token
    }
}
