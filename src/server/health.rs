//! For load balancers and operators: alive, ready, numbers.

use super::channel_layer::Reach;
use super::clock::now_ms;
use super::config::Limits;
use super::state::AppState;
use super::store::StoreError;
use crate::domain::Lane;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

const OK: &str = "ok";

/// Each part: `ok`, or why it is not.
#[derive(Serialize)]
struct Parts {
    store: &'static str,
    channel_layer: &'static str,
    queue: &'static str,
}

/// 200 while the process lives.
pub async fn healthz() -> &'static str {
    "ok"
}

/// 503 when posts cannot be taken, or the node is stopping. Posting goes on without other nodes, and without workers.
pub async fn readyz(State(state): State<AppState>) -> Response {
    let Said { store, queue } = state.readiness.of_store(said(&state)).await;
    let store = if store == OK && state.shutdown.is_cancelled() { "stopping" } else { store };
    let status = if store == OK { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let channel_layer = match state.hub.reach() {
        _ if state.hub.pump_has_ended() => "failed",
        Reach::Cut => "unreachable",
        Reach::Alone | Reach::Whole => OK,
    };
    (status, Json(Parts { store, channel_layer, queue })).into_response()
}

async fn said(state: &AppState) -> Said {
    let store = store_says(state).await;
    let queue = if store == OK { queue_says(state).await } else { store };
    Said { store, queue }
}

/// `behind` while something waits, or is left without its worker, for longer than a lease: nobody works, or too few.
async fn queue_says(state: &AppState) -> &'static str {
    let lease = i64::try_from(state.config.limits.task_lease_ms).unwrap_or(i64::MAX);
    match state.store.due(&Lane::ALL, now_ms().saturating_sub(lease)).await {
        Ok(false) => OK,
        Ok(true) => "behind",
        Err(_) => "failed",
    }
}

async fn store_says(state: &AppState) -> &'static str {
    match state.store.ready().await {
        Ok(()) => OK,
        Err(error) => {
            // Its words may name files, which the operator finds in the log.
            tracing::warn!(%error, "the store is not ready");
            match error {
                StoreError::Unavailable(trouble) => trouble.reason.as_str(),
                StoreError::Internal(_) => "failed",
            }
        }
    }
}

/// What was found out by asking the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    store: &'static str,
    queue: &'static str,
}

/// What the store said last. Asking it takes the writer's turn and anybody may ask, so one asks for
/// all and the answer is good for a while.
pub struct Readiness {
    good_for: Duration,
    last: Mutex<Option<(Instant, Said)>>,
}

impl Readiness {
    pub fn new(limits: &Limits) -> Readiness {
        Readiness { good_for: Duration::from_millis(limits.ready_ms), last: Mutex::const_new(None) }
    }

    async fn of_store(&self, ask: impl Future<Output = Said>) -> Said {
        let mut last = self.last.lock().await;
        if let Some((at, said)) = *last
            && at.elapsed() < self.good_for
        {
            return said;
        }
        let said = ask.await;
        *last = Some((Instant::now(), said));
        said
    }
}

/// Prometheus' text format.
pub async fn metrics(State(state): State<AppState>) -> Response {
    match state.metrics.encode(state.hub.waiting()) {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_are_one_question_and_a_later_one_is_another() {
        let readiness = Readiness::new(&Limits { ready_ms: 1_000, ..Limits::default() });
        let (asked, whole) = (AtomicU32::new(0), Said { store: OK, queue: OK });
        let ask = || {
            readiness.of_store(async {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                whole
            })
        };
        futures_util::future::join_all((0..100).map(|_| ask())).await;
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        tokio::time::advance(Duration::from_millis(1_000)).await;
        assert_eq!(ask().await, whole);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }
}
