use super::{Fingerprint, Foreign, NewTask, StoreError};
use crate::domain::{Access, FileId, Key, MessageBody, RoomId, RoomName, Seq, Slug, UserId};
use crate::protocol::{Event, Preview};
use std::sync::Arc;

/// A change to a room's log. Decided inside the transaction that makes it, in this order: a known
/// key gets its first ack; a room that the actor cannot see is [`Refusal::NotFound`]; then the
/// action's own rule.
#[derive(Clone, Debug)]
pub struct Command {
    /// Where; of a room to be made, the address it shall have.
    pub room: Slug,
    /// `None`: the operator, who makes rooms, adds members, shows previews and is refused anything else.
    pub intent: Option<Intent>,
    pub action: Action,
    /// The history that the action's `target` was learnt in; `None` trusts that it is this one.
    pub epoch: Option<String>,
    /// What follows from it, enqueued in the same transaction; nothing for a repeat or a refusal.
    pub follow_ups: Vec<NewTask>,
}

/// What an account means to do, once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    pub actor: UserId,
    /// Its own space for each room and actor, and one for each actor for making rooms. Those of
    /// posts are known as long as the message or its tombstone is there, others for
    /// [`key_lifetime`](super::StoreOptions::key_lifetime).
    pub key: Key,
}

#[derive(Clone, Debug)]
pub enum Action {
    /// In an open room it makes the author a member first (a `joined` event before `posted`).
    /// Its files are the author's own, of the room, ready, and carried by no message yet:
    /// [`Refusal::NoSuchFile`], [`Refusal::FileNotReady`].
    Post { body: MessageBody, files: Vec<FileId> },
    /// By the message's author, a member. The body that it has already: no event; the ack tells
    /// since which seq it stands so.
    Edit { target: Seq, body: MessageBody },
    /// By the message's author, a member. Deleted already: no event; the ack tells by which seq.
    Delete { target: Seq },
    /// By the operator: what the links of the message's body lead to, of the body that it has since `rev`. Another
    /// body by now, no such message, or previews that are there already: no event, success.
    Preview { target: Seq, rev: Seq, list: Vec<Preview> },
    /// Makes the room with its creator as the first member (`joined` is its event 1). An account
    /// makes rooms of its own. `creator: None`: the log and the room are empty at first.
    CreateRoom { name: RoomName, access: Access, creator: Option<UserId> },
    /// Oneself in an open room, anybody in a room one is a member of. Already a member: no event, success.
    AddMember { member: UserId },
    /// The last member of a closed room cannot leave ([`Refusal::LastMember`]): it would be lost.
    Leave,
    /// By the room's creator or an owner. Same name: no event.
    Rename { name: RoomName },
    /// By the room's creator or an owner, who must be a member to close it. Same access: no event.
    SetAccess { access: Access },
    /// By the room's creator or an owner. The same days: no event.
    SetRetention { days: Option<u32> },
    /// By the operator: what is older than `before`, Unix milliseconds, is in the log no more, but for its last
    /// event. Nothing as old: no event.
    Prune { before: i64 },
    /// By the operator: some of what was pruned leaves the tables, and with it what its keys were used for. Committed
    /// with the seq up to which, or none when nothing was left.
    Sweep,
}

impl Command {
    pub fn new(intent: Intent, room: Slug, action: Action) -> Command {
        Command { room, intent: Some(intent), action, epoch: None, follow_ups: Vec::new() }
    }

    pub fn by_operator(room: Slug, action: Action) -> Command {
        Command { room, intent: None, action, epoch: None, follow_ups: Vec::new() }
    }

    /// To be carried out in this history only: else [`Refusal::Gap`]. No part of what the key stands for.
    pub fn in_epoch(self, epoch: Option<&str>) -> Command {
        Command { epoch: epoch.map(str::to_owned), ..self }
    }

    /// With tasks about the room that follow from it.
    pub fn followed_by(self, follow_ups: Vec<NewTask>) -> Command {
        Command { follow_ups, ..self }
    }

    /// The room whose keys its key is among; `None`: those outside of rooms.
    pub fn scope(&self) -> Option<&Slug> {
        match self.action {
            Action::CreateRoom { .. } => None,
            _ => Some(&self.room),
        }
    }

    /// `None` for the operator, who has no keys.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.intent.as_ref().map(|intent| Fingerprint::of(&intent.key, &self.action))
    }
}

/// A command is durable: its events are on disk with full sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    pub room: RoomId,
    pub slug: Slug,
    /// Of the command's own event; for a repeat the seq of the first time; `None` when there was
    /// nothing to change and nothing to point at.
    pub seq: Option<Seq>,
    /// The key was known: nothing was done this time.
    pub repeated: bool,
}

/// Why a command was not carried out. It left nothing behind and its batch went on without it.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("no such room or message")]
    NotFound,
    #[error("not allowed")]
    Forbidden,
    #[error("the key was used for another command")]
    KeyReused,
    /// The same seq is another message there, perhaps of the same author.
    #[error("the message is of another history")]
    Gap,
    #[error("the message was deleted")]
    Erased,
    #[error("no such file")]
    NoSuchFile,
    /// Worth another try.
    #[error("the file is not ready")]
    FileNotReady,
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

    /// An account, a session or a token may have changed: told once it has, before whoever changed it
    /// is answered. Nothing is told of those that are made.
    fn accounts_changed(&self) {}

    /// Tasks are not what they were: some may be due, some may have ended.
    fn tasks_changed(&self) {}

    /// Whether the other nodes are told of commits, as far as they can be reached. If not, they take each
    /// for one that may have changed anything.
    fn tells_nodes(&self) -> bool {
        false
    }

    /// Somebody else may have written, or what this process committed is unknown: told before those who
    /// watch [`foreign_writes`](super::Log::foreign_writes) hear of it.
    fn foreign_write(&self, _kind: Foreign) {}
}

/// Nobody listens: for commands that run beside a server.
impl Observer for () {
    fn grown(&self, _epoch: &Arc<str>, _rooms: &[Grown]) {}
}
