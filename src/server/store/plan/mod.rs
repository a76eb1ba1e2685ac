//! What a run of commands about messages does to the logs: decided here, in the order of the
//! queue, from what the engine looked up in its transaction. Pure, so that every engine decides alike.

mod outcome;

pub(super) use outcome::Outcome;

use super::event_row::NewEvent;
use super::key_row::{KnownKey, NewKey};
use super::{Action, Command, Committed, Fingerprint, Intent, Refusal, StoreError};
use crate::domain::{Access, Key, MessageBody, RoomId, Seq, Slug, UserId};
use crate::protocol::{Author, Event, EventKind};
use std::collections::{BTreeMap, HashMap};

pub(super) type Answer = Result<Committed, Refusal>;

/// When a batch is carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment {
    /// Unix milliseconds, of every event.
    pub at: i64,
    /// Unix milliseconds: until then the keys of this batch are known, but for those of posts.
    pub keys_until: i64,
}

/// A command that may be part of a run.
#[derive(Clone, Copy)]
pub(super) struct Speech<'a> {
    pub room: &'a Slug,
    pub intent: &'a Intent,
    pub action: &'a Action,
    pub epoch: Option<&'a str>,
}

impl<'a> Speech<'a> {
    pub fn of(command: &'a Command) -> Option<Speech<'a>> {
        let Command { room, intent: Some(intent), action, epoch, .. } = command else { return None };
        let speaks = match action {
            // What it carries is looked up first, one by one.
            Action::Post { files, .. } => files.is_empty(),
            Action::Edit { .. } | Action::Delete { .. } => true,
            _ => false,
        };
        speaks.then_some(Speech { room, intent, action, epoch: epoch.as_deref() })
    }

    /// The message that it changes.
    pub fn target(&self) -> Option<Seq> {
        match self.action {
            Action::Edit { target, .. } | Action::Delete { target } => Some(*target),
            _ => None,
        }
    }
}

/// What the store knows about one command before its run.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub room: Option<FoundRoom>,
    /// `None`: no such account.
    pub author_name: Option<String>,
    pub member: bool,
    pub known: Option<KnownKey>,
    /// The message that it changes.
    pub target: Option<Message>,
    /// It names another history than the one that is committed to.
    pub other_epoch: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct FoundRoom {
    pub id: RoomId,
    pub access: Access,
    pub head: Seq,
}

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub author: UserId,
    /// Of the last edit or the deletion, at first the message's own.
    pub rev: Seq,
    /// `None`: deleted.
    pub body: Option<Body>,
    /// Where the previews of its links are stored.
    pub previews: Option<i64>,
}

impl Message {
    fn new(author: UserId, rev: Seq, body: Option<Body>) -> Message {
        Message { author, rev, body, previews: None }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub text: String,
    /// Where it is stored; `None`: it came with the run.
    pub id: Option<i64>,
}

/// What to write for a run, and what to answer.
#[derive(Default)]
pub(super) struct Plan {
    /// One for each command, in order.
    pub answers: Vec<Answer>,
    pub events: Vec<NewEvent>,
    /// Authors with the seq of their last post: each is a member from here on and has read so far.
    pub read: BTreeMap<(RoomId, UserId), Seq>,
    /// Those that are new or changed, as they stand after the run.
    pub messages: BTreeMap<(RoomId, Seq), Message>,
    /// Stored bodies that are replaced or deleted.
    pub erased: Vec<i64>,
    pub keys: Vec<NewKey>,
    moment: Moment,
    heads: BTreeMap<RoomId, Seq>,
    /// Keys of this run, by their place in `keys`.
    used: HashMap<(RoomId, UserId, Key), usize>,
}

/// What a command did.
struct Done {
    seq: Seq,
    key_expires_at: Option<i64>,
}

/// Who speaks where, once it is known that they may see the room.
struct Place<'a> {
    room: FoundRoom,
    slug: &'a Slug,
    author: Author,
    member: bool,
}

