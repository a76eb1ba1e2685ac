//! The rare commands, one at a time: rooms made, joined, left, renamed, opened and closed.
//! Everything is checked before the first write, so that a refusal leaves nothing behind.

mod tables;

pub(super) use tables::{Account, NewMembership, NewMessage, NewPreviews, NewRoom, Room, RoomRow, Standing, Tables};

use super::event_row::NewEvent;
use super::key_row::{NewKey, OUTSIDE};
use super::plan::{Answer, Moment, Outcome};
use super::{Action, Command, Committed, Intent, Refusal, StoreError};
use crate::domain::{Access, FileId, MessageBody, Role, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::{Attached, Author, Event, EventKind, Preview};

/// What a command did: nothing, or one event.
pub(super) struct Change {
    room: RoomId,
    slug: Slug,
    pub events: Vec<NewEvent>,
}

impl Change {
    fn committed(&self) -> Committed {
        let seq = self.events.last().map(|new| new.event.seq);
        Committed { room: self.room, slug: self.slug.clone(), seq, repeated: false }
    }

    fn none(room: Room) -> Change {
        Change { room: room.id, slug: room.slug, events: Vec::new() }
    }
}

/// Somebody who can see the room.
struct Viewer {
    account: Account,
    member: bool,
}

/// Commands on their way through one transaction, at one moment.
pub(super) struct Changes<'a, T> {
    pub tables: &'a mut T,
    pub moment: Moment,
}

