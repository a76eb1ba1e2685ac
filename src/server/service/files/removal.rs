use crate::server::clock::now_ms;
use crate::server::compute::image;
use crate::server::files::{Files, Name, Part};
use crate::server::queue;
use crate::server::store::Store;
use futures_util::TryStreamExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Nobody waits for it: what is removed is out of reach already.
const EVERY: Duration = Duration::from_secs(60);

/// An upload has enqueued its image's task by then, or ended: longer than bytes take into a bucket.
const LEFT_MS: i64 = 5 * 60 * 1_000;

/// Removes the bytes of files that no message carries, and sees to images that were left, until `stop`. Several nodes may do so at once.
pub async fn remove_from_time_to_time(store: Arc<dyn Store>, files: Files, stop: CancellationToken) {
    let removing = async {
        let mut turns = interval(EVERY);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            turns.tick().await;
            if let Err(error) = enqueue_left(&*store, &files, now_ms() - LEFT_MS).await {
                tracing::warn!(%error, "images that wait for no task were not looked after");
            }
            if let Err(error) = remove(&*store, &files, now_ms()).await {
                tracing::warn!(%error, "files that nobody needs were not removed");
            }
        }
    };
    stop.run_until_cancelled(removing).await;
}

/// Enqueues the tasks of images that arrived before `before`, Unix milliseconds, and have none: whoever took them in was
/// killed in between. What is no image, or has no bytes, waits for its sender to repeat it.
pub async fn enqueue_left(store: &dyn Store, files: &Files, before: i64) -> anyhow::Result<()> {
    for id in store.files_without_task(before).await? {
        let Some(mut content) = files.get(&Name::new(id.as_str(), Part::Source)).await? else { continue };
        let mut head = Vec::new();
        while head.len() < image::SIGNATURE_BYTES
            && let Some(part) = content.stream.try_next().await?
        {
            head.extend_from_slice(&part[..part.len().min(image::SIGNATURE_BYTES)]);
        }
        if image::is_image(&head) {
            store.enqueue(vec![queue::image(&id)]).await?;
        }
    }
    Ok(())
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
