//! Who is shown to whom: on one node, and on two with a Redis between them.

use crate::app::{Live, Person, TestApp};
use crate::channel_layer_contract::until;
use crate::redis_server::RedisServer;
use pickmate::domain::{Access, Slug};
use pickmate::protocol::ServerFrame;
use pickmate::server::channel_layer::Reach;
use pickmate::server::config::Config;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Somebody who looks at a room.
struct Watcher {
    live: Live,
    sees: BTreeSet<String>,
    count: Option<u32>,
    /// Names of those who left, in order.
    left: Vec<String>,
}

impl Watcher {
    async fn of(app: &TestApp, person: &Person, room: &Slug) -> Watcher {
        let mut live = app.live(person).await;
        live.join(room, 0).await;
        let mut watcher = Watcher { live, sees: BTreeSet::new(), count: None, left: Vec::new() };
        assert!(watcher.look().await, "the first word is about everybody");
        watcher
    }

    /// The next frame about presence. Whether it was about everybody.
    async fn look(&mut self) -> bool {
        loop {
            let ServerFrame::Presence { present, came, left, count, .. } = self.live.any_frame().await else {
                continue;
            };
            let whole = present.is_some() || count.is_some();
            if let Some(present) = present {
                (self.sees, self.count) = (present.into_iter().map(|author| author.name).collect(), None);
            }
            if count.is_some() {
                (self.sees, self.count) = (BTreeSet::new(), count);
            }
            came.into_iter().for_each(|author| assert!(self.sees.insert(author.name)));
            for author in left {
                assert!(self.sees.remove(&author.name));
                self.left.push(author.name);
            }
            return whole;
        }
    }

    async fn sees(&mut self, names: &[&str]) {
        let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
        while self.sees != names {
            self.look().await;
        }
    }

    async fn counts(&mut self, count: u32) {
        while self.count != Some(count) {
            self.look().await;
        }
    }
}

fn quick(config: &mut Config) {
    config.limits.presence_gather_ms = 10;
    config.limits.presence_grace_ms = 10;
    config.limits.presence_count_ms = 100;
    config.limits.presence_expiry_ms = 600;
}

