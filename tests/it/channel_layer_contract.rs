//! What every layer behind `ChannelLayer` guarantees, as one suite. A layer is added with one line
//! at the end of this file.

use crate::app::PATIENCE;
use crate::redis_cluster::RedisCluster;
use crate::redis_server::RedisServer;
use bytes::Bytes;
use pickmate::domain::{RoomId, Seq, Slug, UserId};
use pickmate::server::channel_layer::redis::{RedisAddress, RedisLayer};
use pickmate::server::channel_layer::{
    ChannelLayer, Delivery, Group, Growth, LayerMetrics, MemoryLayer, Notice, Reach,
};
use pickmate::server::encode::LogName;
use std::sync::{Arc, Mutex};

/// An installation whose nodes' ends of the layer hold a bounded number of waiting notices.
trait Installation {
    type Layer: ChannelLayer;

    fn with_capacity(capacity: usize) -> Self;

    /// Another installation, on whatever connects the nodes of this one.
    fn neighbour(&self) -> Self;

    /// One more node, which hears the others.
    async fn node(&self) -> Self::Layer;

    /// Resolves when the node that was made as number `node` had no space for `count` notices.
    async fn had_no_space(&self, node: usize, count: u64);
}

struct Memory(MemoryLayer);

impl Installation for Memory {
    type Layer = MemoryLayer;

    fn with_capacity(capacity: usize) -> Memory {
        Memory(MemoryLayer::with_capacity(capacity))
    }

    fn neighbour(&self) -> Memory {
        Memory::with_capacity(ROOMY)
    }

    async fn node(&self) -> MemoryLayer {
        self.0.peer()
    }

    /// Everything arrives at once.
    async fn had_no_space(&self, _: usize, _: u64) {}
}

/// Another installation each, on the Redis of `PICKMATE_TEST_REDIS` or one of its own.
struct Redis {
    address: RedisAddress,
    database_id: Arc<str>,
    capacity: usize,
    metrics: Mutex<Vec<LayerMetrics>>,
    _own: Option<RedisServer>,
}

impl Redis {
    fn on(address: RedisAddress, capacity: usize) -> Redis {
        let database_id = format!("test{:032x}", rand::random::<u128>()).into();
        Redis { address, database_id, capacity, metrics: Mutex::default(), _own: None }
    }
}

impl Installation for Redis {
    type Layer = RedisLayer;

    fn with_capacity(capacity: usize) -> Redis {
        let shared = std::env::var("PICKMATE_TEST_REDIS").ok();
        let own = shared.is_none().then(RedisServer::start);
        let address = match &own {
            Some(server) => server.address(),
            None => RedisAddress::parse(&shared.unwrap()).expect("PICKMATE_TEST_REDIS is an address"),
        };
        Redis { _own: own, ..Redis::on(address, capacity) }
    }

    fn neighbour(&self) -> Redis {
        Redis::on(self.address.clone(), ROOMY)
    }

    async fn node(&self) -> RedisLayer {
        let metrics = LayerMetrics::default();
        let layer = RedisLayer::with_capacity(self.address.clone(), metrics.clone(), self.capacity);
        self.metrics.lock().unwrap().push(metrics);
        layer.open(self.database_id.clone());
        is_connected(&layer).await;
        layer
    }

    async fn had_no_space(&self, node: usize, count: u64) {
        let lost = self.metrics.lock().unwrap()[node].lost.clone();
        // Once for the time before it was connected.
        until(|| lost.get() == 1 + count).await;
    }
}

/// The same on a cluster of its own.
struct Cluster {
    nodes: Redis,
    _own: Option<RedisCluster>,
}

impl Installation for Cluster {
    type Layer = RedisLayer;

    fn with_capacity(capacity: usize) -> Cluster {
        let cluster = RedisCluster::start();
        Cluster { nodes: Redis::on(cluster.address(), capacity), _own: Some(cluster) }
    }

    fn neighbour(&self) -> Cluster {
        Cluster { nodes: self.nodes.neighbour(), _own: None }
    }

