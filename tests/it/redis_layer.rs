//! What Redis does to the layer: it dies, freezes, refuses, and speaks of what nobody understands.

use crate::channel_layer_contract::{ROOM, grown, hears, is_connected, next, to_everyone, until};
use crate::redis_server::RedisServer;
use pickmate::server::channel_layer::redis::{RedisAddress, RedisLayer};
use pickmate::server::channel_layer::{ChannelLayer, Delivery, Group, LayerMetrics, Notice, Reach};
use std::time::{Duration, Instant};

/// Within which a Redis that does not answer is to be found out.
pub const FOUND_WITHIN: Duration = Duration::from_secs(3);

const DATABASE: &str = "d1";

pub struct Node {
    pub layer: RedisLayer,
    metrics: LayerMetrics,
}

impl Node {
    pub async fn on(server: impl Into<RedisAddress>) -> Node {
        let node = Node::at(server);
        is_connected(&node.layer).await;
        node
    }

    /// It is about to connect.
    pub fn at(server: impl Into<RedisAddress>) -> Node {
        let metrics = LayerMetrics::default();
        let layer = RedisLayer::new(server.into(), metrics.clone());
        layer.open(DATABASE.into());
        Node { layer, metrics }
    }

    pub async fn is_cut_off(&self) {
        until(|| self.layer.reach() == Reach::Cut).await;
        assert_eq!(self.metrics.connected.get(), 0);
    }

    /// Reads deliveries up to the wanted one; the others.
    pub async fn hears_at_last(&self, wanted: Delivery) -> Vec<Delivery> {
        let mut before = Vec::new();
        loop {
            match next(&self.layer).await {
                delivery if delivery == wanted => return before,
                delivery => before.push(delivery),
            }
        }
    }
}

/// Two nodes, of which the second follows the room.
pub async fn two<S>(server: &S) -> (Node, Node)
where
    for<'s> &'s S: Into<RedisAddress>,
{
    let (one, other) = (Node::on(server).await, Node::on(server).await);
    other.layer.subscribe(Group::Room(ROOM)).await;
    (one, other)
}

