//! The live socket over real connections.

use crate::app::{Live, PATIENCE, TestApp};
use pickmate::domain::{Access, Seq};
use pickmate::protocol::{CloseCode, ErrorCode, EventKind, Refused, ServerFrame};
use pickmate::server::clock::now_ms;
use pickmate::server::secret::hash_secret;
use pickmate::server::service::Actor;
use pickmate::server::ws::admit;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

async fn refused(live: &mut Live) -> Refused {
    match live.frame().await {
        ServerFrame::Refused(refused) => refused,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_post_reaches_everybody_once_and_is_acked() {
    let app = TestApp::spawn().await;
    let (mina, joon) = (app.owner("민아").await, app.member("Joon").await);
    let room = app.room("general", Access::Open, &mina).await;
    let (mut sender, mut reader) = (app.live(&mina).await, app.live_by_cookie(&joon).await);
    assert_eq!(sender.join(&room, 1).await, 1);
    assert_eq!(reader.join(&room, 1).await, 1);
    sender.send_json(json!({"type": "post", "room": room, "key": "k1", "body": "안녕하세요"})).await;

    let mut acked = false;
    let mut seen = false;
    while !(acked && seen) {
        match sender.frame().await {
            ServerFrame::Ack { key, seq } => acked = key == "k1" && seq == Seq(2),
            ServerFrame::Events { list, .. } => seen = list.len() == 1 && list[0].seq == Seq(2),
            other => panic!("unexpected {other:?}"),
        }
    }
    let ServerFrame::Events { list, .. } = reader.frame().await else { panic!("no events") };
    assert!(matches!(&list[0].kind, EventKind::Posted { body: Some(body), .. } if body == "안녕하세요"));
}

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
async fn a_repeated_key_gets_the_first_ack_and_another_body_is_refused() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&mina).await;
    for _ in 0..2 {
        live.send_json(json!({"type": "post", "room": room, "key": "k1", "body": "one"})).await;
        assert_eq!(live.frame().await, ServerFrame::Ack { key: "k1".into(), seq: Seq(2) });
    }
    live.send_json(json!({"type": "post", "room": room, "key": "k1", "body": "two"})).await;
    let refused = refused(&mut live).await;
    assert_eq!((refused.key.as_deref(), refused.code), (Some("k1"), ErrorCode::KeyReused));
}

#[tokio::test]
async fn bad_posts_are_refused_by_code_and_the_connection_lives() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&mina).await;
    let long = "a".repeat(16 * 1024 + 1);
    let cases = [
        (json!({"type": "post", "room": room, "key": "k", "body": " \n"}), ErrorCode::BodyEmpty),
        (json!({"type": "post", "room": room, "key": "k", "body": long}), ErrorCode::BodyTooLong),
        (json!({"type": "post", "room": room, "key": "k", "body": "a\u{0}"}), ErrorCode::ControlCharacter),
        (json!({"type": "post", "room": room, "key": "a b", "body": "a"}), ErrorCode::BadKey),
        (json!({"type": "post", "room": "nowhere", "key": "k", "body": "a"}), ErrorCode::NotFound),
        (json!({"type": "post", "room": "../etc", "key": "k", "body": "a"}), ErrorCode::NotFound),
        (json!({"type": "post", "room": room, "key": "k"}), ErrorCode::BadRequest),
        (json!({"type": "dance", "key": "k"}), ErrorCode::UnknownType),
        (json!({"type": "join", "room": "nowhere"}), ErrorCode::NotFound),
        (json!([1, 2]), ErrorCode::BadRequest),
    ];
    for (frame, code) in cases {
        live.send_json(frame.clone()).await;
        assert_eq!(refused(&mut live).await.code, code, "{frame}");
    }
    live.send(r#"{"type":"ping"}"#).await;
    assert_eq!(live.frame().await, ServerFrame::Pong);
}

