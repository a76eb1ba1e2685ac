//! Heavy work in child processes of this program: whatever a computation meets (a bomb, a crash, no memory left)
//! costs the computation and not the chat. [`Computer`] is the parent's side, [`child`] what `pickmate compute`
//! does; `line` is what they say to each other. Computations know neither the store nor the network.

pub mod child;
pub mod image;
mod line;
mod parent;
pub mod primes;
mod progress;

pub use line::Step;
pub use parent::{Bounds, Computer};
pub use progress::Progress;

use child::Computation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;

/// Every computation that a child of this program can be asked for.
pub const COMPUTATIONS: &[Computation] = &[Computation::of::<image::Reencode>(), Computation::of::<primes::Primes>()];

/// One kind of heavy work.
pub trait Compute {
    /// Unique among [`COMPUTATIONS`].
    const NAME: &'static str;
    /// A few lines of JSON: large things go by the name of a file.
    type Input: Serialize + DeserializeOwned + Sync;
    type Output: Serialize + DeserializeOwned;

    /// Runs in the child, on its main thread. May be killed at any moment and run again from the start.
    fn run(input: Self::Input, progress: &mut Progress) -> Result<Self::Output, Refused>;
}

/// What the computation itself says against its input; the same input will be refused again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused: {code}")]
pub struct Refused {
    /// Stable, in snake case.
    pub code: Cow<'static, str>,
}

impl Refused {
    pub const fn new(code: &'static str) -> Refused {
        Refused { code: Cow::Borrowed(code) }
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It needed more than [`Bounds::memory_bytes`].
    #[error("out of memory")]
    OutOfMemory,
    /// It took longer than [`Bounds::time`], which may be the machine's fault.
    #[error("out of time")]
    TimedOut,
    /// It computed for longer than [`Bounds::cpu`].
    #[error("out of time of a core")]
    OutOfCpu,
    #[error("cancelled")]
    Cancelled,
    /// It panicked, was killed by somebody else or said what cannot be understood. The words are for the log.
    #[error("crashed: {0}")]
    Crashed(String),
    /// No child could be started, or not be confined: the machine has no room for another process, or refuses a limit.
    #[error("no child process: {0}")]
    Unavailable(#[from] std::io::Error),
}
