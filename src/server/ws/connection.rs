//! One connection's task: reads commands, writes what waits, catches up, keeps the heart beating.
//! A single task reads the socket and is over when it is, and a peer that does not read is not read from.

use super::catch_up::{self, Frames, Step};
use super::commands::{self, Answer};
use super::outgoing::{self, WriteError};
use super::socket::{Socket, close_code_of};
use crate::protocol::{Author, CloseCode, Limits, ServerFrame};
use crate::server::clock::now_ms;
use crate::server::encode;
use crate::server::hub::Connection;
use crate::server::hub::queue::Behind;
use crate::server::service::Actor;
use crate::server::state::AppState;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tungstenite::Message;

/// Has no payload: it only has to be answered.
const PING: Bytes = Bytes::from_static(&[0x89, 0]);

/// A log that cannot be read now is read again after this long.
const CATCH_UP_RETRY: Duration = Duration::from_millis(500);

/// Serves a registered connection until either side ends it. Boxed, and what is rarely awaited too: most
/// connections are idle, and a future is as large as the largest thing that it ever waits for.
pub async fn run(mut live: Box<Live>) {
    live.registered.queue().open(live.socket.wire(), [encode::frame(&live.hello())]);
    let code = live.serve().await;
    if let Some(code) = code {
        Box::pin(live.finish(code)).await;
    }
    live.settle().await;
    // `registered` is dropped here, which takes the connection out of the hub.
}

/// A connection while it is open.
pub struct Live {
    state: AppState,
    actor: Actor,
    registered: Connection,
    socket: Socket,
    answers: FuturesUnordered<Answer>,
    heartbeat: Interval,
    heard: Instant,
    /// The next frame is paid for.
    paid: bool,
    /// Set while there is no token for the next frame.
    read_after: Option<Instant>,
    /// Set while a log could not be read.
    catch_up_after: Option<Instant>,
}

impl Live {
    pub fn new(state: AppState, actor: Actor, registered: Connection, socket: Socket) -> Live {
        let every = Duration::from_millis(state.config.limits.silence_ms / 2);
        let mut heartbeat = interval_at(Instant::now() + every, every);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Live {
            state,
            actor,
            registered,
            socket,
            answers: FuturesUnordered::new(),
            heartbeat,
            heard: Instant::now(),
            paid: false,
            read_after: None,
            catch_up_after: None,
        }
    }

    /// Until the connection ends; the code to close with, or `None` when there is nobody to tell.
    async fn serve(&mut self) -> Option<CloseCode> {
        let shutdown = self.state.shutdown.clone();
        loop {
            if let Err(code) = self.write_what_waits().await {
                return code;
            }
            let reads = self.may_read();
            let (read_after, retry) = (self.read_after, self.catch_up_after);
            tokio::select! {
                () = self.registered.queue().changed() => {}
                Some(frame) = self.answers.next() => self.answer_all(frame),
                incoming = self.socket.message(self.registered.queue()), if reads => match incoming {
                    Ok(message) => {
                        (self.heard, self.paid) = (Instant::now(), false);
                        if let Err(code) = Box::pin(self.hear(message)).await {
                            return code;
                        }
                    }
                    Err(error) => return close_code_of(&error),
                },
                _ = self.heartbeat.tick() => {
                    let listened = self.read_after.is_none();
                    if listened && self.heard.elapsed() > Duration::from_millis(self.state.config.limits.silence_ms) {
                        return Some(CloseCode::Silent);
                    }
                    self.registered.queue().push(PING);
                }
                () = wait_until(read_after), if read_after.is_some() => self.read_after = None,
                () = wait_until(retry), if retry.is_some() => self.catch_up_after = None,
                () = shutdown.cancelled() => return Some(CloseCode::Restarting),
            }
        }
    }

    /// A frame is paid for before it is read: who sends more than allowed is read from as slowly as
    /// tokens come, and loses nothing.
    fn may_read(&mut self) -> bool {
        if !self.paid && self.read_after.is_none() {
            match self.state.rate_limits.frame(self.actor.id) {
                Ok(()) => self.paid = true,
                Err(error) => {
                    let wait = Duration::from_millis(error.retry_after_ms().unwrap_or_default().into());
                    self.read_after = Some(Instant::now() + wait);
                }
            }
        }
        self.paid && self.answers.len() < self.state.config.limits.commands_under_way
    }

    async fn hear(&mut self, message: Message) -> Result<(), Option<CloseCode>> {
        match message {
            Message::Text(text) if text.len() > self.state.config.limits.frame_bytes => {
                Err(Some(CloseCode::FrameTooLarge))
            }
            Message::Text(text) => {
                let answer = commands::obey(&self.state, &self.actor, &self.registered, &text).await?;
                self.answers.extend(answer);
                Ok(())
            }
            Message::Binary(_) => Err(Some(CloseCode::Binary)),
            // Pings are answered by the library.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(()),
            Message::Close(_) => {
                let deadline = self.state.config.limits.close_timeout();
                outgoing::answer_close(self.registered.queue(), &mut self.socket, deadline).await;
                Err(None)
            }
        }
    }

