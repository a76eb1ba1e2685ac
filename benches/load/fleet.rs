//! Many sockets on one thread, so that the load costs less than what it measures: one buffer for
//! reading, frames looked at in place, no task and no allocation per delivery.

use crate::dialect::{Dialect, Said, Start};
use crate::post::{Post, now, posts};
use crate::wire::{self, Kind};
use anyhow::{Context, Result, bail, ensure};
use memchr::memmem;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// Handshakes that are under way together.
const AT_ONCE: usize = 64;

/// A server that answers nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Fleet<'a> {
    /// Connections are spread over them.
    servers: &'a [SocketAddr],
    dialect: &'a Dialect,
    poll: Poll,
    events: Events,
    members: Vec<Member>,
    ready: usize,
    buffer: Vec<u8>,
}

struct Member {
    stream: TcpStream,
    room: String,
    start: Start,
    stage: Stage,
    /// The seq of the last event that it got, once it knows one.
    at: Option<u64>,
    inbox: Vec<u8>,
    outbox: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    Handshake,
    Joining,
    Ready,
}

/// Something that a member got.
pub enum Heard {
    Post(Post),
    Ack,
}

impl<'a> Fleet<'a> {
    pub fn new(servers: &'a [SocketAddr], dialect: &'a Dialect) -> Result<Fleet<'a>> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(1_024));
        Ok(Fleet { servers, dialect, poll, events, members: Vec::new(), ready: 0, buffer: vec![0; 256 * 1_024] })
    }

    /// Opens a connection for each room of the list; returns when all have joined.
    pub fn connect(&mut self, rooms: impl IntoIterator<Item = String>, start: Start) -> Result<()> {
        let (mut rooms, began) = (rooms.into_iter().peekable(), now());
        while rooms.peek().is_some() || self.ready < self.members.len() {
            while self.members.len() - self.ready < AT_ONCE
                && let Some(room) = rooms.next()
            {
                self.open(room, start)?;
            }
            self.turn(Duration::from_millis(50), &mut |_, _| {})?;
            ensure!(now() - began < PATIENCE.as_nanos() as u64, "only {} are in", self.ready);
        }
        Ok(())
    }

    fn open(&mut self, room: String, start: Start) -> Result<()> {
        let mut stream = TcpStream::connect(self.servers[self.members.len() % self.servers.len()])?;
        let token = Token(self.members.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        let outbox = self.dialect.request(&room, self.members.len()).into_bytes();
        let stage = Stage::Connecting;
        self.members.push(Member { stream, room, start, stage, at: None, inbox: Vec::new(), outbox });
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The least that any member has got of its log.
    pub fn hindmost(&self) -> u64 {
        self.members.iter().map(|member| member.at.unwrap_or(0)).min().unwrap_or(0)
    }

    /// Posts in the member's own room.
    pub fn send(&mut self, member: usize, post: Post) -> Result<()> {
        let room = self.members[member].room.clone();
        self.send_to(member, &room, post)
    }

    pub fn send_to(&mut self, member: usize, room: &str, post: Post) -> Result<()> {
        let member = &mut self.members[member];
        let text = self.dialect.post(room, post);
        wire::put_text(&mut member.outbox, text.as_bytes());
        member.flush()
    }

    /// Waits for at most `wait` and tells of all that came.
    pub fn turn(&mut self, wait: Duration, heard: &mut impl FnMut(usize, Heard)) -> Result<()> {
        if let Err(error) = self.poll.poll(&mut self.events, Some(wait))
            && error.kind() != ErrorKind::Interrupted
        {
            return Err(error.into());
        }
        for event in self.events.iter() {
            let index = event.token().0;
            let member = &mut self.members[index];
            if event.is_writable() {
                if member.stage == Stage::Connecting {
                    member.stream.set_nodelay(true)?;
                    member.stage = Stage::Handshake;
                }
                member.flush()?;
            }
            if event.is_readable() {
                let before = member.stage;
                let read = member.read(&mut self.buffer, self.dialect, &mut |said| heard(index, said));
                read.with_context(|| format!("connection {index}, {before:?}"))?;
                self.ready += usize::from(before != Stage::Ready && member.stage == Stage::Ready);
            }
        }
        Ok(())
    }
}

impl Member {
    fn flush(&mut self) -> Result<()> {
        while !self.outbox.is_empty() && self.stage != Stage::Connecting {
            match self.stream.write(&self.outbox) {
                Ok(written) => drop(self.outbox.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], dialect: &Dialect, heard: &mut impl FnMut(Heard)) -> Result<()> {
        loop {
            let kept = self.inbox.len();
            ensure!(kept < buffer.len(), "a frame of more than {kept} bytes");
            buffer[..kept].copy_from_slice(&self.inbox);
            let read = match self.stream.read(&mut buffer[kept..]) {
                Ok(0) => bail!("the server hung up"),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            self.inbox.clear();
            let bytes = &buffer[..kept + read];
            let used = self.take(bytes, dialect, heard)?;
            self.inbox.extend_from_slice(&bytes[used..]);
            // A short read has emptied the socket (epoll(7)).
            if kept + read < buffer.len() {
                return Ok(());
            }
        }
    }

    /// How many of the bytes are used up.
    fn take(&mut self, bytes: &[u8], dialect: &Dialect, heard: &mut impl FnMut(Heard)) -> Result<usize> {
        let mut used = 0;
        if self.stage == Stage::Handshake {
            let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(0) };
            ensure!(bytes.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&bytes[..end]));
            used = end + 4;
            self.stage = Stage::Ready;
            if let Some(join) = dialect.join(&self.room, self.start) {
                self.stage = Stage::Joining;
                wire::put_text(&mut self.outbox, join.as_bytes());
                self.flush()?;
            }
        }
        while let Some(frame) = wire::first_frame(&bytes[used..]) {
            used += frame.length;
            match frame.kind {
                Kind::Text => self.hear(frame.payload, dialect, heard)?,
                Kind::Ping => {
                    wire::put_pong(&mut self.outbox, frame.payload);
                    self.flush()?;
                }
                Kind::Close => bail!("the server closes"),
                Kind::Other => {}
            }
        }
        Ok(used)
    }

    fn hear(&mut self, payload: &[u8], dialect: &Dialect, heard: &mut impl FnMut(Heard)) -> Result<()> {
        match dialect.hear(payload) {
            Said::Ready { head } => {
                self.stage = Stage::Ready;
                self.at = Some(match self.start {
                    Start::After(seq) => seq,
                    Start::Head | Start::Nowhere => head,
                });
            }
            Said::Posts => posts(payload).for_each(|post| heard(Heard::Post(post))),
            Said::Hole => bail!("an event is missing within a frame"),
            Said::Events { seqs: (first, last) } => {
                let at = self.at.context("events before the room was joined")?;
                ensure!(first == at + 1, "after {at} comes {first}: lost, doubled or out of order");
                self.at = Some(last);
                posts(payload).for_each(|post| heard(Heard::Post(post)));
            }
            Said::Ack => heard(Heard::Ack),
            Said::Other => {}
        }
        Ok(())
    }
}
