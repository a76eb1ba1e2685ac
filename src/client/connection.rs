//! The live socket: opens it, keeps it alive, comes back when it is lost. One task owns the socket;
//! whatever it hears goes to one callback, in order. Knows frames, but not what they mean to rooms.

use super::backoff::{Backoff, after_asked_ms};
use super::browser::{jitter, now_ms, sleep_ms, socket_url};
use super::heartbeat::{Beat, Heartbeat};
use crate::protocol::{ClientFrame, CloseCode, ErrorCode, Refused, SUBPROTOCOL, ServerFrame, json};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{Fuse, FutureExt, LocalBoxFuture};
use futures_util::stream::Fuse as FuseStream;
use futures_util::{SinkExt, StreamExt, select_biased};
use gloo_net::websocket::futures::WebSocket;
use gloo_net::websocket::{Message, WebSocketError};
use std::future::Future;

const PATH: &str = "/live";
/// Milliseconds from opening the socket to the server's `hello`.
const HELLO_WITHIN_MS: u32 = 10_000;
/// Milliseconds to stay away from a server that has too many connections and names no time.
const CROWDED_MS: u32 = 5_000;
/// A connection that lasted so long (milliseconds) was a good one: the next retry is quick again.
const GOOD_AFTER_MS: i64 = 5_000;

/// What the owner of a connection hears.
pub enum Update {
    /// Every frame but `pong`; `hello` says that the connection is live.
    Frame(ServerFrame),
    /// Not live any more, or not yet: trying again, after so many milliseconds if the server asked for
    /// that because it is too full.
    Lost { crowded_ms: Option<u32> },
    /// The server does not want this client back. [`Connection::wake`] tries all the same.
    Refused { signed_out: bool },
}

/// Handle to the task that owns the socket; the task ends when the last handle is dropped.
#[derive(Clone)]
pub struct Connection {
    inputs: UnboundedSender<Input>,
}

enum Input {
    Send(ClientFrame),
    Wake,
    Sleep,
}

impl Connection {
    /// A connection, and the task to spawn for it. In the browser only.
    pub fn new(on_update: impl FnMut(Update) + 'static) -> (Connection, impl Future<Output = ()> + 'static) {
        let (inputs, receiver) = unbounded();
        (Connection { inputs }, run(receiver, on_update))
    }

    /// Sends the frame if the connection is live, and drops it otherwise: who sends must send
    /// again after the next `hello`.
    pub fn send(&self, frame: ClientFrame) {
        self.input(Input::Send(frame));
    }

    /// The page or the network came back: connect at once, or make sure that the socket still lives.
    pub fn wake(&self) {
        self.input(Input::Wake);
    }

    /// The page or the network is gone: close the socket and wait for `wake`.
    pub fn sleep(&self) {
        self.input(Input::Sleep);
    }

    fn input(&self, input: Input) {
        // Fails when the task was aborted: the page is going away.
        let _ = self.inputs.unbounded_send(input);
    }
}

/// How a connection ended.
enum End {
    Lost,
    /// The server said when to come back.
    Asked {
        retry_after_ms: u32,
        crowded: Crowded,
    },
    Asleep,
    Refused {
        signed_out: bool,
    },
    /// Nobody holds the handle any more.
    Abandoned,
}

/// Why the server sent this client away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crowded {
    /// It is about to restart.
    No,
    /// It has too many connections.
    Yes,
}

/// What came next, while connected.
enum Happened {
    Message(Option<Result<Message, WebSocketError>>),
    Input(Option<Input>),
    Tick,
}

type Timer = Fuse<LocalBoxFuture<'static, ()>>;

fn timer(delay_ms: u32) -> Timer {
    sleep_ms(delay_ms).boxed_local().fuse()
}

async fn run(mut inputs: UnboundedReceiver<Input>, mut on_update: impl FnMut(Update)) {
    let mut backoff = Backoff::default();
    loop {
        let begun = now_ms();
        let end = connect(&mut inputs, &mut on_update).await;
        if now_ms() - begun >= GOOD_AFTER_MS {
            backoff.reset();
        }
        let (delay_ms, asked) = match end {
            End::Lost => (Some(backoff.next_ms(jitter())), false),
            End::Asked { retry_after_ms, .. } => (Some(after_asked_ms(retry_after_ms, jitter())), true),
            End::Asleep | End::Refused { .. } => (None, false),
            End::Abandoned => return,
        };
        match end {
            End::Refused { signed_out } => on_update(Update::Refused { signed_out }),
            End::Asked { crowded: Crowded::Yes, .. } => on_update(Update::Lost { crowded_ms: delay_ms }),
            _ => on_update(Update::Lost { crowded_ms: None }),
        }
        let not_before = delay_ms.filter(|_| asked).map_or(0, |delay_ms| now_ms() + i64::from(delay_ms));
        if !pause(&mut inputs, delay_ms, not_before).await {
            return;
        }
    }
}

