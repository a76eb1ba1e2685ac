//! The rare commands, one at a time: rooms made, joined, left, renamed, opened and closed.
//! Everything is checked before the first write, so that a refusal leaves nothing behind.

use super::super::columns::{access_column, access_from, role_from, seq_column, seq_from};
use super::super::event_row::NewEvent;
use super::super::key_row::{NewKey, OUTSIDE};
use super::super::plan::{Answer, Moment, Outcome};
use super::super::{Action, Command, Committed, Refusal, StoreError, sql};
use super::commit::append;
use super::keys;
use crate::domain::{Access, Role, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::{Author, Event, EventKind};
use sqlx::SqliteConnection;

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

    fn none(room: RoomRow) -> Change {
        Change { room: room.id, slug: room.slug, events: Vec::new() }
    }
}

struct RoomRow {
    id: RoomId,
    slug: Slug,
    name: String,
    access: Access,
    creator: Option<UserId>,
    head: Seq,
}

struct Account {
    author: Author,
    role: Role,
}

/// Somebody who can see the room.
struct Viewer {
    account: Account,
    member: bool,
}

/// Commands on their way through one transaction, at one moment.
pub(super) struct Changes<'a> {
    pub tx: &'a mut SqliteConnection,
    pub moment: Moment,
}

pub(super) struct NewRoom<'a> {
    pub slug: &'a Slug,
    pub name: &'a RoomName,
    pub access: Access,
    pub creator: Option<UserId>,
}

