//! Two nodes that work on one database and share a Redis.

use crate::app::{Person, TestApp};
use crate::channel_layer_contract::until;
use crate::postgres::Database;
use crate::redis_server::RedisServer;
use pickmate::domain::{Access, Slug, UserId};
use pickmate::protocol::{Author, ServerFrame};
use pickmate::server::channel_layer::Reach;
use pickmate::server::config::Config;
use pickmate::server::store::postgres::Address;
use reqwest::StatusCode;
use serde_json::{Value, json};

struct Nodes {
    one: TestApp,
    other: TestApp,
    mina: Person,
    room: Slug,
}

impl Nodes {
    /// On a Postgres database, or else on a file.
    async fn on(server: &RedisServer, database: Option<Address>) -> Nodes {
        let shared = |config: &mut Config| {
            config.redis = Some(server.address());
            config.database = database;
        };
        let one = TestApp::spawn_with(shared).await;
        let other = one.another_node().await;
        let mina = one.owner("mina").await;
        let room = one.room("general", Access::Open, &mina).await;
        let nodes = Nodes { one, other, mina, room };
        nodes.reach(Reach::Whole).await;
        nodes
    }

    async fn reach(&self, reach: Reach) {
        for node in [&self.one, &self.other] {
            until(|| node.state().hub.reach() == reach).await;
        }
    }
}

async fn ready(node: &TestApp) -> (StatusCode, Value) {
    let answer = node.browser().get(node.url("/readyz")).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_on_two_nodes_talk_whatever_happens_to_redis() {
    talk(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_people_on_two_nodes_talk_whatever_happens_to_redis() {
    let database = Database::new();
    talk(Some(database.address().await)).await;
}

async fn talk(database: Option<Address>) {
    let mut server = RedisServer::start();
    let mut nodes = Nodes::on(&server, database).await;
    let (mut here, mut there) = (nodes.one.live(&nodes.mina).await, nodes.other.live(&nodes.mina).await);
    let head = here.join(&nodes.room, 0).await;
    there.join(&nodes.room, 0).await;
    assert_eq!(ready(&nodes.one).await, (StatusCode::OK, json!({"store": "ok", "channel_layer": "ok", "queue": "ok"})));

    nodes.one.post(&nodes.room, &nodes.mina, "k1", "both ways").await;
    nodes.other.post(&nodes.room, &nodes.mina, "k2", "both ways").await;
    for live in [&mut here, &mut there] {
        assert_eq!(live.seqs_until(head + 2).await, (1..=head + 2).collect::<Vec<_>>());
    }

    server.kill();
    nodes.reach(Reach::Cut).await;
    let said = (StatusCode::OK, json!({"store": "ok", "channel_layer": "unreachable", "queue": "ok"}));
    assert_eq!(ready(&nodes.one).await, said, "posts are taken");
    nodes.one.post(&nodes.room, &nodes.mina, "k3", "without Redis").await;
    for live in [&mut here, &mut there] {
        assert_eq!(live.seqs_until(head + 3).await, [head + 3]);
    }

    server.start_again();
    nodes.reach(Reach::Whole).await;
    nodes.other.post(&nodes.room, &nodes.mina, "k4", "with Redis").await;
    for live in [&mut here, &mut there] {
        assert_eq!(live.seqs_until(head + 4).await, [head + 4]);
    }
    let text = nodes.one.browser().get(nodes.one.url("/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("\npickmate_channel_layer_connected 1\n"), "{text}");
    for node in [&mut nodes.one, &mut nodes.other] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_another_node_it_is_told_who_is_typing() {
    let server = RedisServer::start();
    let nodes = Nodes::on(&server, None).await;
    let joon = nodes.one.member("joon").await;
    let (mut here, mut there) = (nodes.one.live(&nodes.mina).await, nodes.other.live(&joon).await);
    let head = here.join(&nodes.room, 0).await;
    assert_eq!(here.seqs_until(head).await, [1]);
    there.join(&nodes.room, head).await;
    here.send_json(json!({"type": "typing", "room": nodes.room})).await;
    let mina = Author { id: nodes.mina.id.0, name: "mina".into() };
    assert_eq!(there.frame().await, ServerFrame::Typing { room: nodes.room.to_string(), user: mina });
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_on_two_nodes_has_no_more_than_on_one() {
    let server = RedisServer::start();
    let one = TestApp::spawn_with(|config| {
        config.redis = Some(server.address());
        (config.limits.posts_burst, config.limits.posts_per_minute) = (5, 1);
    })
    .await;
    let other = one.another_node().await;
    let limits = [&one, &other].map(|node| node.state().rate_limits.clone());
    for node in [&one, &other] {
        until(|| node.state().hub.reach() == Reach::Whole).await;
    }
    let mina = UserId(1);
    for limits in &limits {
        // Before the other one has heard of all of it.
        while limits.post(mina).is_ok() {}
    }
    for limits in &limits {
        // As much is owed as was taken on both together.
        let wait = || limits.post(mina).unwrap_err().retry_after_ms().unwrap();
        until(|| wait() > 60_000).await;
    }
    limits[0].post(UserId(2)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_the_database_is_the_same_on_every_node() {
    let app = TestApp::spawn().await;
    let other = app.another_node().await;
    let id = app.store().database_id();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(other.store().database_id(), id);
    assert_ne!(TestApp::spawn().await.store().database_id(), id);
}
