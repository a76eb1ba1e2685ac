use super::StoreError;
use crate::domain::{Access, Key, MessageBody, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::Event;
use std::sync::Arc;

/// A change to a room's log. Authorised inside the transaction that makes it, in this order:
/// a known key gets its first ack; a room that the actor cannot see is [`Refusal::NotFound`];
/// then the command's own rule.
#[derive(Clone, Debug)]
pub enum Command {
    /// Posts; in an open room it makes the author a member first (a `joined` event before `posted`).
    Post { room: Slug, author: UserId, key: Key, body: MessageBody },
    /// Makes the room with its creator as the first member (`joined` is its event 1).
    /// `creator: None` is the operator: the log and the room are empty at first.
    CreateRoom { slug: Slug, name: RoomName, access: Access, creator: Option<UserId> },
    /// `actor` makes `member` a member: oneself in an open room, anybody in a room one is a member of.
    /// `actor: None` is the operator. Already a member: no event, success.
    AddMember { room: Slug, member: UserId, actor: Option<UserId> },
    /// The last member of a closed room cannot leave ([`Refusal::LastMember`]): it would be lost.
    Leave { room: Slug, member: UserId },
    /// By the room's creator or an owner.
    Rename { room: Slug, actor: UserId, name: RoomName },
    /// By the room's creator or an owner, who must be a member to close it. Same access: no event.
    SetAccess { room: Slug, actor: UserId, access: Access },
}

/// A command is durable: its events are on disk with full sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub room: RoomId,
    /// Of the command's own event; for a repeat the seq of the first time; `None` when there was
    /// nothing to change.
    pub seq: Option<Seq>,
    /// The key was known: nothing was done this time.
    pub repeated: bool,
}

/// Why a command was not carried out. It left nothing behind and its batch went on without it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such room")]
    NotFound,
    #[error("not allowed")]
    Forbidden,
    #[error("the key was used for another command")]
    KeyReused,
    #[error("the address is taken")]
    SlugTaken,
    #[error("the last member of a closed room cannot leave it")]
    LastMember,
    /// Also when the outcome of COMMIT is unknown: retry with the same key.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What one commit added to one room: dense, in order, as served now.
#[derive(Clone, Debug)]
pub struct Grown {
    pub room: RoomId,
    pub slug: Slug,
    /// Who may see the room after the commit.
    pub access: Access,
    pub events: Vec<Event>,
}

/// Told of every commit by the writer, before the commands are answered, in seq order per room.
/// `epoch` names the history that was committed to. Must not block: the writer waits for it.
pub trait Observer: Send + Sync + 'static {
    fn grown(&self, epoch: &Arc<str>, rooms: &[Grown]);
}

/// Nobody listens: for commands that run beside a server.
impl Observer for () {
    fn grown(&self, _epoch: &Arc<str>, _rooms: &[Grown]) {}
}
