//! Notices as they stand in Redis: one JSON object each, with a version first of all. What cannot be
//! read, or is too large to be sent, becomes a hint to read the store.

use super::super::{Group, Growth, Notice, Spending, Spent, Typing};
use crate::domain::{RoomId, Seq, Slug, UserId};
use crate::protocol::Author;
use crate::server::encode::LogName;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// What this program writes. A reader that does not know a version reads the store.
const VERSION: u32 = 1;

/// Events of one notice, in bytes: beyond that reading the store costs less than carrying them to every node.
const EVENTS_BYTES: usize = 8 * 1_024;

/// Who speaks: the installation, and the node in it.
#[derive(Clone, Debug)]
pub struct Sender {
    pub database_id: Arc<str>,
    pub node: u64,
}

/// What a message of another node amounts to.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    Notice(Notice),
    /// Its sender could not tell what it has done, or nobody here can read it: compare everything.
    Lost,
    /// This node's own words, or another installation's.
    Nothing,
}

/// What every version can read of any other.
#[derive(Default, Deserialize)]
struct Version {
    v: u32,
    #[serde(default)]
    fleeting: bool,
}

#[derive(Serialize, Deserialize)]
struct Envelope<'a> {
    v: u32,
    /// Whoever cannot read it has missed nothing that has to be looked up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fleeting: bool,
    #[serde(borrow)]
    db: Cow<'a, str>,
    node: u64,
    #[serde(borrow)]
    told: Told<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told<'a> {
    #[serde(borrow)]
    Grew(Grew<'a>),
    Unread {
        room: RoomId,
    },
    Recheck {
        room: RoomId,
    },
    RoomsChanged {
        user: Option<UserId>,
    },
    Present {
        room: RoomId,
        node: u64,
    },
    Spent {
        node: u64,
        /// Limit, bucket, tokens.
        list: Vec<(u8, String, u32)>,
    },
    Typing {
        room: RoomId,
        slug: String,
        by: Author,
    },
    Read {
        user: UserId,
        room: String,
        seq: Seq,
    },
    SessionEnded {
        session: String,
    },
    SignedOut {
        user: UserId,
        except: Option<String>,
    },
    Lost {},
}

#[derive(Serialize, Deserialize)]
struct Grew<'a> {
    room: RoomId,
    #[serde(borrow)]
    slug: Cow<'a, str>,
    #[serde(borrow)]
    epoch: Cow<'a, str>,
    first: Seq,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<(Seq, Seq)>,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

impl Sender {
    /// The channel of a group. Channels of all installations share one space, whatever their numbered databases.
    pub fn channel(&self, group: Group) -> String {
        let id = &self.database_id;
        match group {
            Group::Room(RoomId(room)) => format!("pickmate:{id}:room:{room}"),
            Group::User(UserId(user)) => format!("pickmate:{id}:user:{user}"),
            Group::Everyone => format!("pickmate:{id}:everyone"),
        }
    }

    fn group(&self, channel: &str) -> Option<Group> {
        let group = channel.strip_prefix("pickmate:")?.strip_prefix(&*self.database_id)?.strip_prefix(':')?;
        match group.split_once(':') {
            Some(("room", room)) => Some(Group::Room(RoomId(room.parse().ok()?))),
            Some(("user", user)) => Some(Group::User(UserId(user.parse().ok()?))),
            _ => (group == "everyone").then_some(Group::Everyone),
        }
    }

