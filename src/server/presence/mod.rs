//! Who is present where: what each node says of its own people, kept where the other nodes find it. A
//! node says only who is there, once for each account however many sockets it has, and takes back what
//! it said by saying something else; what a node that has died said expires. Who is told of it, and
//! when, is the hub's.

mod memory;
pub mod redis;

pub use memory::MemoryPresence;

use crate::domain::{RoomId, UserId};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Accounts with their names.
pub type People = BTreeMap<UserId, Arc<str>>;

/// What nodes say of their people is out of reach: they go on with their own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// One node's end of presence. Nothing here tells anybody: nodes ask when they have reason to, and once in a while.
#[async_trait]
pub trait Presence: Send + Sync + 'static {
    /// From the return on other nodes find in each of these rooms these people of this node and no others of
    /// it, until it says something else of the room, or nothing at all for the expiry. After an error they
    /// may find either. `false`: this node had been forgotten, and all has to be restated.
    async fn say(&self, rooms: &[(RoomId, People)]) -> Result<bool, Unreachable>;

    /// From the return on other nodes find these people of this node in these rooms and none in any other.
    async fn restate(&self, all: &[(RoomId, People)]) -> Result<(), Unreachable>;

    /// This node is there: what it said stands for another expiry. `false`: it had been forgotten, and has to
    /// be restated.
    async fn renew(&self) -> Result<bool, Unreachable>;

    /// The people of all other nodes in these rooms, in the order of the rooms.
    async fn elsewhere(&self, rooms: &[RoomId]) -> Result<Vec<People>, Unreachable>;
}
