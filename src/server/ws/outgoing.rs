//! What the connection's own task writes: all that its queue could not give away at once.

use super::socket::Socket;
use crate::protocol::CloseCode;
use crate::server::hub::queue::{Flushed, Queue};
use std::time::Duration;
use tokio::time::timeout;

/// The peer is gone, or takes nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteError {
    Gone,
    Stalled,
}

/// Returns when all has left that waited at the call; what comes meanwhile is another turn, so that a peer who is
/// just as fast as its rooms is still read from. The peer has to take something within each `deadline`: a slow
/// one is not a stalled one.
pub async fn drain(queue: &Queue, socket: &Socket, deadline: Duration) -> Result<(), WriteError> {
    let mark = queue.mark();
    loop {
        match queue.flush(mark) {
            Flushed::Done => return Ok(()),
            Flushed::Gone => return Err(WriteError::Gone),
            Flushed::Blocked => match timeout(deadline, socket.writable()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(WriteError::Gone),
                Err(_) => return Err(WriteError::Stalled),
            },
        }
    }
}

/// Says why and reads on until the peer has closed too, best effort: dropping a socket with
/// something unread resets it, and the peer would never hear the reason.
pub async fn close(queue: &Queue, socket: &mut Socket, code: CloseCode, deadline: Duration) {
    let closing = async {
        socket.close(queue, code).await;
        if drain(queue, socket, deadline).await.is_ok() {
            answer_close(queue, socket, deadline).await;
        }
    };
    let _ = timeout(deadline, closing).await;
}

/// Reads until the connection is over, and writes what has to be answered to that: the peer's close.
pub async fn answer_close(queue: &Queue, socket: &mut Socket, deadline: Duration) {
    let closing = async {
        while socket.message(queue).await.is_ok() {
            let _ = drain(queue, socket, deadline).await;
        }
        let _ = drain(queue, socket, deadline).await;
    };
    let _ = timeout(deadline, closing).await;
}
