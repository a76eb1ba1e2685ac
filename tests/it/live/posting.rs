use super::refused;
use crate::app::TestApp;
use pickmate::domain::{Access, Seq};
use pickmate::protocol::{ErrorCode, EventKind, ServerFrame};
use serde_json::json;

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
