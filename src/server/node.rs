//! A running node: its parts put together, started and stopped in order.

use super::auth::Passwords;
use super::cache::Cache;
use super::channel_layer::redis::RedisLayer;
use super::channel_layer::{ChannelLayer, MemoryLayer};
use super::clock::now_ms;
use super::config::Config;
use super::health::Readiness;
use super::hub::Hub;
use super::limits::RateLimits;
use super::listener;
use super::metrics::Metrics;
use super::outgoing::Outgoing;
use super::presence::redis::RedisPresence;
use super::presence::{MemoryPresence, Presence};
use super::router::router;
use super::service::{base_address, publisher::Publisher, set_up};
use super::state::{AppState, Parts};
use super::store::{self, Store, StoreOptions};
use anyhow::Context;
use leptos::config::LeptosOptions;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A node that serves. Dropping it without [`Node::shutdown`] leaves its tasks to the runtime.
pub struct Node {
    state: AppState,
    set_up_link: Option<String>,
    server: JoinHandle<()>,
    pump: JoinHandle<()>,
    attendance: JoinHandle<()>,
    telling: JoinHandle<()>,
    stop_pump: CancellationToken,
}

impl Node {
    /// Opens the database, binds the address (port 0 takes a free one) and serves.
    pub async fn start(mut config: Config, leptos_options: LeptosOptions) -> anyhow::Result<Node> {
        // Once a process is enough; later calls say so and change nothing.
        let _ = any_spawner::Executor::init_tokio();
        let listener = listener::listen(&config).with_context(|| format!("cannot listen on {}", config.listen))?;
        config.listen = listener.local_addr().context("cannot read the bound address")?;
        let state = assemble(config, leptos_options).await?;
        let stop_pump = CancellationToken::new();
        let pump = tokio::spawn(state.hub.clone().run(Arc::clone(&state.store), now_ms, stop_pump.clone()));
        let (presence, store) = (Arc::clone(&state.presence), Arc::clone(&state.store));
        let attendance = tokio::spawn(state.hub.clone().attend(presence, store, stop_pump.clone()));
        let telling = Arc::clone(&state.rate_limits).tell(Arc::clone(&state.layer), stop_pump.clone());
        let telling = tokio::spawn(telling);
        set_up::announce(&state).await.context("cannot keep the address")?;
        let set_up_link = set_up::offer(&state).await.context("cannot prepare the set-up link")?;
        let server = tokio::spawn({
            let (router, config, stop) = (router(state.clone()), Arc::clone(&state.config), state.shutdown.clone());
            async move { listener::serve(listener, router, &config, stop).await }
        });
        Ok(Node { state, set_up_link, server, pump, attendance, telling, stop_pump })
    }

    pub fn addr(&self) -> SocketAddr {
        self.state.config.listen
    }

    /// Where a person on this machine reaches the node.
    pub fn url(&self) -> String {
        base_address(&self.state.config)
    }

    /// The one-time link that makes the first account, until there is an owner.
    pub fn set_up_link(&self) -> Option<&str> {
        self.set_up_link.as_deref()
    }

    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Stops taking requests, lets those under way and the sockets finish, commits what is queued,
    /// closes the store. Takes at most the setting `shutdown_ms`, of which a quarter is kept for the
    /// store; every post that was acknowledged is durable in any case.
    pub async fn shutdown(self) {
        let whole = Duration::from_millis(self.state.config.limits.shutdown_ms);
        let (deadline, for_the_store) = (whole * 3 / 4, whole / 4);
        self.state.hub.begin_draining();
        self.state.shutdown.cancel();
        let finishing = async {
            // It fails only if it panicked, and then there is nothing to wait for.
            let _ = self.server.await;
            self.state.hub.emptied().await;
            self.state.sockets.close();
            self.state.sockets.wait().await;
        };
        if timeout(deadline, finishing).await.is_err() {
            tracing::warn!(connections = self.state.hub.connections(), "stopping before all connections finished");
        }
        self.stop_pump.cancel();
        let _ = self.pump.await;
        let _ = self.attendance.await;
        let _ = self.telling.await;
        if timeout(for_the_store, self.state.store.close()).await.is_err() {
            tracing::warn!("stopping before the store was closed; the next start repairs it");
        }
    }
}

async fn assemble(config: Config, leptos_options: LeptosOptions) -> anyhow::Result<AppState> {
    let metrics = Arc::new(Metrics::new());
    let redis = config.redis.clone().map(|address| Arc::new(RedisLayer::new(address, metrics.layer.clone())));
    let expiry = config.limits.presence_expiry();
    let remote = config.redis.clone().map(|address| Arc::new(RedisPresence::new(address, expiry)));
    let layer: Arc<dyn ChannelLayer> = match &redis {
        Some(redis) => redis.clone(),
        None => {
            metrics.layer.connected.set(1);
            Arc::new(MemoryLayer::new())
        }
    };
    let cache = Arc::new(Cache::new(&config.limits, &metrics));
    let publisher = Arc::new(Publisher::new(Arc::clone(&layer), Arc::clone(&cache), Arc::clone(&metrics)));
    let (reads, commits) = (metrics.store_reads.clone(), metrics.commits.clone());
    let options = StoreOptions { reads, commits, ..StoreOptions::new(&config.limits, publisher) };
    let store: Arc<dyn Store> = store::open(&config, options).await?;
    let mut rate_limits = RateLimits::new(&config);
    if let Some(redis) = redis {
        redis.open(store.database_id());
        let secret = store.shared_secret().await.context("cannot keep the secret of the rate limits")?;
        rate_limits = RateLimits::shared(&config, secret);
    }
    let rate_limits = Arc::new(rate_limits);
    let hub = Hub::new(&config, Arc::clone(&layer), Arc::clone(&cache), Arc::clone(&metrics));
    hub.charge(Arc::clone(&rate_limits));
    let presence: Arc<dyn Presence> = match remote {
        Some(remote) => {
            remote.open(store.database_id());
            remote
        }
        None => Arc::new(MemoryPresence::new()),
    };
    Ok(AppState::new(Parts {
        hub,
        rate_limits,
        readiness: Arc::new(Readiness::new(&config.limits)),
        outgoing: Outgoing::of(&config),
        passwords: Passwords::new(),
        config: Arc::new(config),
        store,
        layer,
        presence,
        cache,
        metrics,
        leptos_options,
        shutdown: CancellationToken::new(),
        sockets: TaskTracker::new(),
    }))
}
