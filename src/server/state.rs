//! What every handler is given: one handle to shared parts.

use super::auth::Passwords;
use super::cache::Cache;
use super::channel_layer::ChannelLayer;
use super::compute::Computer;
use super::config::Config;
use super::files::Files;
use super::health::Readiness;
use super::hub::Hub;
use super::limits::RateLimits;
use super::metrics::Metrics;
use super::outgoing::Outgoing;
use super::presence::Presence;
use super::queue::TaskChanges;
use super::service::exports::Turns;
use super::service::reading::Readings;
use super::store::Store;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::ops::Deref;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A handle to the parts of a node. Cloned for each layer that a request goes through, so it is a single pointer.
#[derive(Clone)]
pub struct AppState(Arc<Parts>);

impl AppState {
    pub fn new(parts: Parts) -> AppState {
        AppState(Arc::new(parts))
    }
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// One node's parts.
pub struct Parts {
    pub config: Arc<Config>,
    pub store: Arc<dyn Store>,
    pub layer: Arc<dyn ChannelLayer>,
    pub presence: Arc<dyn Presence>,
    pub cache: Arc<Cache>,
    pub files: Files,
    pub computer: Computer,
    pub hub: Hub,
    pub rate_limits: Arc<RateLimits>,
    pub readings: Readings,
    pub readiness: Arc<Readiness>,
    pub passwords: Passwords,
    pub metrics: Arc<Metrics>,
    /// Asks other people's servers.
    pub outgoing: Outgoing,
    pub task_changes: TaskChanges,
    pub exports: Turns,
    pub leptos_options: LeptosOptions,
    /// Cancelled when the node begins to stop.
    pub shutdown: CancellationToken,
    /// What a stop waits for beside the hub: sockets of the echo, those that are being refused, and read positions.
    pub sockets: TaskTracker,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> LeptosOptions {
        state.leptos_options.clone()
    }
}