    /// The messages that carry a notice, in order, each for the notice's channel. A growth is cut into parts
    /// of bounded size.
    pub fn encode(&self, notice: &Notice) -> Vec<Vec<u8>> {
        let told = match notice {
            Notice::Grew(growth) => return self.encode_growth(growth),
            Notice::Unread { room } => Told::Unread { room: *room },
            Notice::Recheck { room } => Told::Recheck { room: *room },
            Notice::RoomsChanged { user } => Told::RoomsChanged { user: *user },
            Notice::Present { room, node } => Told::Present { room: *room, node: *node },
            Notice::Spent(spending) => {
                let told = |spent: &Spent| (spent.kind, HEXLOWER.encode(&spent.bucket), spent.count);
                Told::Spent { node: spending.node, list: spending.list.iter().map(told).collect() }
            }
            Notice::Typing(typing) => {
                Told::Typing { room: typing.room, slug: typing.slug.to_string(), by: typing.by.clone() }
            }
            Notice::Read { user, room, seq } => Told::Read { user: *user, room: room.to_string(), seq: *seq },
            Notice::SessionEnded { session } => Told::SessionEnded { session: HEXLOWER.encode(session) },
            Notice::SignedOut { user, except } => {
                Told::SignedOut { user: *user, except: except.map(|session| HEXLOWER.encode(&session)) }
            }
        };
        vec![self.envelope(told)]
    }

    /// For everyone: this node's notices were lost, more of them than can be named.
    pub fn encode_lost(&self) -> Vec<u8> {
        self.envelope(Told::Lost {})
    }

    fn encode_growth(&self, growth: &Growth) -> Vec<Vec<u8>> {
        let (mut first, mut rest) = (growth.first, &growth.events[..]);
        let mut messages = Vec::with_capacity(1);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            messages.push(self.encode_part(growth, first, now));
            (first, rest) = (Seq(first.0 + now.len() as u64), later);
        }
        messages
    }

    fn encode_part(&self, growth: &Growth, first: Seq, events: &[Bytes]) -> Vec<u8> {
        let Growth { room, log, changes, .. } = growth;
        let small = events.iter().map(Bytes::len).sum::<usize>() <= EVENTS_BYTES;
        let events: Option<Vec<&RawValue>> =
            events.iter().filter(|_| small).map(|event| serde_json::from_slice(event).ok()).collect();
        let Some(events) = events.filter(|events| !events.is_empty()) else {
            return self.envelope(Told::Unread { room: *room });
        };
        let part = first.0..first.0 + events.len() as u64;
        let changes = changes.iter().filter(|(seq, _)| part.contains(&seq.0)).copied().collect();
        let (slug, epoch) = (log.slug.as_str().into(), (&*log.epoch).into());
        self.envelope(Told::Grew(Grew { room: *room, slug, epoch, first, changes, events }))
    }

    fn envelope(&self, told: Told<'_>) -> Vec<u8> {
        let fleeting = matches!(told, Told::Present { .. } | Told::Spent { .. } | Told::Typing { .. });
        let envelope = Envelope { v: VERSION, fleeting, db: (&*self.database_id).into(), node: self.node, told };
        // String keys and no failing `Serialize`.
        serde_json::to_vec(&envelope).unwrap_or_default()
    }

    /// What a message says to this node.
    pub fn hear(&self, channel: &str, payload: Bytes) -> Heard {
        let Some(group) = self.group(channel) else { return Heard::Nothing };
        let Version { v, fleeting } = serde_json::from_slice(&payload).unwrap_or_default();
        let unreadable = |group| if fleeting { Heard::Nothing } else { unreadable(group) };
        if v != VERSION {
            return unreadable(group);
        }
        match serde_json::from_slice::<Envelope<'_>>(&payload) {
            Ok(Envelope { db, node, .. }) if *db != *self.database_id || node == self.node => Heard::Nothing,
            Ok(Envelope { told: Told::Lost {}, .. }) => Heard::Lost,
            Ok(Envelope { told, .. }) => match notice(told, &payload).filter(|notice| notice.group() == group) {
                Some(notice) => Heard::Notice(notice),
                None => unreadable(group),
            },
            Err(_) => unreadable(group),
        }
    }
}

/// How many of the events go into one message: at least one.
fn fitting(events: &[Bytes]) -> usize {
    let mut bytes = 0;
    let fitting = events.iter().take_while(|event| {
        bytes += event.len();
        bytes <= EVENTS_BYTES
    });
    fitting.count().max(1)
}

