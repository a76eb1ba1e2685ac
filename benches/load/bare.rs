//! The server to compare with: bare axum with a broadcast channel a room, after axum's own chat
//! example. It keeps nothing, orders nothing across reconnects, and knows nobody.

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::any;
use axum::serve::ListenerExt;
use futures_util::{SinkExt, StreamExt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::broadcast;

/// Messages that a slow reader may lag behind.
const LAG: usize = 1_024;

type Rooms = Arc<Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>>;

#[tokio::main]
pub async fn serve(port: u16) -> Result<()> {
    let router = Router::new().route("/live/{room}", any(enter)).with_state(Rooms::default());
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let undelayed = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    Ok(axum::serve(undelayed, router).await?)
}

async fn enter(Path(room): Path<String>, State(rooms): State<Rooms>, upgrade: WebSocketUpgrade) -> Response {
    // With the buffer of 128 KiB that is the default, memory would be all that is compared.
    upgrade.read_buffer_size(4_096).on_upgrade(|socket| talk(socket, room, rooms))
}

async fn talk(socket: WebSocket, room: String, rooms: Rooms) {
    let room = {
        let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.entry(room).or_insert_with(|| broadcast::channel(LAG).0).clone()
    };
    let (mut heard, (mut out, mut incoming)) = (room.subscribe(), socket.split());
    let forward = async {
        while let Ok(text) = heard.recv().await {
            if out.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    };
    let listen = async {
        while let Some(Ok(message)) = incoming.next().await {
            if let Message::Text(text) = message {
                // Nobody may be listening.
                let _ = room.send(text);
            }
        }
    };
    tokio::select! { () = forward => {}, () = listen => {} }
}
