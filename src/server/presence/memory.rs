//! The presence of a single process. [`MemoryPresence::peer`] adds a node, which is how tests run two in one
//! process; what a node said goes when it is dropped.

use super::{People, Presence, Unreachable};
use crate::domain::RoomId;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One node's end.
pub struct MemoryPresence {
    board: Arc<Mutex<Board>>,
    node: u64,
}

#[derive(Default)]
struct Board {
    nodes: u64,
    said: HashMap<u64, HashMap<RoomId, People>>,
}

impl MemoryPresence {
    pub fn new() -> MemoryPresence {
        MemoryPresence::on(Arc::default())
    }

    /// Another node's end of the same board.
    pub fn peer(&self) -> MemoryPresence {
        MemoryPresence::on(Arc::clone(&self.board))
    }

    fn on(board: Arc<Mutex<Board>>) -> MemoryPresence {
        let node = {
            let mut board = locked(&board);
            board.nodes += 1;
            board.nodes
        };
        MemoryPresence { board, node }
    }
}

impl Default for MemoryPresence {
    fn default() -> MemoryPresence {
        MemoryPresence::new()
    }
}

impl Drop for MemoryPresence {
    fn drop(&mut self) {
        locked(&self.board).said.remove(&self.node);
    }
}

#[async_trait]
impl Presence for MemoryPresence {
    async fn say(&self, rooms: &[(RoomId, People)]) -> Result<bool, Unreachable> {
        let mut board = locked(&self.board);
        let said = board.said.entry(self.node).or_default();
        for (room, people) in rooms {
            match people.is_empty() {
                true => said.remove(room),
                false => said.insert(*room, people.clone()),
            };
        }
        Ok(true)
    }

    async fn restate(&self, all: &[(RoomId, People)]) -> Result<(), Unreachable> {
        let said = all.iter().filter(|(_, people)| !people.is_empty()).cloned().collect();
        locked(&self.board).said.insert(self.node, said);
        Ok(())
    }

    async fn renew(&self) -> Result<bool, Unreachable> {
        Ok(true)
    }

    async fn elsewhere(&self, rooms: &[RoomId]) -> Result<Vec<People>, Unreachable> {
        let board = locked(&self.board);
        let others: Vec<_> = board.said.iter().filter(|(node, _)| **node != self.node).map(|(_, said)| said).collect();
        let of_room = |room| {
            let people = others.iter().filter_map(|said| said.get(room)).flatten();
            people.map(|(user, name)| (*user, Arc::clone(name))).collect()
        };
        Ok(rooms.iter().map(of_room).collect())
    }
}

/// The sections are short and leave the board whole even if one panicked.
fn locked(board: &Mutex<Board>) -> MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}