    async fn node(&self) -> RedisLayer {
        self.nodes.node().await
    }

    async fn had_no_space(&self, node: usize, count: u64) {
        self.nodes.had_no_space(node, count).await;
    }
}

/// The node hears the others from the return on, and they it.
pub async fn is_connected(layer: &RedisLayer) {
    until(|| layer.reach() == Reach::Whole).await;
    assert_eq!(next(layer).await, Delivery::Lost, "before it was connected anything may have happened");
}

pub async fn until(mut happened: impl FnMut() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it happens in time");
}

/// Like [`until`], for what has to be asked for.
pub async fn until_async(mut happened: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !happened().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it happens in time");
}

pub const ROOM: RoomId = RoomId(1);
const USER: UserId = UserId(2);

fn to_room() -> Notice {
    Notice::Unread { room: ROOM }
}

/// The log of the room grew by one event with so many bytes of body.
pub fn grown(seq: u64, bytes: usize) -> Notice {
    let log = LogName { slug: Slug::parse("점심").unwrap(), epoch: "e1".into() };
    let event = Bytes::from(format!(r#"{{"seq":{seq},"body":"{}"}}"#, "a".repeat(bytes)));
    let changes = vec![(Seq(seq), Seq(1))];
    Notice::Grew(Arc::new(Growth { room: ROOM, log, first: Seq(seq), events: vec![event], changes }))
}

fn to_user() -> Notice {
    Notice::RoomsChanged { user: Some(USER) }
}

/// To everyone, told apart by a number.
pub fn to_everyone(number: u8) -> Notice {
    Notice::SessionEnded { session: [number; 32] }
}

pub async fn next(layer: &impl ChannelLayer) -> Delivery {
    tokio::time::timeout(PATIENCE, layer.next()).await.expect("a delivery in time").expect("an open layer")
}

pub async fn hears(layer: &impl ChannelLayer, notice: Notice) {
    assert_eq!(next(layer).await, Delivery::Notice(notice));
}

async fn a_notice_reaches_every_subscribed_node_its_own_too(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    for group in [Group::Room(ROOM), Group::User(USER)] {
        one.subscribe(group).await;
        other.subscribe(group).await;
    }
    one.publish(to_room());
    other.publish(to_user());
    for node in [&one, &other] {
        let heard = [next(node).await, next(node).await];
        assert!(heard.contains(&Delivery::Notice(to_room())) && heard.contains(&Delivery::Notice(to_user())));
    }
}

async fn other_groups_are_not_heard(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    other.subscribe(Group::Room(RoomId(ROOM.0 + 1))).await;
    other.subscribe(Group::User(UserId(USER.0 + 1))).await;
    one.publish(to_room());
    one.publish(to_user());
    one.publish(to_everyone(1));
    hears(&other, to_everyone(1)).await;
}

async fn what_is_for_everyone_needs_no_subscription(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    one.publish(to_everyone(1));
    hears(&one, to_everyone(1)).await;
    hears(&other, to_everyone(1)).await;
}

async fn nothing_is_heard_after_unsubscribing(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    other.subscribe(Group::Room(ROOM)).await;
    one.publish(to_room());
    hears(&other, to_room()).await;
    other.unsubscribe(Group::Room(ROOM)).await;
    one.publish(to_room());
    one.publish(to_everyone(1));
    hears(&other, to_everyone(1)).await;
}

async fn subscribing_twice_is_subscribing_once(nodes: impl Installation) {
    let node = nodes.node().await;
    node.subscribe(Group::Room(ROOM)).await;
    node.subscribe(Group::Room(ROOM)).await;
    node.publish(to_room());
    node.publish(to_everyone(1));
    hears(&node, to_room()).await;
    hears(&node, to_everyone(1)).await;
}

async fn notices_of_one_node_to_one_group_keep_their_order(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    for number in 0..100 {
        one.publish(to_everyone(number));
    }
    for number in 0..100 {
        hears(&other, to_everyone(number)).await;
    }
}

async fn what_a_log_gained_is_heard_as_it_was_said(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    other.subscribe(Group::Room(ROOM)).await;
    for seq in 2..50 {
        one.publish(grown(seq, 100));
        hears(&other, grown(seq, 100)).await;
    }
}

async fn an_event_too_large_to_be_carried_is_at_least_announced(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    other.subscribe(Group::Room(ROOM)).await;
    one.publish(grown(2, 9_000));
    one.publish(grown(3, 10));
    let announced = next(&other).await;
    let whole = Delivery::Notice(grown(2, 9_000));
    assert!(announced == whole || announced == Delivery::Notice(to_room()), "{announced:?}");
    hears(&other, grown(3, 10)).await;
}

async fn another_installation_hears_nothing(nodes: impl Installation) {
    let others = nodes.neighbour();
    let (one, stranger) = (nodes.node().await, others.node().await);
    stranger.subscribe(Group::Room(ROOM)).await;
    for notice in [to_room(), to_everyone(1)] {
        one.publish(notice);
    }
    hears(&one, to_everyone(1)).await;
    let own = others.node().await;
    own.publish(to_everyone(2));
    hears(&stranger, to_everyone(2)).await;
}

async fn a_full_node_is_told_that_it_missed_some(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    for number in 0..10 {
        one.publish(to_everyone(number));
        hears(&one, to_everyone(number)).await;
    }
    nodes.had_no_space(1, 10 - CAPACITY as u64).await;
    let mut heard = Vec::new();
    let mut lost = 0;
    while heard.len() < CAPACITY {
        match next(&other).await {
            Delivery::Notice(notice) => heard.push(notice),
            Delivery::Lost => lost += 1,
        }
    }
    assert_eq!(lost, 1, "a loss is told once");
    assert_eq!(heard, (0..CAPACITY as u8).map(to_everyone).collect::<Vec<_>>());
    one.publish(to_everyone(99));
    hears(&other, to_everyone(99)).await;
}

async fn a_node_that_is_gone_holds_nobody_up(nodes: impl Installation) {
    let (one, other, gone) = (nodes.node().await, nodes.node().await, nodes.node().await);
    gone.subscribe(Group::Room(ROOM)).await;
    other.subscribe(Group::Room(ROOM)).await;
    drop(gone);
    one.publish(to_room());
    hears(&other, to_room()).await;
}

async fn a_waiting_node_is_woken(nodes: impl Installation) {
    let (one, other) = (nodes.node().await, nodes.node().await);
    let (heard, ()) = tokio::join!(next(&other), async {
        tokio::task::yield_now().await;
        one.publish(to_everyone(1));
    });
    assert_eq!(heard, Delivery::Notice(to_everyone(1)));
}

/// Fits every test but the one about losses.
const ROOMY: usize = 1_000;

/// What a node holds in the test about losses.
const CAPACITY: usize = 4;

macro_rules! suite {
    ($($test:ident($capacity:expr))*) => {
        macro_rules! layer {
            ($name:ident, $installation:ty) => {
                mod $name {
                    use super::*;
                    $(
                        #[tokio::test]
                        async fn $test() {
                            super::$test(<$installation>::with_capacity($capacity)).await;
                        }
                    )*
                }
            };
        }
    };
}

suite! {
    a_notice_reaches_every_subscribed_node_its_own_too(ROOMY)
    other_groups_are_not_heard(ROOMY)
    what_is_for_everyone_needs_no_subscription(ROOMY)
    nothing_is_heard_after_unsubscribing(ROOMY)
    subscribing_twice_is_subscribing_once(ROOMY)
    notices_of_one_node_to_one_group_keep_their_order(ROOMY)
    a_full_node_is_told_that_it_missed_some(CAPACITY)
    a_node_that_is_gone_holds_nobody_up(ROOMY)
    a_waiting_node_is_woken(ROOMY)
    what_a_log_gained_is_heard_as_it_was_said(ROOMY)
    an_event_too_large_to_be_carried_is_at_least_announced(ROOMY)
    another_installation_hears_nothing(ROOMY)
}

layer!(memory, Memory);
layer!(redis, Redis);
layer!(cluster, Cluster);
