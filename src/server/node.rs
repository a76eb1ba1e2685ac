//! A running node: its parts put together, started and stopped in order.

use super::auth::Passwords;
use super::cache::Cache;
use super::channel_layer::redis::RedisLayer;
use super::channel_layer::{ChannelLayer, MemoryLayer};
use super::clock::now_ms;
use super::compute::Computer;
use super::config::Config;
use super::files::Files;
use super::health::Readiness;
use super::hub::Hub;
use super::limits::RateLimits;
use super::listener;
use super::metrics::Metrics;
use super::outgoing::Outgoing;
use super::presence::redis::RedisPresence;
use super::presence::{MemoryPresence, Presence};
use super::router::router;
use super::service::exports::Turns;
use super::service::reading::Readings;
use super::service::{base_address, files, publisher::Publisher, set_up};
use super::state::{AppState, Parts};
use super::store::{self, Store, StoreOptions};
use super::tasks::{Kind, Places, TASKS, Worker, watch_progress};
use crate::domain::Lane;
use anyhow::Context;
use leptos::config::LeptosOptions;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a process does for its installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Serves people, and runs tasks beside that.
    Serve,
    /// Only runs tasks.
    Work,
}

/// A node at work. Dropping it without [`Node::shutdown`] leaves its tasks to the runtime.
pub struct Node {
    state: AppState,
    set_up_link: Option<String>,
    server: Option<JoinHandle<()>>,
    worker: JoinHandle<()>,
    background: Vec<JoinHandle<()>>,
    stop_background: CancellationToken,
}

impl Node {
    /// Opens the database and begins its duty: to serve it binds the address (port 0 takes a free one).
    pub async fn start(config: Config, leptos_options: LeptosOptions, duty: Duty) -> anyhow::Result<Node> {
        Node::start_with(config, leptos_options, duty, TASKS).await
    }

    /// Likewise, with other kinds of tasks than this program has.
    pub async fn start_with(
        mut config: Config,
        leptos_options: LeptosOptions,
        duty: Duty,
        kinds: &'static [Kind],
    ) -> anyhow::Result<Node> {
        // Once a process is enough; later calls say so and change nothing.
        let _ = any_spawner::Executor::init_tokio();
        let mut listener = None;
        if duty == Duty::Serve {
            let bound = listener::listen(&config).with_context(|| format!("cannot listen on {}", config.listen))?;
            config.listen = bound.local_addr().context("cannot read the bound address")?;
            listener = Some(bound);
        }
        let state = assemble(config, leptos_options).await?;
        let stop_background = CancellationToken::new();
        let background = begin_background(&state, &stop_background);
        let worker = Worker::new(state.clone(), kinds, places(&state.config));
        let worker = tokio::spawn(worker.run(state.shutdown.clone()));
        let mut node = Node { state, set_up_link: None, server: None, worker, background, stop_background };
        if let Some(listener) = listener {
            node.serve(listener).await?;
        }
        Ok(node)
    }

    async fn serve(&mut self, listener: TcpListener) -> anyhow::Result<()> {
        let state = &self.state;
        set_up::announce(state).await.context("cannot keep the address")?;
        self.set_up_link = set_up::offer(state).await.context("cannot prepare the set-up link")?;
        let (router, config, stop) = (router(state.clone()), Arc::clone(&state.config), state.shutdown.clone());
        self.server = Some(tokio::spawn(async move { listener::serve(listener, router, &config, stop).await }));
        Ok(())
    }

    pub fn addr(&self) -> SocketAddr {
        self.state.config.listen
    }

    /// Where a person on this machine reaches the node, if it serves.
    pub fn url(&self) -> Option<String> {
        self.server.as_ref().map(|_| base_address(&self.state.config))
    }

    /// The one-time link that makes the first account, until there is an owner.
    pub fn set_up_link(&self) -> Option<&str> {
        self.set_up_link.as_deref()
    }

    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Stops taking requests and tasks, lets those under way and the sockets finish, commits what is queued,
    /// closes the store. Takes at most the setting `shutdown_ms`, of which a quarter is kept for the
    /// store; every post that was acknowledged is durable in any case.
    pub async fn shutdown(self) {
        let whole = Duration::from_millis(self.state.config.limits.shutdown_ms);
        let (deadline, for_the_store) = (whole * 3 / 4, whole / 4);
        self.state.hub.begin_draining();
        self.state.shutdown.cancel();
        let finishing = async {
            // They fail only if they panicked, and then there is nothing to wait for.
            if let Some(server) = self.server {
                let _ = server.await;
            }
            self.state.hub.emptied().await;
            self.state.sockets.close();
            self.state.sockets.wait().await;
            let _ = self.worker.await;
        };
        if timeout(deadline, finishing).await.is_err() {
            tracing::warn!(connections = self.state.hub.connections(), "stopping before everything finished");
        }
        self.stop_background.cancel();
        for task in self.background {
            let _ = task.await;
        }
        if timeout(for_the_store, self.state.store.close()).await.is_err() {
            tracing::warn!("stopping before the store was closed; the next start repairs it");
        }
    }
}

/// What goes on as long as the node does, until `stop`.
fn begin_background(state: &AppState, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let (hub, store) = (state.hub.clone(), Arc::clone(&state.store));
    let attend = hub.clone().attend(Arc::clone(&state.presence), Arc::clone(&store), stop.clone());
    vec![
        tokio::spawn(hub.run(store, now_ms, stop.clone())),
        tokio::spawn(attend),
        tokio::spawn(Arc::clone(&state.rate_limits).tell(Arc::clone(&state.layer), stop.clone())),
        tokio::spawn(watch_progress(state.clone(), stop.clone())),
        tokio::spawn(files::remove_from_time_to_time(Arc::clone(&state.store), state.files.clone(), stop.clone())),
    ]
}

/// How many tasks of each lane the process runs.
fn places(config: &Config) -> Places {
    let limits = &config.limits;
    let places = |lane: Lane| match lane {
        Lane::Io => limits.task_io,
        Lane::Blocking => limits.task_blocking,
        Lane::Cpu => limits.task_cpu,
    };
    config.lanes.iter().map(|lane| (*lane, places(*lane))).collect()
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
    let task_changes = publisher.task_changes();
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
    let (files, computer) = (Files::open(&config).await?, computer(&config).context("cannot find the program itself")?);
    Ok(AppState::new(Parts {
        files,
        computer,
        hub,
        rate_limits,
        readings: Readings::new(Duration::from_millis(config.limits.read_mark_every_ms)),
        readiness: Arc::new(Readiness::new(&config.limits)),
        outgoing: Outgoing::of(&config),
        passwords: Passwords::new(),
        config: Arc::new(config),
        store,
        layer,
        presence,
        cache,
        metrics,
        task_changes,
        exports: Turns::default(),
        leptos_options,
        shutdown: CancellationToken::new(),
        sockets: TaskTracker::new(),
    }))
}

fn computer(config: &Config) -> std::io::Result<Computer> {
    // As many as the lane that computes has places.
    let children = config.limits.task_cpu as usize;
    match &config.program {
        Some(program) => Ok(Computer::with_program(program.clone(), children)),
        None => Computer::new(children),
    }
}
