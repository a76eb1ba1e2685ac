//! The only place with SQL. `Store` is the contract that every engine keeps; `tests/it/store_contract.rs`
//! is its suite, run on each. Times are Unix milliseconds, given by the caller or, for events,
//! stamped by the writer.
//!
//! Everything that ends up in a room's log goes through [`Log::submit`]: one writer a node takes
//! commands from a bounded queue and commits what has gathered in one transaction. Accounts and
//! read positions are no events and are written beside it.

mod abroad;
mod account_change;
mod account_row;
mod accounts;
mod change;
mod columns;
mod command;
mod error;
mod event_row;
mod file_row;
mod fingerprint;
mod found_row;
mod key_row;
mod log;
pub mod moving;
mod options;
mod plan;
pub mod postgres;
mod previews;
mod room_row;
mod rooms;
mod sql;
pub mod sqlite;
mod tasks;
mod trouble;
mod uploads;
mod webhooks;
mod writer;

pub use abroad::{Foreign, ForeignWrites};
pub use accounts::{
    Accounts, Credential, FoundAccount, Invite, InviteError, NewInvite, NewSetUp, NewUser, PROLONG_EVERY_MS,
    SessionUser, UNNAMED, User, folded_name,
};
pub use command::{Action, Command, Committed, Grown, Intent, Observer, Refusal};
pub use fingerprint::Fingerprint;
pub use log::{Budget, EventPage, Log, Pending};
pub use options::{Commits, Sessions, StoreOptions};
pub use previews::{Linking, NotedFor, PageNote, Previews};
pub use rooms::{ReadPlace, RoomHead, RoomReaders, RoomView, Rooms};
pub use tasks::{
    IMAGE, NewTask, NotedProgress, Repeat, RepeatError, RunEnd, RunId, SERIES, STANDING, Task, TaskAnswer, TaskCount,
    TaskData, TaskFailure, TaskFilter, TaskWork, Tasks, UnderWay,
};
pub use trouble::{Reason, Trouble};
pub use uploads::{FileState, NewFile, ReadyFile, StoredFile, Thumbnail, UNKNOWN_TYPE, Uploads};
pub use webhooks::{Attempt, Backlog, End, Ending, Fares, MadeBefore, NewWebhook, SigningSecret, Webhooks};

use crate::server::config::Config;
use postgres::PostgresStore;
use sqlite::SqliteStore;
use std::sync::Arc;

/// One community's data. Cheap to share; every method may be called from any task.
pub trait Store: Accounts + Rooms + Log + Tasks + Uploads + Previews + Webhooks + Send + Sync + 'static {}

/// Opens what the settings name. The error is one sentence for the operator.
pub async fn open(config: &Config, options: StoreOptions) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match &config.database {
        Some(address) => PostgresStore::open(address, options).await?,
        None => SqliteStore::open(&config.data, options).await?,
    })
}

/// The engine could not do it. The words are for operators: they may name files.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Busy, locked, full, damaged, gone: worth another try with the same key.
    #[error("the store is unavailable: {0}")]
    Unavailable(Trouble),
    /// A bug, or a row that cannot be.
    #[error("the store failed: {0}")]
    Internal(String),
}