#[tokio::test]
async fn members_see_who_is_there_and_who_comes_and_goes() {
    let app = TestApp::spawn_with(quick).await;
    let (mina, joon, seo) = (app.owner("mina").await, app.member("joon").await, app.member("seo").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.add(&room, &joon).await;
    let mut here = Watcher::of(&app, &mina, &room).await;
    here.sees(&["mina"]).await;
    let mut there = Watcher::of(&app, &joon, &room).await;
    let twice = Watcher::of(&app, &joon, &room).await;
    here.sees(&["joon", "mina"]).await;
    there.sees(&["joon", "mina"]).await;

    let mut visitor = Watcher::of(&app, &seo, &room).await;
    visitor.sees(&["joon", "mina"]).await;
    app.add(&room, &seo).await;
    for watcher in [&mut here, &mut there, &mut visitor] {
        watcher.sees(&["joon", "mina", "seo"]).await;
    }
    app.leave(&room, &seo).await;
    here.sees(&["joon", "mina"]).await;

    drop(twice);
    drop(there);
    here.sees(&["mina"]).await;
    assert_eq!(here.left, ["seo", "joon"]);
}

#[tokio::test]
async fn a_reload_is_no_leaving() {
    let app = TestApp::spawn_with(|config| {
        quick(config);
        config.limits.presence_grace_ms = 60_000;
    })
    .await;
    let (mina, joon, seo) = (app.owner("mina").await, app.member("joon").await, app.member("seo").await);
    let room = app.room("general", Access::Open, &mina).await;
    for person in [&joon, &seo] {
        app.add(&room, person).await;
    }
    let mut here = Watcher::of(&app, &mina, &room).await;
    let there = Watcher::of(&app, &joon, &room).await;
    here.sees(&["joon", "mina"]).await;
    drop(there);
    until(|| app.state().hub.connections() == 1).await;
    let _again = Watcher::of(&app, &joon, &room).await;
    let _other = Watcher::of(&app, &seo, &room).await;
    here.sees(&["joon", "mina", "seo"]).await;
    assert!(here.left.is_empty());
}

#[tokio::test]
async fn of_many_only_the_number_is_told() {
    let app = TestApp::spawn_with(|config| {
        quick(config);
        config.limits.people_named = 1;
    })
    .await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.add(&room, &joon).await;
    let mut here = Watcher::of(&app, &mina, &room).await;
    here.sees(&["mina"]).await;
    let mut there = Watcher::of(&app, &joon, &room).await;
    here.counts(2).await;
    there.counts(2).await;
    drop(there);
    here.sees(&["mina"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_two_nodes_everybody_is_seen_whatever_happens_to_redis() {
    let mut server = RedisServer::start();
    let one = TestApp::spawn_with(|config| {
        quick(config);
        config.redis = Some(server.address());
    })
    .await;
    let mut other = one.another_node().await;
    let reach = async |other: &TestApp, reach| {
        for node in [&one, other] {
            until(|| node.state().hub.reach() == reach).await;
        }
    };
    let (mina, joon) = (one.owner("mina").await, one.member("joon").await);
    let room = one.room("general", Access::Open, &mina).await;
    one.add(&room, &joon).await;
    reach(&other, Reach::Whole).await;
    let (mut here, mut there) = (Watcher::of(&one, &mina, &room).await, Watcher::of(&other, &joon, &room).await);
    here.sees(&["joon", "mina"]).await;
    there.sees(&["joon", "mina"]).await;

    server.kill();
    here.sees(&["mina"]).await;
    there.sees(&["joon"]).await;
    server.start_again();
    here.sees(&["joon", "mina"]).await;
    there.sees(&["joon", "mina"]).await;

    // Whoever moves to the other node was not away: what a stopped node said stands for a while.
    here.left.clear();
    other.stop().await;
    let there = Watcher::of(&one, &joon, &room).await;
    assert!(there.sees.contains("joon"));
    drop(there);
    here.sees(&["mina"]).await;
    assert_eq!(here.left, ["joon"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_node_that_is_gone_are_gone_when_it_expires() {
    let server = RedisServer::start();
    let one = TestApp::spawn_with(|config| {
        quick(config);
        config.redis = Some(server.address());
    })
    .await;
    let mut other = one.another_node().await;
    let (mina, joon) = (one.owner("mina").await, one.member("joon").await);
    let room = one.room("general", Access::Open, &mina).await;
    one.add(&room, &joon).await;
    let mut here = Watcher::of(&one, &mina, &room).await;
    let _there = Watcher::of(&other, &joon, &room).await;
    here.sees(&["joon", "mina"]).await;
    other.stop().await;
    here.sees(&["mina"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_forgot_is_said_again_with_the_next_word() {
    let server = RedisServer::start();
    let one = TestApp::spawn_with(|config| {
        quick(config);
        // Nothing is said again by the clock.
        config.limits.presence_expiry_ms = 600_000;
        config.redis = Some(server.address());
    })
    .await;
    let other = one.another_node().await;
    let (mina, joon) = (one.owner("mina").await, one.member("joon").await);
    let (general, lunch) =
        (one.room("general", Access::Open, &mina).await, one.room("lunch", Access::Open, &mina).await);
    for room in [&general, &lunch] {
        one.add(room, &joon).await;
    }
    let (mut here, mut at_lunch) = (Watcher::of(&one, &mina, &general).await, Watcher::of(&one, &mina, &lunch).await);
    let mut there = other.live(&joon).await;
    there.join(&general, 0).await;
    here.sees(&["joon", "mina"]).await;
    server.command("FLUSHALL SYNC").await;
    let mut also = other.live(&joon).await;
    also.join(&lunch, 0).await;
    at_lunch.sees(&["joon", "mina"]).await;
    let id = one.store().room_head(&general, mina.id).await.unwrap().unwrap().id;
    let elsewhere = one.state().presence.elsewhere(&[id]).await.unwrap().remove(0);
    assert!(elsewhere.contains_key(&joon.id), "also of the room that the last word was not about");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_refuses_presence_alone_is_no_secret() {
    let server = RedisServer::start();
    let app = TestApp::spawn_with(|config| {
        quick(config);
        config.limits.presence_expiry_ms = 300;
        config.redis = Some(server.address());
    })
    .await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let _here = Watcher::of(&app, &mina, &room).await;
    let shown = || app.state().metrics.presence_connected.get();
    until(|| app.state().hub.reach() == Reach::Whole).await;
    assert_eq!(shown(), 1);
    // What says that the node is there is answered all the same.
    server.command("ACL SETUSER default -hset").await;
    server.command("FLUSHALL SYNC").await;
    until(|| shown() == 0).await;
    let later = Instant::now() + Duration::from_secs(1);
    while Instant::now() < later {
        assert_eq!(shown(), 0, "for good");
        tokio::task::yield_now().await;
    }
    assert_eq!(app.state().hub.reach(), Reach::Whole);
    server.command("ACL SETUSER default +hset").await;
    until(|| shown() == 1).await;
}
