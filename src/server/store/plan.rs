//! What a run of posts does to the logs: decided here, in the order of the queue, from what the
//! engine looked up in its transaction. Pure, so that every engine decides alike.

use super::event_row::{Fingerprint, NewEvent};
use super::{Command, Committed, Grown, Refusal};
use crate::domain::{Access, Key, MessageBody, RoomId, Seq, Slug, UserId};
use crate::protocol::{Author, Event, EventKind};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

pub(super) type Answer = Result<Committed, Refusal>;

/// The arguments of [`Command::Post`].
#[derive(Clone, Copy)]
pub(super) struct Post<'a> {
    pub room: &'a Slug,
    pub author: UserId,
    pub key: &'a Key,
    pub body: &'a MessageBody,
}

impl<'a> Post<'a> {
    pub fn of(command: &'a Command) -> Option<Post<'a>> {
        match command {
            Command::Post { room, author, key, body } => Some(Post { room, author: *author, key, body }),
            _ => None,
        }
    }

    /// Room and author are the key's scope, so kind and body are what is left to tell apart.
    pub fn fingerprint(&self) -> Fingerprint {
        post_fingerprint(self.body.as_str())
    }
}

/// Of a post with this text, line ends as in a body.
pub(super) fn post_fingerprint(body: &str) -> Fingerprint {
    let digest = Sha256::new().chain_update(b"post\0").chain_update(body).finalize();
    let mut fingerprint = [0; 16];
    fingerprint.copy_from_slice(&digest[..16]);
    fingerprint
}

/// What the store knows about one post before its run.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub room: Option<FoundRoom>,
    /// `None`: no such account.
    pub author_name: Option<String>,
    pub member: bool,
    /// Where the key was used before, and for what.
    pub known: Option<(Seq, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct FoundRoom {
    pub id: RoomId,
    pub access: Access,
    pub head: Seq,
}

/// What to write for a run, and what to answer.
#[derive(Default)]
pub(super) struct Plan {
    /// One for each post, in order.
    pub answers: Vec<Answer>,
    pub events: Vec<NewEvent>,
    /// Authors with the seq of their last post: each is a member from here on and has read so far.
    pub read: BTreeMap<(RoomId, UserId), Seq>,
    /// Unix milliseconds, of every event.
    at: i64,
    heads: BTreeMap<RoomId, Seq>,
    keys: HashMap<(RoomId, UserId, Key), (Seq, Fingerprint)>,
}

impl Plan {
    pub fn make(posts: &[Post<'_>], found: Vec<Found>, at: i64) -> Plan {
        let mut plan = Plan { at, ..Plan::default() };
        for (post, found) in posts.iter().zip(found) {
            let answer = plan.decide(post, found);
            plan.answers.push(answer);
        }
        plan
    }

    fn decide(&mut self, post: &Post<'_>, found: Found) -> Answer {
        let room = found.room.ok_or(Refusal::NotFound)?;
        let fingerprint = post.fingerprint();
        // The key comes first: a repeat is answered also where its author may no longer post.
        let known = match found.known {
            Some((seq, first)) => Some((seq, first == fingerprint)),
            None => self.keys.get(&(room.id, post.author, post.key.clone())).map(|(seq, p)| (*seq, *p == fingerprint)),
        };
        match known {
            Some((seq, true)) => return Ok(Committed { room: room.id, seq: Some(seq), repeated: true }),
            Some((_, false)) => return Err(Refusal::KeyReused),
            None => {}
        }
        let author = Author { id: post.author.0, name: found.author_name.ok_or(Refusal::NotFound)? };
        let member = found.member || self.read.contains_key(&(room.id, post.author));
        if !member && room.access == Access::Closed {
            return Err(Refusal::NotFound);
        }
        if !member {
            let seq = self.next_seq(room);
            self.append(post, room, Event { seq, at: self.at, kind: EventKind::Joined { member: author.clone() } });
        }
        let seq = self.next_seq(room);
        let new = self.append(post, room, Event { seq, at: self.at, kind: posted(post, author, seq) });
        new.intent = Some((post.key.clone(), fingerprint));
        self.read.insert((room.id, post.author), seq);
        self.keys.insert((room.id, post.author, post.key.clone()), (seq, fingerprint));
        Ok(Committed { room: room.id, seq: Some(seq), repeated: false })
    }

    fn next_seq(&mut self, room: FoundRoom) -> Seq {
        let head = self.heads.entry(room.id).or_insert(room.head);
        *head = head.next();
        *head
    }

    fn append(&mut self, post: &Post<'_>, room: FoundRoom, event: Event) -> &mut NewEvent {
        let (slug, actor) = (post.room.clone(), Some(post.author));
        self.events.push_mut(NewEvent { room: room.id, slug, access: room.access, actor, intent: None, event })
    }
}

fn posted(post: &Post<'_>, author: Author, seq: Seq) -> EventKind {
    let body = Some(post.body.as_str().to_owned());
    EventKind::Posted { key: post.key.as_str().to_owned(), author, body, rev: Some(seq), deleted: false }
}

/// What a batch did: an answer for each command, and what each room grew by.
#[derive(Default)]
pub(super) struct Outcome {
    pub answers: Vec<Answer>,
    pub grown: Vec<Grown>,
}

impl Outcome {
    /// Adds events in the order of their seqs per room.
    pub fn grow(&mut self, events: Vec<NewEvent>) {
        for new in events {
            match self.grown.iter_mut().find(|grown| grown.room == new.room) {
                Some(grown) => {
                    grown.access = new.access;
                    grown.events.push(new.event);
                }
                None => {
                    let NewEvent { room, slug, access, event, .. } = new;
                    self.grown.push(Grown { room, slug, access, events: vec![event] });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_763_800_000_000;

    fn room(access: Access) -> Option<FoundRoom> {
        Some(FoundRoom { id: RoomId(1), access, head: Seq(7) })
    }

    fn member() -> Found {
        Found { room: room(Access::Closed), author_name: Some("민아".into()), member: true, known: None }
    }

    /// Answers to posts by account 1, as (key, body, found).
    fn plan(posts: Vec<(&str, &str, Found)>) -> Plan {
        let slug = Slug::parse("general").unwrap();
        let parsed: Vec<_> = posts
            .iter()
            .map(|(key, body, _)| (Key::parse(key).unwrap(), MessageBody::parse(body, 100).unwrap()))
            .collect();
        let posts_of: Vec<_> =
            parsed.iter().map(|(key, body)| Post { room: &slug, author: UserId(1), key, body }).collect();
        Plan::make(&posts_of, posts.into_iter().map(|(_, _, found)| found).collect(), AT)
    }

    fn seqs(plan: &Plan) -> Vec<u64> {
        plan.events.iter().map(|new| new.event.seq.0).collect()
    }

    #[test]
    fn seqs_go_on_from_the_head_without_holes() {
        let plan = plan(vec![("a", "1", member()), ("b", "2", member()), ("c", "3", member())]);
        assert_eq!(seqs(&plan), [8, 9, 10]);
        assert_eq!(plan.read[&(RoomId(1), UserId(1))], Seq(10));
    }

    #[test]
    fn duplicate_key_in_a_batch_returns_first_seq() {
        let plan = plan(vec![("a", "1", member()), ("a", "1", member()), ("a", "other", member())]);
        assert_eq!(seqs(&plan), [8]);
        assert_eq!(
            plan.answers[1].as_ref().unwrap(),
            &Committed { room: RoomId(1), seq: Some(Seq(8)), repeated: true }
        );
        assert!(matches!(plan.answers[2], Err(Refusal::KeyReused)));
    }

    #[test]
    fn a_known_key_is_answered_before_membership() {
        let slug = Slug::parse("general").unwrap();
        let (key, body) = (Key::parse("a").unwrap(), MessageBody::parse("1", 100).unwrap());
        let print = Post { room: &slug, author: UserId(1), key: &key, body: &body }.fingerprint().to_vec();
        let known = Found { member: false, known: Some((Seq(3), print)), ..member() };
        let plan = plan(vec![("a", "1", known.clone()), ("a", "2", known)]);
        assert_eq!(plan.answers[0].as_ref().unwrap().seq, Some(Seq(3)));
        assert!(matches!(plan.answers[1], Err(Refusal::KeyReused)));
        assert!(plan.events.is_empty());
    }

    #[test]
    fn a_newcomer_to_an_open_room_joins_once() {
        let stranger = Found { room: room(Access::Open), member: false, ..member() };
        let plan = plan(vec![("a", "1", stranger.clone()), ("b", "2", stranger)]);
        let joined: Vec<_> = plan.events.iter().map(|new| matches!(new.event.kind, EventKind::Joined { .. })).collect();
        assert_eq!(joined, [true, false, false]);
        assert_eq!(seqs(&plan), [8, 9, 10]);
    }

    #[test]
    fn a_refused_post_takes_no_seq_from_the_others() {
        let stranger = Found { member: false, ..member() };
        let nobody = Found { author_name: None, room: room(Access::Open), ..stranger.clone() };
        let plan = plan(vec![("a", "1", stranger), ("b", "2", nobody), ("c", "3", member())]);
        assert!(matches!(plan.answers[0], Err(Refusal::NotFound)));
        assert!(matches!(plan.answers[1], Err(Refusal::NotFound)));
        assert_eq!(seqs(&plan), [8]);
    }
}
