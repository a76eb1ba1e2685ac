//! How a node comes to the database: a pool for reading and for what is written beside the writer, and
//! connections outside of it for the writer. A connection that was lost is replaced at its next use.

use super::super::{StoreError, StoreOptions};
use super::Address;
use super::error::{open_error, silent};
use crate::server::clock::now_ms;
use data_encoding::HEXLOWER;
use futures_util::FutureExt;
use prometheus_client::metrics::counter::Counter;
use rand::Rng;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A connection that was idle for so long is asked whether it still stands, before it is used.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// The server itself gives a statement up so long before the node does.
const GRACE: Duration = Duration::from_secs(2);

/// One state of the database for all statements of a transaction.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

const NOTE: &str = "INSERT INTO writes (node, part, last, at)
    VALUES ($1, 1, pg_current_xact_id()::text::bigint, $2)
    ON CONFLICT (node, part) DO UPDATE SET last = excluded.last, at = excluded.at";

/// A handle; clones share the pool.
#[derive(Clone)]
pub(super) struct Connections {
    address: Address,
    options: PgConnectOptions,
    pool: PgPool,
    reads: Counter,
    node: Arc<str>,
    patience: Duration,
}

impl Connections {
    /// None is open yet.
    pub fn new(address: &Address, options: &StoreOptions) -> Connections {
        let connect = connect_options(address, options);
        let pool = PgPoolOptions::new()
            .max_connections(options.readers.max(1))
            .acquire_timeout(options.busy_timeout)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                async move {
                    if meta.idle_for >= ASK_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                }
                .boxed()
            })
            .connect_lazy_with(connect.clone());
        Connections {
            address: address.clone(),
            options: connect,
            pool,
            reads: options.reads.clone(),
            node: HEXLOWER.encode(&rand::rng().random::<[u8; 8]>()).into(),
            patience: options.busy_timeout + GRACE,
        }
    }

    /// Names this opening of the store among all that write to the database.
    pub fn node(&self) -> &str {
        &self.node
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How long the server is waited for.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// One outside of the pool.
    pub async fn connect(&self) -> Result<PgConnection, StoreError> {
        let connected = timeout(self.patience, self.options.connect()).await.map_err(|_| silent())?;
        connected.map_err(|error| open_error(&self.address, error))
    }

    /// For one read.
    pub fn readers(&self) -> &PgPool {
        self.reads.inc();
        &self.pool
    }

    /// For a read of several statements.
    pub async fn read(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.readers().clone();
        begun(async move { pool.begin_with(READ).await }).await
    }

    /// For what is written beside the writer; to be ended with [`commit`](Connections::commit).
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.pool.clone();
        begun(async move { pool.begin().await }).await
    }

    /// Commits, so that the other nodes notice. The note comes last: who writes beside the writer holds
    /// nothing else while it waits for its turn to write the note.
    pub async fn commit(&self, mut tx: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
        sqlx::query(NOTE).bind(&*self.node).bind(now_ms()).execute(&mut *tx).await?;
        tx.commit().await
    }

    /// Writes with one statement, beside the writer: how many rows it changed.
    pub async fn write(&self, statement: Query<'_, Postgres, PgArguments>) -> Result<u64, sqlx::Error> {
        let mut tx = self.begin().await?;
        let done = statement.execute(&mut *tx).await?;
        self.commit(tx).await?;
        Ok(done.rows_affected())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// In a task of its own, which nobody gives up: sqlx does not know of a transaction whose BEGIN was sent and not yet
/// answered, so that the connection would go back to the pool with it, to show everybody a state of the past.
async fn begun<F>(begin: F) -> Result<Transaction<'static, Postgres>, sqlx::Error>
where
    F: Future<Output = Result<Transaction<'static, Postgres>, sqlx::Error>> + Send + 'static,
{
    tokio::spawn(begin).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}

/// Whatever the server's defaults are. An ack means durable: `synchronous_commit`. A look-up sees what was
/// committed until its locks were taken: `read committed`. Who holds locks and falls silent is let go of by
/// the server, so that other nodes go on.
fn connect_options(address: &Address, options: &StoreOptions) -> PgConnectOptions {
    let wait_ms = options.busy_timeout.as_millis();
    let settings = [
        ("synchronous_commit", "on".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("client_min_messages", "warning".to_owned()),
        ("lock_timeout", wait_ms.to_string()),
        ("statement_timeout", (options.busy_timeout + GRACE / 2).as_millis().to_string()),
        ("idle_in_transaction_session_timeout", wait_ms.to_string()),
    ];
    address.options().application_name("pickmate").options(settings)
}
