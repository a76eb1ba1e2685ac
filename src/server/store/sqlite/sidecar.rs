//! The file `heads` beside the database: how far each room's log has been, kept apart so that a
//! database copied back by hand is found to be older. It is written after each commit and never
//! ahead of it, without a sync of its own: after a power cut it may lag, which can hide a copy but
//! never invents one. Blocking: its callers are on threads that may wait.
//!
//! Layout, integers little-endian: `PMHEADS\0`, version (u32), 4 bytes of zero, database id
//! (32 bytes), epoch (16 bytes), then one u64 for each room id from 0 on.

use crate::domain::{RoomId, Seq};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

const FILE: &str = "heads";
const MAGIC: &[u8; 8] = b"PMHEADS\0";
const VERSION: u32 = 1;
const HEADER: usize = 64;
const ID: std::ops::Range<usize> = 16..48;
const EPOCH: std::ops::Range<usize> = 48..64;

/// Rooms beyond are not watched, so that a damaged room id cannot make an enormous file.
const MAX_ROOMS: usize = 1 << 22;

/// What the file says, or should say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub database_id: String,
    pub epoch: String,
    /// By room id; 0 for an id without a room.
    pub heads: Vec<u64>,
}

impl Record {
    pub fn new(database_id: &str, epoch: &str, heads: &[(RoomId, Seq)]) -> Record {
        let mut record = Record { database_id: database_id.into(), epoch: epoch.into(), heads: Vec::new() };
        for (room, head) in heads {
            record.raise(*room, *head);
        }
        record
    }

    /// Where the room's head stands in the list, if it is higher now.
    fn raise(&mut self, room: RoomId, head: Seq) -> Option<usize> {
        let index = usize::try_from(room.0).ok().filter(|index| *index < MAX_ROOMS)?;
        if self.heads.len() <= index {
            self.heads.resize(index + 1, 0);
        }
        let known = self.heads.get_mut(index).filter(|known| **known < head.0)?;
        *known = head.0;
        Some(index)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        put(&mut bytes[ID], &self.database_id);
        put(&mut bytes[EPOCH], &self.epoch);
        bytes.extend(self.heads.iter().flat_map(|head| head.to_le_bytes()));
        bytes
    }

    /// `None` for anything that is not this layout. A last entry that is not whole is left out.
    fn decode(bytes: &[u8]) -> Option<Record> {
        let (header, heads) = bytes.split_at_checked(HEADER)?;
        if &header[..8] != MAGIC || header[8..12] != VERSION.to_le_bytes() {
            return None;
        }
        let heads = heads.chunks_exact(8).take(MAX_ROOMS);
        Some(Record {
            database_id: text(&header[ID])?,
            epoch: text(&header[EPOCH])?,
            heads: heads.map(|head| u64::from_le_bytes(head.try_into().unwrap_or_default())).collect(),
        })
    }
}

/// As much of the text as the field takes; the rest of the field is zero.
fn put(field: &mut [u8], text: &str) {
    let taken = text.len().min(field.len());
    field[..taken].copy_from_slice(&text.as_bytes()[..taken]);
}

fn text(field: &[u8]) -> Option<String> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8(field[..end].to_vec()).ok()
}

/// The file of one data directory. Several processes may write it: heads only grow.
pub(super) struct Sidecar {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    file: Option<File>,
    record: Record,
    /// Entries that the file does not have yet, because writing it failed.
    owed: Vec<usize>,
}

impl Sidecar {
    pub fn new(dir: &Path) -> Sidecar {
        Sidecar { path: dir.join(FILE), state: Mutex::default() }
    }

    /// What the file says; `None` when it is missing or not to be read.
    pub fn read(&self) -> Option<Record> {
        Record::decode(&std::fs::read(&self.path).ok()?)
    }

    /// Makes the file say this, as a whole and synced. A failure is told in the log; the next write
    /// tries again.
    pub fn rewrite(&self, record: Record) {
        let mut state = self.state();
        let written = replace(&self.path, &record.encode());
        *state = State { owed: Vec::new(), file: None, record };
        match written {
            Ok(file) => state.file = Some(file),
            Err(error) => self.complain(&error),
        }
    }

    /// Goes on with the file as it is, which says `record` or is brought to say it.
    pub fn adopt(&self, record: Record, heads: &[(RoomId, Seq)]) {
        let opened = OpenOptions::new().write(true).open(&self.path);
        *self.state() = State { owed: Vec::new(), file: opened.ok(), record };
        self.raise(heads);
    }