impl<T: Tables> Changes<'_, T> {
    /// A command with its key. A refusal is an answer; an error is the whole batch's.
    pub async fn carry_out(&mut self, command: &Command, outcome: &mut Outcome) -> Result<(), StoreError> {
        match self.answer(command, outcome).await {
            Err(Refusal::Store(error)) => Err(error),
            answer => {
                outcome.answers.push(answer);
                Ok(())
            }
        }
    }

    async fn answer(&mut self, command: &Command, outcome: &mut Outcome) -> Answer {
        let Command { room, intent, action, .. } = command;
        let actor = intent.as_ref().map(|intent| intent.actor);
        if let (Action::Sweep, None) = (action, actor) {
            return self.sweep(room, outcome).await;
        }
        let Some((intent, print)) = intent.as_ref().zip(command.fingerprint()) else {
            let change = self.change(room, actor, action).await?;
            let committed = change.committed();
            outcome.grow(change.events);
            return Ok(committed);
        };
        if let Some(known) = self.tables.known(command.scope(), intent).await? {
            return known.answer(&print);
        }
        let (change, expires_at) = match action {
            Action::Post { body, files } => (self.post(room, intent, (body, files)).await?, None),
            _ => (self.change(room, actor, action).await?, Some(self.moment.keys_until)),
        };
        let committed = change.committed();
        let key = NewKey {
            scope: command.scope().map_or(OUTSIDE, |_| change.room),
            intent: intent.clone(),
            print,
            room: change.room,
            seq: committed.seq,
            expires_at,
        };
        self.tables.put_key(&key).await?;
        outcome.grow(change.events);
        Ok(committed)
    }

    async fn change(&mut self, room: &Slug, actor: Option<UserId>, action: &Action) -> Result<Change, Refusal> {
        match (action, actor) {
            (Action::CreateRoom { creator, .. }, Some(actor)) if *creator != Some(actor) => Err(Refusal::Forbidden),
            (Action::CreateRoom { name, access, creator }, _) => {
                self.create_room(NewRoom { slug: room, name, access: *access, creator: *creator }).await
            }
            (Action::AddMember { member }, actor) => self.add_member(room, *member, actor).await,
            (Action::Preview { target, rev, list }, None) => self.preview(room, (*target, *rev), list).await,
            (Action::Leave, Some(actor)) => self.leave(room, actor).await,
            (Action::Rename { name }, Some(actor)) => self.rename(room, actor, name).await,
            (Action::SetAccess { access }, Some(actor)) => self.set_access(room, actor, *access).await,
            (Action::SetRetention { days }, Some(actor)) => self.set_retention(room, actor, *days).await,
            (Action::Prune { before }, None) => self.prune(room, *before).await,
            (Action::Preview { .. }, Some(_)) | (Action::Prune { .. } | Action::Sweep, _) => Err(Refusal::Forbidden),
            // What accounts say comes in runs; the operator has no account.
            (Action::Post { .. } | Action::Edit { .. } | Action::Delete { .. }, Some(_)) => {
                Err(StoreError::Internal("a message outside its run".into()).into())
            }
            (_, None) => Err(Refusal::Forbidden),
        }
    }

    /// A message with files.
    async fn post(
        &mut self,
        slug: &Slug,
        intent: &Intent,
        (body, ids): (&MessageBody, &[FileId]),
    ) -> Result<Change, Refusal> {
        let (actor, key) = (intent.actor, intent.key.as_str().to_owned());
        let mut room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = self.view(&room, actor).await?;
        let files = self.attachable(&room, actor, ids).await?;
        let author = viewer.account.author;
        let mut events = Vec::new();
        if !viewer.member {
            events = self.enter(room.clone(), author.clone(), Some(actor)).await?.events;
            room.head = room.head.next();
        }
        let (id, seq, text) = (room.id, room.head.next(), body.as_str().to_owned());
        let kind = EventKind::Posted {
            key,
            author,
            body: Some(text),
            rev: Some(seq),
            deleted: false,
            files: files.clone(),
            previews: None,
        };
        let posted = self.log(room, Some(actor), kind).await?;
        let new = NewMessage { room: id, seq, author: actor, at: self.moment.at, body, files: &files };
        self.tables.insert_message(&new).await?;
        events.extend(posted.events);
        Ok(Change { events, ..posted })
    }

    /// The files that a message of this account may carry, in the order that it names them.
    async fn attachable(&mut self, room: &Room, author: UserId, ids: &[FileId]) -> Result<Vec<Attached>, Refusal> {
        let mut found = self.tables.files(ids).await?;
        let mut files = Vec::with_capacity(ids.len());
        for id in ids {
            let place = found.iter().position(|found| found.file.shown.id == *id).ok_or(Refusal::NoSuchFile)?;
            files.push(found.swap_remove(place).attachable(room.id, author)?);
        }
        Ok(files)
    }

    pub async fn create_room(&mut self, new: NewRoom<'_>) -> Result<Change, Refusal> {
        let creator = match new.creator {
            Some(creator) => Some(self.tables.account(creator).await?.ok_or(Refusal::Forbidden)?),
            None => None,
        };
        if self.tables.room(new.slug).await?.is_some() {
            return Err(Refusal::SlugTaken);
        }
        let id = self.tables.insert_room(&new, self.moment.at).await?;
        let room = Room {
            id,
            slug: new.slug.clone(),
            name: new.name.as_str().to_owned(),
            access: new.access,
            creator: new.creator,
            head: Seq::ZERO,
            keep_days: None,
        };
        match creator {
            Some(creator) => self.enter(room, creator.author, new.creator).await,
            None => Ok(Change::none(room)),
        }
    }

    pub async fn add_member(&mut self, slug: &Slug, member: UserId, actor: Option<UserId>) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        if let Some(actor) = actor {
            let viewer = self.view(&room, actor).await?;
            if !viewer.member && actor != member {
                return Err(Refusal::Forbidden);
            }
        }
        let newcomer = self.tables.account(member).await?.ok_or(Refusal::NotFound)?;
        if self.tables.is_member(room.id, member).await? {
            return Ok(Change::none(room));
        }
        self.enter(room, newcomer.author, actor).await
    }

    /// Makes the account a member that has read everything so far, its own arrival included.
    async fn enter(&mut self, room: Room, member: Author, actor: Option<UserId>) -> Result<Change, Refusal> {
        let new = NewMembership {
            room: room.id,
            member: UserId(member.id),
            joined_at: self.moment.at,
            last_read: room.head.next(),
        };
        self.tables.insert_membership(new).await?;
        self.log(room, actor, EventKind::Joined { member }).await
    }

    async fn leave(&mut self, slug: &Slug, member: UserId) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = self.view(&room, member).await?;
        if !viewer.member {
            return Ok(Change::none(room));
        }
        if room.access == Access::Closed && self.tables.member_count(room.id).await? <= 1 {
            return Err(Refusal::LastMember);
        }
        self.tables.delete_membership(room.id, member).await?;
        self.log(room, Some(member), EventKind::Left { member: viewer.account.author }).await
    }

    async fn rename(&mut self, slug: &Slug, actor: UserId, name: &RoomName) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = self.view(&room, actor).await?;
        require_manager(&room, &viewer.account)?;
        if room.name == name.as_str() {
            return Ok(Change::none(room));
        }
        self.tables.set_name(room.id, name).await?;
        let kind = EventKind::Renamed { by: viewer.account.author, name: name.as_str().to_owned() };
        self.log(room, Some(actor), kind).await
    }

    async fn set_access(&mut self, slug: &Slug, actor: UserId, access: Access) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = self.view(&room, actor).await?;
        require_manager(&room, &viewer.account)?;
        if room.access == access {
            return Ok(Change::none(room));
        }
        // Else the room would be closed to the one who closed it, perhaps to everybody.
        if access == Access::Closed && !viewer.member {
            return Err(Refusal::Forbidden);
        }
        self.tables.set_access(room.id, access).await?;
        let room = Room { access, ..room };
        self.log(room, Some(actor), EventKind::AccessChanged { by: viewer.account.author, access }).await
    }

    async fn preview(&mut self, slug: &Slug, (target, rev): (Seq, Seq), list: &[Preview]) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let standing = self.tables.message(room.id, target).await?;
        if standing.is_none_or(|standing| standing.rev != rev || standing.previewed) {
            return Ok(Change::none(room));
        }
        let brought = room.head.next();
        self.tables.put_previews(NewPreviews { room: room.id, target, rev: brought, list }).await?;
        self.log(room, None, EventKind::Preview { target, rev: Some(brought), list: list.to_vec() }).await
    }

    async fn set_retention(&mut self, slug: &Slug, actor: UserId, days: Option<u32>) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = self.view(&room, actor).await?;
        require_manager(&room, &viewer.account)?;
        if room.keep_days == days {
            return Ok(Change::none(room));
        }
        self.tables.set_keep_days(room.id, days).await?;
        self.log(room, Some(actor), EventKind::RetentionChanged { by: viewer.account.author, days }).await
    }

    /// One event for all that go. They leave the tables later.
    async fn prune(&mut self, slug: &Slug, before: i64) -> Result<Change, Refusal> {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let up_to = self.tables.prunable(room.id, before).await?;
        if !self.tables.prune(room.id, up_to).await? {
            return Ok(Change::none(room));
        }
        self.log(room, None, EventKind::Pruned { up_to }).await
    }

    async fn sweep(&mut self, slug: &Slug, outcome: &mut Outcome) -> Answer {
        let room = self.tables.room(slug).await?.ok_or(Refusal::NotFound)?;
        let seq = self.tables.sweep(room.id).await?;
        outcome.erased |= seq.is_some();
        Ok(Committed { room: room.id, slug: room.slug, seq, repeated: false })
    }

    /// `NotFound` unless the account can see the room.
    async fn view(&mut self, room: &Room, user: UserId) -> Result<Viewer, Refusal> {
        let account = self.tables.account(user).await?.ok_or(Refusal::NotFound)?;
        let member = self.tables.is_member(room.id, user).await?;
        match member || room.access == Access::Open {
            true => Ok(Viewer { account, member }),
            false => Err(Refusal::NotFound),
        }
    }

    /// Adds the room's next event.
    async fn log(&mut self, room: Room, actor: Option<UserId>, kind: EventKind) -> Result<Change, Refusal> {
        let event = Event { seq: room.head.next(), at: self.moment.at, kind };
        let Room { id, slug, access, .. } = room;
        let events = vec![NewEvent { room: id, slug: slug.clone(), access, actor, event }];
        self.tables.append(&events).await?;
        Ok(Change { room: id, slug, events })
    }
}

fn require_manager(room: &Room, account: &Account) -> Result<(), Refusal> {
    let created = room.creator == Some(UserId(account.author.id));
    if created || account.role == Role::Owner { Ok(()) } else { Err(Refusal::Forbidden) }
}
