//! Postgres: one database, written to by any number of nodes at once. Each node's writer has a connection
//! of its own; reading, and what is written beside the writer, goes through a pool.
//!
//! Whoever changes a room, but for how far somebody has read it, locks its row first and looks up then, in a statement of its own: so it sees
//! what was committed by whoever held the lock before. Rooms are locked in the order of their ids, so that
//! two nodes never wait for each other.

mod accounts;
mod address;
mod commit;
mod connections;
mod engine;
mod error;
mod history;
mod links;
mod lock;
mod log;
mod marks;
mod migrate;
pub mod moving;
mod notes;
mod previews;
mod rooms;
mod run;
mod schedule;
mod sessions;
mod tables;
mod tasks;
mod uploads;
mod webhooks;

pub use address::Address;
pub(super) use error::reason_of_answer;

use super::columns::damaged;
use super::writer::Writer;
use super::{Observer, Store, StoreError, StoreOptions, sql};
use connections::Connections;
use engine::PostgresEngine;
use marks::Marks;
use sqlx::PgConnection;
use std::sync::Arc;
use tokio::sync::watch;

/// The community's data in a Postgres database.
pub struct PostgresStore {
    connections: Connections,
    database_id: Arc<str>,
    epoch: Arc<watch::Sender<Arc<str>>>,
    writer: Writer,
    marks: Marks,
    observer: Arc<dyn Observer>,
}

impl PostgresStore {
    /// Opens the database, which is there, and brings its schema up to date. The error is one sentence for
    /// the operator.
    pub async fn open(address: &Address, options: StoreOptions) -> Result<Arc<PostgresStore>, StoreError> {
        let connections = Connections::new(address, &options);
        let mut connection = connections.connect().await?;
        migrate::run(&mut connection, connections.address()).await?;
        let database_id = database_id(&mut connection).await?;
        let epoch = Arc::new(watch::Sender::new("".into()));
        let engine = PostgresEngine::begin(&connections, connection, &epoch, &options).await?;
        let (writer, work) = Writer::new(engine, &options);
        tokio::spawn(work);
        let (marks, work) = Marks::new(&connections);
        tokio::spawn(work);
        Ok(Arc::new(PostgresStore { connections, database_id, epoch, writer, marks, observer: options.observer }))
    }
}

impl Store for PostgresStore {}

async fn database_id(connection: &mut PgConnection) -> Result<Arc<str>, StoreError> {
    let query = sqlx::query_as(sql::accounts::META).bind("database_id");
    let row: Option<(String,)> = query.fetch_optional(connection).await?;
    row.map(|(id,)| id.into()).ok_or_else(|| damaged("database without its", "id"))
}
