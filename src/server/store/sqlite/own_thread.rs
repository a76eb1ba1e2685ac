//! The thread on which the writer works. It may wait there for the disk, so what each commit asks of the file
//! system costs no switch to another thread and back.

use super::super::StoreError;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Runs the work to its end on a thread of its own.
pub(super) fn drive(work: impl Future<Output = ()> + Send + 'static) -> Result<(), StoreError> {
    let cannot = |error| StoreError::Unavailable(format!("the writer's thread cannot be started: {error}").into());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(cannot)?;
    let body = move || {
        HERE.set(true);
        if catch_unwind(AssertUnwindSafe(|| runtime.block_on(work))).is_err() {
            tracing::error!("the writer ended badly");
        }
    };
    std::thread::Builder::new().name("writer".into()).spawn(body).map_err(cannot)?;
    Ok(())
}

/// Runs what waits for the disk: at once on the writer's thread, elsewhere on one of those that the runtime has for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    if HERE.get() {
        return catch_unwind(AssertUnwindSafe(work)).map_err(|_| StoreError::Internal("a task panicked".into()));
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| StoreError::Internal(error.to_string()))
}