    /// Writes the heads that are higher than before, and those that could not be written then.
    pub fn raise(&self, heads: &[(RoomId, Seq)]) {
        let mut state = self.state();
        let State { file, record, owed } = &mut *state;
        let settled = owed.is_empty();
        owed.extend(heads.iter().filter_map(|(room, head)| record.raise(*room, *head)));
        if owed.is_empty() {
            return;
        }
        let written = match file {
            Some(file) => write(file, &record.heads, owed),
            None => replace(&self.path, &record.encode()).map(|whole| *file = Some(whole)),
        };
        match written {
            Ok(()) => owed.clear(),
            Err(error) if settled => self.complain(&error),
            Err(_) => {}
        }
    }

    /// Whether something could not be written.
    pub fn owes(&self) -> bool {
        !self.state().owed.is_empty()
    }

    fn complain(&self, error: &io::Error) {
        tracing::warn!(
            %error, file = %self.path.display(),
            "the heads cannot be written; a database copied back by hand may go unnoticed until they can"
        );
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(file: &File, heads: &[u64], entries: &[usize]) -> io::Result<()> {
    for index in entries {
        let head = heads.get(*index).copied().unwrap_or_default();
        file.write_all_at(&head.to_le_bytes(), (HEADER + 8 * index) as u64)?;
    }
    Ok(())
}

/// A reader finds the old file or the whole new one, also after a power cut.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let written = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, path)?;
        Ok(file)
    };
    written().inspect_err(|_| {
        // What is left of it is in nobody's way.
        let _ = std::fs::remove_file(&new);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tempfile::TempDir;

    const ROOMS: [(RoomId, Seq); 2] = [(RoomId(1), Seq(7)), (RoomId(3), Seq(2))];

    fn record() -> Record {
        Record::new(&"d".repeat(32), &"e".repeat(16), &ROOMS)
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = TempDir::new().unwrap();
        let sidecar = Sidecar::new(dir.path());
        assert_eq!(sidecar.read(), None);
        sidecar.rewrite(record());
        assert_eq!(sidecar.read(), Some(record()));
        assert_eq!(record().heads, [0, 7, 0, 2]);
    }

    #[test]
    fn heads_only_grow() {
        let dir = TempDir::new().unwrap();
        let sidecar = Sidecar::new(dir.path());
        sidecar.rewrite(record());
        sidecar.raise(&[(RoomId(1), Seq(6)), (RoomId(3), Seq(3)), (RoomId(5), Seq(1))]);
        assert_eq!(sidecar.read().unwrap().heads, [0, 7, 0, 3, 0, 1]);
        sidecar.raise(&[(RoomId(-1), Seq(1)), (RoomId(i64::MAX), Seq(1))]);
        assert_eq!(sidecar.read().unwrap().heads.len(), 6, "an id that cannot be is not watched");
    }

    #[test]
    fn two_processes_write_one_file() {
        let dir = TempDir::new().unwrap();
        let (server, admin) = (Sidecar::new(dir.path()), Sidecar::new(dir.path()));
        server.rewrite(record());
        admin.adopt(admin.read().unwrap(), &ROOMS);
        admin.raise(&[(RoomId(1), Seq(8))]);
        server.raise(&[(RoomId(3), Seq(4))]);
        assert_eq!(server.read().unwrap().heads, [0, 8, 0, 4]);
    }

    #[test]
    fn what_could_not_be_written_is_written_with_the_next() {
        let dir = TempDir::new().unwrap();
        let place = dir.path().join("data");
        let sidecar = Sidecar::new(&place);
        sidecar.rewrite(record());
        sidecar.raise(&[(RoomId(1), Seq(8))]);
        assert_eq!(sidecar.read(), None, "there is no directory");
        std::fs::create_dir(&place).unwrap();
        sidecar.raise(&[]);
        assert_eq!(sidecar.read().unwrap().heads, [0, 8, 0, 2]);
    }

    #[test]
    fn another_version_and_a_short_file_are_not_read() {
        let mut bytes = record().encode();
        assert_eq!(Record::decode(&bytes[..HEADER - 1]), None);
        assert_eq!(Record::decode(&bytes[..HEADER + 12]).unwrap().heads, [0]);
        bytes[8] = 2;
        assert_eq!(Record::decode(&bytes), None);
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut whole = record().encode();
            whole.extend(&bytes);
            prop_assert!(Record::decode(&whole).is_some());
            let _ = Record::decode(&bytes);
        }
    }
}
