//! Presence while what it asks is slow or silent.

use crate::channel_layer_contract::until;
use crate::hub::{Watched, cache};
use crate::postgres::Database;
use crate::store_contract::world::slug;
use pickmate::domain::{RoomId, Seq, UserId};
use pickmate::server::channel_layer::{MemoryLayer, Reach};
use pickmate::server::config::{Config, Limits};
use pickmate::server::hub::{Connection, Hub, Peer};
use pickmate::server::metrics::Metrics;
use pickmate::server::presence::{People, Presence, Unreachable};
use pickmate::server::store::postgres::PostgresStore;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Log, Store, StoreOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Counts what it is asked.
#[derive(Default)]
struct Asked {
    renewed: AtomicUsize,
    elsewhere: AtomicUsize,
    /// Who asks for other nodes' people waits without end.
    hangs: bool,
}

#[async_trait::async_trait]
impl Presence for Asked {
    async fn say(&self, _: &[(RoomId, People)]) -> Result<bool, Unreachable> {
        Ok(true)
    }

    async fn restate(&self, _: &[(RoomId, People)]) -> Result<(), Unreachable> {
        Ok(())
    }

    async fn renew(&self) -> Result<bool, Unreachable> {
        self.renewed.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    async fn elsewhere(&self, rooms: &[RoomId]) -> Result<Vec<People>, Unreachable> {
        self.elsewhere.fetch_add(1, Ordering::Relaxed);
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(vec![People::new(); rooms.len()])
    }
}

/// One node of several, whose people say that they are there.
struct Node {
    hub: Hub,
    presence: Arc<Asked>,
    stop: CancellationToken,
}

impl Node {
    fn new(presence_expiry_ms: u64, presence: Asked) -> Node {
        let limits = Limits { presence_expiry_ms, presence_gather_ms: 10, ..Limits::default() };
        let config = Config { limits, ..Config::default() };
        let layer = Watched { layer: MemoryLayer::new(), groups: Default::default(), reach: Reach::Whole };
        let hub = Hub::new(&config, Arc::new(layer), cache(), Arc::new(Metrics::new()));
        Node { hub, presence: Arc::new(presence), stop: CancellationToken::new() }
    }

    /// Somebody who follows so many rooms.
    async fn follower(&self, rooms: i64) -> Connection {
        let peer = Peer { user: UserId(1), name: "mina".into(), session: None, address: [127, 0, 0, 1].into() };
        let connection = self.hub.connect(peer).await.unwrap();
        for room in 1..=rooms {
            connection.follow(RoomId(room), slug(&format!("room-{room}")), Seq::ZERO).await;
        }
        connection
    }

    async fn attend_until(&self, store: Arc<dyn Store>, wanted: impl Fn(&Asked) -> bool) {
        let attending = tokio::spawn(self.hub.clone().attend(self.presence.clone(), store, self.stop.clone()));
        until(|| wanted(&self.presence)).await;
        self.stop.cancel();
        attending.await.unwrap();
    }
}

#[tokio::test]
async fn a_node_says_that_it_is_there_however_long_a_look_takes() {
    let data = TempDir::new().unwrap();
    let store = SqliteStore::open(data.path(), StoreOptions::default()).await.unwrap();
    let node = Node::new(300, Asked { hangs: true, ..Asked::default() });
    let _follower = node.follower(1).await;
    let (looks, renewals) = (AtomicUsize::new(0), 5);
    node.attend_until(store, |asked| {
        looks.store(asked.elsewhere.load(Ordering::Relaxed), Ordering::Relaxed);
        asked.renewed.load(Ordering::Relaxed) >= renewals
    })
    .await;
    assert_eq!(looks.into_inner(), 1, "the look goes on all the while");
}

#[tokio::test]
async fn a_store_that_fails_is_not_asked_again_before_the_next_look() {
    let database = Database::new();
    let options = StoreOptions::default();
    let reads = options.reads.clone();
    let store = PostgresStore::open(&database.address().await, options).await.unwrap();
    store.close().await;
    let before = reads.get();
    let node = Node::new(600_000, Asked::default());
    // More than are looked at together.
    let _follower = node.follower(2_500).await;
    node.attend_until(store, |asked| asked.elsewhere.load(Ordering::Relaxed) >= 3).await;
    assert_eq!(reads.get() - before, 1);
}
