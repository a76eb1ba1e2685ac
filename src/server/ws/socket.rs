//! A WebSocket on the TCP stream beneath an upgraded connection. Tungstenite reads it; what it
//! answers by itself (pongs, closes) goes the way of all frames, through the connection's queue.

use crate::protocol::CloseCode;
use crate::server::hub::Wire;
use crate::server::hub::queue::Queue;
use crate::server::listener::{Place, Placed};
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tungstenite::protocol::frame::coding::CloseCode as WireCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message, Utf8Bytes};

/// What is read at once, a few posts; an idle socket keeps as much to read into.
const READ_BUFFER_BYTES: usize = 2 * 1_024;

pub struct Socket {
    reader: OwnedReadHalf,
    writer: Arc<Writer>,
    protocol: WebSocketContext,
}

/// The stream's other half, for whoever has something to write. It holds the connection's place.
struct Writer {
    half: OwnedWriteHalf,
    _place: Place,
}

impl Wire for Writer {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [slice] => self.half.try_write(slice),
            slices => self.half.try_write_vectored(slices),
        }
    }
}

impl Socket {
    /// `None` when something else than one of the node's own connections was upgraded. Messages of
    /// more than `max_bytes` are not read.
    pub fn open(upgraded: hyper::upgrade::Upgraded, max_bytes: usize) -> Option<Socket> {
        let parts = upgraded.downcast::<TokioIo<Placed>>().ok()?;
        let (stream, place) = parts.io.into_inner().into_parts();
        let (reader, half) = stream.into_split();
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .max_frame_size(Some(max_bytes))
            .max_message_size(Some(max_bytes));
        // A copy: what is left of the request would hold all of its buffer.
        let early = parts.read_buf.to_vec();
        let protocol = WebSocketContext::from_partially_read(early, Role::Server, Some(config));
        Some(Socket { reader, writer: Arc::new(Writer { half, _place: place }), protocol })
    }

    pub fn wire(&self) -> Arc<dyn Wire> {
        self.writer.clone()
    }

    /// Resolves when the system may take something again.
    pub async fn writable(&self) -> io::Result<()> {
        self.writer.half.writable().await
    }

    /// The next message. What has to be answered meanwhile is put into `queue`.
    pub async fn message(&mut self, queue: &Queue) -> Result<Message, Error> {
        poll_fn(|cx| {
            self.with_stream(queue, cx, |protocol, stream| match protocol.read(stream) {
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
                read => Poll::Ready(read),
            })
        })
        .await
    }

    /// Puts a close frame into `queue`; only [`message`](Socket::message) is of use afterwards.
    pub async fn close(&mut self, queue: &Queue, code: CloseCode) {
        let frame = CloseFrame { code: WireCode::from(code.code()), reason: Utf8Bytes::from_static("") };
        poll_fn(|cx| {
            // It can only fail if the peer has closed before, and then there is nothing to say.
            let _ = self.with_stream(queue, cx, |protocol, stream| protocol.close(stream, Some(frame.clone())));
            Poll::Ready(())
        })
        .await;
    }

    fn with_stream<T>(
        &mut self,
        queue: &Queue,
        cx: &mut Context<'_>,
        use_it: impl FnOnce(&mut WebSocketContext, &mut Stream<'_, '_>) -> T,
    ) -> T {
        let mut stream = Stream { reader: &mut self.reader, cx, written: Vec::new() };
        let result = use_it(&mut self.protocol, &mut stream);
        let written = Bytes::from(stream.written);
        match self.protocol.can_write() {
            _ if written.is_empty() => {}
            true => queue.tell(written),
            // A close was sent, or answered.
            false => queue.end(written),
        }
        result
    }
}

/// The stream as the library sees it: reading does not wait, writing gathers.
struct Stream<'a, 'b> {
    reader: &'a mut OwnedReadHalf,
    cx: &'a mut Context<'b>,
    written: Vec<u8>,
}

impl Read for Stream<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.reader).poll_read(self.cx, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Stream<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why reading a WebSocket failed, as a close code; `None` when the peer is gone.
pub fn close_code_of(error: &Error) -> Option<CloseCode> {
    match error {
        Error::Capacity(_) => Some(CloseCode::FrameTooLarge),
        Error::Utf8(_) => Some(CloseCode::NotJson),
        _ => None,
    }
}
