//! What an engine's errors mean to a caller.

use super::{InviteError, Reason, Refusal, StoreError, Trouble, postgres, sqlite};

/// `None` where another try does not help.
pub(super) fn reason(error: &sqlx::Error) -> Option<Reason> {
    use sqlx::Error;
    match error {
        Error::Database(_) => sqlite::reason_of_answer(error).or_else(|| postgres::reason_of_answer(error)),
        // Only what is on the other end of a connection fails so.
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => Some(Reason::Unreachable),
        Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => Some(Reason::Unavailable),
        _ => None,
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        match reason(&error) {
            Some(reason) => StoreError::Unavailable(Trouble::new(reason, error.to_string())),
            None => StoreError::Internal(error.to_string()),
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

/// Whatever COMMIT says in failing, the transaction may be durable.
pub(super) fn unknown_outcome(error: impl Into<StoreError>) -> StoreError {
    match error.into() {
        StoreError::Internal(words) => StoreError::Unavailable(words.into()),
        passing => passing,
    }
}