impl Plan {
    pub fn make(speeches: &[Speech<'_>], found: Vec<Found>, moment: Moment) -> Plan {
        let mut plan = Plan { moment, ..Plan::default() };
        for (speech, found) in speeches.iter().zip(found) {
            let answer = plan.decide(speech, found);
            plan.answers.push(answer);
        }
        plan
    }

    fn decide(&mut self, speech: &Speech<'_>, found: Found) -> Answer {
        let room = found.room.ok_or(Refusal::NotFound)?;
        let Speech { room: slug, intent, action, .. } = *speech;
        let print = Fingerprint::of(&intent.key, action);
        // The key comes first: a repeat is answered also where its author may no longer speak.
        if let Some(known) = found.known.or_else(|| self.used_key(room.id, slug, intent)) {
            return known.answer(&print);
        }
        let author = Author { id: intent.actor.0, name: found.author_name.ok_or(Refusal::NotFound)? };
        let member = found.member || self.read.contains_key(&(room.id, intent.actor));
        if !member && room.access == Access::Closed {
            return Err(Refusal::NotFound);
        }
        if found.other_epoch {
            return Err(Refusal::Gap);
        }
        let place = Place { room, slug, author, member };
        let done = match action {
            Action::Post { body, .. } => self.post(place, &intent.key, body),
            Action::Edit { target, body } => self.edit(place, (*target, found.target), body)?,
            Action::Delete { target } => self.delete(place, (*target, found.target))?,
            _ => return Err(StoreError::Internal("a run of other commands".into()).into()),
        };
        let (seq, expires_at) = (Some(done.seq), done.key_expires_at);
        self.used.insert((room.id, intent.actor, intent.key.clone()), self.keys.len());
        self.keys.push(NewKey { scope: room.id, intent: intent.clone(), print, room: room.id, seq, expires_at });
        Ok(Committed { room: room.id, slug: slug.clone(), seq, repeated: false })
    }

    fn used_key(&self, room: RoomId, slug: &Slug, intent: &Intent) -> Option<KnownKey> {
        let place = self.used.get(&(room, intent.actor, intent.key.clone()))?;
        let key = &self.keys[*place];
        Some(KnownKey { room, slug: slug.clone(), seq: key.seq, fingerprint: key.print.bytes().to_vec() })
    }

    fn post(&mut self, place: Place<'_>, key: &Key, body: &MessageBody) -> Done {
        let (room, author) = (place.room.id, UserId(place.author.id));
        if !place.member {
            self.append(&place, |_| EventKind::Joined { member: place.author.clone() });
        }
        let seq = self.append(&place, |seq| EventKind::Posted {
            key: key.as_str().to_owned(),
            author: place.author.clone(),
            body: Some(body.as_str().to_owned()),
            rev: Some(seq),
            deleted: false,
            files: Vec::new(),
            previews: None,
        });
        self.read.insert((room, author), seq);
        self.messages.insert((room, seq), Message::new(author, seq, Some(Body::new(body))));
        Done { seq, key_expires_at: None }
    }

    fn edit(&mut self, place: Place<'_>, target: (Seq, Option<Message>), body: &MessageBody) -> Result<Done, Refusal> {
        let (target, message) = self.own_message(&place, target)?;
        let Message { author, rev, body: Some(old), previews } = message else { return Err(Refusal::Erased) };
        if old.text == body.as_str() {
            return Ok(self.changed(rev));
        }
        let text = Some(body.as_str().to_owned());
        let rev = self.append(&place, |rev| EventKind::Edited { target, rev, body: text });
        // What it linked to is told anew.
        self.erased.extend(old.id.into_iter().chain(previews));
        self.messages.insert((place.room.id, target), Message::new(author, rev, Some(Body::new(body))));
        Ok(self.changed(rev))
    }

    fn delete(&mut self, place: Place<'_>, target: (Seq, Option<Message>)) -> Result<Done, Refusal> {
        let (target, message) = self.own_message(&place, target)?;
        let Message { author, body: Some(old), previews, .. } = message else { return Ok(self.changed(message.rev)) };
        let rev = self.append(&place, |_| EventKind::Deleted { target });
        self.erased.extend(old.id.into_iter().chain(previews));
        self.messages.insert((place.room.id, target), Message::new(author, rev, None));
        Ok(self.changed(rev))
    }

    /// The message to be changed, as it stands now: by its author, who is in the room.
    fn own_message(
        &self,
        place: &Place<'_>,
        (target, found): (Seq, Option<Message>),
    ) -> Result<(Seq, Message), Refusal> {
        if !place.member {
            return Err(Refusal::Forbidden);
        }
        let message = self.messages.get(&(place.room.id, target)).cloned().or(found).ok_or(Refusal::NotFound)?;
        if message.author.0 == place.author.id { Ok((target, message)) } else { Err(Refusal::Forbidden) }
    }

    fn changed(&self, seq: Seq) -> Done {
        Done { seq, key_expires_at: Some(self.moment.keys_until) }
    }

    fn append(&mut self, place: &Place<'_>, kind: impl FnOnce(Seq) -> EventKind) -> Seq {
        let head = self.heads.entry(place.room.id).or_insert(place.room.head);
        *head = head.next();
        let seq = *head;
        self.events.push(NewEvent {
            room: place.room.id,
            slug: place.slug.clone(),
            access: place.room.access,
            actor: Some(UserId(place.author.id)),
            event: Event { seq, at: self.moment.at, kind: kind(seq) },
        });
        seq
    }
}

impl Body {
    fn new(body: &MessageBody) -> Body {
        Body { text: body.as_str().to_owned(), id: None }
    }
}

#[cfg(test)]
mod tests;