impl Changes<'_> {
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
        if let Some(known) = keys::known(self.tx, command.scope(), intent).await? {
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
        keys::put(self.tx, &key).await?;
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
            (Action::Leave, Some(actor)) => self.leave(room, actor).await,
            (Action::Rename { name }, Some(actor)) => self.rename(room, actor, name).await,
            (Action::SetAccess { access }, Some(actor)) => self.set_access(room, actor, *access).await,
            // What accounts say comes in runs; the operator has no account.
            (Action::Post { .. } | Action::Edit { .. } | Action::Delete { .. }, Some(_)) => {
                Err(StoreError::Internal("a message outside its run".into()).into())
            }
            (_, None) => Err(Refusal::Forbidden),
        }
    }

    pub async fn create_room(&mut self, new: NewRoom<'_>) -> Result<Change, Refusal> {
        let creator = match new.creator {
            Some(creator) => Some(account(self.tx, creator).await?.ok_or(Refusal::Forbidden)?),
            None => None,
        };
        if room_by_slug(self.tx, new.slug).await?.is_some() {
            return Err(Refusal::SlugTaken);
        }
        let (id,): (i64,) = sqlx::query_as(sql::rooms::INSERT_ROOM)
            .bind(new.slug.as_str())
            .bind(new.name.as_str())
            .bind(access_column(new.access))
            .bind(new.creator.map(|creator| creator.0))
            .bind(self.moment.at)
            .fetch_one(&mut *self.tx)
            .await?;
        let room = RoomRow {
            id: RoomId(id),
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
        let room = room_by_slug(self.tx, slug).await?.ok_or(Refusal::NotFound)?;
        if let Some(actor) = actor {
            let viewer = view(self.tx, &room, actor).await?;
            if !viewer.member && actor != member {
                return Err(Refusal::Forbidden);
            }
        }
        let newcomer = account(self.tx, member).await?.ok_or(Refusal::NotFound)?;
        if is_member(self.tx, room.id, member).await? {
            return Ok(Change::none(room));
        }
        self.enter(room, newcomer.author, actor).await
    }

    /// Makes the account a member that has read everything so far, its own arrival included.
    async fn enter(&mut self, room: RoomRow, member: Author, actor: Option<UserId>) -> Result<Change, Refusal> {
        sqlx::query(sql::rooms::INSERT_MEMBERSHIP)
            .bind(room.id.0)
            .bind(member.id)
            .bind(self.moment.at)
            .bind(seq_column(room.head.next()))
            .execute(&mut *self.tx)
            .await?;
        self.log(room, actor, EventKind::Joined { member }).await
    }

    async fn leave(&mut self, slug: &Slug, member: UserId) -> Result<Change, Refusal> {
        let room = room_by_slug(self.tx, slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = view(self.tx, &room, member).await?;
        if !viewer.member {
            return Ok(Change::none(room));
        }
        if room.access == Access::Closed {
            let (members,): (i64,) =
                sqlx::query_as(sql::rooms::MEMBER_COUNT).bind(room.id.0).fetch_one(&mut *self.tx).await?;
            if members <= 1 {
                return Err(Refusal::LastMember);
            }
        }
        sqlx::query(sql::rooms::DELETE_MEMBERSHIP).bind(room.id.0).bind(member.0).execute(&mut *self.tx).await?;
        self.log(room, Some(member), EventKind::Left { member: viewer.account.author }).await
    }

    async fn rename(&mut self, slug: &Slug, actor: UserId, name: &RoomName) -> Result<Change, Refusal> {
        let room = room_by_slug(self.tx, slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = view(self.tx, &room, actor).await?;
        require_manager(&room, &viewer.account)?;
        if room.name == name.as_str() {
            return Ok(Change::none(room));
        }
        sqlx::query(sql::rooms::SET_NAME).bind(room.id.0).bind(name.as_str()).execute(&mut *self.tx).await?;
        let kind = EventKind::Renamed { by: viewer.account.author, name: name.as_str().to_owned() };
        self.log(room, Some(actor), kind).await
    }

    async fn set_access(&mut self, slug: &Slug, actor: UserId, access: Access) -> Result<Change, Refusal> {
        let room = room_by_slug(self.tx, slug).await?.ok_or(Refusal::NotFound)?;
        let viewer = view(self.tx, &room, actor).await?;
        require_manager(&room, &viewer.account)?;
        if room.access == access {
            return Ok(Change::none(room));
        }
        // Else the room would be closed to the one who closed it, perhaps to everybody.
        if access == Access::Closed && !viewer.member {
            return Err(Refusal::Forbidden);
        }
        sqlx::query(sql::rooms::SET_ACCESS).bind(room.id.0).bind(access_column(access)).execute(&mut *self.tx).await?;
        let room = RoomRow { access, ..room };
        self.log(room, Some(actor), EventKind::AccessChanged { by: viewer.account.author, access }).await
    }

    /// Adds the room's next event.
    async fn log(&mut self, room: RoomRow, actor: Option<UserId>, kind: EventKind) -> Result<Change, Refusal> {
        let event = Event { seq: room.head.next(), at: self.moment.at, kind };
        let RoomRow { id, slug, access, .. } = room;
        let events = vec![NewEvent { room: id, slug: slug.clone(), access, actor, event }];
        append(self.tx, &events).await?;
        Ok(Change { room: id, slug, events })
    }
}

fn require_manager(room: &RoomRow, account: &Account) -> Result<(), Refusal> {
    let created = room.creator == Some(UserId(account.author.id));
    if created || account.role == Role::Owner { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// `NotFound` unless the account can see the room.
async fn view(tx: &mut SqliteConnection, room: &RoomRow, user: UserId) -> Result<Viewer, Refusal> {
    let account = account(tx, user).await?.ok_or(Refusal::NotFound)?;
    let member = is_member(tx, room.id, user).await?;
    match member || room.access == Access::Open {
        true => Ok(Viewer { account, member }),
        false => Err(Refusal::NotFound),
    }
}

async fn account(tx: &mut SqliteConnection, user: UserId) -> Result<Option<Account>, StoreError> {
    let row: Option<(String, String)> =
        sqlx::query_as(sql::rooms::ACCOUNT).bind(user.0).fetch_optional(&mut *tx).await?;
    row.map(|(name, role)| Ok(Account { author: Author { id: user.0, name }, role: role_from(&role)? })).transpose()
}

async fn is_member(tx: &mut SqliteConnection, room: RoomId, user: UserId) -> Result<bool, StoreError> {
    let (count,): (i64,) =
        sqlx::query_as(sql::rooms::MEMBERSHIPS).bind(room.0).bind(user.0).fetch_one(&mut *tx).await?;
    Ok(count > 0)
}

async fn room_by_slug(tx: &mut SqliteConnection, slug: &Slug) -> Result<Option<RoomRow>, StoreError> {
    let row: Option<(i64, String, String, Option<i64>, i64)> =
        sqlx::query_as(sql::rooms::ROOM_BY_SLUG).bind(slug.as_str()).fetch_optional(&mut *tx).await?;
    row.map(|(id, name, access, creator, head)| {
        Ok(RoomRow {
            id: RoomId(id),
            slug: slug.clone(),
            name,
            access: access_from(&access)?,
            creator: creator.map(UserId),
            head: seq_from(head)?,
        })
    })
    .transpose()
}
