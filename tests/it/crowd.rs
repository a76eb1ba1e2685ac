//! Many sockets that come at once cost the store reads by rooms, not by sockets.

use crate::app::{Live, Person, TestApp};
use futures_util::future::join_all;
use pickmate::domain::{Access, Slug};
use pickmate::protocol::{CloseCode, ErrorCode, ServerFrame};
use pickmate::server::metrics::StoreRead;
use pickmate::server::secret::hash_secret;
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

/// Why a join is refused. What else is told meanwhile, as of the list of rooms, is another matter.
async fn refusal(live: &mut Live) -> ErrorCode {
    loop {
        match live.frame().await {
            ServerFrame::Refused(refused) => return refused.code,
            ServerFrame::Joined { .. } => panic!("let in"),
            _ => {}
        }
    }
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
    assert!(metrics.reads(StoreRead::Rooms) <= 2, "{}", metrics.reads(StoreRead::Rooms));
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

#[tokio::test]
async fn who_left_a_closed_room_is_not_let_in_from_memory() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("secret", Access::Closed, &mina).await;
    app.add(&room, &joon).await;
    let mut live = app.live(&joon).await;
    live.join(&room, 2).await;
    live.send_json(json!({"type": "leave", "room": room})).await;
    app.leave(&room, &joon).await;
    live.send_json(json!({"type": "join", "room": room})).await;
    assert_eq!(refusal(&mut live).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_room_that_closes_is_closed_to_those_who_come_after() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&joon).await;
    live.join(&room, 1).await;
    app.set_access(&room, &mina, Access::Closed).await;
    let mut late = app.live(&joon).await;
    late.send_json(json!({"type": "join", "room": room})).await;
    assert_eq!(refusal(&mut late).await, ErrorCode::NotFound);
}

#[tokio::test]
async fn who_was_let_in_by_another_process_is_let_in_at_once() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("secret", Access::Closed, &mina).await;
    app.live(&mina).await.join(&room, 1).await;
    app.add_from_another_process(&room, &joon).await;
    app.live(&joon).await.join(&room, 1).await;
}

#[tokio::test]
async fn a_session_that_ended_is_remembered_nowhere() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let _first = app.live_by_cookie(&mina).await;
    let reads = app.state().metrics.reads(StoreRead::Sessions);
    let _second = app.live_by_cookie(&mina).await;
    assert_eq!(app.state().metrics.reads(StoreRead::Sessions), reads, "it is remembered");
    app.store().end_session(&hash_secret(mina.session())).await.unwrap();
    let origin = app.url("");
    let mut third = app.knock(&[("cookie", &mina.cookie), ("origin", &origin)]).await.unwrap();
    third.is_closed_with(CloseCode::Unauthenticated).await;
}

/// What a crowd reads of the store when it comes back: by rooms and by people, not by sockets.
const READS_OF_A_COMEBACK: u64 = 60;

#[tokio::test]
async fn a_crowd_comes_back_after_a_restart_and_gets_what_was_posted_meanwhile() {
    let mut app = TestApp::spawn_with(in_crowds).await;
    let mina = app.owner("mina").await;
    let rooms = [room(&app, "one", &mina).await, room(&app, "two", &mina).await, room(&app, "three", &mina).await];
    let mut crowd = join_all((0..3).map(|_| self::crowd(&app, &mina))).await.into_iter().flatten().collect::<Vec<_>>();
    join_all(crowd.iter_mut().map(async |live| {
        for room in &rooms {
            live.join(room, 11).await;
        }
    }))
    .await;

    let stopping = async {
        app.stop().await;
    };
    let told = join_all(crowd.iter_mut().map(async |live| {
        let ServerFrame::Draining { retry_after_ms } = live.frame().await else { panic!("not draining") };
        live.is_closed_with(CloseCode::Restarting).await;
        retry_after_ms
    }));
    let ((), told) = futures_util::join!(stopping, told);
    let (first, last) = (*told.iter().min().unwrap(), *told.iter().max().unwrap());
    assert!(first >= 1_000 && last <= 1_300 && first < last, "300 sockets at 1,000 a second: {first} to {last}");

    app.restart().await;
    for room in &rooms {
        app.post(room, &mina, "meanwhile", "text").await;
    }
    let before = app.state().metrics.store_reads.get();
    let mut crowd = join_all((0..3).map(|_| self::crowd(&app, &mina))).await.into_iter().flatten().collect::<Vec<_>>();
    join_all(crowd.iter_mut().map(async |live| {
        for room in &rooms {
            assert_eq!(live.join(room, 11).await, 12);
            assert_eq!(live.seqs_until(12).await, [12]);
        }
    }))
    .await;
    let metrics = &app.state().metrics;
    assert_eq!(metrics.reads(StoreRead::Tail), rooms.len() as u64);
    assert!(metrics.store_reads.get() - before < READS_OF_A_COMEBACK, "{}", metrics.store_reads.get() - before);
}
