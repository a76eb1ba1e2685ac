use super::refused;
use crate::app::{PATIENCE, TestApp};
use pickmate::domain::Access;
use pickmate::protocol::{CloseCode, ErrorCode, ServerFrame};
use pickmate::server::clock::now_ms;
use pickmate::server::secret::hash_secret;
use pickmate::server::service::Actor;
use pickmate::server::ws::admit;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

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
            Message::Text(text) if text.contains("refused") => assert!(text.contains("retry_after_ms"), "{text}"),
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
    let refused = refused(&mut second).await;
    assert_eq!((refused.key, refused.room, refused.code), (None, None, ErrorCode::TooManyConnections));
    assert!(refused.retry_after_ms.is_some());
    second.is_closed_with(CloseCode::TooManyConnections).await;
    drop(first);
}

#[tokio::test]
async fn an_address_that_opens_sockets_too_fast_is_told_when_to_come_back() {
    let app = TestApp::spawn_with(|config| {
        config.limits.openings_burst = 2;
        config.limits.openings_per_minute = 1;
    })
    .await;
    let mina = app.owner("mina").await;
    for _ in 0..2 {
        app.live(&mina).await;
    }
    let reads = app.state().metrics.store_reads.get();
    let mut third = app.knock(&[("authorization", &format!("Bearer {}", mina.token))]).await.unwrap();
    let refused = refused(&mut third).await;
    assert_eq!((refused.key, refused.code), (None, ErrorCode::RateLimited));
    assert!(refused.retry_after_ms.unwrap() > 1_000);
    third.is_closed_with(CloseCode::TooManyConnections).await;
    assert_eq!(app.state().metrics.store_reads.get(), reads, "nothing is looked up for it");
}

#[tokio::test]
async fn a_socket_that_finds_no_store_is_told_to_come_back() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    app.store().close().await;
    let mut live = app.knock(&[("authorization", &format!("Bearer {}", mina.token))]).await.unwrap();
    let refused = refused(&mut live).await;
    assert_eq!((refused.code, refused.retry_after_ms.is_some()), (ErrorCode::Unavailable, true));
    live.is_closed_with(CloseCode::Internal).await;
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
    let denied = admit(app.state(), &actor, address).await.err().unwrap();
    assert_eq!((denied.close, denied.refused), (CloseCode::Unauthenticated, None));
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
