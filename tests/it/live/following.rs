use super::refused;
use crate::app::{Live, TestApp};
use pickmate::domain::{Access, Seq, Slug};
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

/// A node on which read positions are gathered for so long, and a member who has ten posts to read, up to seq 12, on
/// two connections.
async fn reader(read_mark_every_ms: u64) -> (TestApp, Slug, [Live; 2]) {
    let app = TestApp::spawn_with(|config| config.limits.read_mark_every_ms = read_mark_every_ms).await;
    let (mina, joon) = (app.owner("mina").await, app.member("joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.add(&room, &joon).await;
    for n in 3..=12 {
        app.post(&room, &mina, &format!("k{n}"), "hello").await;
    }
    let connections = [app.live(&joon).await, app.live_by_cookie(&joon).await];
    (app, room, connections)
}

async fn read(live: &mut Live, room: &Slug, seqs: impl IntoIterator<Item = u64>) {
    for seq in seqs {
        live.send_json(json!({"type": "read", "room": room, "seq": seq})).await;
    }
}

fn told(room: &Slug, seq: u64) -> ServerFrame {
    ServerFrame::Read { room: room.to_string(), seq: Seq(seq) }
}

#[tokio::test]
async fn what_was_read_on_one_connection_is_told_to_all_of_that_reader() {
    let (app, room, [mut phone, mut desk]) = reader(2_000).await;
    let mut other = app.live(&app.member("seo").await).await;
    read(&mut phone, &room, [99]).await;
    assert_eq!(desk.frame().await, told(&room, 12));
    assert_eq!(phone.frame().await, told(&room, 12));
    other.send(r#"{"type":"ping"}"#).await;
    assert_eq!(other.frame().await, ServerFrame::Pong);
}

#[tokio::test]
async fn of_what_is_read_quickly_the_first_and_the_furthest_count() {
    let (_app, room, [mut phone, mut desk]) = reader(500).await;
    read(&mut phone, &room, (3..=11).chain([7])).await;
    assert_eq!(desk.frame().await, told(&room, 3), "at once");
    assert_eq!(desk.frame().await, told(&room, 11), "not what was said last");
    read(&mut desk, &room, [5, 11]).await;
    read(&mut phone, &room, [12]).await;
    assert_eq!(desk.frame().await, told(&room, 12), "what does not move is not told");
}

#[tokio::test]
async fn what_was_read_last_is_kept_when_a_connection_or_the_node_ends() {
    let (mut app, room, [mut phone, mut desk]) = reader(600_000).await;
    read(&mut phone, &room, [3, 6]).await;
    assert_eq!(desk.frame().await, told(&room, 3));
    drop(phone);
    assert_eq!(desk.frame().await, told(&room, 6));
    read(&mut desk, &room, [9]).await;
    desk.send(r#"{"type":"ping"}"#).await;
    assert_eq!(desk.frame().await, ServerFrame::Pong);
    app.restart().await;
    let joon = app.store().user_by_name("joon").await.unwrap().unwrap().id;
    let place = app.store().read_place(&room, joon).await.unwrap().unwrap();
    assert_eq!(place.read, Some(Seq(9)));
}
