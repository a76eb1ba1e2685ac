//! Clients that break every rule, and what the server makes of each. Nothing they send may end the
//! server or leave an event; the oracle sees the latter.

use crate::client::Client;
use anyhow::Result;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use pickmate::protocol::ServerFrame;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Who is silent for so long has not been answered.
const PATIENCE: Duration = Duration::from_millis(1_500);

enum Input {
    /// A sound frame with a text that is not.
    Text(String),
    /// Bytes of no sound frame.
    Frame(Vec<u8>),
    /// Bytes instead of a request.
    Request(Vec<u8>),
    /// A sound request with a body that is not.
    Body(String),
}

/// A kind of input and what came of it.
pub struct Outcome {
    pub kind: &'static str,
    pub result: String,
}

/// Sends one of each kind.
pub async fn all_kinds(client: &Client) -> Vec<Outcome> {
    let sent = kinds(client).into_iter().map(async |(kind, input)| {
        let result = send(client, input).await.unwrap_or_else(|_| "connection ended".into());
        Outcome { kind, result }
    });
    join_all(sent).await
}

fn kinds(client: &Client) -> Vec<(&'static str, Input)> {
    let room = &client.room;
    let text = |kind, frame: serde_json::Value| (kind, Input::Text(frame.to_string()));
    let mut kinds = vec![
        ("text that is not JSON", Input::Text("{\"type\":".into())),
        ("JSON 50,000 arrays deep", Input::Text("[".repeat(50_000))),
        ("JSON 20,000 deep in a known field", Input::Text(format!(r#"{{"type":"post","body":{}"#, "[".repeat(20_000)))),
        ("two objects in one frame", Input::Text(r#"{"type":"ping"}{"type":"ping"}"#.into())),
        ("frame over the limit", Input::Text(format!(r#"{{"type":"ping","x":"{}"}}"#, "a".repeat(70_000)))),
        (
            "number beyond 64 bits",
            Input::Text(format!(r#"{{"type":"join","room":"{room}","after":18446744073709551616}}"#)),
        ),
        text("negative cursor", json!({"type": "join", "room": room, "after": -1})),
        text("cursor beyond the head", json!({"type": "join", "room": room, "after": u64::MAX})),
        text("unknown type", json!({"type": "vote", "key": "x"})),
        text("post without a body", json!({"type": "post", "room": room, "key": "x"})),
        text("room of the wrong type", json!({"type": "post", "room": 7, "key": "x", "body": "x"})),
        text("key of forbidden letters", json!({"type": "post", "room": room, "key": "../x", "body": "x"})),
        text("body of blanks", json!({"type": "post", "room": room, "key": "x", "body": " \n\t"})),
        text("body with NUL", json!({"type": "post", "room": room, "key": "x", "body": "a\u{0}b"})),
        text("body over the limit", json!({"type": "post", "room": room, "key": "x", "body": "가".repeat(6_000)})),
        text("absent room", json!({"type": "post", "room": "nowhere", "key": "x", "body": "x"})),
        text("edit of somebody else's", json!({"type": "edit", "room": room, "key": "x", "target": 2, "body": "x"})),
        text("delete beyond the head", json!({"type": "delete", "room": room, "key": "x", "target": u64::MAX})),
    ];
    kinds.extend(frames());
    kinds.extend(requests(room));
    kinds
}

/// RFC 6455 §5, broken in each way.
fn frames() -> [(&'static str, Input); 10] {
    let masked = |head: &[u8], body: &[u8]| Input::Frame([head, &[0, 0, 0, 0], body].concat());
    [
        ("text that is not UTF-8", masked(&[0x81, 0x84], &[0xFF, 0xFE, 0xC0, 0x80])),
        ("binary frame", masked(&[0x82, 0x82], b"{}")),
        ("frame that is not masked", Input::Frame(b"\x81\x02{}".to_vec())),
        ("reserved opcode", masked(&[0x83, 0x82], b"{}")),
        ("reserved bits", masked(&[0xF1, 0x82], b"{}")),
        ("continuation of nothing", masked(&[0x80, 0x82], b"{}")),
        ("ping in pieces", masked(&[0x09, 0x82], b"{}")),
        ("ping of 126 bytes", masked(&[0x89, 0xFE, 0, 126], &[b'x'; 126])),
        ("length of 2^62 bytes", masked(&[0x81, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0], b"{}")),
        ("half a frame", masked(&[0x81, 0xFE, 0x10, 0], b"{\"type\":")),
    ]
}

fn requests(room: &str) -> Vec<(&'static str, Input)> {
    let get = |target: &str| Input::Request(format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes());
    let many = "x-filler: y\r\n".repeat(500);
    let post = |rest: &str| format!("POST /api/v1/rooms/{room}/messages HTTP/1.1\r\nhost: a\r\n{rest}").into_bytes();
    vec![
        ("no HTTP at all", Input::Request(vec![0xFF; 2_000])),
        ("half a request", Input::Request(b"GET /healthz HT".to_vec())),
        ("500 headers", Input::Request(format!("GET / HTTP/1.1\r\nhost: a\r\n{many}\r\n").into_bytes())),
        ("path that climbs", get("/pkg/../../../../etc/passwd")),
        ("path of 60,000 bytes", get(&format!("/{}", "a".repeat(60_000)))),
        ("length that is no number", Input::Request(post("content-length: lots\r\n\r\n"))),
        ("two lengths", Input::Request(post("content-length: 2\r\ncontent-length: 9\r\n\r\n{}"))),
        ("broken chunk", Input::Request(post("transfer-encoding: chunked\r\n\r\nZZ\r\n{}"))),
        ("without a token", Input::Request(post("content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"))),
        ("request body that is not JSON", Input::Body("{".into())),
        ("request body 50,000 deep", Input::Body("[".repeat(50_000))),
        ("request body over the limit", Input::Body("[".repeat(2 << 20))),
        ("request body of the wrong shape", Input::Body(r#"{"key":7,"body":[]}"#.into())),
    ]
}

async fn send(client: &Client, input: Input) -> Result<String> {
    match input {
        Input::Text(text) => {
            let mut socket = knock(client).await?;
            socket.send(Message::text(text)).await?;
            Ok(answer(socket).await)
        }
        Input::Frame(bytes) => {
            let mut socket = knock(client).await?;
            socket.get_mut().write_all(&bytes).await?;
            Ok(answer(socket).await)
        }
        Input::Request(bytes) => {
            let mut stream = TcpStream::connect(client.addr).await?;
            stream.write_all(&bytes).await?;
            let mut start = [0; 12];
            Ok(match timeout(PATIENCE, stream.read_exact(&mut start)).await {
                Ok(read) => read.map(|_| String::from_utf8_lossy(&start[9..]).into_owned())?,
                Err(_) => "left waiting".into(),
            })
        }
        Input::Body(body) => {
            let request = client.http.post(client.url("messages")).bearer_auth(&client.token);
            let answer = request.header("content-type", "application/json").body(body).send().await?;
            Ok(answer.status().as_u16().to_string())
        }
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// After `hello`.
async fn knock(client: &Client) -> Result<Socket> {
    let mut request = format!("ws://{}/live", client.addr).into_client_request()?;
    request.headers_mut().insert("authorization", HeaderValue::from_str(&format!("Bearer {}", client.token))?);
    let (mut socket, _) = timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await??;
    timeout(PATIENCE, socket.next()).await?;
    Ok(socket)
}

/// The first thing that the server says to it.
async fn answer(mut socket: Socket) -> String {
    loop {
        let Ok(message) = timeout(PATIENCE, socket.next()).await else { return "left waiting".into() };
        match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                Ok(ServerFrame::Refused(refused)) => return refused.code.as_str().into(),
                Ok(ServerFrame::Joined { .. }) => {}
                Ok(ServerFrame::Gap { .. }) => return "gap".into(),
                Ok(_) => return "answered".into(),
                Err(_) => return "unreadable".into(),
            },
            Some(Ok(Message::Close(Some(frame)))) => return format!("closed {}", u16::from(frame.code)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return "connection ended".into(),
        }
    }
}
