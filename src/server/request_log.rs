//! One line a request: a warning when the server failed, else for those who ask for `debug`. The
//! matched route is logged, never the path: paths of links hold secrets.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

pub async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let status = response.status();
    let duration_ms = started.elapsed().as_millis() as u64;
    if status.is_server_error() {
        tracing::warn!(%method, route, status = status.as_u16(), duration_ms, "request");
    } else {
        tracing::debug!(%method, route, status = status.as_u16(), duration_ms, "request");
    }
    response
}
