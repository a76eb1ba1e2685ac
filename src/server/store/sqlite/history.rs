//! Which history the database holds. An epoch names it; whoever has a cursor of another one starts
//! over. A database that is older than the heads in the file beside it was copied back by hand:
//! what follows in it is another history, and gets an epoch of its own before anybody reads it.

use super::super::columns::{damaged, seq_from};
use super::super::{Grown, StoreError, sql};
use super::gate::Turn;
use super::own_thread::blocking;
use super::sidecar::{Record, Sidecar};
use crate::domain::{RoomId, Seq};
use sqlx::SqliteConnection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

const ALL_HEADS: &str = "SELECT id, head FROM rooms";
const NEW_EPOCH: &str = "UPDATE meta SET value = lower(hex(randomblob(8))) WHERE name = 'epoch' RETURNING value";

/// The epoch as this process knows it, and the file that guards it.
pub(super) struct History {
    database_id: Mutex<Arc<str>>,
    epoch: watch::Sender<Arc<str>>,
    sidecar: Arc<Sidecar>,
}

impl History {
    pub fn new(dir: &Path) -> History {
        let (database_id, epoch) = (Mutex::new("".into()), watch::Sender::new("".into()));
        History { database_id, epoch, sidecar: Arc::new(Sidecar::new(dir)) }
    }

    pub fn database_id(&self) -> Arc<str> {
        self.database_id.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn epoch(&self) -> Arc<str> {
        self.epoch.borrow().clone()
    }

    pub fn epochs(&self) -> watch::Receiver<Arc<str>> {
        self.epoch.subscribe()
    }

    /// Compares the database with the file beside it, both held still by a write transaction, and
    /// makes a new epoch where they tell of two histories.
    pub async fn settle(&self, turn: &mut Turn<'_>) -> Result<(), StoreError> {
        let mut tx = turn.begin().await?;
        let held = read(&mut tx).await?;
        *self.database_id.lock().unwrap_or_else(PoisonError::into_inner) = held.database_id.as_str().into();
        let beside = self.read_sidecar().await?;
        let sign = sign_of_a_copy(beside.as_ref(), &held);
        let Some(sign) = sign else {
            // Still in the transaction: nobody commits meanwhile.
            self.keep(beside, &held).await?;
            tx.rollback().await?;
            self.take(held.epoch.into());
            return Ok(());
        };
        let epoch = new_epoch(&mut tx).await?;
        let record = Record::new(&held.database_id, &epoch, &held.heads);
        let sidecar = Arc::clone(&self.sidecar);
        // Before the commit: whoever looks next must not see the one without the other. A crash between
        // them leaves a record of an epoch that never was, and the next start makes another.
        blocking(move || sidecar.rewrite(record)).await?;
        tx.commit().await?;
        tracing::warn!(%sign, old = held.epoch, new = epoch, "the database is a copy of the past: its history gets a new epoch");
        self.take(epoch.into());
        Ok(())
    }

    async fn keep(&self, beside: Option<Record>, held: &Held) -> Result<(), StoreError> {
        let (sidecar, heads) = (Arc::clone(&self.sidecar), held.heads.clone());
        let fresh = Record::new(&held.database_id, &held.epoch, &[]);
        blocking(move || match beside {
            Some(record) => sidecar.adopt(record, &heads),
            None => sidecar.rewrite(Record { heads: Record::new("", "", &heads).heads, ..fresh }),
        })
        .await
    }

    /// Another process wrote: the heads it left are put down, and what it did to the epoch is taken
    /// over. `true`: the history may be another one, and is to be settled.
    pub async fn follow(&self, connection: &mut SqliteConnection) -> Result<bool, StoreError> {
        // In this order: what the file says was committed before.
        let beside = self.read_sidecar().await?;
        let held = read(connection).await?;
        if sign_of_a_copy(beside.as_ref(), &held).is_some() || *held.epoch != *self.epoch() {
            return Ok(true);
        }
        self.keep(beside, &held).await?;
        Ok(false)
    }

    /// What this process committed; called before anybody is told.
    pub async fn grown(&self, rooms: &[Grown]) {
        let heads = rooms.iter().filter_map(|grown| Some((grown.room, grown.events.last()?.seq)));
        self.raise(heads.collect()).await;
    }

    /// Writes what could not be written before, if there is something.
    pub async fn pay(&self) {
        if self.sidecar.owes() {
            self.raise(Vec::new()).await;
        }
    }

    /// Heads that are committed, and what could not be written before. A failure
    /// takes no commit back: it is told in the log and made good with the next commit or start.
    pub async fn raise(&self, heads: Vec<(RoomId, Seq)>) {
        let sidecar = Arc::clone(&self.sidecar);
        if let Err(error) = blocking(move || sidecar.raise(&heads)).await {
            tracing::error!(%error, "the heads were not put down");
        }
    }

    async fn read_sidecar(&self) -> Result<Option<Record>, StoreError> {
        let sidecar = Arc::clone(&self.sidecar);
        blocking(move || sidecar.read()).await
    }

    fn take(&self, epoch: Arc<str>) {
        self.epoch.send_if_modified(|known| {
            let another = *known != epoch;
            *known = epoch;
            another
        });
    }
}

/// What the database says of itself.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub database_id: String,
    pub epoch: String,
    pub heads: Vec<(RoomId, Seq)>,
}

pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Held, StoreError> {
    let (database_id, epoch) = (meta(connection, "database_id").await?, epoch(connection).await?);
    Ok(Held { database_id, epoch, heads: heads(connection).await? })
}

/// Of every room. A damaged head is an error to those who ask for its room, and left out here.
pub(super) async fn heads(connection: &mut SqliteConnection) -> Result<Vec<(RoomId, Seq)>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(ALL_HEADS).fetch_all(connection).await?;
    Ok(rows.into_iter().filter_map(|(room, head)| Some((RoomId(room), seq_from(head).ok()?))).collect())
}

/// Of what the connection reads, which may be an older state than the one committed to.
pub(super) async fn epoch(connection: &mut SqliteConnection) -> Result<String, StoreError> {
    meta(connection, "epoch").await
}

async fn meta(connection: &mut SqliteConnection, name: &'static str) -> Result<String, StoreError> {
    let row: Option<(String,)> = sqlx::query_as(sql::accounts::META).bind(name).fetch_optional(connection).await?;
    row.map(|(value,)| value).ok_or_else(|| damaged("database without its", name))
}

/// Gives the history a name that nobody knows.
pub(super) async fn new_epoch(tx: &mut SqliteConnection) -> Result<String, StoreError> {
    let (epoch,): (String,) = sqlx::query_as(NEW_EPOCH).fetch_one(tx).await?;
    Ok(epoch)
}

/// How it shows that the database is not the one that the file was written beside, if it shows.
fn sign_of_a_copy(beside: Option<&Record>, held: &Held) -> Option<&'static str> {
    let Some(beside) = beside else {
        let lived = held.heads.iter().any(|(_, head)| *head > Seq::ZERO);
        return lived.then_some("there is no record of its heads");
    };
    if beside.database_id != held.database_id {
        return Some("the record of heads is another database's");
    }
    if beside.epoch != held.epoch {
        return Some("the record of heads is another epoch's");
    }
    let stand = Record::new("", "", &held.heads).heads;
    let below = beside.heads.iter().enumerate().any(|(room, head)| stand.get(room).copied().unwrap_or(0) < *head);
    below.then_some("a room's log has been longer")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(heads: &[(RoomId, Seq)]) -> Held {
        Held { database_id: "d".into(), epoch: "e".into(), heads: heads.to_vec() }
    }

    const ONE: [(RoomId, Seq); 1] = [(RoomId(1), Seq(5))];

    #[test]
    fn a_database_that_only_grew_is_the_same_history() {
        let beside = Record::new("d", "e", &ONE);
        for heads in [&ONE[..], &[(RoomId(1), Seq(6))], &[(RoomId(1), Seq(5)), (RoomId(2), Seq(1))]] {
            assert_eq!(sign_of_a_copy(Some(&beside), &held(heads)), None, "{heads:?}");
        }
        assert_eq!(sign_of_a_copy(None, &held(&[(RoomId(1), Seq(0))])), None, "nothing has happened in it");
    }

    #[test]
    fn a_database_that_lacks_what_was_there_is_a_copy() {
        let beside = Record::new("d", "e", &ONE);
        for heads in [&[(RoomId(1), Seq(4))][..], &[], &[(RoomId(2), Seq(9))]] {
            assert!(sign_of_a_copy(Some(&beside), &held(heads)).is_some(), "{heads:?}");
        }
        assert!(sign_of_a_copy(None, &held(&ONE)).is_some());
        for other in [Record::new("x", "e", &ONE), Record::new("d", "x", &ONE)] {
            assert!(sign_of_a_copy(Some(&other), &held(&ONE)).is_some());
        }
    }
}
