//! What Postgres' answers mean to a caller.

use super::super::error::reason;
use super::super::{Reason, StoreError, Trouble};
use super::Address;

/// What the server's answer means; `None` where another try does not help, or of another engine.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub(in crate::server::store) fn reason_of_answer(error: &sqlx::Error) -> Option<Reason> {
    let answer = error.as_database_error()?;
    answer.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
    let code = answer.code()?;
    Some(match (&*code, code.get(..2)?) {
        ("53100", _) => Reason::DiskFull,
        // A standby, before or after it was made the primary.
        ("25006", _) => Reason::ReadOnly,
        // A lock that lasts; a deadlock or a conflict, which end with one of the two.
        ("55P03" | "40P01" | "40001", _) => Reason::Locked,
        // It stops, crashed, starts, or has no place for another connection.
        ("57P01" | "57P02" | "57P03" | "53300", _) | (_, "08") => Reason::Unreachable,
        (_, "58") => Reason::Io,
        (_, "XX") if &*code != "XX000" => Reason::Corrupt,
        // Short of something, a statement that took too long, who may come in, and a database that takes nobody.
        ("55000", _) | (_, "53" | "57" | "28" | "3D") => Reason::Unavailable,
        _ => return None,
    })
}

/// Why the database could not be opened, as one sentence with its address. Whatever it is, it may pass.
pub(super) fn open_error(address: &Address, error: sqlx::Error) -> StoreError {
    let words = match &error {
        sqlx::Error::Database(answer) => format!("{address} cannot be opened: {}", answer.message()),
        _ => format!("{address} cannot be reached: {error}"),
    };
    StoreError::Unavailable(Trouble::new(reason(&error).unwrap_or(Reason::Unavailable), words))
}

/// The server was waited for long enough.
pub(super) fn silent() -> StoreError {
    StoreError::Unavailable(Trouble::new(Reason::Unreachable, "the database server does not answer"))
}
