//! What Redis does to presence: it dies, freezes, forgets, refuses, and is a cluster.

use crate::app::PATIENCE;
use crate::presence_contract::{ROOM, found, people};
use crate::redis_cluster::RedisCluster;
use crate::redis_server::RedisServer;
use pickmate::domain::RoomId;
use pickmate::server::channel_layer::redis::RedisAddress;
use pickmate::server::presence::Presence;
use pickmate::server::presence::redis::RedisPresence;
use std::time::{Duration, Instant};

fn node(address: RedisAddress) -> RedisPresence {
    let node = RedisPresence::new(address, Duration::from_secs(60));
    node.open("d1".into());
    node
}

#[tokio::test]
async fn a_redis_that_is_gone_is_out_of_reach_until_it_is_back_with_nothing() {
    let mut server = RedisServer::start();
    let (one, other) = (node(server.address()), node(server.address()));
    one.say(&[(ROOM, people(&[1]))]).await.unwrap();
    assert_eq!(found(&other, ROOM).await, people(&[1]));
    server.kill();
    for node in [&one, &other] {
        node.elsewhere(&[ROOM]).await.unwrap_err();
        node.say(&[]).await.unwrap_err();
        node.renew().await.unwrap_err();
    }
    server.start_again();
    assert!(!one.renew().await.unwrap(), "it has forgotten everything");
    one.restate(&[(ROOM, people(&[1]))]).await.unwrap();
    assert!(one.renew().await.unwrap());
    assert_eq!(found(&other, ROOM).await, people(&[1]));
}

#[tokio::test]
async fn whoever_says_something_hears_that_all_before_was_forgotten() {
    const OTHER: RoomId = RoomId(2);
    let server = RedisServer::start();
    let (one, other) = (node(server.address()), node(server.address()));
    assert!(!one.say(&[(ROOM, people(&[1]))]).await.unwrap(), "nothing was there");
    assert!(one.say(&[(ROOM, people(&[2]))]).await.unwrap());
    server.command("FLUSHALL SYNC").await;
    assert!(!one.say(&[(OTHER, people(&[3]))]).await.unwrap());
    assert_eq!(found(&other, ROOM).await, people(&[]));
    one.restate(&[(ROOM, people(&[2])), (OTHER, people(&[3]))]).await.unwrap();
    assert_eq!(other.elsewhere(&[ROOM, OTHER]).await.unwrap(), [people(&[2]), people(&[3])]);
    assert!(one.say(&[]).await.unwrap());
}

#[tokio::test]
async fn a_redis_that_freezes_holds_nobody_up_for_long() {
    let server = RedisServer::start();
    let node = node(server.address());
    node.say(&[(ROOM, people(&[1]))]).await.unwrap();
    server.freeze();
    let begun = Instant::now();
    node.renew().await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    server.thaw();
    assert!(node.renew().await.unwrap());
}

#[tokio::test]
async fn a_redis_that_refuses_is_out_of_reach() {
    let server = RedisServer::start();
    let node = node(server.address());
    server.command("ACL SETUSER default resetkeys").await;
    node.say(&[(ROOM, people(&[1]))]).await.unwrap_err();
    server.command("ACL SETUSER default ~pickmate:*").await;
    node.say(&[(ROOM, people(&[1]))]).await.unwrap();
}

#[tokio::test]
async fn words_that_nobody_understands_are_nobody() {
    let server = RedisServer::start();
    let node = node(server.address());
    server.command("SADD pickmate:{d1}:presence:nodes x").await;
    for said in ["sung", "[[1]]", "{}", ""] {
        server.command(&format!("HSET pickmate:{{d1}}:presence:node:x alive 1 1 {said}")).await;
        assert_eq!(found(&node, ROOM).await, people(&[]), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster_any_of_its_nodes_is_an_address() {
    let cluster = RedisCluster::start();
    let [one, other] = [0, 1].map(|primary| node(cluster.address_at(primary)));
    let said = async { one.say(&[(ROOM, people(&[1]))]).await.and(other.say(&[(ROOM, people(&[2]))]).await) };
    tokio::time::timeout(PATIENCE, said).await.unwrap().unwrap();
    assert_eq!(found(&other, ROOM).await, people(&[1]));
    assert_eq!(found(&one, ROOM).await, people(&[2]));
    assert!(one.renew().await.unwrap() && other.renew().await.unwrap());
    one.restate(&[]).await.unwrap();
    assert_eq!(found(&other, ROOM).await, people(&[]));
}
