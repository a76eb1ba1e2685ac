//! What the connection's own task writes: all that its queue could not give away at once.

use super::socket::Socket;
use crate::protocol::CloseCode;
use crate::server::hub::queue::{Flushed, Queue};
use std::io;
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
    drain_to(queue, || socket.writable(), deadline).await
}

async fn drain_to<F: Future<Output = io::Result<()>>>(
    queue: &Queue,
    writable: impl Fn() -> F,
    deadline: Duration,
) -> Result<(), WriteError> {
    let mark = queue.mark();
    loop {
        match queue.flush(mark) {
            Flushed::Done => return Ok(()),
            Flushed::Gone => return Err(WriteError::Gone),
            Flushed::Blocked => match timeout(deadline, writable()).await {
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
    socket.close(queue, code).await;
    answer_close(queue, socket, deadline).await;
}

/// Writes what waits, reads until the connection is over, and writes what has to be answered to that: the peer's close.
pub async fn answer_close(queue: &Queue, socket: &mut Socket, deadline: Duration) {
    let closing = async {
        while drain(queue, socket, deadline).await.is_ok() && socket.message(queue).await.is_ok() {}
        let _ = drain(queue, socket, deadline).await;
    };
    let _ = timeout(deadline, closing).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::hub::Wire;
    use crate::server::hub::queue::QueueLimits;
    use bytes::Bytes;
    use std::io::{ErrorKind, IoSlice};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const DEADLINE: Duration = Duration::from_secs(30);

    /// Has space for so many bytes.
    #[derive(Default)]
    struct Peer(AtomicUsize);

    impl Wire for Peer {
        fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let offered = slices.iter().map(|slice| slice.len()).sum();
            match self.0.swap(0, Ordering::Relaxed).min(offered) {
                0 => Err(ErrorKind::WouldBlock.into()),
                taken => Ok(taken),
            }
        }
    }

    /// What comes of writing 200 bytes to a peer that makes space for one of them each time it has waited so long.
    async fn written(each: Duration) -> Result<(), WriteError> {
        let (queue, peer) = (Queue::new(QueueLimits { bytes: 1_000, frames: 10 }), Arc::new(Peer::default()));
        queue.open(peer.clone(), [Bytes::from_static(&[b' '; 200])]);
        let writable = || async {
            tokio::time::sleep(each).await;
            peer.0.store(1, Ordering::Relaxed);
            Ok(())
        };
        drain_to(&queue, writable, DEADLINE).await
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
