//! How nodes notice each other's writes. Each node has a few rows of the table `writes`, with the number of its last
//! transaction of each kind in each; others compare them with what they saw before. A state to be compared, not
//! a stream to be followed: nothing is missed, however long nobody looked and whatever was lost on the way.

use super::super::{Action, Command, Foreign, StoreError};
use data_encoding::HEXLOWER;
use rand::Rng;
use sqlx::PgConnection;
use std::sync::{Arc, Mutex, PoisonError};

/// `$1` the node, `$2` the part, `$3` now.
pub(super) const NOTE: &str = "INSERT INTO writes (node, part, last, at)
    VALUES ($1, $2, pg_current_xact_id()::text::bigint, $3)
    ON CONFLICT (node, part) DO UPDATE SET last = excluded.last, at = excluded.at";

/// The epoch, and what every other node wrote last: messages, rooms, rights, anything.
const OTHERS: &str = "SELECT value, logs, rooms, rights, anything FROM meta, (
        SELECT coalesce(string_agg(concat_ws(' ', node, last), ',' ORDER BY node) FILTER (WHERE part = 0), '') AS logs,
            coalesce(string_agg(concat_ws(' ', node, last), ',' ORDER BY node) FILTER (WHERE part = 2), '') AS rooms,
            coalesce(string_agg(concat_ws(' ', node, part, last), ',' ORDER BY node, part)
                FILTER (WHERE part IN (1, 3)), '') AS rights,
            coalesce(string_agg(concat_ws(' ', node, last), ',' ORDER BY node) FILTER (WHERE part = 4), '') AS anything
        FROM writes WHERE node <> $1
    ) AS written WHERE name = 'epoch'";

/// Nodes that have not written for so long are forgotten; who writes again is known again.
const FORGET_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;
const FORGET_NODES: &str = "DELETE FROM writes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM writes WHERE at <= $1 ORDER BY node, part FOR UPDATE SKIP LOCKED))";

/// A node's row: who writes it, and what for. The writer and those beside it never wait for each other there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The writer: messages and read positions.
    Logs = 0,
    /// Beside the writer: accounts and sessions.
    Beside = 1,
    /// The writer: rooms and who joined them.
    Rooms = 2,
    /// The writer: rights that end.
    Rights = 3,
    /// The writer of a process that tells the nodes nothing.
    Untold = 4,
}

impl Part {
    /// Of a batch, the gravest. `told`: the nodes are told of each commit.
    pub fn of(commands: &[&Command], told: bool) -> Part {
        if !told {
            return Part::Untold;
        }
        let part = |command: &&Command| match &command.action {
            Action::Post { .. } | Action::Edit { .. } | Action::Delete { .. } | Action::Preview { .. } => Part::Logs,
            Action::CreateRoom { .. } | Action::AddMember { .. } | Action::Rename { .. } => Part::Rooms,
            Action::Leave | Action::SetAccess { .. } => Part::Rights,
        };
        commands.iter().map(part).max().unwrap_or(Part::Logs)
    }
}

/// What a transaction says of itself.
#[derive(Clone, Copy)]
pub(super) struct Note<'a> {
    pub node: &'a str,
    pub part: Part,
}

/// The name under which a node notes its writes, and does not look for others'. Clones share it.
#[derive(Clone)]
pub(super) struct NodeName(Arc<Mutex<Arc<str>>>);

/// The outcome of a COMMIT is not known. Unless [dispelled](Doubt::dispel), the node gives its name up: whatever
/// was committed under it, or will be once the server gets to it, is noticed as another's.
pub(super) struct Doubt(Option<NodeName>);

impl NodeName {
    pub fn new() -> NodeName {
        NodeName(Arc::new(Mutex::new(random())))
    }

    pub fn current(&self) -> Arc<str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From before a COMMIT until its outcome is known.
    pub fn doubt(&self) -> Doubt {
        Doubt(Some(self.clone()))
    }
}

impl Doubt {
    pub fn dispel(mut self) {
        self.0 = None;
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        if let Some(name) = &self.0 {
            *name.0.lock().unwrap_or_else(PoisonError::into_inner) = random();
        }
    }
}

fn random() -> Arc<str> {
    HEXLOWER.encode(&rand::rng().random::<[u8; 8]>()).into()
}

/// The writes of all other nodes at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Others {
    pub epoch: String,
    logs: String,
    rooms: String,
    rights: String,
    anything: String,
}

impl Others {
    pub async fn read(connection: &mut PgConnection, node: &NodeName) -> Result<Others, StoreError> {
        let query = sqlx::query_as(OTHERS).bind(node.current().to_string());
        let (epoch, logs, rooms, rights, anything) = query.fetch_one(connection).await?;
        Ok(Others { epoch, logs, rooms, rights, anything })
    }

    /// The gravest that was written since `before`.
    pub fn since(&self, before: &Others) -> Option<Foreign> {
        if self.epoch != before.epoch || is_new(&self.anything, &before.anything) {
            Some(Foreign::Anything)
        } else if is_new(&self.rights, &before.rights) {
            Some(Foreign::Rights)
        } else if is_new(&self.rooms, &before.rooms) {
            Some(Foreign::Rooms)
        } else {
            is_new(&self.logs, &before.logs).then_some(Foreign::Logs)
        }
    }
}

/// Whether there is a note that was not there before. That one is gone means only that its node was forgotten.
fn is_new(now: &str, before: &str) -> bool {
    now != before && now.split(',').any(|note| !note.is_empty() && !before.split(',').any(|known| known == note))
}

pub(super) async fn forget_nodes(connection: &mut PgConnection, now: i64) -> Result<(), StoreError> {
    sqlx::query(FORGET_NODES).bind(now - FORGET_AFTER_MS).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(logs: &str, rights: &str) -> Others {
        let (logs, rights) = (logs.to_owned(), rights.to_owned());
        Others { epoch: "e".to_owned(), logs, rooms: String::new(), rights, anything: String::new() }
    }

    #[test]
    fn a_note_that_is_gone_is_no_write() {
        let before = others("a 1,b 2", "a 1 7");
        assert_eq!(others("a 1,b 2", "a 1 7").since(&before), None);
        assert_eq!(others("b 2", "").since(&before), None, "a was forgotten");
        assert_eq!(others("a 1,b 3", "a 1 7").since(&before), Some(Foreign::Logs));
        assert_eq!(others("b 3", "c 1 9").since(&before), Some(Foreign::Rights), "the gravest counts");
        assert_eq!(Others { epoch: "f".to_owned(), ..before.clone() }.since(&before), Some(Foreign::Anything));
    }

    #[test]
    fn whoever_is_in_doubt_takes_another_name() {
        let name = NodeName::new();
        let first = name.current();
        name.doubt().dispel();
        assert_eq!(name.current(), first);
        drop(name.doubt());
        assert_ne!(name.current(), first);
    }
}
