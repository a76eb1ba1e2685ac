//! The rare commands, one at a time: rooms made, joined, left, renamed, opened and closed.
//! Everything is checked before the first write, so that a refusal leaves nothing behind.

use super::columns::{access_from, role_from, seq_from};
use super::event_row::NewEvent;
use super::key_row::{KnownKey, NewKey, OUTSIDE};
use super::plan::{Answer, Moment, Outcome};
use super::{Action, Command, Committed, Intent, Refusal, StoreError};
use crate::domain::{Access, Role, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::{Author, Event, EventKind, Preview};
use async_trait::async_trait;

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

/// A room as it stands.
pub(super) struct Room {
    id: RoomId,
    slug: Slug,
    name: String,
    access: Access,
    creator: Option<UserId>,
    head: Seq,
}

/// Id, name, access, creator and head.
pub(super) type RoomRow = (i64, String, String, Option<i64>, i64);

impl Room {
    pub fn from_row(slug: &Slug, (id, name, access, creator, head): RoomRow) -> Result<Room, StoreError> {
        Ok(Room {
            id: RoomId(id),
            slug: slug.clone(),
            name,
            access: access_from(&access)?,
            creator: creator.map(UserId),
            head: seq_from(head)?,
        })
    }
}

/// A message that has a body, as far as its previews go.
pub(super) struct Standing {
    pub rev: Seq,
    pub previewed: bool,
}

impl Standing {
    /// Rev and the seq of the previews.
    pub fn from_row((rev, previews_rev): (i64, Option<i64>)) -> Result<Standing, StoreError> {
        Ok(Standing { rev: seq_from(rev)?, previewed: previews_rev.is_some() })
    }
}

/// Previews to be kept with the message at `target`.
pub(super) struct NewPreviews<'a> {
    pub room: RoomId,
    pub target: Seq,
    pub rev: Seq,
    pub list: &'a [Preview],
}

pub(super) struct Account {
    author: Author,
    role: Role,
}

impl Account {
    pub fn from_row(id: UserId, (name, role): (String, String)) -> Result<Account, StoreError> {
        Ok(Account { author: Author { id: id.0, name }, role: role_from(&role)? })
    }
}

/// Somebody becomes a member, having read up to `last_read`.
pub(super) struct NewMembership {
    pub room: RoomId,
    pub member: UserId,
    pub joined_at: i64,
    pub last_read: Seq,
}

/// What an engine does for these commands, in the transaction of the batch. Nobody else changes the rooms
/// that it tells of before that ends.
#[async_trait]
pub(super) trait Tables: Send {
    /// What the key was used for in the room; outside of rooms with `None`.
    async fn known(&mut self, room: Option<&Slug>, intent: &Intent) -> Result<Option<KnownKey>, StoreError>;
    /// A key that is not known yet.
    async fn put_key(&mut self, key: &NewKey) -> Result<(), StoreError>;
    async fn account(&mut self, user: UserId) -> Result<Option<Account>, StoreError>;
    async fn room(&mut self, slug: &Slug) -> Result<Option<Room>, StoreError>;
    async fn is_member(&mut self, room: RoomId, user: UserId) -> Result<bool, StoreError>;
    async fn member_count(&mut self, room: RoomId) -> Result<i64, StoreError>;
    /// With an empty log.
    async fn insert_room(&mut self, new: &NewRoom<'_>, at: i64) -> Result<RoomId, StoreError>;
    async fn insert_membership(&mut self, new: NewMembership) -> Result<(), StoreError>;
    async fn delete_membership(&mut self, room: RoomId, user: UserId) -> Result<(), StoreError>;
    async fn set_name(&mut self, room: RoomId, name: &RoomName) -> Result<(), StoreError>;
    async fn set_access(&mut self, room: RoomId, access: Access) -> Result<(), StoreError>;
    /// `None`: no such message, or an erased one.
    async fn message(&mut self, room: RoomId, seq: Seq) -> Result<Option<Standing>, StoreError>;
    async fn put_previews(&mut self, new: NewPreviews<'_>) -> Result<(), StoreError>;
    /// Events that follow densely on the heads of their rooms.
    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError>;
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

pub(super) struct NewRoom<'a> {
    pub slug: &'a Slug,
    pub name: &'a RoomName,
    pub access: Access,
    pub creator: Option<UserId>,
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
        let Some((intent, print)) = intent.as_ref().zip(command.fingerprint()) else {
            let change = self.change(room, actor, action).await?;
            let committed = change.committed();
            outcome.grow(change.events);
            return Ok(committed);
        };
        if let Some(known) = self.tables.known(command.scope(), intent).await? {
            return known.answer(&print);
        }
        let change = self.change(room, actor, action).await?;
        let committed = change.committed();
        let key = NewKey {
            scope: command.scope().map_or(OUTSIDE, |_| change.room),
            intent: intent.clone(),
            print,
            room: change.room,
            seq: committed.seq,
            expires_at: Some(self.moment.keys_until),
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
            (Action::Preview { .. }, Some(_)) => Err(Refusal::Forbidden),
            // What accounts say comes in runs; the operator has no account.
            (Action::Post { .. } | Action::Edit { .. } | Action::Delete { .. }, Some(_)) => {
                Err(StoreError::Internal("a message outside its run".into()).into())
            }
            (_, None) => Err(Refusal::Forbidden),
        }
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
