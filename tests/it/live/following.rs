use super::refused;
use crate::app::TestApp;
use pickmate::domain::{Access, Seq};
use pickmate::protocol::{ErrorCode, ServerFrame};
use serde_json::json;

#[tokio::test]
async fn join_after_brings_what_was_missed_and_then_goes_on_live() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    for number in 0..450 {
        app.post(&room, &mina, &format!("k{number}"), "text").await;
    }
    let mut live = app.live(&mina).await;
    assert_eq!(live.join(&room, 10).await, 451);
    app.post(&room, &mina, "later", "text").await;
    assert_eq!(live.seqs_until(452).await, (11..=452).collect::<Vec<_>>());
}

#[tokio::test]
async fn catching_up_takes_steps_of_the_size_that_is_set() {
    let app = TestApp::spawn_with(|config| config.limits.catch_up_step_events = 3).await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    for number in 0..7 {
        app.post(&room, &mina, &format!("k{number}"), "text").await;
    }
    let mut live = app.live(&mina).await;
    live.join(&room, 1).await;
    for step in [3, 3, 1] {
        let ServerFrame::Events { list, .. } = live.frame().await else { panic!("no events") };
        assert_eq!(list.len(), step);
    }
}

#[tokio::test]
async fn join_without_after_begins_at_the_head() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    app.post(&room, &mina, "before", "text").await;
    let mut live = app.live(&mina).await;
    live.send_json(json!({"type": "join", "room": room})).await;
    assert!(matches!(live.frame().await, ServerFrame::Joined { head: Seq(2), .. }));
    app.post(&room, &mina, "after", "text").await;
    assert_eq!(live.seqs_until(3).await, [3]);
}

#[tokio::test]
async fn too_far_behind_is_a_gap_and_then_live() {
    let app = TestApp::spawn_with(|config| config.limits.catch_up_events = 5).await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    for number in 0..6 {
        app.post(&room, &mina, &format!("k{number}"), "text").await;
    }
    let mut live = app.live(&mina).await;
    live.join(&room, 1).await;
    assert!(matches!(live.frame().await, ServerFrame::Gap { head: Seq(7), .. }));
    app.post(&room, &mina, "later", "text").await;
    assert_eq!(live.seqs_until(8).await, [8]);
}

#[tokio::test]
async fn a_cursor_of_another_history_is_a_gap() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    for claim in [json!({"after": 1, "epoch": "another"}), json!({"after": 99})] {
        let mut live = app.live(&mina).await;
        let mut join = json!({"type": "join", "room": room});
        join.as_object_mut().unwrap().extend(claim.as_object().unwrap().clone());
        live.send_json(join).await;
        assert!(matches!(live.frame().await, ServerFrame::Joined { head: Seq(1), .. }));
        assert!(matches!(live.frame().await, ServerFrame::Gap { head: Seq(1), .. }));
    }
}

#[tokio::test]
async fn a_slow_reader_falls_behind_and_still_gets_everything_in_order() {
    let app = TestApp::spawn_with(|config| config.limits.queue_frames = 2).await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&mina).await;
    live.join(&room, 1).await;
    let body = "가".repeat(3_000);
    let mut last = 1;
    while app.state().metrics.catch_ups.get() == 0 {
        last = app.post(&room, &mina, &format!("k{last}"), &body).await;
    }
    assert_eq!(live.seqs_until(last).await, (2..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_closed_room_is_absent_to_others_and_leaving_it_revokes() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("secret", Access::Closed, &mina).await;
    let mut live = app.live(&joon).await;
    live.send_json(json!({"type": "join", "room": room})).await;
    assert_eq!(refused(&mut live).await.code, ErrorCode::NotFound);

    app.add(&room, &joon).await;
    assert_eq!(live.frame().await, ServerFrame::RoomsChanged);
    live.join(&room, 2).await;
    app.leave(&room, &joon).await;
    let mut told = Vec::new();
    while !told.contains(&ServerFrame::Revoked { room: room.to_string() }) {
        told.push(live.frame().await);
    }
    app.post(&room, &mina, "after", "not for joon").await;
    live.send(r#"{"type":"ping"}"#).await;
    let next = live.frame().await;
    assert!(matches!(next, ServerFrame::Pong | ServerFrame::RoomsChanged), "{next:?}");
}

#[tokio::test]
async fn what_was_read_on_one_connection_is_told_to_all_of_that_reader() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    let (mut phone, mut desk, mut other) =
        (app.live(&mina).await, app.live_by_cookie(&mina).await, app.live(&joon).await);
    phone.send_json(json!({"type": "read", "room": room, "seq": 99})).await;
    let read = ServerFrame::Read { room: room.to_string(), seq: Seq(1) };
    assert_eq!(desk.frame().await, read);
    assert_eq!(phone.frame().await, read);
    other.send(r#"{"type":"ping"}"#).await;
    assert_eq!(other.frame().await, ServerFrame::Pong);
}
