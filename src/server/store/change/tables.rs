//! What the rare commands ask of an engine, and what it knows of rooms, accounts and messages.

use super::super::Intent;
use super::super::StoreError;
use super::super::columns::{access_from, count_from, role_from, seq_from};
use super::super::event_row::NewEvent;
use super::super::file_row::Found;
use super::super::key_row::{KnownKey, NewKey};
use crate::domain::{Access, FileId, MessageBody, Role, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::{Attached, Author, Preview};
use async_trait::async_trait;

/// A room as it stands.
#[derive(Clone)]
pub(in super::super) struct Room {
    pub(super) id: RoomId,
    pub(super) slug: Slug,
    pub(super) name: String,
    pub(super) access: Access,
    pub(super) creator: Option<UserId>,
    pub(super) head: Seq,
    pub(super) keep_days: Option<u32>,
}

/// Id, name, access, creator, head and days.
pub(in super::super) type RoomRow = (i64, String, String, Option<i64>, i64, Option<i64>);

impl Room {
    pub fn from_row(slug: &Slug, (id, name, access, creator, head, days): RoomRow) -> Result<Room, StoreError> {
        Ok(Room {
            id: RoomId(id),
            slug: slug.clone(),
            name,
            access: access_from(&access)?,
            creator: creator.map(UserId),
            head: seq_from(head)?,
            keep_days: days.map(count_from).transpose()?,
        })
    }
}

/// A message that has a body, as far as its previews go.
pub(in super::super) struct Standing {
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
pub(in super::super) struct NewPreviews<'a> {
    pub room: RoomId,
    pub target: Seq,
    pub rev: Seq,
    pub list: &'a [Preview],
}

pub(in super::super) struct Account {
    pub(super) author: Author,
    pub(super) role: Role,
}

impl Account {
    pub fn from_row(id: UserId, (name, role): (String, String)) -> Result<Account, StoreError> {
        Ok(Account { author: Author { id: id.0, name }, role: role_from(&role)? })
    }
}

/// Somebody becomes a member, having read up to `last_read`.
pub(in super::super) struct NewMembership {
    pub room: RoomId,
    pub member: UserId,
    pub joined_at: i64,
    pub last_read: Seq,
}

/// A message with files.
pub(in super::super) struct NewMessage<'a> {
    pub room: RoomId,
    pub seq: Seq,
    pub author: UserId,
    pub at: i64,
    pub body: &'a MessageBody,
    pub files: &'a [Attached],
}

/// What an engine does for these commands, in the transaction of the batch. Nobody else changes the rooms
/// that it tells of before that ends.
#[async_trait]
pub(in super::super) trait Tables: Send {
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
    async fn set_keep_days(&mut self, room: RoomId, days: Option<u32>) -> Result<(), StoreError>;
    /// The last of the oldest events that are all older than `before`, Unix milliseconds; before the first where
    /// there is none.
    async fn prunable(&mut self, room: RoomId, before: i64) -> Result<Seq, StoreError>;
    /// The log begins after `up_to` from here on. Whether it began earlier.
    async fn prune(&mut self, room: RoomId, up_to: Seq) -> Result<bool, StoreError>;
    /// What is before the log's first leaves the tables: some of it, up to the seq that is returned; `None` where
    /// nothing was left.
    async fn sweep(&mut self, room: RoomId) -> Result<Option<Seq>, StoreError>;
    /// `None`: no such message, or an erased one.
    async fn message(&mut self, room: RoomId, seq: Seq) -> Result<Option<Standing>, StoreError>;
    async fn put_previews(&mut self, new: NewPreviews<'_>) -> Result<(), StoreError>;
    /// Events that follow densely on the heads of their rooms.
    async fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError>;
    /// Those of these files that there are, in any order. Nobody else changes those that are ready before the transaction ends.
    async fn files(&mut self, ids: &[FileId]) -> Result<Vec<Found>, StoreError>;
    /// The message of an event, which carries its files from here on. Its author, a member, has read up to it.
    async fn insert_message(&mut self, new: &NewMessage<'_>) -> Result<(), StoreError>;
}

pub(in super::super) struct NewRoom<'a> {
    pub slug: &'a Slug,
    pub name: &'a RoomName,
    pub access: Access,
    pub creator: Option<UserId>,
}
