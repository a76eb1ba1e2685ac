//! The writing half: frames gathered into few writes, each under a deadline.

use crate::protocol::CloseCode;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::SinkExt;
use std::time::Duration;
use tokio::time::timeout;

/// The peer is gone, or takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    Gone,
    Stalled,
}

/// Writes all frames, then flushes once: what has gathered shares system calls.
pub async fn write(
    socket: &mut WebSocket,
    frames: impl IntoIterator<Item = Bytes>,
    deadline: Duration,
) -> Result<(), WriteError> {
    let writing = async {
        for frame in frames {
            let Ok(text) = Utf8Bytes::try_from(frame) else { continue };
            socket.feed(Message::Text(text)).await?;
        }
        socket.flush().await
    };
    finish(timeout(deadline, writing).await)
}

pub async fn ping(socket: &mut WebSocket, deadline: Duration) -> Result<(), WriteError> {
    finish(timeout(deadline, socket.send(Message::Ping(Bytes::new()))).await)
}

/// Says why and reads on until the peer has closed too, best effort: dropping a socket with
/// something unread resets it, and the peer would never hear the reason.
pub async fn close(socket: &mut WebSocket, code: CloseCode, deadline: Duration) {
    let frame = CloseFrame { code: code.code(), reason: Utf8Bytes::from_static("") };
    let closing = async {
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    let _ = timeout(deadline, closing).await;
}

/// Writes the answer to the peer's close, which waits in the socket until something is written.
pub async fn answer_close(socket: &mut WebSocket, deadline: Duration) {
    let _ = timeout(deadline, socket.flush()).await;
}

fn finish(result: Result<Result<(), axum::Error>, tokio::time::error::Elapsed>) -> Result<(), WriteError> {
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(WriteError::Gone),
        Err(_) => Err(WriteError::Stalled),
    }
}
