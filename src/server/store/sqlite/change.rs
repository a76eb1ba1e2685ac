//! The rare commands, one at a time: rooms made, joined, left, renamed, opened and closed.
//! Everything is checked before the first write, so that a refusal leaves nothing behind.

use super::super::columns::{access_column, access_from, role_from, seq_column, seq_from};
use super::super::event_row::NewEvent;
use super::super::{Command, Committed, Refusal, StoreError, sql};
use super::commit::append;
use crate::domain::{Access, Role, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::{Author, Event, EventKind};
use sqlx::SqliteConnection;

/// What a command did: nothing, or one event.
pub(super) struct Change {
    pub room: RoomId,
    pub events: Vec<NewEvent>,
}

impl Change {
    pub fn committed(&self) -> Committed {
        Committed { room: self.room, seq: self.events.last().map(|new| new.event.seq), repeated: false }
    }

    fn none(room: RoomId) -> Change {
        Change { room, events: Vec::new() }
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

pub(super) async fn carry_out(tx: &mut SqliteConnection, command: &Command, at: i64) -> Result<Change, Refusal> {
    match command {
        // Posts come in runs; a single one is a run too.
        Command::Post { .. } => Err(StoreError::Internal("a post outside its run".into()).into()),
        Command::CreateRoom { slug, name, access, creator } => {
            create_room(tx, NewRoom { slug, name, access: *access, creator: *creator }, at).await
        }
        Command::AddMember { room, member, actor } => add_member(tx, room, *member, *actor, at).await,
        Command::Leave { room, member } => leave(tx, room, *member, at).await,
        Command::Rename { room, actor, name } => rename(tx, room, *actor, name, at).await,
        Command::SetAccess { room, actor, access } => set_access(tx, room, *actor, *access, at).await,
    }
}

pub(super) struct NewRoom<'a> {
    pub slug: &'a Slug,
    pub name: &'a RoomName,
    pub access: Access,
    pub creator: Option<UserId>,
}

pub(super) async fn create_room(tx: &mut SqliteConnection, new: NewRoom<'_>, at: i64) -> Result<Change, Refusal> {
    let creator = match new.creator {
        Some(creator) => Some(account(tx, creator).await?.ok_or(Refusal::Forbidden)?),
        None => None,
    };
    if room_by_slug(tx, new.slug).await?.is_some() {
        return Err(Refusal::SlugTaken);
    }
    let (id,): (i64,) = sqlx::query_as(sql::rooms::INSERT_ROOM)
        .bind(new.slug.as_str())
        .bind(new.name.as_str())
        .bind(access_column(new.access))
        .bind(new.creator.map(|creator| creator.0))
        .bind(at)
        .fetch_one(&mut *tx)
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
        Some(creator) => enter(tx, room, creator.author, new.creator, at).await,
        None => Ok(Change::none(room.id)),
    }
}

pub(super) async fn add_member(
    tx: &mut SqliteConnection,
    slug: &Slug,
    member: UserId,
    actor: Option<UserId>,
    at: i64,
) -> Result<Change, Refusal> {
    let room = room_by_slug(tx, slug).await?.ok_or(Refusal::NotFound)?;
    if let Some(actor) = actor {
        let viewer = view(tx, &room, actor).await?;
        if !viewer.member && actor != member {
            return Err(Refusal::Forbidden);
        }
    }
    let newcomer = account(tx, member).await?.ok_or(Refusal::NotFound)?;
    if is_member(tx, room.id, member).await? {
        return Ok(Change::none(room.id));
    }
    enter(tx, room, newcomer.author, actor, at).await
}

/// Makes the account a member that has read everything so far, its own arrival included.
async fn enter(
    tx: &mut SqliteConnection,
    room: RoomRow,
    member: Author,
    actor: Option<UserId>,
    at: i64,
) -> Result<Change, Refusal> {
    sqlx::query(sql::rooms::INSERT_MEMBERSHIP)
        .bind(room.id.0)
        .bind(member.id)
        .bind(at)
        .bind(seq_column(room.head.next()))
        .execute(&mut *tx)
        .await?;
    log(tx, room, actor, EventKind::Joined { member }, at).await
}

async fn leave(tx: &mut SqliteConnection, slug: &Slug, member: UserId, at: i64) -> Result<Change, Refusal> {
    let room = room_by_slug(tx, slug).await?.ok_or(Refusal::NotFound)?;
    let viewer = view(tx, &room, member).await?;
    if !viewer.member {
        return Ok(Change::none(room.id));
    }
    if room.access == Access::Closed {
        let (members,): (i64,) = sqlx::query_as(sql::rooms::MEMBER_COUNT).bind(room.id.0).fetch_one(&mut *tx).await?;
        if members <= 1 {
            return Err(Refusal::LastMember);
        }
    }
    sqlx::query(sql::rooms::DELETE_MEMBERSHIP).bind(room.id.0).bind(member.0).execute(&mut *tx).await?;
    log(tx, room, Some(member), EventKind::Left { member: viewer.account.author }, at).await
}

async fn rename(
    tx: &mut SqliteConnection,
    slug: &Slug,
    actor: UserId,
    name: &RoomName,
    at: i64,
) -> Result<Change, Refusal> {
    let room = room_by_slug(tx, slug).await?.ok_or(Refusal::NotFound)?;
    let viewer = view(tx, &room, actor).await?;
    require_manager(&room, &viewer.account)?;
    if room.name == name.as_str() {
        return Ok(Change::none(room.id));
    }
    sqlx::query(sql::rooms::SET_NAME).bind(room.id.0).bind(name.as_str()).execute(&mut *tx).await?;
    let kind = EventKind::Renamed { by: viewer.account.author, name: name.as_str().to_owned() };
    log(tx, room, Some(actor), kind, at).await
}

async fn set_access(
    tx: &mut SqliteConnection,
    slug: &Slug,
    actor: UserId,
    access: Access,
    at: i64,
) -> Result<Change, Refusal> {
    let room = room_by_slug(tx, slug).await?.ok_or(Refusal::NotFound)?;
    let viewer = view(tx, &room, actor).await?;
    require_manager(&room, &viewer.account)?;
    if room.access == access {
        return Ok(Change::none(room.id));
    }
    // Else the room would be closed to the one who closed it, perhaps to everybody.
    if access == Access::Closed && !viewer.member {
        return Err(Refusal::Forbidden);
    }
    sqlx::query(sql::rooms::SET_ACCESS).bind(room.id.0).bind(access_column(access)).execute(&mut *tx).await?;
    log(tx, room, Some(actor), EventKind::AccessChanged { by: viewer.account.author, access }, at).await
}

fn require_manager(room: &RoomRow, account: &Account) -> Result<(), Refusal> {
    let created = room.creator == Some(UserId(account.author.id));
    if created || account.role == Role::Owner { Ok(()) } else { Err(Refusal::Forbidden) }
}

/// Adds the room's next event.
async fn log(
    tx: &mut SqliteConnection,
    room: RoomRow,
    actor: Option<UserId>,
    kind: EventKind,
    at: i64,
) -> Result<Change, Refusal> {
    let event = Event { seq: room.head.next(), at, kind };
    let events = vec![NewEvent { room: room.id, slug: room.slug, actor, intent: None, event }];
    append(tx, &events).await?;
    Ok(Change { room: room.id, events })
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