#[tokio::test]
async fn frames_that_cannot_be_understood_close_with_their_code() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let too_large = format!(r#"{{"type":"ping","pad":"{}"}}"#, "a".repeat(64 * 1024));
    let cases = [
        (Message::text("not json"), CloseCode::NotJson),
        (Message::text(too_large), CloseCode::FrameTooLarge),
        (Message::Binary(Bytes::from_static(b"{}")), CloseCode::Binary),
    ];
    for (message, code) in cases {
        let mut live = app.live(&mina).await;
        futures_util::SinkExt::send(&mut live.socket, message).await.unwrap();
        live.is_closed_with(code).await;
    }
}

#[tokio::test]
async fn a_close_by_the_client_is_answered() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let mut live = app.live(&mina).await;
    live.socket.close(Some(CloseFrame { code: 1000.into(), reason: "".into() })).await.unwrap();
    live.is_closed_with(CloseCode::Normal).await;
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_to_stay_away() {
    let app = TestApp::spawn().await;
    app.knock(&[]).await.unwrap().is_closed_with(CloseCode::Unauthenticated).await;
    let origin = app.url("");
    let mut live = app.knock(&[("cookie", "pickmate_session=made-up"), ("origin", &origin)]).await.unwrap();
    live.is_closed_with(CloseCode::Unauthenticated).await;
    let mut live = app.knock(&[("authorization", "Bearer made-up")]).await.unwrap();
    live.is_closed_with(CloseCode::Unauthenticated).await;
}

#[tokio::test]
async fn another_site_cannot_open_the_socket_with_a_readers_cookie() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    for origin in ["http://evil.example", "null"] {
        let knocked = app.knock(&[("cookie", &mina.cookie), ("origin", origin)]).await;
        let Err(error) = knocked else { panic!("{origin} was let in") };
        assert!(matches!(*error, Error::Http(response) if response.status() == 403));
    }
}

#[tokio::test]
async fn an_unknown_subprotocol_is_refused_and_ours_is_answered() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let bearer = format!("Bearer {}", mina.token);
    let knocked = app.knock(&[("authorization", &bearer), ("sec-websocket-protocol", "pickmate.v9")]).await;
    let Err(error) = knocked else { panic!("an unknown subprotocol was accepted") };
    assert!(matches!(*error, Error::Http(response) if response.status() == 400));
    assert!(app.knock(&[("authorization", &bearer), ("sec-websocket-protocol", "pickmate.v1")]).await.is_ok());
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
    let leave = pickmate::server::store::Command::Leave { room: room.clone(), member: joon.id };
    app.store().submit(leave).await.unwrap().outcome().await.unwrap();
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

#[tokio::test]
async fn a_stopping_node_says_so_and_loses_no_post() {
    let mut app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&mina).await;
    for number in 0..20 {
        live.send_json(json!({"type": "post", "room": room, "key": format!("k{number}"), "body": "text"})).await;
    }
    assert!(matches!(live.frame().await, ServerFrame::Ack { .. }));
    let stopping = tokio::spawn(async move {
        app.stop().await;
        app
    });
    let mut acked = 1;
    let code = loop {
        match live.message().await {
            Message::Text(text) if text.contains(r#""ack""#) => acked += 1,
            Message::Text(text) => assert!(text.contains("draining"), "{text}"),
            Message::Close(frame) => break frame.map(|frame| u16::from(frame.code)),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, Some(CloseCode::Restarting.code()));
    let mut app = tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap();
    app.restart().await;
    let mut live = app.live(&mina).await;
    assert!(live.join(&room, 0).await > acked, "every acked post is in the log");
}

#[tokio::test]
async fn connections_per_user_are_capped() {
    let app = TestApp::spawn_with(|config| config.limits.connections_per_user = 1).await;
    let mina = app.owner("mina").await;
    let first = app.live(&mina).await;
    let mut second = app.knock(&[("authorization", &format!("Bearer {}", mina.token))]).await.unwrap();
    second.is_closed_with(CloseCode::TooManyConnections).await;
    drop(first);
}

#[tokio::test]
async fn a_session_that_ended_before_the_hub_knew_the_connection_is_refused() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let session = hash_secret(mina.session());
    let user = app.store().session(&session, now_ms(), now_ms()).await.unwrap().unwrap();
    let (actor, address) = (Actor::new(user, Some(session)), [127, 0, 0, 1].into());
    assert!(admit(app.state(), &actor, address).await.is_ok());
    app.store().end_session(&session).await.unwrap();
    assert_eq!(admit(app.state(), &actor, address).await.err(), Some(CloseCode::Unauthenticated));
    assert_eq!(app.state().hub.connections(), 0);
}

