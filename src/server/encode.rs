//! What goes over the live socket as bytes, made once for all receivers: a server's frames are not
//! masked (RFC 6455, section 5.3), so the very same bytes are right for everybody.

use crate::domain::{Seq, Slug};
use crate::protocol::{Event, ServerFrame};
use bytes::Bytes;
use std::sync::Arc;

/// An `events` frame is at most this many bytes unless one event is larger.
const EVENTS_FRAME_BYTES: usize = 64 * 1024;

/// The longest header that a frame of a server has.
const HEADER_BYTES: usize = 10;

/// A whole text message in one frame: FIN and the opcode.
const TEXT: u8 = 0x81;

const TAIL: &[u8] = b"]}";

/// Which log events are of, as an `events` frame says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogName {
    pub slug: Slug,
    /// The history that the events belong to.
    pub epoch: Arc<str>,
}

/// Consecutive events of a room in one encoded `events` frame.
#[derive(Clone, Debug)]
pub struct EventsFrame {
    /// The seq of the last of them.
    pub last: Seq,
    /// As they are written to a socket.
    pub bytes: Bytes,
}

/// A frame to one connection, as it is written to its socket.
pub fn frame(frame: &ServerFrame) -> Bytes {
    let json = json(frame);
    let mut bytes = Vec::with_capacity(HEADER_BYTES + json.len());
    put_header(&mut bytes, json.len());
    bytes.extend_from_slice(&json);
    Bytes::from(bytes)
}

/// One event as it stands in `list`.
pub fn event(event: &Event) -> Bytes {
    Bytes::from(json(event))
}

/// The `events` frames that carry these events, in order; `first` is the seq of the first one.
pub fn events(log: &LogName, first: Seq, events: &[&Bytes]) -> Vec<EventsFrame> {
    let mut frames = Vec::with_capacity(1);
    let head = head(log);
    let envelope = HEADER_BYTES + head.len() + TAIL.len();
    let (mut first, mut rest) = (first, events);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest, EVENTS_FRAME_BYTES - envelope));
        let last = Seq(first.0 + now.len() as u64 - 1);
        frames.push(EventsFrame { last, bytes: joined(&head, now) });
        first = last.next();
        rest = later;
    }
    frames
}

/// How many of the events fit a list of so many bytes: at least one.
fn fitting(events: &[&Bytes], list_bytes: usize) -> usize {
    let mut bytes = 0;
    let fitting = events.iter().take_while(|event| {
        bytes += event.len() + 1;
        // The last one brings no comma.
        bytes <= list_bytes + 1
    });
    fitting.count().max(1)
}

fn head(LogName { slug, epoch }: &LogName) -> String {
    // Letters, digits and hyphens only, so nothing needs escapes.
    format!(r#"{{"type":"events","room":"{slug}","epoch":"{epoch}","list":["#)
}

fn joined(head: &str, events: &[&Bytes]) -> Bytes {
    let commas = events.len().saturating_sub(1);
    let size = head.len() + events.iter().map(|event| event.len()).sum::<usize>() + commas + TAIL.len();
    let mut frame = Vec::with_capacity(HEADER_BYTES + size);
    put_header(&mut frame, size);
    frame.extend_from_slice(head.as_bytes());
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            frame.push(b',');
        }
        frame.extend_from_slice(event);
    }
    frame.extend_from_slice(TAIL);
    Bytes::from(frame)
}

/// The header of a text frame with so many bytes of payload (RFC 6455, section 5.2).
fn put_header(frame: &mut Vec<u8>, payload: usize) {
    frame.push(TEXT);
    match (u8::try_from(payload), u16::try_from(payload)) {
        (Ok(length @ ..=125), _) => frame.push(length),
        (_, Ok(length)) => {
            frame.push(126);
            frame.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(payload as u64).to_be_bytes());
        }
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Our wire types have string keys and no failing `Serialize`.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::protocol::{Author, EventKind};
    use tungstenite::protocol::{Role, WebSocketContext};
    use tungstenite::{Error, Message};

    /// What a client reads of these bytes: whole text messages and nothing else.
    pub fn read(bytes: &[u8]) -> Vec<ServerFrame> {
        let mut client = WebSocketContext::new(Role::Client, None);
        let mut stream = std::io::Cursor::new(bytes.to_vec());
        let mut frames = Vec::new();
        loop {
            match client.read(&mut stream) {
                Ok(Message::Text(text)) => frames.push(serde_json::from_str(&text).unwrap()),
                // The stream is over.
                Err(Error::Protocol(_)) if stream.position() == bytes.len() as u64 => return frames,
                other => panic!("{other:?}"),
            }
        }
    }

    fn log() -> LogName {
        LogName { slug: Slug::parse("점심").unwrap(), epoch: "e1".into() }
    }

    fn encoded(bodies: &[&str]) -> Vec<EventsFrame> {
        let author = Author { id: 1, name: "민아".into() };
        let events = bodies.iter().enumerate().map(|(index, body)| {
            let seq = Seq(10 + index as u64);
            let kind = EventKind::Posted {
                key: format!("k{index}"),
                author: author.clone(),
                body: Some((*body).to_owned()),
                rev: Some(seq),
                deleted: false,
                files: Vec::new(),
                previews: None,
            };
            event(&Event { seq, at: 1, kind })
        });
        let list: Vec<_> = events.collect();
        events_of(&list)
    }

    fn events_of(list: &[Bytes]) -> Vec<EventsFrame> {
        events(&log(), Seq(10), &list.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_frame_made_by_hand_is_the_frame_that_a_client_reads() {
        let frames = encoded(&["안녕", "\"quoted\"\n"]);
        assert_eq!(frames.len(), 1);
        let [ServerFrame::Events { room, epoch, list }] = &read(&frames[0].bytes)[..] else {
            panic!("not an events frame")
        };
        assert_eq!((room.as_str(), epoch.as_str(), list.len(), list[1].seq), ("점심", "e1", 2, Seq(11)));
    }

    #[test]
    fn every_length_has_its_header() {
        let empty = frame(&ServerFrame::Revoked { room: String::new() }).len() - 2;
        for payload in [empty, 125, 126, 127, 65_535, 65_536, 70_000] {
            let revoked = ServerFrame::Revoked { room: "r".repeat(payload - empty) };
            let bytes = [frame(&revoked), frame(&ServerFrame::Pong)].concat();
            assert_eq!(read(&bytes), [revoked, ServerFrame::Pong], "{payload} bytes");
        }
    }

    #[test]
    fn many_events_are_split_into_frames_of_bounded_size() {
        // Lists of such events come within a few bytes of the bound.
        for length in 600..700 {
            let body = "a".repeat(length);
            let frames = encoded(&vec![body.as_str(); 200]);
            let sizes: Vec<_> = frames.iter().map(|frame| frame.bytes.len()).collect();
            assert!(frames.len() > 1 && sizes.iter().all(|size| *size <= EVENTS_FRAME_BYTES), "{sizes:?}");
        }
        let long = "가".repeat(5_000);
        let frames = encoded(&[long.as_str(); 10]);
        let lists = frames.iter().map(|frame| match &read(&frame.bytes)[..] {
            [ServerFrame::Events { list, .. }] => (list[0].seq, list.last().unwrap().seq, frame.last),
            other => panic!("{other:?}"),
        });
        let mut next = Seq(10);
        for (first, last, told) in lists {
            assert_eq!((first, last), (next, told));
            next = last.next();
        }
        assert_eq!(next, Seq(20));
    }
}
