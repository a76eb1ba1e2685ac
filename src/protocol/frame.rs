use super::flat::FlatFrame;
use super::{Author, ErrorCode, Event};
use crate::domain::{Progress, Seq, TaskId};
use serde::{Deserialize, Serialize};

/// What a client says. Slugs and keys are claims until the server has parsed and authorised them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Deliver the room's log from `after` on; without it from the head. With an `epoch` other
    /// than the server's, `after` means nothing and the answer is `gap`.
    Join {
        room: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Seq>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
    },
    Post {
        room: String,
        key: String,
        body: String,
        /// Uploaded to the room and carried by no message yet.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<String>,
    },
    /// Give one's own message at `target` another body. The ack names the seq of the `edited` event.
    /// With an `epoch` other than the server's, `target` means nothing: refused with `gap`.
    Edit {
        room: String,
        key: String,
        target: Seq,
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
    },
    /// Erase one's own message at `target`. The ack names the seq of the `deleted` event. `epoch` as of an edit.
    Delete {
        room: String,
        key: String,
        target: Seq,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        epoch: Option<String>,
    },
    /// Stop delivering the room to this connection. Membership stays.
    Leave {
        room: String,
    },
    /// The reader has seen everything up to `seq`. Never moves back; no answer.
    Read {
        room: String,
        seq: Seq,
    },
    /// The writer is at work on a message for a joined room: said at most every `typing_every_ms`. No answer.
    Typing {
        room: String,
    },
    Ping,
    /// A type of a later version: refused, not fatal.
    #[serde(other)]
    Unknown,
}

/// What the server says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "FlatFrame")]
pub enum ServerFrame {
    /// The first frame of a connection.
    Hello {
        epoch: String,
        user: Author,
        /// Unix milliseconds.
        server_time: i64,
        limits: Limits,
        /// How often the client should `ping`, and after how long without any frame it should
        /// give the connection up.
        ping_every_ms: u32,
        dead_after_ms: u32,
        /// How often a client may say that somebody is typing, and how long that is shown.
        typing_every_ms: u32,
        typing_shown_ms: u32,
    },
    /// Authorised and registered; events from the asked position follow.
    Joined {
        room: String,
        head: Seq,
        epoch: String,
    },
    /// Dense and in order: the first `seq` is one more than the last this connection got.
    Events {
        room: String,
        /// The history that the events belong to.
        epoch: String,
        list: Vec<Event>,
    },
    /// The command with this key is durable, at this `seq`.
    Ack {
        key: String,
        seq: Seq,
    },
    Refused(Refused),
    /// Too far behind to be caught up here: load the newest page, then events from `head + 1` come.
    Gap {
        room: String,
        head: Seq,
    },
    /// The subscription ended because the reader may no longer see the room.
    Revoked {
        room: String,
    },
    /// The reader has seen the room up to `seq`, on this connection or another one.
    Read {
        room: String,
        seq: Seq,
    },
    /// Who of a room's members is there: first all of them, then who came and who left. Of many only how many. Fleeting.
    Presence {
        room: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        present: Option<Vec<Author>>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        came: Vec<Author>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        left: Vec<Author>,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
    },
    /// Somebody else is at work on a message for the room. Fleeting: shown for `typing_shown_ms`, and may not come at all.
    Typing {
        room: String,
        user: Author,
    },
    /// How far a task is whose card is in the room. Fleeting: the last one is in the page.
    Progress {
        room: String,
        task: TaskId,
        progress: Progress,
    },
    /// The reader's list of rooms is not what it was: fetch it.
    RoomsChanged,
    /// The server is about to stop: come back after this long, with jitter.
    Draining {
        retry_after_ms: u32,
    },
    Pong,
    Unknown,
}

/// A command was not carried out and left nothing behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    pub code: ErrorCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
}

/// Limits a client should know before it runs into them. All are settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    pub body_bytes: u32,
    pub frame_bytes: u32,
    pub rooms_per_connection: u32,
    /// How many events behind a `join` may be before it is answered with `gap`.
    pub catch_up_events: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_client_frames_decode() {
        let decode = |json: &str| serde_json::from_str::<ClientFrame>(json).unwrap();
        assert_eq!(
            decode(r#"{"type":"join","room":"general","after":0}"#),
            ClientFrame::Join { room: "general".into(), after: Some(Seq(0)), epoch: None }
        );
        assert_eq!(
            decode(r#"{"type":"post","room":"general","key":"k1","body":"안녕하세요","extra":1}"#),
            ClientFrame::Post {
                room: "general".into(), key: "k1".into(), body: "안녕하세요".into(), files: vec![]
            }
        );
        assert_eq!(
            decode(r#"{"type":"edit","room":"general","key":"k2","target":42,"body":"네"}"#),
            ClientFrame::Edit {
                room: "general".into(),
                key: "k2".into(),
                target: Seq(42),
                body: "네".into(),
                epoch: None
            }
        );
        assert_eq!(
            decode(r#"{"type":"delete","room":"general","key":"k3","target":42,"epoch":"e"}"#),
            ClientFrame::Delete { room: "general".into(), key: "k3".into(), target: Seq(42), epoch: Some("e".into()) }
        );
        assert_eq!(decode(r#"{"type":"ping"}"#), ClientFrame::Ping);
        assert_eq!(decode(r#"{"type":"vote","pick":1}"#), ClientFrame::Unknown);
    }

    #[test]
    fn the_published_server_frames_encode() {
        let encode = |frame: &ServerFrame| serde_json::to_string(frame).unwrap();
        assert_eq!(encode(&ServerFrame::Pong), r#"{"type":"pong"}"#);
        assert_eq!(
            encode(&ServerFrame::Ack { key: "k1".into(), seq: Seq(42) }),
            r#"{"type":"ack","key":"k1","seq":42}"#
        );
        let refused =
            Refused { key: Some("k1".into()), room: None, code: ErrorCode::RateLimited, retry_after_ms: Some(800) };
        assert_eq!(
            encode(&ServerFrame::Refused(refused)),
            r#"{"type":"refused","key":"k1","code":"rate_limited","retry_after_ms":800}"#
        );
        assert_eq!(
            encode(&ServerFrame::Gap { room: "general".into(), head: Seq(9000) }),
            r#"{"type":"gap","room":"general","head":9000}"#
        );
    }
}
