//! Many sockets that come at once cost the store reads by rooms, not by sockets.

use crate::app::{Live, Person, TestApp};
use futures_util::future::join_all;
use pickmate::domain::{Access, Slug};
use pickmate::protocol::ServerFrame;
use pickmate::server::metrics::StoreRead;
use serde_json::json;

const CROWD: usize = 100;

/// A room with ten posts.
async fn room(app: &TestApp, slug: &str, mina: &Person) -> Slug {
    let room = app.room(slug, Access::Open, mina).await;
    for number in 0..10 {
        app.post(&room, mina, &format!("k{number}"), "text").await;
    }
    room
}

async fn crowd(app: &TestApp, person: &Person) -> Vec<Live> {
    join_all((0..CROWD).map(|_| app.live(person))).await
}

fn in_crowds(config: &mut pickmate::server::config::Config) {
    config.no_rate_limit = true;
}

#[tokio::test]
async fn a_crowd_that_joins_a_room_reads_its_log_once() {
    let app = TestApp::spawn_with(in_crowds).await;
    let mina = app.owner("mina").await;
    let room = room(&app, "general", &mina).await;
    let mut crowd = crowd(&app, &mina).await;
    join_all(crowd.iter_mut().map(async |live| {
        assert_eq!(live.join(&room, 1).await, 11);
        assert_eq!(live.seqs_until(11).await, (2..=11).collect::<Vec<_>>());
    }))
    .await;
    let metrics = &app.state().metrics;
    assert_eq!([StoreRead::Tail, StoreRead::Stretch, StoreRead::Head].map(|what| metrics.reads(what)), [1, 0, 0]);

    // What is posted from here on is in the ring when it is in the log.
    app.post(&room, &mina, "later", "text").await;
    let mut late = app.live(&mina).await;
    assert_eq!(late.join(&room, 11).await, 12);
    assert_eq!(late.seqs_until(12).await, [12]);
    assert_eq!(metrics.reads(StoreRead::Tail), 1);
}

#[tokio::test]
async fn a_crowd_that_is_further_behind_than_the_ring_shares_its_reads() {
    let app = TestApp::spawn_with(|config| {
        in_crowds(config);
        config.limits.ring_room_bytes = 4_096;
    })
    .await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    for number in 0..10 {
        app.post(&room, &mina, &format!("k{number}"), &"a".repeat(1_000)).await;
    }
    let mut crowd = crowd(&app, &mina).await;
    join_all(crowd.iter_mut().map(async |live| {
        live.join(&room, 1).await;
        assert_eq!(live.seqs_until(11).await, (2..=11).collect::<Vec<_>>());
    }))
    .await;
    assert!(app.state().metrics.reads(StoreRead::Stretch) < CROWD as u64 / 2);
}

#[tokio::test]
async fn a_cursor_beyond_what_is_remembered_is_asked_of_the_store() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = room(&app, "general", &mina).await;
    let mut live = app.live(&mina).await;
    for _ in 0..2 {
        live.send_json(json!({"type": "join", "room": room, "after": 99})).await;
        assert!(matches!(live.frame().await, ServerFrame::Joined { .. }));
        assert!(matches!(live.frame().await, ServerFrame::Gap { .. }));
    }
    assert_eq!(app.state().metrics.reads(StoreRead::Tail), 1);
    assert_eq!(app.state().metrics.reads(StoreRead::Head), 2);
}

#[tokio::test]
async fn what_another_process_posted_is_in_no_ring_that_forgot_it() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = room(&app, "general", &mina).await;
    let mut live = app.live(&mina).await;
    assert_eq!(live.join(&room, 11).await, 11);
    app.post_from_another_process(&room, &mina, "abroad", "from afar").await;
    assert_eq!(live.seqs_until(12).await, [12]);
    let mut late = app.live(&mina).await;
    assert_eq!(late.join(&room, 11).await, 12);
    assert_eq!(late.seqs_until(12).await, [12]);
}
