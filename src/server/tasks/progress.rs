//! Progress on its way to those who watch: whoever runs a task notes it in the store, a few times a second, and every
//! node looks there. So it comes from any worker, on whatever node, by one way.

use crate::server::clock::now_ms;
use crate::server::state::AppState;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often a node looks while nothing moves.
const IDLE: Duration = Duration::from_millis(1_000);
/// Clocks of nodes differ by a little; what is told twice does no harm.
const OVERLAP_MS: i64 = 2_000;

/// Tells this node's sockets how far tasks are whose cards they may see, until `stop`.
pub async fn watch_progress(state: AppState, stop: CancellationToken) {
    let busy = Duration::from_millis(state.config.limits.task_progress_ms);
    let mut told = Vec::new();
    let mut wait = IDLE;
    while stop.run_until_cancelled(sleep(wait)).await.is_some() {
        wait = IDLE;
        // A store that cannot be read has more important readers to say so.
        let Ok(noted) = state.store.progress_after(now_ms() - OVERLAP_MS).await else { continue };
        for progress in noted.iter().filter(|noted| !told.contains(*noted)) {
            state.hub.tell_progress(progress);
        }
        if !noted.is_empty() {
            wait = busy;
        }
        told = noted;
    }
}
