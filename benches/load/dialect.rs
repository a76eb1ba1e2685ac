//! How each server is spoken to. Everything that is measured lives elsewhere, so both are measured alike.

use crate::post::Post;
use memchr::memmem;

pub enum Dialect {
    /// `docs/protocol.md`, with one of these bearer tokens for each connection.
    PickMate { tokens: Vec<String> },
    /// The room in the path, texts as they are.
    Bare,
}

/// Where in its log a connection begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// It joins no room.
    Nowhere,
    Head,
    After(u64),
}

/// What a text frame of the server says.
pub enum Said {
    Ready {
        head: u64,
    },
    /// Posts, as they are.
    Posts,
    /// Posts that are numbered densely, from the first to the last.
    Events {
        seqs: (u64, u64),
    },
    /// Posts with a hole between them.
    Hole,
    Ack,
    Other,
}

impl Dialect {
    pub fn request(&self, room: &str, connection: usize) -> String {
        let (path, header) = match self {
            Dialect::PickMate { tokens } => {
                ("/live".to_owned(), format!("Authorization: Bearer {}\r\n", tokens[connection % tokens.len()]))
            }
            Dialect::Bare => (format!("/live/{room}"), String::new()),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{header}\r\n"
        )
    }

    /// The first frame of a connection, if it has to say something to be in the room.
    pub fn join(&self, room: &str, start: Start) -> Option<String> {
        match (self, start) {
            (Dialect::PickMate { .. }, Start::Head) => Some(format!(r#"{{"type":"join","room":"{room}"}}"#)),
            (Dialect::PickMate { .. }, Start::After(seq)) => {
                Some(format!(r#"{{"type":"join","room":"{room}","after":{seq}}}"#))
            }
            _ => None,
        }
    }

    pub fn post(&self, room: &str, post: Post) -> String {
        let text = post.text();
        match self {
            Dialect::PickMate { .. } => {
                format!(r#"{{"type":"post","room":"{room}","key":"{:x}","body":"{text}"}}"#, post.number)
            }
            Dialect::Bare => text,
        }
    }

    pub fn hear(&self, payload: &[u8]) -> Said {
        match self {
            Dialect::Bare => Said::Posts,
            Dialect::PickMate { .. } if payload.starts_with(br#"{"type":"events""#) => {
                seqs(payload).map_or(Said::Hole, |seqs| Said::Events { seqs })
            }
            Dialect::PickMate { .. } if payload.starts_with(br#"{"type":"ack""#) => Said::Ack,
            Dialect::PickMate { .. } if payload.starts_with(br#"{"type":"joined""#) => {
                let head = memmem::find(payload, br#""head":"#).map_or(0, |at| number(&payload[at + 7..]));
                Said::Ready { head }
            }
            Dialect::PickMate { .. } => Said::Other,
        }
    }
}

/// The first and the last seq of an `events` frame, if there are as many events as that makes.
fn seqs(payload: &[u8]) -> Option<(u64, u64)> {
    let seq = br#"{"seq":"#;
    let mut places = memmem::find_iter(payload, seq);
    let first = places.next()?;
    let (count, last) = places.fold((1, first), |(count, _), place| (count + 1, place));
    let (first, last) = (number(&payload[first + seq.len()..]), number(&payload[last + seq.len()..]));
    (last + 1 - first == count).then_some((first, last))
}

fn number(digits: &[u8]) -> u64 {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}
