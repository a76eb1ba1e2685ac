//! What a cluster does to the layer: primaries die and freeze, and slots move between them.

use crate::channel_layer_contract::{ROOM, hears, is_connected, to_everyone, until};
use crate::redis_cluster::RedisCluster;
use crate::redis_layer::{FOUND_WITHIN, Node, talk, two};
use pickmate::domain::RoomId;
use pickmate::server::channel_layer::{ChannelLayer, Delivery, Group, Reach};
use std::time::Instant;

const ROOMS_CHANNEL: &str = "pickmate:d1:room:1";

const EVERYONES_CHANNEL: &str = "pickmate:d1:everyone";

fn channels(answer: redis::Value) -> Vec<String> {
    redis::from_redis_value(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_channel_is_on_one_primary() {
    let cluster = RedisCluster::start();
    let (one, other) = two(&cluster).await;
    talk(&one, &other, 1).await;
    for plain in cluster.everywhere("PUBSUB CHANNELS") {
        assert_eq!(channels(plain), [""; 0]);
    }
    for channel in [ROOMS_CHANNEL, EVERYONES_CHANNEL] {
        let sharded = cluster.everywhere(&format!("PUBSUB SHARDCHANNELS {channel}")).into_iter().map(channels);
        let owner = RedisCluster::owner(channel);
        let expected = (0..3).map(|primary| if primary == owner { vec![channel.to_owned()] } else { vec![] });
        assert_eq!(sharded.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_primary_died_nodes_compare_and_hear_each_other_again() {
    let mut cluster = RedisCluster::start();
    let (one, other) = two(&cluster).await;
    for room in 2..2_000 {
        other.layer.subscribe(Group::Room(RoomId(room))).await;
    }
    talk(&one, &other, 1).await;
    let owner = RedisCluster::owner(ROOMS_CHANNEL);
    for (primary, seq) in [(owner, 98), ((owner + 1) % 3, 99)] {
        cluster.kill(primary);
        one.is_cut_off().await;
        other.is_cut_off().await;
        cluster.start_again(primary);
        is_connected(&one.layer).await;
        other.hears_at_last(Delivery::Lost).await;
        until(|| other.layer.reach() == Reach::Whole).await;
        talk(&one, &other, seq).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_moves_leaves_nobody_deaf() {
    let cluster = RedisCluster::start();
    let (one, other) = two(&cluster).await;
    let owner = RedisCluster::owner(ROOMS_CHANNEL);
    for (from, to) in [(owner, (owner + 1) % 3), ((owner + 1) % 3, owner)] {
        cluster.move_slot(ROOMS_CHANNEL, from, to);
        other.hears_at_last(Delivery::Lost).await;
        talk(&one, &other, 99).await;
        let heard = cluster.command(to, &format!("PUBSUB SHARDCHANNELS {ROOMS_CHANNEL}"));
        assert_eq!(channels(heard), [ROOMS_CHANNEL]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_freezes_is_found_out_while_another_speaks() {
    let cluster = RedisCluster::start();
    let node = Node::on(&cluster).await;
    node.layer.subscribe(Group::Room(ROOM)).await;
    let owner = RedisCluster::owner(ROOMS_CHANNEL);
    let (frozen, begun) = ((owner + 1) % 3, Instant::now());
    cluster.freeze(frozen);
    // Another installation's words, of which the node makes nothing.
    let speak = format!(r#"SPUBLISH {ROOMS_CHANNEL} {{"v":1,"db":"d2","node":1,"told":{{"lost":{{}}}}}}"#);
    until(|| {
        cluster.command(owner, &speak);
        begun.elapsed() > FOUND_WITHIN
    })
    .await;
    node.is_cut_off().await;
    cluster.thaw(frozen);
    is_connected(&node.layer).await;
}

/// It may be one that was replaced, and speak to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_does_not_agree_is_found_out() {
    let cluster = RedisCluster::start();
    let (one, other) = two(&cluster).await;
    until(|| {
        cluster.mislead();
        one.layer.reach() == Reach::Cut
    })
    .await;
    until(|| one.layer.reach() == Reach::Whole).await;
    other.hears_at_last(Delivery::Lost).await;
    talk(&one, &other, 99).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_of_the_manual_are_enough() {
    let cluster = RedisCluster::start();
    let commands = "+ssubscribe +sunsubscribe +spublish +ping +cluster|slots";
    cluster.everywhere(&format!("ACL SETUSER me on >pw resetchannels &pickmate:* -@all {commands}"));
    let (one, other) = (Node::at(cluster.address_of("me:pw@")), Node::at(cluster.address_of("me:pw@")));
    is_connected(&one.layer).await;
    is_connected(&other.layer).await;
    other.layer.subscribe(Group::Room(ROOM)).await;
    talk(&one, &other, 1).await;
    other.layer.unsubscribe(Group::Room(ROOM)).await;
    one.layer.publish(to_everyone(1));
    hears(&other.layer, to_everyone(1)).await;
}