#[tokio::test]
async fn a_session_that_ends_without_a_notice_loses_its_socket() {
    let app = TestApp::spawn_with(|config| config.limits.session_check_ms = 100).await;
    let mina = app.owner("mina").await;
    let mut live = app.live_by_cookie(&mina).await;
    app.store().end_session(&hash_secret(mina.session())).await.unwrap();
    live.is_closed_with(CloseCode::Unauthenticated).await;
}

#[tokio::test]
async fn who_is_refused_and_spoke_first_hears_why_and_is_waited_for() {
    let app = TestApp::spawn_with(|config| config.limits.close_timeout_ms = 60_000).await;
    let mut live = app.knock(&[]).await.unwrap();
    for _ in 0..50 {
        let pad = "a".repeat(60_000);
        live.send_json(json!({"type": "join", "room": "general", "pad": pad})).await;
    }
    live.is_closed_with(CloseCode::Unauthenticated).await;
}

#[tokio::test]
async fn a_refused_socket_does_not_hold_a_stop() {
    let mut app = TestApp::spawn_with(|config| {
        config.limits.close_timeout_ms = 100;
        config.limits.shutdown_ms = 60_000;
    })
    .await;
    let _silent = app.knock(&[]).await.unwrap();
    tokio::time::timeout(PATIENCE, app.stop()).await.expect("the stop waits for nobody");
}

#[tokio::test]
async fn a_connection_joins_so_many_rooms_and_a_left_one_makes_space() {
    let app = TestApp::spawn_with(|config| config.limits.rooms_per_connection = 1).await;
    let mina = app.owner("mina").await;
    let (one, two) = (app.room("one", Access::Open, &mina).await, app.room("two", Access::Open, &mina).await);
    let mut live = app.live(&mina).await;
    live.join(&one, 1).await;
    live.send_json(json!({"type": "join", "room": two})).await;
    let refused = refused(&mut live).await;
    assert_eq!((refused.room.as_deref(), refused.code), (Some("two"), ErrorCode::TooManyRooms));
    live.join(&one, 1).await;
    live.send_json(json!({"type": "leave", "room": one})).await;
    live.join(&two, 1).await;
}

#[tokio::test]
async fn who_takes_nothing_is_given_up_with_4409() {
    let app = TestApp::spawn_with(|config| {
        config.limits.write_timeout_ms = 100;
        config.limits.close_timeout_ms = 60_000;
    })
    .await;
    let mina = app.owner("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let mut live = app.live(&mina).await;
    live.join(&room, 1).await;
    let body = "가".repeat(5_000);
    let stalled = async {
        let mut last = 1;
        while app.state().metrics.stalled.get() == 0 {
            last = app.post(&room, &mina, &format!("k{last}"), &body).await;
        }
    };
    tokio::time::timeout(PATIENCE * 3, stalled).await.expect("the server gives up");
    live.is_closed_with(CloseCode::Stalled).await;
}

#[tokio::test]
async fn who_says_nothing_and_answers_no_ping_is_given_up_with_4408() {
    let app = TestApp::spawn_with(|config| {
        config.limits.silence_ms = 100;
        config.limits.close_timeout_ms = 100;
    })
    .await;
    let mina = app.owner("mina").await;
    let mut socket = TcpStream::connect(app.addr()).await.unwrap();
    let upgrade = format!(
        "GET /live HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {}\r\n\r\n",
        mina.token
    );
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    tokio::time::timeout(PATIENCE, socket.read_to_end(&mut heard)).await.unwrap().unwrap();
    let code = CloseCode::Silent.code().to_be_bytes();
    assert!(heard.ends_with(&[0x88, 2, code[0], code[1]]), "{}", String::from_utf8_lossy(&heard));
}