/// Something was said to the group that cannot be understood, perhaps by a newer version.
fn unreadable(group: Group) -> Heard {
    match group {
        Group::Room(room) => Heard::Notice(Notice::Unread { room }),
        Group::User(user) => Heard::Notice(Notice::RoomsChanged { user: Some(user) }),
        Group::Everyone => Heard::Lost,
    }
}

/// `None` of what this program would not have written: a slug or an epoch goes into frames unescaped.
fn notice(told: Told<'_>, payload: &Bytes) -> Option<Notice> {
    Some(match told {
        Told::Grew(Grew { room, slug, epoch, first, changes, events }) => {
            let plain = epoch.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let log = LogName { slug: Slug::parse(&slug).ok().filter(|_| plain)?, epoch: epoch.into() };
            // Parts of the message itself: nothing is copied.
            let events: Vec<_> = events.iter().map(|event| payload.slice_ref(event.get().as_bytes())).collect();
            let last = first.0.checked_add(events.len() as u64)?;
            if events.is_empty() || last == u64::MAX {
                return None;
            }
            Notice::Grew(Arc::new(Growth { room, log, first, events, changes }))
        }
        Told::Unread { room } => Notice::Unread { room },
        Told::Recheck { room } => Notice::Recheck { room },
        Told::RoomsChanged { user } => Notice::RoomsChanged { user },
        Told::Present { room, node } => Notice::Present { room, node },
        Told::Spent { node, list } => {
            let spent = |(kind, bucket, count): (u8, String, u32)| Some(Spent { kind, bucket: hash(&bucket)?, count });
            Notice::Spent(Arc::new(Spending { node, list: list.into_iter().map(spent).collect::<Option<_>>()? }))
        }
        Told::Typing { room, slug, by } => {
            Notice::Typing(Arc::new(Typing { room, slug: Slug::parse(&slug).ok()?, by }))
        }
        Told::Read { user, room, seq } => Notice::Read { user, room: Slug::parse(&room).ok()?, seq },
        Told::SessionEnded { session } => Notice::SessionEnded { session: hash(&session)? },
        Told::SignedOut { user, except: None } => Notice::SignedOut { user, except: None },
        Told::SignedOut { user, except: Some(except) } => Notice::SignedOut { user, except: Some(hash(&except)?) },
        Told::Lost {} => return None,
    })
}

