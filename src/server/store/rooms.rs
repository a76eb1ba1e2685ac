use super::StoreError;
use crate::domain::{Access, RoomId, Seq, Slug, UserId};
use crate::protocol::{MemberList, RoomSummary};
use async_trait::async_trait;

/// A room as one account may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    pub id: RoomId,
    pub summary: RoomSummary,
}

/// Which room it is and where its log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomHead {
    pub id: RoomId,
    pub head: Seq,
}

/// How far somebody has read a room's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadPlace {
    pub room: RoomId,
    pub head: Seq,
    /// `None`: not a member.
    pub read: Option<Seq>,
}

/// Who may read a room: everybody, or of a closed one its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomReaders {
    pub id: RoomId,
    pub slug: Slug,
    pub access: Access,
    /// All members of a closed room; none of an open one.
    pub members: Vec<UserId>,
}

/// Rooms and memberships, as seen by one account. A closed room that the account is not a member
/// of is absent from every answer. Changes are [`Command`](super::Command)s.
#[async_trait]
pub trait Rooms {
    /// The room, if `user` may read it.
    async fn room(&self, slug: &Slug, user: UserId) -> Result<Option<RoomView>, StoreError>;

    /// The same without what only a list shows: for every other question about a room.
    async fn room_head(&self, slug: &Slug, user: UserId) -> Result<Option<RoomHead>, StoreError>;

    /// All rooms that `user` may read: those joined first, each group by name.
    async fn rooms(&self, user: UserId) -> Result<Vec<RoomView>, StoreError>;

    /// The first members of a room by name, at most `limit`, and how many there are.
    async fn members(&self, room: RoomId, limit: u32) -> Result<MemberList, StoreError>;

    /// Which of these (room, user) pairs may read the room now, in one statement.
    async fn readable(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError>;

    /// Which of these (room, user) pairs are memberships, in one statement.
    async fn memberships(&self, pairs: &[(RoomId, UserId)]) -> Result<Vec<(RoomId, UserId)>, StoreError>;

    /// Who may read these rooms, in one statement, whoever asks. Unknown rooms are left out.
    async fn readers(&self, slugs: &[Slug]) -> Result<Vec<RoomReaders>, StoreError>;

    /// Rooms that keep messages for so many days, or that something was pruned of.
    async fn pruned_rooms(&self) -> Result<Vec<(Slug, Option<u32>)>, StoreError>;

    /// The read position of `user` in the room, if `user` may read it.
    async fn read_place(&self, slug: &Slug, user: UserId) -> Result<Option<ReadPlace>, StoreError>;

    /// Moves a member's read position forward to `seq` (never back, never beyond the head).
    /// Not a member: nothing happens.
    async fn mark_read(&self, room: RoomId, user: UserId, seq: Seq) -> Result<(), StoreError>;
}