/// Notices go from one to the other. Before them come hints to look up what was not told or not known to be.
pub async fn talk(one: &Node, other: &Node, seq: u64) {
    one.layer.publish(grown(seq, 10));
    loop {
        match next(&other.layer).await {
            Delivery::Notice(notice) if notice == grown(seq, 10) => return,
            // Perhaps of this very notice.
            Delivery::Lost | Delivery::Notice(Notice::Unread { room: ROOM }) => one.layer.publish(grown(seq, 10)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_redis_nodes_compare_and_hear_each_other_again() {
    let mut server = RedisServer::start();
    let (one, other) = two(&server).await;
    talk(&one, &other, 1).await;
    server.kill();
    one.is_cut_off().await;
    other.is_cut_off().await;
    server.start_again();
    until(|| one.layer.reach() == Reach::Whole).await;
    other.hears_at_last(Delivery::Lost).await;
    talk(&one, &other, 99).await;
    until(|| other.metrics.connected.get() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribing_waits_until_redis_has_confirmed_it() {
    let server = RedisServer::start();
    let node = Node::on(&server).await;
    server.freeze();
    let mut subscribed = std::pin::pin!(node.layer.subscribe(Group::Room(ROOM)));
    let early = tokio::time::timeout(Duration::from_millis(300), &mut subscribed).await;
    server.thaw();
    assert!(early.is_err(), "nobody has confirmed it");
    subscribed.await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_freezes_is_found_out_and_holds_nobody_up() {
    let server = RedisServer::start();
    let (one, other) = two(&server).await;
    let begun = Instant::now();
    server.freeze();
    // It waits for an answer until there is no hope.
    other.layer.subscribe(Group::Room(pickmate::domain::RoomId(7))).await;
    one.is_cut_off().await;
    other.is_cut_off().await;
    assert!(begun.elapsed() < FOUND_WITHIN, "{:?}", begun.elapsed());
    server.thaw();
    until(|| one.layer.reach() == Reach::Whole).await;
    is_connected(&other.layer).await;
    talk(&one, &other, 99).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_never_waits_and_reaches_the_own_node_without_redis() {
    let mut server = RedisServer::start();
    let (one, other) = two(&server).await;
    one.layer.subscribe(Group::Room(ROOM)).await;
    for blow in [RedisServer::freeze as fn(&RedisServer), |_| {}] {
        blow(&server);
        let begun = Instant::now();
        for seq in 0..1_000 {
            one.layer.publish(grown(seq, 1_000));
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        for seq in 0..1_000 {
            hears(&one.layer, grown(seq, 1_000)).await;
        }
        one.is_cut_off().await;
        other.is_cut_off().await;
    }
    server.kill();
    server.start_again();
    is_connected(&one.layer).await;
    other.hears_at_last(Delivery::Lost).await;
    talk(&one, &other, 99).await;
    assert!(one.metrics.dropped.get() >= 1_000, "{}", one.metrics.dropped.get());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_without_redis_joins_the_others_when_it_is_there() {
    let mut server = RedisServer::start();
    server.kill();
    let (one, other) = (Node::at(&server), Node::at(&server));
    other.layer.subscribe(Group::Room(ROOM)).await;
    server.start_again();
    is_connected(&one.layer).await;
    is_connected(&other.layer).await;
    talk(&one, &other, 99).await;
}

/// Only the publishing fails, so that nobody compares by itself.
async fn refused(server: &RedisServer, one: &Node, notice: Notice) {
    server.command("ACL SETUSER default -publish").await;
    one.layer.publish(notice);
    until(|| one.metrics.dropped.get() > 0).await;
    server.command("ACL SETUSER default +publish").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_publishing_failed_names_the_rooms_whose_logs_grew() {
    let server = RedisServer::start();
    let (one, other) = two(&server).await;
    refused(&server, &one, grown(2, 10)).await;
    hears(&other.layer, Notice::Unread { room: ROOM }).await;
    until(|| one.layer.reach() == Reach::Whole).await;
    talk(&one, &other, 99).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_publishing_failed_has_the_others_compare_what_it_cannot_name() {
    let server = RedisServer::start();
    let (one, other) = two(&server).await;
    refused(&server, &one, to_everyone(1)).await;
    assert_eq!(next(&other.layer).await, Delivery::Lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_not_taken_for_an_effective_one() {
    let server = RedisServer::start();
    let node = Node::on(&server).await;
    server.command("ACL SETUSER default resetchannels &pickmate:d1:everyone").await;
    node.layer.subscribe(Group::Room(ROOM)).await;
    node.is_cut_off().await;
    server.command("ACL SETUSER default allchannels").await;
    is_connected(&node.layer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_manual_are_enough() {
    let server = RedisServer::start();
    let commands = "+subscribe +unsubscribe +publish +ping";
    server.command(&format!("ACL SETUSER me on >pw resetchannels &pickmate:* -@all {commands}")).await;
    let address = RedisAddress::parse(&format!("{}?user=me&pass=pw", server.url())).unwrap();
    let (one, other) = (Node::on(address.clone()).await, Node::on(address).await);
    other.layer.subscribe(Group::Room(ROOM)).await;
    talk(&one, &other, 1).await;
    other.layer.unsubscribe(Group::Room(ROOM)).await;
    one.layer.publish(to_everyone(1));
    hears(&other.layer, to_everyone(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_has_the_node_read_the_store() {
    let server = RedisServer::start();
    let node = Node::on(&server).await;
    node.layer.subscribe(Group::Room(ROOM)).await;
    server.command(r#"PUBLISH pickmate:d1:room:1 {"v":2,"sung":true}"#).await;
    hears(&node.layer, Notice::Unread { room: ROOM }).await;
    server.command(r#"PUBLISH pickmate:d1:everyone {"v":2,"sung":true}"#).await;
    assert_eq!(next(&node.layer).await, Delivery::Lost);
}
