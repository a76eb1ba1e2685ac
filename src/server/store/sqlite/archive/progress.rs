use super::super::own_thread::blocking;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval_at};

/// Work that is done sooner is not worth a line.
const FIRST: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_secs(5);

/// How far a long step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes written, of about so many.
    Copied {
        bytes: u64,
        of: u64,
    },
    Verifying,
}

/// Told of progress, now and then.
pub type Show<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Does the work and tells meanwhile how much of `of` bytes the file has.
pub(super) async fn copying<T>(show: Show<'_>, file: &Path, of: u64, work: impl Future<Output = T>) -> T {
    let file = file.to_owned();
    while_telling(work, async || show(Progress::Copied { bytes: size(file.clone()).await, of })).await
}

pub(super) async fn verifying<T>(show: Show<'_>, work: impl Future<Output = T>) -> T {
    while_telling(work, async || show(Progress::Verifying)).await
}

async fn while_telling<T>(work: impl Future<Output = T>, tell: impl AsyncFn()) -> T {
    let mut ticks = interval_at(tokio::time::Instant::now() + FIRST, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => tell().await,
        }
    }
}

async fn size(file: PathBuf) -> u64 {
    let size = blocking(move || std::fs::metadata(file).map_or(0, |file| file.len())).await;
    size.unwrap_or_default()
}
