//! What every writer and reader has: an account, a room, and the way there through the proxy.

use anyhow::{Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use pickmate::domain::Seq;
use pickmate::protocol::{ClientFrame, ErrorBody, Event, Refused, ServerFrame};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// An answer that takes longer does not come: the connection is given up.
const PATIENCE: Duration = Duration::from_secs(4);

/// In a request: the node to be led to. In an answer: the node that was.
pub const HOME: &str = "x-home";
pub const NODE: &str = "x-node";

#[derive(Clone)]
pub struct Client {
    /// The proxy, or the server itself for the oracle.
    pub addr: SocketAddr,
    pub room: String,
    pub token: String,
    /// Of a session; then the token is not used for sockets.
    cookie: Option<String>,
    /// The node that a balancer is asked to lead to, if it can.
    pub home: Option<String>,
    pub http: reqwest::Client,
}

/// A piece of the log over HTTP.
#[derive(Debug, Deserialize)]
pub struct Stretch {
    pub epoch: String,
    pub head: Seq,
    pub events: Vec<Event>,
}

/// A page of messages over HTTP.
#[derive(Debug, Deserialize)]
pub struct Messages {
    pub epoch: String,
    pub head: Seq,
    pub messages: Vec<Event>,
}

#[derive(Debug, Deserialize)]
pub struct Ack {
    pub key: String,
    pub seq: Seq,
}

/// What a command over HTTP came to. No answer is an `Err`: the outcome is unknown.
pub enum Answer {
    Ack(Ack),
    Refused(Refused),
}

impl Client {
    pub fn new(addr: SocketAddr, room: &str, token: String) -> Result<Client> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Client { addr, room: room.into(), token, cookie: None, home: None, http })
    }

    pub fn in_room(&self, room: &str) -> Client {
        Client { room: room.into(), ..self.clone() }
    }

    pub fn with_cookie(&self, cookie: &str) -> Client {
        Client { cookie: Some(cookie.into()), ..self.clone() }
    }

    pub fn at_home(&self, node: Option<String>) -> Client {
        Client { home: node, ..self.clone() }
    }

    pub fn at(&self, addr: SocketAddr) -> Client {
        Client { addr, ..self.clone() }
    }

    pub fn url(&self, rest: &str) -> String {
        format!("http://{}/api/v1/rooms/{}/{rest}", self.addr, self.room)
    }

    pub async fn events(&self, after: Seq, limit: u64) -> Result<Stretch> {
        self.get(&format!("events?after={after}&limit={limit}")).await
    }

    pub async fn messages(&self, before: Option<Seq>, limit: u64) -> Result<Messages> {
        let before = before.map(|seq| format!("&before={seq}")).unwrap_or_default();
        self.get(&format!("messages?limit={limit}{before}")).await
    }

    async fn get<T: DeserializeOwned>(&self, rest: &str) -> Result<T> {
        let response = self.http.get(self.url(rest)).bearer_auth(&self.token).send().await?;
        ensure!(response.status().is_success(), "{rest}: {}", response.status());
        Ok(response.json().await?)
    }

    /// Sends one command over HTTP.
    pub async fn command(&self, frame: &ClientFrame) -> Result<Answer> {
        let message = |target: &Seq| self.url(&format!("messages/{target}"));
        let request = match frame {
            ClientFrame::Post { key, body, .. } => {
                self.http.post(self.url("messages")).json(&json!({"key": key, "body": body}))
            }
            ClientFrame::Edit { key, target, body, .. } => {
                self.http.patch(message(target)).json(&json!({"key": key, "body": body}))
            }
            ClientFrame::Delete { key, target, .. } => self.http.delete(message(target)).query(&[("key", key)]),
            other => bail!("not sent over HTTP: {other:?}"),
        };
        let response = request.bearer_auth(&self.token).send().await?;
        if response.status().is_success() {
            return Ok(Answer::Ack(response.json().await?));
        }
        // Without our own body it is not an answer to this command: the bytes were broken on the way.
        let ErrorBody { code, retry_after_ms, .. } = response.json().await?;
        Ok(Answer::Refused(Refused { key: None, room: None, code, retry_after_ms }))
    }

    /// Waits as it was told, or a little.
    pub async fn pause(retry_after_ms: Option<u32>) {
        tokio::time::sleep(Duration::from_millis(retry_after_ms.unwrap_or(250).into())).await;
    }
}

/// A raw live socket.
pub struct Wire {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The node that serves it, where a balancer tells.
    pub node: Option<String>,
    ping_every: Duration,
    dead_after: Duration,
    ping_at: Instant,
    dead_at: Instant,
}

impl Wire {
    /// Connects and reads `hello`.
    pub async fn open(client: &Client) -> Result<Wire> {
        let mut request = format!("ws://{}/live", client.addr).into_client_request()?;
        let mut say = |name: &'static str, value: String| {
            request.headers_mut().insert(name, HeaderValue::from_str(&value)?);
            anyhow::Ok(())
        };
        match &client.cookie {
            Some(cookie) => {
                say("cookie", cookie.clone())?;
                say("origin", format!("http://{}", client.addr))?;
            }
            None => say("authorization", format!("Bearer {}", client.token))?,
        }
        client.home.iter().try_for_each(|home| say(HOME, home.clone()))?;
        let (socket, answer) = timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await??;
        let at = Instant::now() + PATIENCE;
        let node = answer.headers().get(NODE).and_then(|name| name.to_str().ok()).map(str::to_owned);
        let mut wire = Wire { socket, node, ping_every: PATIENCE, dead_after: PATIENCE, ping_at: at, dead_at: at };
        match wire.frame().await? {
            ServerFrame::Hello { ping_every_ms, dead_after_ms, .. } => {
                wire.ping_every = Duration::from_millis(ping_every_ms.into());
                wire.dead_after = Duration::from_millis(dead_after_ms.into());
                wire.ping_at = Instant::now() + wire.ping_every;
                Ok(wire)
            }
            ServerFrame::Refused(refused) => {
                Client::pause(refused.retry_after_ms).await;
                bail!("{:?}", refused.code)
            }
            other => bail!("not hello: {other:?}"),
        }
    }

    pub async fn send(&mut self, frame: &ClientFrame) -> Result<()> {
        let text = serde_json::to_string(frame)?;
        Ok(timeout(PATIENCE, self.socket.send(Message::text(text))).await??)
    }

    /// The next frame; pings on the way. May be dropped and called again.
    pub async fn frame(&mut self) -> Result<ServerFrame> {
        loop {
            tokio::select! {
                message = self.socket.next() => {
                    self.dead_at = Instant::now() + self.dead_after;
                    match message {
                        Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(other)) => bail!("{other:?}"),
                        Some(Err(error)) => return Err(error.into()),
                        None => bail!("the connection ended"),
                    }
                }
                () = sleep_until(self.ping_at) => {
                    self.ping_at = Instant::now() + self.ping_every;
                    self.send(&ClientFrame::Ping).await?;
                }
                () = sleep_until(self.dead_at) => bail!("no frame for {:?}", self.dead_after),
            }
        }
    }
}
