//! The study note's endpoints.

use crate::app::{Live, PATIENCE, TestApp};
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error, Message};

/// The echo, after its greeting.
async fn chat(app: &TestApp) -> Live {
    let mut chat = app.socket("/ws/chat/", &[]).await.unwrap();
    assert_eq!(json_of(&mut chat).await, json!({"message": "연결 성공"}));
    chat
}

async fn json_of(chat: &mut Live) -> Value {
    serde_json::from_str(&chat.text().await).unwrap()
}

/// The status of a refused handshake.
async fn refused(app: &TestApp, path: &str) -> u16 {
    match *app.socket(path, &[]).await.err().expect("a refusal") {
        Error::Http(response) => response.status().as_u16(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn values_come_back_in_order_and_to_the_sender_only() {
    let app = TestApp::spawn().await;
    let (mut one, mut other) = (chat(&app).await, chat(&app).await);
    let values = [json!("안녕"), json!(null), json!([1, {"a": 2.5}]), json!(""), json!({"message": true})];
    for value in &values {
        one.send_json(json!({"message": value, "more": 1})).await;
    }
    other.send_json(json!({"message": "다른 사람"})).await;
    for value in &values {
        assert_eq!(json_of(&mut one).await, json!({"message": value}));
    }
    assert_eq!(json_of(&mut other).await, json!({"message": "다른 사람"}));
}

#[tokio::test]
async fn a_bad_frame_closes_its_own_connection_with_1011() {
    let app = TestApp::spawn().await;
    let mut bystander = chat(&app).await;
    for bad in [
        Message::text(""),
        Message::text("안녕"),
        Message::text("\u{feff}{\"message\":1}"),
        Message::text("{}"),
        Message::text("[1]"),
        Message::text(r#"{"message":NaN}"#),
        Message::binary(r#"{"message":1}"#),
        Message::binary(""),
    ] {
        let mut chat = chat(&app).await;
        chat.socket.send(bad.clone()).await.unwrap();
        match chat.message().await {
            Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), 1011, "{bad:?}"),
            other => panic!("{bad:?} is answered with {other:?}"),
        }
    }
    bystander.send_json(json!({"message": 1})).await;
    assert_eq!(json_of(&mut bystander).await, json!({"message": 1}));
}

#[tokio::test]
async fn numbers_that_no_type_holds_come_back_as_written() {
    let app = TestApp::spawn().await;
    let mut chat = chat(&app).await;
    for number in ["1e400", "-0.0", "340282366920938463463374607431768211457"] {
        chat.send(&format!(r#"{{"message": {number}}}"#)).await;
        assert_eq!(chat.text().await, format!(r#"{{"message": {number}}}"#));
    }
}

#[tokio::test]
async fn the_clients_close_code_and_reason_come_back() {
    let app = TestApp::spawn().await;
    for (code, reason) in [(1000, ""), (1001, "going"), (4321, "안녕히")] {
        let mut chat = chat(&app).await;
        let close = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        chat.socket.close(Some(close.clone())).await.unwrap();
        assert_eq!(chat.message().await, Message::Close(Some(close)));
    }
    let mut chat = chat(&app).await;
    chat.socket.close(None).await.unwrap();
    assert_eq!(chat.message().await, Message::Close(None));
}

#[tokio::test]
async fn pings_are_answered_between_fragments() {
    let app = TestApp::spawn().await;
    let mut chat = chat(&app).await;
    let part = |text: &str, opcode, last| Message::Frame(Frame::message(text.to_owned(), OpCode::Data(opcode), last));
    chat.socket.send(part(r#"{"mess"#, Data::Text, false)).await.unwrap();
    chat.socket.send(Message::Ping("p".into())).await.unwrap();
    chat.socket.send(part(r#"age":"#, Data::Continue, false)).await.unwrap();
    let pong = tokio::time::timeout(PATIENCE, chat.socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(pong, Message::Pong("p".into()));
    chat.socket.send(part("1}", Data::Continue, true)).await.unwrap();
    assert_eq!(json_of(&mut chat).await, json!({"message": 1}));
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let app = TestApp::spawn().await;
    let mut chat = chat(&app).await;
    let frame = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    chat.socket.send(Message::Frame(frame)).await.unwrap();
    assert_eq!(chat.close_code().await, 1007);
}

#[tokio::test]
async fn a_mebibyte_comes_back_and_more_than_the_setting_does_not() {
    let app = TestApp::spawn().await;
    let mut chat = chat(&app).await;
    let text = "x".repeat(1024 * 1024);
    chat.send_json(json!({"message": text})).await;
    assert_eq!(json_of(&mut chat).await, json!({"message": text}));

    // The node may hang up before all of it is written.
    let _ = chat.socket.send(Message::text("x".repeat(2 * 1024 * 1024 + 1))).await;
    assert_eq!(chat.close_code().await, 1009);
}

#[tokio::test]
async fn any_origin_may_come_and_no_subprotocol_is_answered() {
    let app = TestApp::spawn().await;
    for origin in ["https://elsewhere.example", "null"] {
        let mut chat = app.socket("/ws/chat/?room=1", &[("origin", origin)]).await.unwrap();
        assert_eq!(json_of(&mut chat).await, json!({"message": "연결 성공"}));
    }
    let offer = [("sec-websocket-protocol", "chat")];
    let error = *app.socket("/ws/chat/", &offer).await.err().expect("this client insists on its subprotocol");
    assert!(error.to_string().contains("subprotocol"), "{error}");
}

#[tokio::test]
async fn the_echo_has_one_spelling() {
    let app = TestApp::spawn().await;
    for path in ["/ws/chat", "/ws/chat//", "/ws/chat/x", "/WS/chat/", "/ws/Chat/", "/ws/", "/ws"] {
        assert!((400..600).contains(&refused(&app, path).await), "{path}");
    }
    assert!(app.socket("/ws/ch%61t/", &[]).await.is_ok(), "percent-encoded, it is the same path");
    let plain = reqwest::get(app.url("/ws/chat/")).await.unwrap();
    assert_eq!(plain.status(), StatusCode::NOT_FOUND);
    assert!(plain.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let half = reqwest::Client::new().get(app.url("/ws/chat/")).header("upgrade", "websocket");
    assert_eq!(half.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_address_has_a_bounded_number_of_echoes() {
    let app = TestApp::spawn_with(|config| config.limits.connections_per_address = 2).await;
    let (first, _second) = (chat(&app).await, chat(&app).await);
    assert_eq!(refused(&app, "/ws/chat/").await, 429);
    let mut first = first;
    first.socket.close(None).await.unwrap();
    while let Some(Ok(_)) = first.socket.next().await {}
    // The permit goes with the connection's task, which ends soon after the last byte.
    let freed = async { while app.socket("/ws/chat/", &[]).await.is_err() {} };
    tokio::time::timeout(PATIENCE, freed).await.unwrap();
}

#[tokio::test]
async fn a_stopping_node_says_so() {
    let mut app = TestApp::spawn().await;
    let mut chat = chat(&app).await;
    let (code, ()) = tokio::join!(chat.close_code(), app.stop());
    assert_eq!(code, 1012);
}

#[tokio::test]
async fn a_silent_echo_does_not_hold_a_stop() {
    let mut app = TestApp::spawn_with(|config| {
        config.limits.close_timeout_ms = 100;
        config.limits.shutdown_ms = 60_000;
    })
    .await;
    let _silent = chat(&app).await;
    tokio::time::timeout(PATIENCE, app.stop()).await.expect("the stop waits for nobody");
}

#[tokio::test]
async fn two_hundred_requests_wait_together() {
    let app = TestApp::spawn().await;
    let client = reqwest::Client::new();
    let begun = Instant::now();
    let requests = (0..200).map(|_| client.get(app.url("/async/?ms=500")).send());
    for response in futures_util::future::join_all(requests).await {
        let response = response.unwrap();
        assert_eq!(response.headers()["content-type"], "application/json");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"message": "비동기 작업 완료"}));
    }
    let took = begun.elapsed();
    assert!((Duration::from_millis(500)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn the_waiting_view_has_a_last_slash_and_a_sane_wait() {
    let app = TestApp::spawn().await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let moved = client.get(app.url("/async?ms=1")).send().await.unwrap();
    assert_eq!(moved.status(), StatusCode::MOVED_PERMANENTLY);
    assert_eq!(moved.headers()[LOCATION], "/async/?ms=1");
    for bad in ["x", "-1", "1.5"] {
        let answer = client.get(app.url(&format!("/async/?ms={bad}"))).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{bad}");
    }
}