    /// One commit answers many commands: their acks are written together.
    fn answer_all(&mut self, first: Option<ServerFrame>) {
        self.answer(first);
        while let Some(Some(frame)) = self.answers.next().now_or_never() {
            self.answer(frame);
        }
    }

    fn answer(&self, frame: Option<ServerFrame>) {
        if let Some(frame) = frame {
            self.registered.push(&frame);
        }
    }

    /// Writes queued frames, then steps through the log of rooms that are behind, until nothing waits.
    async fn write_what_waits(&mut self) -> Result<(), Option<CloseCode>> {
        loop {
            self.drain_queue().await?;
            let work = self.registered.queue().take();
            if let Some(code) = work.close {
                return Err(Some(code));
            }
            match work.behind {
                Some(behind) => Box::pin(self.catch_up(&behind)).await,
                None => {
                    self.catch_up_after = work.resume;
                    return Ok(());
                }
            }
        }
    }

    async fn catch_up(&mut self, behind: &Behind) {
        let queue = self.registered.queue();
        match catch_up::step(&self.state, behind).await {
            // If it is refused, the next step begins where the cursor is by then.
            Ok(Step { frames: Frames::Events(frames), head }) => drop(queue.advance(behind, &frames, head)),
            Ok(Step { frames: Frames::Gap(frame), head }) => drop(queue.jump(behind, frame, head)),
            Err(error) => {
                // As often as there are sockets behind: counted, not told each time.
                tracing::debug!(%error, room.id = behind.room.0, "cannot read the log; trying again");
                self.state.metrics.unread_logs.inc();
                queue.pause(behind.room, Instant::now() + CATCH_UP_RETRY);
            }
        }
    }

    async fn drain_queue(&mut self) -> Result<(), Option<CloseCode>> {
        let deadline = self.state.config.limits.write_timeout();
        outgoing::drain(self.registered.queue(), &self.socket, deadline).await.map_err(|error| match error {
            WriteError::Gone => None,
            WriteError::Stalled => {
                self.state.metrics.stalled.inc();
                Some(CloseCode::Stalled)
            }
        })
    }

    /// Lets the commands under way finish, says why, and closes.
    async fn finish(&mut self, code: CloseCode) {
        if code == CloseCode::Restarting {
            self.drain().await;
        }
        let deadline = self.state.config.limits.close_timeout();
        outgoing::close(self.registered.queue(), &mut self.socket, code, deadline).await;
    }

    /// Commands under way are answered with what comes of them, and those that arrived behind them with
    /// a refusal; the close tells of the rest.
    async fn drain(&mut self) {
        let retry_after_ms = self.state.hub.retry_after_ms();
        self.registered.push(&ServerFrame::Draining { retry_after_ms });
        let mut more = self.state.config.limits.commands_under_way;
        loop {
            if self.drain_queue().await.is_err() {
                return;
            }
            tokio::select! {
                biased;
                Some(frame) = self.answers.next() => self.answer(frame),
                Ok(message) = self.socket.message(self.registered.queue()), if more > 0 => match message {
                    Message::Text(text) => {
                        more -= 1;
                        self.answer(commands::refuse_later(&text, retry_after_ms));
                    }
                    Message::Close(_) => return,
                    _ => {}
                },
                // Nothing is under way and nothing more has arrived.
                () = std::future::ready(()), if self.answers.is_empty() => return,
                else => return,
            }
        }
    }

    /// What was said before the end is carried out: a page that closes tells what was read with its
    /// last frame.
    async fn settle(&mut self) {
        let settling = async { while self.answers.next().await.is_some() {} };
        let _ = timeout(self.state.config.limits.close_timeout(), settling).await;
        self.state.readings.hurry(self.actor.id);
    }

    fn hello(&self) -> ServerFrame {
        let limits = &self.state.config.limits;
        ServerFrame::Hello {
            epoch: self.state.store.epoch().to_string(),
            user: Author { id: self.actor.id.0, name: self.actor.name.clone() },
            server_time: now_ms(),
            limits: Limits {
                body_bytes: limits.body_bytes as u32,
                frame_bytes: limits.frame_bytes as u32,
                rooms_per_connection: limits.rooms_per_connection as u32,
                catch_up_events: limits.catch_up_events as u32,
            },
            ping_every_ms: limits.ping_every_ms,
            // Two pings may get lost, and a dead network is still seen within 20 s.
            dead_after_ms: limits.ping_every_ms * 2 + 2_000,
            typing_every_ms: limits.typing_every_ms,
            typing_shown_ms: limits.typing_shown_ms,
        }
    }
}

async fn wait_until(instant: Option<Instant>) {
    if let Some(instant) = instant {
        tokio::time::sleep_until(instant).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, F: Future>(_: fn(A) -> F) -> usize {
        size_of::<F>()
    }

    /// Ten thousand idle sockets are to be cheap: a future that waits for something large, unboxed, would
    /// cost each of them as much.
    #[test]
    fn an_idle_connection_is_small() {
        let (task, state) = (size_of_future(run), size_of::<Live>());
        assert!(task + state <= 2_048, "{task} bytes of task and {state} of state");
    }
}
