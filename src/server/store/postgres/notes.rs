//! How nodes notice each other's writes. Each node has a few rows of the table `writes`, with the number of its last
//! transaction of each kind in each; others compare them with what they saw before. A state to be compared, not
//! a stream to be followed: nothing is missed, however long nobody looked and whatever was lost on the way.

use super::super::{Action, Command, Foreign, StoreError};
use data_encoding::HEXLOWER;
use rand::Rng;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// `$1` the node, `$2` the part, `$3` now.
pub(super) const NOTE: &str = "INSERT INTO writes (node, part, last, at)
    VALUES ($1, $2, pg_current_xact_id()::text::bigint, $3)
    ON CONFLICT (node, part) DO UPDATE SET last = excluded.last, at = excluded.at";

/// The epoch, and what every other node wrote last, as `part node last`.
const OTHERS: &str = "SELECT value, ARRAY(SELECT concat_ws(' ', part, node, last) FROM writes WHERE node <> $1)
    FROM meta WHERE name = 'epoch'";

/// Nodes that have not written for so long are forgotten; who writes again is known again.
const FORGET_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;
const FORGET_NODES: &str = "DELETE FROM writes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM writes WHERE at <= $1 ORDER BY node, part FOR UPDATE SKIP LOCKED))";

/// A node's row: who writes it, and what for. The writer and those beside it never wait for each other there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The writer: messages.
    Logs = 0,
    /// Beside the writer: accounts and sessions.
    Beside = 1,
    /// The writer: rooms and who joined them.
    Rooms = 2,
    /// The writer: rights that end.
    Rights = 3,
    /// The writer of a process that tells the nodes nothing.
    Untold = 4,
    /// Beside the writer: what an account has chosen, by which nothing ends.
    Settings = 5,
}

impl Part {
    /// Of a batch, the gravest. `told`: the nodes are told of each commit.
    pub fn of(commands: &[&Command], told: bool) -> Part {
        if !told {
            return Part::Untold;
        }
        let part = |command: &&Command| match &command.action {
            Action::Post { .. }
            | Action::Edit { .. }
            | Action::Delete { .. }
            | Action::Preview { .. }
            | Action::Prune { .. }
            | Action::Sweep => Part::Logs,
            Action::CreateRoom { .. } | Action::AddMember { .. } | Action::Rename { .. } => Part::Rooms,
            Action::SetRetention { .. } => Part::Rooms,
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
    notes: HashSet<String>,
}

impl Others {
    pub async fn read(connection: &mut PgConnection, node: &NodeName) -> Result<Others, StoreError> {
        let query = sqlx::query_as(OTHERS).bind(node.current().to_string());
        let (epoch, notes): (String, Vec<String>) = query.fetch_one(connection).await?;
        Ok(Others { epoch, notes: notes.into_iter().collect() })
    }

    /// What kinds were written since `before`, the gravest first. That a note is gone means only that its node was
    /// forgotten.
    pub fn since(&self, before: &Others) -> Vec<Foreign> {
        if self.epoch != before.epoch {
            return vec![Foreign::Anything];
        }
        let kinds: BTreeSet<_> = self.notes.difference(&before.notes).flat_map(|note| kinds(note)).copied().collect();
        kinds.into_iter().rev().collect()
    }
}

/// What a note may mean. One of a newer version may mean anything.
fn kinds(note: &str) -> &'static [Foreign] {
    match note.split_once(' ') {
        Some(("0", _)) => &[Foreign::Logs],
        Some(("1", _)) => &[Foreign::Accounts],
        Some(("2", _)) => &[Foreign::Logs, Foreign::Rooms],
        Some(("3", _)) => &[Foreign::Logs, Foreign::Rooms, Foreign::Rights],
        Some(("5", _)) => &[Foreign::Settings],
        _ => &[Foreign::Anything],
    }
}

pub(super) async fn forget_nodes(connection: &mut PgConnection, now: i64) -> Result<(), StoreError> {
    sqlx::query(FORGET_NODES).bind(now - FORGET_AFTER_MS).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(notes: &[&str]) -> Others {
        Others { epoch: "e".to_owned(), notes: notes.iter().map(|note| (*note).to_owned()).collect() }
    }

    #[test]
    fn a_note_that_is_gone_is_no_write() {
        let before = others(&["0 a 1", "0 b 2", "1 a 7"]);
        assert_eq!(before.since(&before), []);
        assert_eq!(others(&["0 b 2"]).since(&before), [], "a was forgotten");
        assert_eq!(others(&["0 a 1", "0 b 3", "1 a 7"]).since(&before), [Foreign::Logs]);
        assert_eq!(others(&["0 b 3", "1 c 9"]).since(&before), [Foreign::Accounts, Foreign::Logs]);
        assert_eq!(Others { epoch: "f".to_owned(), ..before.clone() }.since(&before), [Foreign::Anything]);
    }

    #[test]
    fn nothing_hides_what_else_was_written() {
        let before = others(&["2 a 1", "3 b 1"]);
        let rights = [Foreign::Rights, Foreign::Rooms, Foreign::Logs];
        assert_eq!(others(&["2 a 2", "3 b 2"]).since(&before), rights);
        assert_eq!(others(&["2 a 1", "3 b 2"]).since(&before), rights, "a batch has one note, also with rooms in it");
        assert_eq!(others(&["2 a 2", "1 b 2"]).since(&before), [Foreign::Accounts, Foreign::Rooms, Foreign::Logs]);
        assert_eq!(others(&["4 a 2"]).since(&before), [Foreign::Anything]);
        assert_eq!(others(&["99 a 2"]).since(&before), [Foreign::Anything], "of a newer version");
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
