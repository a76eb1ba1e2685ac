//! What SQLite's result codes mean to a caller.

use super::super::{InviteError, Refusal, StoreError};
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

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let database = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    let code: i32 = sqlx::error::DatabaseError::code(database)?.parse().ok()?;
    Some(code & 0xff)
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        use sqlx::Error;
        let passing = match &error {
            Error::Database(_) => {
                matches!(primary_code(&error), Some(BUSY | LOCKED | READ_ONLY | IO | FULL | CANNOT_OPEN))
            }
            Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => true,
            _ => false,
        };
        match passing {
            true => StoreError::Unavailable(error.to_string()),
            false => StoreError::Internal(error.to_string()),
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Refusal {
        Refusal::Store(error.into())
    }
}

impl From<sqlx::Error> for InviteError {
    fn from(error: sqlx::Error) -> InviteError {
        InviteError::Store(error.into())
    }
}

pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    matches!(primary_code(error), Some(BUSY | LOCKED))
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
    let path = path.display();
    match primary_code(&error) {
        Some(NOT_A_DATABASE) => StoreError::Internal(format!("{path} is not a SQLite database")),
        Some(CORRUPT) => StoreError::Internal(format!("{path} is damaged: {error}")),
        Some(READ_ONLY) => StoreError::Unavailable(format!("{path} may not be written to")),
        Some(CANNOT_OPEN) => {
            StoreError::Unavailable(format!("{path} cannot be opened, check who may read and write it"))
        }
        Some(BUSY | LOCKED) => StoreError::Unavailable(format!("{path} is locked by another program")),
        Some(FULL) => StoreError::Unavailable(format!("the disk of {path} is full")),
        _ => StoreError::Internal(format!("{path} cannot be opened: {error}")),
    }
}
