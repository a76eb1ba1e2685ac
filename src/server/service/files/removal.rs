use crate::server::clock::now_ms;
use crate::server::files::{Files, Name, Part};
use crate::server::store::Store;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Nobody waits for it: what is removed is out of reach already.
const EVERY: Duration = Duration::from_secs(60);

/// Removes the bytes of files that no message carries, until `stop`. Several nodes may do so at once.
pub async fn remove_from_time_to_time(store: Arc<dyn Store>, files: Files, stop: CancellationToken) {
    let removing = async {
        let mut turns = interval(EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            if let Err(error) = remove(&*store, &files, now_ms()).await {
                tracing::warn!(%error, "files that nobody needs were not removed");
            }
        }
    };
    stop.run_until_cancelled(removing).await;
}

/// Removes all whose time has come. A row goes last, so that what was interrupted goes on the next time.
pub async fn remove(store: &dyn Store, files: &Files, now: i64) -> anyhow::Result<()> {
    files.tidy().await?;
    loop {
        let ids = store.remove_files(now).await?;
        if ids.is_empty() {
            return Ok(());
        }
        for id in &ids {
            for part in Part::ALL {
                files.remove(&Name::new(id.as_str(), part)).await?;
            }
        }
        store.forget_files(&ids).await?;
    }
}
