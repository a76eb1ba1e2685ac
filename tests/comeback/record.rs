//! What was seen and acked, against the log.

use anyhow::{Context, Result, ensure};
use pickmate::domain::Seq;
use pickmate::protocol::{Event, EventKind};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// What all sockets together saw of each room. That each of them saw every event once and in order it
/// checks itself; that all saw the same is seen here.
pub struct Record(Vec<Mutex<BTreeMap<Seq, EventKind>>>);

/// A post that was acked.
pub struct Acked {
    pub room: usize,
    pub key: String,
    pub seq: Seq,
}

impl Record {
    pub fn of(rooms: usize) -> Record {
        Record((0..rooms).map(|_| Mutex::default()).collect())
    }

    pub fn saw(&self, room: usize, event: Event) -> Result<()> {
        let mut seen = self.0[room].lock().unwrap_or_else(PoisonError::into_inner);
        let first = seen.entry(event.seq).or_insert_with(|| event.kind.clone());
        ensure!(*first == event.kind, "room {room} has two events at {}: {first:?} and {:?}", event.seq, event.kind);
        Ok(())
    }

    /// The log of a room is dense, has every acked post once and where its ack said, and is what was seen.
    pub fn compare(&self, room: usize, log: &[Event], acked: &[Acked]) -> Result<()> {
        let mut keys = HashSet::new();
        for (at, event) in (1..).zip(log) {
            ensure!(event.seq == Seq(at), "a hole in the log of room {room}: {} stands at {at}", event.seq);
            if let Some(key) = key_of(&event.kind) {
                ensure!(keys.insert(key), "room {room} has the post {key} twice");
            }
        }
        for Acked { key, seq, .. } in acked.iter().filter(|acked| acked.room == room) {
            let event = log.get((seq.0 - 1) as usize).with_context(|| format!("the log ends before {seq}"))?;
            ensure!(key_of(&event.kind) == Some(key), "room {room} lost the post {key}, acked at {seq}");
        }
        for (seq, kind) in self.0[room].lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let event = log.get((seq.0 - 1) as usize).with_context(|| format!("{seq} was seen and is not there"))?;
            ensure!(event.kind == *kind, "room {room} was seen with {kind:?} at {seq} and has {:?}", event.kind);
        }
        Ok(())
    }
}

fn key_of(kind: &EventKind) -> Option<&str> {
    match kind {
        EventKind::Posted { key, .. } => Some(key),
        _ => None,
    }
}
