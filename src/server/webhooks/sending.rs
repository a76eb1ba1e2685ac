//! All that is due for a webhook, one after another.

use super::{Delivered, backlog, deliver};
use crate::server::clock::now_ms;
use crate::server::config::Limits;
use crate::server::outgoing::Client;
use crate::server::store::{Store, StoreError};
use futures_util::future::join_all;

/// Requests to one receiver at a time.
const AT_ONCE: u32 = 8;

/// Attempts what is due for a webhook until nothing is, or until `last` (Unix milliseconds) or `stops`; how many attempts
/// there were. A webhook for which too much waits, and not less than before, gets no more events.
pub async fn deliver_due(
    store: &dyn Store,
    client: &Client,
    limits: &Limits,
    webhook: i64,
    (last, stops): (i64, &(dyn Fn() -> bool + Sync)),
) -> Result<usize, StoreError> {
    let (before, mut attempts) = (backlog::settle(store, webhook).await?, 0);
    loop {
        let due = store.due_deliveries(webhook, now_ms(), AT_ONCE).await?;
        let ends = join_all(due.iter().map(|delivery| deliver(store, client, limits, *delivery))).await;
        let ends: Vec<Delivered> = ends.into_iter().collect::<Result<_, _>>()?;
        attempts += ends.len();
        if ends.contains(&Delivered::Disabled) {
            backlog::settle(store, webhook).await?;
        }
        if stops() {
            return Ok(attempts);
        }
        if ends.is_empty() || now_ms() >= last {
            break;
        }
    }
    // A run that was cut short tells little of its receiver.
    if attempts > 0 {
        backlog::bound(store, limits, webhook, before).await?;
    }
    Ok(attempts)
}
