//! On the live socket.

use super::{Tally, World};
use crate::app::Live;
use futures_util::SinkExt;
use pickmate::protocol::{CloseCode, ErrorCode, ServerFrame};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message};

const POST: &str = r#"{"type":"post","room":"general","key":"k9","body":"a"}"#;

/// Every frame of `kind` is refused with `code`, and the connection lives.
async fn refused(world: &World, tally: &mut Tally, kind: &'static str, code: ErrorCode, frames: Vec<String>) {
    let mut live = world.app.live(&world.mina).await;
    for frame in frames {
        live.send(&frame).await;
        match live.frame().await {
            ServerFrame::Refused(refused) => assert_eq!(refused.code, code, "{kind}: {frame:.200}"),
            other => panic!("{kind}: {other:?} to {frame:.200}"),
        }
        tally.count(kind, format!("`refused` {}", code.as_str()));
    }
    lives(&mut live).await;
    world.is_untouched().await;
}

async fn lives(live: &mut Live) {
    live.send(r#"{"type":"ping"}"#).await;
    assert_eq!(live.frame().await, ServerFrame::Pong);
}

/// Every message of `kind` closes its connection with `code`, and no other one.
async fn closed(world: &World, tally: &mut Tally, kind: &'static str, code: CloseCode, messages: Vec<Message>) {
    let mut bystander = world.app.live(&world.mina).await;
    for message in messages {
        let mut live = world.app.live(&world.mina).await;
        live.socket.send(message).await.unwrap();
        live.is_closed_with(code).await;
        tally.count(kind, format!("close {}", code.code()));
    }
    lives(&mut bystander).await;
    world.is_untouched().await;
}

fn strings(frames: impl IntoIterator<Item = Value>) -> Vec<String> {
    frames.into_iter().map(|frame| frame.to_string()).collect()
}

/// Commands of every kind with these fields in place of their own.
fn commands_with(fields: &Value) -> Vec<Value> {
    let commands = [
        json!({"type": "post", "room": "general", "key": "k9", "body": "a"}),
        json!({"type": "edit", "room": "general", "key": "k9", "target": 4, "body": "a"}),
        json!({"type": "delete", "room": "general", "key": "k9", "target": 4}),
    ];
    let with = |mut command: Value| {
        command.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        command
    };
    commands.into_iter().map(with).collect()
}

#[tokio::test]
async fn what_is_not_json_closes_its_own_connection() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let cut = (0..POST.len()).map(|end| &POST[..end]);
    let noise = ["nul", "'ping'", "{\"type\":}", "{}{}", "\u{feff}{}", "NaN", "// {}", "{\"type\":\"ping\",}", "\0"];
    let texts: Vec<_> = cut.chain(noise).map(Message::text).collect();
    closed(&world, &mut tally, "a frame cut at each byte, or noise", CloseCode::NotJson, texts).await;
    let deep = "[".repeat(30_000);
    let nested = vec![Message::text(deep.clone()), Message::text(format!(r#"{{"type":"ping","x":{deep}}}"#))];
    closed(&world, &mut tally, "JSON nested 30,000 deep", CloseCode::NotJson, nested).await;
    let invalid = [&b"{\"type\":\"\xff\"}"[..], b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80"];
    let raw = |bytes: &'static [u8]| Frame::message(Bytes::from_static(bytes), OpCode::Data(Data::Text), true);
    let invalid = invalid.map(raw).map(Message::Frame).into();
    closed(&world, &mut tally, "text that is not UTF-8", CloseCode::NotJson, invalid).await;
}

#[tokio::test]
async fn frames_that_are_too_large_or_binary_close_their_own_connection() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let large = [64 * 1024 + 1, 128 * 1024, 255 * 1024].map(|size| Message::text(" ".repeat(size)));
    closed(&world, &mut tally, "a frame over the limit", CloseCode::FrameTooLarge, large.into()).await;
    let binary = [&b""[..], b"{}", POST.as_bytes(), &[0xff; 1_000]];
    let binary = binary.map(Bytes::from_static).map(Message::Binary).into();
    closed(&world, &mut tally, "a binary frame", CloseCode::Binary, binary).await;
}

#[tokio::test]
async fn json_of_another_shape_is_refused() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let mut frames = strings([json!([]), json!("post"), json!(1), Value::Null, json!({}), json!({"type": 1})]);
    for command in commands_with(&json!({})) {
        for name in command.as_object().unwrap().keys().filter(|name| *name != "type") {
            let mut without = command.clone();
            without.as_object_mut().unwrap().remove(name);
            frames.push(without.to_string());
            for value in [Value::Null, json!({}), json!([1]), json!(true), json!(1.5), json!(-1)] {
                let mut other = command.clone();
                other[name] = value;
                frames.push(other.to_string());
            }
        }
    }
    frames.extend(
        ["-1", "1.5", "1e30", "\"1\"", "18446744073709551616"]
            .map(|after| format!(r#"{{"type":"join","room":"general","after":{after}}}"#)),
    );
    refused(&world, &mut tally, "JSON of another shape", ErrorCode::BadRequest, frames).await;
    let unknown = ["", "POST", "post ", "vote", "hello", "ack", "\0"];
    let unknown = strings(unknown.map(|kind| json!({"type": kind, "key": "k9"})));
    refused(&world, &mut tally, "an unknown type", ErrorCode::UnknownType, unknown).await;
}

#[tokio::test]
async fn bad_keys_bodies_and_rooms_are_refused() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let keys = ["", " ", "a b", "키", "a/b", "a\n", "../a", "a\0", &"k".repeat(65)];
    let keys = keys.iter().flat_map(|key| commands_with(&json!({"key": key})));
    refused(&world, &mut tally, "a bad key", ErrorCode::BadKey, strings(keys)).await;
    let rooms = ["", "nowhere", "General", "../etc", "general/", "general\0", "🦊", "%67eneral", &"a".repeat(300)];
    let named = rooms.iter().flat_map(|room| commands_with(&json!({"room": room})));
    let joins = rooms.iter().map(|room| json!({"type": "join", "room": room}));
    refused(&world, &mut tally, "a room that is not there", ErrorCode::NotFound, strings(named.chain(joins))).await;
    let long = "가".repeat(16 * 1024 / 3 + 1);
    let bodies = [
        ("an empty body", ErrorCode::BodyEmpty, vec!["", " \n\t", "\u{3000}", "\u{200b}", "\u{feff}\u{2060}"]),
        ("a body over the limit", ErrorCode::BodyTooLong, vec![long.as_str()]),
        ("a control character", ErrorCode::ControlCharacter, vec!["a\0", "\u{1b}[2J", "a\u{7f}", "a\u{85}", "\rb"]),
    ];
    for (kind, code, bodies) in bodies {
        let with_body = bodies.iter().flat_map(|body| commands_with(&json!({"body": body})).into_iter().take(2));
        refused(&world, &mut tally, kind, code, strings(with_body)).await;
    }
}

#[tokio::test]
async fn changes_of_what_is_not_ones_own_message_are_refused() {
    let (world, mut tally) = (World::new().await, Tally::default());
    let targets = [
        ("no message there", ErrorCode::NotFound, vec![0, 1, 2, 6, 7, i64::MAX as u64, u64::MAX]),
        ("another's message", ErrorCode::Forbidden, vec![3]),
    ];
    for (kind, code, targets) in targets {
        let changes = targets.iter().flat_map(|target| commands_with(&json!({"target": target})).into_iter().skip(1));
        refused(&world, &mut tally, kind, code, strings(changes)).await;
    }
    let edit = commands_with(&json!({"target": 5})).into_iter().skip(1).take(1);
    refused(&world, &mut tally, "an edit of what is erased", ErrorCode::Erased, strings(edit)).await;
    let reused = commands_with(&json!({"key": "k1", "body": "another"}));
    refused(&world, &mut tally, "a key used for something else", ErrorCode::KeyReused, strings(reused)).await;
}