fn hash<const N: usize>(hex: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(hex.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(node: u64) -> Sender {
        Sender { database_id: "d1".into(), node }
    }

    fn growth(sizes: &[usize]) -> Growth {
        let event = |(index, size): (usize, &usize)| {
            Bytes::from(format!(r#"{{"seq":{},"b":"{}"}}"#, index + 5, "가".repeat(*size)))
        };
        Growth {
            room: RoomId(1),
            log: LogName { slug: Slug::parse("점심").unwrap(), epoch: "e1".into() },
            first: Seq(5),
            events: sizes.iter().enumerate().map(event).collect(),
            changes: vec![(Seq(5), Seq(2)), (Seq(6), Seq(3))],
        }
    }

    /// What another node hears of a notice.
    fn heard(notice: &Notice) -> Vec<Heard> {
        let channel = node(1).channel(notice.group());
        node(1).encode(notice).into_iter().map(|message| node(2).hear(&channel, message.into())).collect()
    }

    #[test]
    fn a_notice_is_heard_as_it_was_said() {
        let (user, room, session) = (UserId(2), RoomId(1), [7; 32]);
        let notices = [
            Notice::Grew(Arc::new(growth(&[1, 2, 3]))),
            Notice::Unread { room },
            Notice::Recheck { room },
            Notice::Present { room, node: u64::MAX },
            Notice::Spent(Arc::new(Spending { node: 1, list: vec![Spent { kind: 3, bucket: [9; 16], count: 7 }] })),
            Notice::RoomsChanged { user: None },
            Notice::RoomsChanged { user: Some(user) },
            Notice::Read { user, room: Slug::parse("점심").unwrap(), seq: Seq(9) },
            Notice::Typing(Arc::new(Typing {
                room,
                slug: Slug::parse("점심").unwrap(),
                by: Author { id: 2, name: "민아\"".into() },
            })),
            Notice::SessionEnded { session },
            Notice::SignedOut { user, except: None },
            Notice::SignedOut { user, except: Some(session) },
        ];
        for notice in notices {
            assert_eq!(heard(&notice), [Heard::Notice(notice)]);
        }
        let lost = node(1).encode_lost();
        assert_eq!(node(2).hear("pickmate:d1:everyone", lost.into()), Heard::Lost);
    }

    #[test]
    fn a_long_growth_is_cut_and_an_event_that_is_too_large_is_left_in_the_store() {
        let long = Notice::Grew(Arc::new(growth(&[1_000, 1_000, 1_000, 3_000, 10])));
        let parts = heard(&long).into_iter().map(|heard| match heard {
            Heard::Notice(Notice::Grew(part)) => (part.first.0, part.last().0, part.changes.len()),
            Heard::Notice(Notice::Unread { room: RoomId(1) }) => (0, 0, 0),
            other => panic!("{other:?}"),
        });
        let parts: Vec<_> = parts.collect();
        assert_eq!(parts, [(5, 6, 2), (7, 7, 0), (0, 0, 0), (9, 9, 0)]);
    }

    #[test]
    fn own_words_and_those_of_another_installation_are_not_heard() {
        let notice = Notice::RoomsChanged { user: None };
        let message = Bytes::from(node(1).encode(&notice).remove(0));
        assert_eq!(node(1).hear("pickmate:d1:everyone", message.clone()), Heard::Nothing);
        assert_eq!(node(2).hear("pickmate:d2:everyone", message.clone()), Heard::Nothing);
        let other = Sender { database_id: "d2".into(), node: 2 };
        assert_eq!(other.hear("pickmate:d2:everyone", message), Heard::Nothing, "it says whose it is");
    }

    #[test]
    fn what_is_not_understood_is_looked_up() {
        let hear = |channel: &str, message: &'static str| node(2).hear(channel, Bytes::from(message));
        let unread = Heard::Notice(Notice::Unread { room: RoomId(1) });
        for message in
            [r#"{"v":2,"new":true}"#, "", "{", r#"{"v":1}"#, r#"{"v":1,"db":"d1","node":1,"told":{"sang":{}}}"#]
        {
            assert_eq!(hear("pickmate:d1:room:1", message), unread, "{message}");
            let user = Notice::RoomsChanged { user: Some(UserId(2)) };
            assert_eq!(hear("pickmate:d1:user:2", message), Heard::Notice(user), "{message}");
            assert_eq!(hear("pickmate:d1:everyone", message), Heard::Lost, "{message}");
        }
        for message in
            [r#"{"v":2,"fleeting":true}"#, r#"{"v":1,"fleeting":true,"db":"d1","node":1,"told":{"sang":{}}}"#]
        {
            assert_eq!(hear("pickmate:d1:everyone", message), Heard::Nothing, "{message}: nothing is to be looked up");
        }
        let elsewhere = r#"{"v":1,"db":"d1","node":1,"told":{"unread":{"room":2}}}"#;
        assert_eq!(hear("pickmate:d1:room:1", elsewhere), unread, "a notice comes on its group's channel");
        let quoted =
            r#"{"v":1,"db":"d1","node":1,"told":{"grew":{"room":1,"slug":"a","epoch":"\"","first":1,"events":[1]}}}"#;
        assert_eq!(hear("pickmate:d1:room:1", quoted), unread, "nothing that needs escapes gets into frames");
    }

    proptest! {
        #[test]
        fn any_bytes_are_heard_somehow(payload in prop::collection::vec(any::<u8>(), 0..200), v in 0..3_u32) {
            let versioned = [format!(r#"{{"v":{v},"told":"#).as_bytes(), &payload].concat();
            for message in [payload, versioned] {
                let heard = node(2).hear("pickmate:d1:room:1", message.into());
                prop_assert_eq!(heard, Heard::Notice(Notice::Unread { room: RoomId(1) }));
            }
        }
    }
}
