//! What SQLite's result codes mean to a caller.

use super::super::error::reason;
use super::super::{Reason, StoreError, Trouble};
use sqlx::sqlite::SqliteError;
use std::path::Path;

// https://www.sqlite.org/rescode.html, primary codes.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;
/// Extended: there is no space for the shared memory's file.
const IO_SHARED_MEMORY_SIZE: i32 = 4874;

fn code(error: &sqlx::Error) -> Option<i32> {
    let database = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    sqlx::error::DatabaseError::code(database)?.parse().ok()
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    code(error).map(|code| code & 0xff)
}

/// What SQLite's answer means; `None` where another try does not help, or of another engine.
pub(in crate::server::store) fn reason_of_answer(error: &sqlx::Error) -> Option<Reason> {
    match (code(error)?, primary_code(error)?) {
        (IO_SHARED_MEMORY_SIZE, _) | (_, FULL) => Some(Reason::DiskFull),
        (_, BUSY | LOCKED) => Some(Reason::Locked),
        (_, READ_ONLY) => Some(Reason::ReadOnly),
        (_, CORRUPT | NOT_A_DATABASE) => Some(Reason::Corrupt),
        (_, IO | CANNOT_OPEN) => Some(Reason::Io),
        _ => None,
    }
}

pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    reason(error) == Some(Reason::Locked)
}

/// Not a SQLite file at all, or its first page is damaged.
pub(super) fn is_no_database(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(NOT_A_DATABASE)
}

pub(super) fn is_damage(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(CORRUPT)
}

/// Why the database could not be opened, as one sentence with the file's name.
pub(super) fn open_error(path: &Path, error: sqlx::Error) -> StoreError {
    let file = path.display();
    let words = match primary_code(&error) {
        Some(NOT_A_DATABASE) => format!("{file} is not a SQLite database"),
        Some(CORRUPT) => format!("{file} is damaged: {error}"),
        Some(READ_ONLY) => format!("{file} may not be written to"),
        Some(CANNOT_OPEN) => format!("{file} cannot be opened, check who may read and write it"),
        Some(BUSY | LOCKED) => format!("{file} is locked by another program"),
        Some(FULL) => format!("the disk of {file} is full"),
        _ => format!("{file} cannot be opened: {error}"),
    };
    match reason(&error) {
        Some(reason) => StoreError::Unavailable(Trouble::new(reason, words)),
        None => StoreError::Internal(words),
    }
}
