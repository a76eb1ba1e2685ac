//! The writing half: frames gathered into few writes, each under a deadline.

use crate::protocol::CloseCode;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt};
use std::time::Duration;
use tokio::time::timeout;

/// The peer is gone, or takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    Gone,
    Stalled,
}

/// Writes all frames, then flushes once: what has gathered shares system calls. Each frame has a
/// deadline of its own: a slow peer is not a stalled one.
pub async fn write(
    socket: &mut (impl Sink<Message, Error = axum::Error> + Unpin),
    frames: impl IntoIterator<Item = Bytes>,
    deadline: Duration,
) -> Result<(), WriteError> {
    for frame in frames {
        let Ok(text) = Utf8Bytes::try_from(frame) else { continue };
        // Waits until the frames before it have left.
        finish(timeout(deadline, socket.feed(Message::Text(text))).await)?;
    }
    finish(timeout(deadline, socket.flush()).await)
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::sink::unfold;

    const DEADLINE: Duration = Duration::from_secs(30);

    /// What comes of writing 200 frames to a peer that needs so long for each.
    async fn written(a_frame: Duration) -> Result<(), WriteError> {
        let peer = unfold((), |(), _: Message| async move {
            tokio::time::sleep(a_frame).await;
            Ok::<_, axum::Error>(())
        });
        write(&mut Box::pin(peer), vec![Bytes::from_static(b"{}"); 200], DEADLINE).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_slowly_gets_everything() {
        assert_eq!(written(DEADLINE / 2).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up() {
        assert_eq!(written(DEADLINE * 2).await, Err(WriteError::Stalled));
    }
}
