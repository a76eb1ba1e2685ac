//! One live socket as a browser opens it, with buffers so small that thousands fit into one process.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use pickmate::protocol::{ClientFrame, SUBPROTOCOL, ServerFrame};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// As the browser waits for `hello`.
const HELLO_WITHIN: Duration = Duration::from_secs(10);

const READ_BUFFER_BYTES: usize = 1_024;

pub struct Line {
    socket: WebSocketStream<TcpStream>,
    ping: Interval,
}

pub enum Heard {
    Frame(ServerFrame),
    /// With this code.
    Closed(Option<u16>),
}

impl Line {
    /// Connects with a session cookie and reads `hello`; the epoch.
    pub async fn open(addr: SocketAddr, cookie: &str) -> Result<(Line, String)> {
        timeout(HELLO_WITHIN, Line::knock(addr, cookie)).await.context("no hello")?
    }

    async fn knock(addr: SocketAddr, cookie: &str) -> Result<(Line, String)> {
        let mut request = format!("ws://{addr}/live").into_client_request()?;
        let headers = request.headers_mut();
        headers.insert("cookie", HeaderValue::from_str(cookie)?);
        headers.insert("origin", HeaderValue::from_str(&format!("http://{addr}"))?);
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES).write_buffer_size(0);
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?;
        let mut line = Line { socket, ping: interval_at(Instant::now() + HELLO_WITHIN, HELLO_WITHIN) };
        match line.hear().await? {
            Heard::Frame(ServerFrame::Hello { epoch, ping_every_ms, .. }) => {
                let every = Duration::from_millis(ping_every_ms.into());
                line.ping = interval_at(Instant::now() + every, every);
                Ok((line, epoch))
            }
            Heard::Frame(other) => bail!("{other:?} instead of hello"),
            Heard::Closed(code) => bail!("closed with {code:?} instead of hello"),
        }
    }

    pub async fn say(&mut self, frame: &ClientFrame) -> Result<()> {
        Ok(self.socket.send(Message::text(serde_json::to_string(frame)?)).await?)
    }

    /// The next frame, or the end; pings on the way. May be dropped and called again.
    pub async fn hear(&mut self) -> Result<Heard> {
        loop {
            tokio::select! {
                message = self.socket.next() => match message.context("the connection ended without a close")?? {
                    Message::Text(text) => return Ok(Heard::Frame(serde_json::from_str(&text)?)),
                    Message::Close(frame) => return Ok(Heard::Closed(frame.map(|frame| frame.code.into()))),
                    Message::Ping(_) | Message::Pong(_) => {}
                    other => bail!("{other:?}"),
                },
                _ = self.ping.tick() => self.say(&ClientFrame::Ping).await?,
            }
        }
    }

    /// Answers the close, and waits until the server has hung up.
    pub async fn hang_up(mut self) {
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}
