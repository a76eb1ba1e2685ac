//! Frames as bytes, made once for all receivers.

use crate::domain::Seq;
use crate::protocol::{Event, ServerFrame};
use crate::server::channel_layer::Growth;
use bytes::Bytes;

/// An `events` frame is at most this many bytes unless one event is larger.
const EVENTS_FRAME_BYTES: usize = 64 * 1024;

const TAIL: &[u8] = b"]}";

/// Consecutive events of a room in one encoded `events` frame.
#[derive(Clone, Debug)]
pub struct EventsFrame {
    pub first: Seq,
    pub last: Seq,
    pub bytes: Bytes,
}

/// A frame to one connection.
pub fn frame(frame: &ServerFrame) -> Bytes {
    Bytes::from(json(frame))
}

/// One event as it stands in `list`.
pub fn event(event: &Event) -> Bytes {
    Bytes::from(json(event))
}

/// The `events` frames that carry these events, in order.
pub fn events(growth: &Growth) -> Vec<EventsFrame> {
    let mut frames = Vec::with_capacity(1);
    let envelope = head(growth).len() + TAIL.len();
    let mut first = growth.first;
    let mut rest = growth.events.as_slice();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest, EVENTS_FRAME_BYTES - envelope));
        let last = Seq(first.0 + now.len() as u64 - 1);
        frames.push(EventsFrame { first, last, bytes: joined(growth, now) });
        first = last.next();
        rest = later;
    }
    frames
}

/// How many of the events fit a list of so many bytes: at least one.
fn fitting(events: &[Bytes], list_bytes: usize) -> usize {
    let mut bytes = 0;
    let fitting = events.iter().take_while(|event| {
        bytes += event.len() + 1;
        // The last one brings no comma.
        bytes <= list_bytes + 1
    });
    fitting.count().max(1)
}

fn head(Growth { slug, epoch, .. }: &Growth) -> String {
    // Letters, digits and hyphens only, so nothing needs escapes.
    format!(r#"{{"type":"events","room":"{slug}","epoch":"{epoch}","list":["#)
}

fn joined(growth: &Growth, events: &[Bytes]) -> Bytes {
    let head = head(growth);
    let size = head.len() + events.iter().map(|event| event.len() + 1).sum::<usize>() + TAIL.len();
    let mut frame = Vec::with_capacity(size);
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

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    // Our wire types have string keys and no failing `Serialize`.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomId, Slug};
    use crate::protocol::{Author, EventKind};

    fn growth(bodies: &[&str]) -> Growth {
        let author = Author { id: 1, name: "민아".into() };
        let events = bodies.iter().enumerate().map(|(index, body)| {
            let seq = Seq(10 + index as u64);
            let kind = EventKind::Posted {
                key: format!("k{index}"),
                author: author.clone(),
                body: Some((*body).to_owned()),
                rev: Some(seq),
                deleted: false,
            };
            event(&Event { seq, at: 1, kind })
        });
        let slug = Slug::parse("점심").unwrap();
        Growth { room: RoomId(1), slug, epoch: "e1".into(), first: Seq(10), events: events.collect(), changes: vec![] }
    }

    #[test]
    fn a_frame_made_by_hand_is_the_frame_that_serde_reads() {
        let frames = events(&growth(&["안녕", "\"quoted\"\n"]));
        assert_eq!(frames.len(), 1);
        let ServerFrame::Events { room, epoch, list } = serde_json::from_slice(&frames[0].bytes).unwrap() else {
            panic!("not an events frame")
        };
        assert_eq!((room.as_str(), epoch.as_str(), list.len(), list[1].seq), ("점심", "e1", 2, Seq(11)));
    }

    #[test]
    fn many_events_are_split_into_frames_of_bounded_size() {
        // Lists of such events come within a few bytes of the bound.
        for length in 600..700 {
            let body = "a".repeat(length);
            let frames = events(&growth(&vec![body.as_str(); 200]));
            let sizes: Vec<_> = frames.iter().map(|frame| frame.bytes.len()).collect();
            assert!(frames.len() > 1 && sizes.iter().all(|size| *size <= EVENTS_FRAME_BYTES), "{sizes:?}");
        }
        let long = "가".repeat(5_000);
        let frames = events(&growth(&[long.as_str(); 10]));
        assert_eq!((frames[0].first, frames.last().unwrap().last), (Seq(10), Seq(19)));
        assert!(frames.windows(2).all(|pair| pair[0].last.next() == pair[1].first));
    }
}