/// Waits for the delay, or for `wake`, but never comes back before the time that the server named.
/// `false` when nobody holds the handle any more.
async fn pause(inputs: &mut UnboundedReceiver<Input>, delay_ms: Option<u32>, not_before: i64) -> bool {
    let mut tick = delay_ms.map_or_else(Fuse::terminated, timer);
    loop {
        let input = select_biased! {
            input = inputs.next() => input,
            () = &mut tick => return true,
        };
        match input {
            None => return false,
            Some(Input::Wake) => match not_before - now_ms() {
                left_ms @ 1.. => tick = timer(left_ms as u32),
                _ => return true,
            },
            Some(Input::Sleep) => tick = Fuse::terminated(),
            // Not live: what waits is sent after `hello`.
            Some(Input::Send(_)) => {}
        }
    }
}

async fn connect(inputs: &mut UnboundedReceiver<Input>, on_update: &mut impl FnMut(Update)) -> End {
    let Ok(socket) = WebSocket::open_with_protocol(&socket_url(PATH), SUBPROTOCOL) else { return End::Lost };
    let mut line = Line { socket: socket.fuse(), heart: None, tick: timer(HELLO_WITHIN_MS), asked: None };
    loop {
        let happened = select_biased! {
            message = line.socket.next() => Happened::Message(message),
            input = inputs.next() => Happened::Input(input),
            () = &mut line.tick => Happened::Tick,
        };
        let end = match happened {
            Happened::Message(message) => line.message(message, on_update),
            Happened::Input(input) => line.input(input).await,
            Happened::Tick => line.beat().await,
        };
        if let Some(end) = end {
            return end;
        }
    }
}

/// An open socket. Dropping it closes the socket.
struct Line {
    socket: FuseStream<WebSocket>,
    /// From `hello` on.
    heart: Option<Heartbeat>,
    tick: Timer,
    /// When the server wants this client back, and why it goes.
    asked: Option<(u32, Crowded)>,
}

impl Line {
    fn message(
        &mut self,
        message: Option<Result<Message, WebSocketError>>,
        on_update: &mut impl FnMut(Update),
    ) -> Option<End> {
        match message {
            Some(Ok(Message::Text(text))) => {
                if let Some(heart) = &mut self.heart {
                    heart.heard(now_ms());
                }
                // A frame that does not decode is of another version: not for this client.
                if let Ok(frame) = json::read(&text) {
                    self.frame(frame, on_update);
                }
                None
            }
            Some(Ok(Message::Bytes(_))) => None,
            Some(Err(WebSocketError::ConnectionClose(close))) => Some(self.closed(close.code)),
            // The close event follows.
            Some(Err(_)) => None,
            None => Some(self.closed(CloseCode::Normal.code())),
        }
    }

    fn frame(&mut self, frame: ServerFrame, on_update: &mut impl FnMut(Update)) {
        match &frame {
            ServerFrame::Hello { ping_every_ms, dead_after_ms, .. } => {
                self.heart = Some(Heartbeat::new(*ping_every_ms, *dead_after_ms, now_ms()));
                self.tick = timer(*ping_every_ms);
            }
            ServerFrame::Draining { retry_after_ms } => self.asked = Some((*retry_after_ms, Crowded::No)),
            ServerFrame::Refused(Refused {
                key: None, code: ErrorCode::TooManyConnections, retry_after_ms, ..
            }) => {
                self.asked = Some((retry_after_ms.unwrap_or(CROWDED_MS), Crowded::Yes));
            }
            ServerFrame::Pong | ServerFrame::Unknown => return,
            _ => {}
        }
        on_update(Update::Frame(frame));
    }

    fn closed(&self, code: u16) -> End {
        if !CloseCode::reconnect(code) {
            return End::Refused { signed_out: code == CloseCode::Unauthenticated.code() };
        }
        let crowded = (code == CloseCode::TooManyConnections.code()).then_some((CROWDED_MS, Crowded::Yes));
        match self.asked.or(crowded) {
            Some((retry_after_ms, crowded)) => End::Asked { retry_after_ms, crowded },
            None => End::Lost,
        }
    }

    async fn input(&mut self, input: Option<Input>) -> Option<End> {
        match input {
            None => Some(End::Abandoned),
            Some(Input::Sleep) => Some(End::Asleep),
            Some(Input::Send(frame)) => {
                if self.heart.is_some() {
                    self.send(&frame).await;
                }
                None
            }
            Some(Input::Wake) => {
                let heart = self.heart.as_mut()?;
                heart.probe(now_ms());
                self.send(&ClientFrame::Ping).await;
                self.beat().await
            }
        }
    }

    /// The timer fired, or the heart's answer may have changed.
    async fn beat(&mut self) -> Option<End> {
        // No `hello` in time: whatever answers there is not the server.
        let Some(heart) = &mut self.heart else { return Some(End::Lost) };
        let mut beat = heart.beat(now_ms());
        if beat == Beat::Ping {
            beat = heart.beat(now_ms());
            self.send(&ClientFrame::Ping).await;
        }
        match beat {
            Beat::Wait(delay_ms) => {
                self.tick = timer(delay_ms);
                None
            }
            Beat::Ping | Beat::Dead => Some(End::Lost),
        }
    }

    /// A socket that fails to send is about to report its close.
    async fn send(&mut self, frame: &ClientFrame) {
        if let Ok(text) = serde_json::to_string(frame) {
            let _ = self.socket.send(Message::Text(text)).await;
        }
    }
}
