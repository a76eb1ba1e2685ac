//! The worker's side of tasks: one async function for each kind, all registered in [`TASKS`]. A task may run more
//! than once, never more often than it has attempts, so each makes its effect happen once by itself: with
//! [`Context::key`], by which whatever it posts is known.

mod context;
mod demo;
mod export;
mod image;
mod metrics;
mod preview;
mod primes;
mod progress;
mod retention;
mod run;
mod say;
mod stop;
mod webhook;
mod worker;

pub use context::{Context, Failure};
pub use metrics::TaskMetrics;
pub use progress::watch_progress;
pub use run::{Kind, Work, kind};
pub use worker::{Places, Worker};

use crate::server::queue::{Demo, Export, Image, Preview, Primes, Retention, Say, Webhook};

/// Every kind of task that this program runs.
pub const TASKS: &[Kind] = &[
    kind::<Demo>(),
    kind::<Export>(),
    kind::<Image>(),
    kind::<Preview>(),
    kind::<Primes>(),
    kind::<Retention>(),
    kind::<Say>(),
    kind::<Webhook>(),
];
