//! How a node comes to the database: a pool for reading, one for what is written beside the writer, and
//! connections outside of them for the writer. A connection that was lost is replaced at its next use.

use super::super::{StoreError, StoreOptions};
use super::Address;
use super::error::{open_error, silent};
use super::notes::{NOTE, NodeName, Part};
use crate::server::clock::now_ms;
use futures_util::FutureExt;
use prometheus_client::metrics::counter::Counter;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::query::QueryAs;
use sqlx::{ConnectOptions, Connection, FromRow, PgConnection, PgPool, Postgres, Transaction};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// A connection that was idle for so long is asked whether it still stands, before it is used.
const ASK_AFTER: Duration = Duration::from_secs(1);

/// The server itself gives a statement up so long before the node does.
const GRACE: Duration = Duration::from_secs(2);

/// How long a server may take to let somebody in.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// Accounts, sessions and links that are changed at once, beside the writer, and read positions. They wait for each other's locks, and
/// nobody who reads waits for them.
const CHANGES: u32 = 4;

/// One state of the database for all statements of a transaction.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// A handle; clones share the pools and the name.
#[derive(Clone)]
pub(super) struct Connections {
    address: Address,
    options: PgConnectOptions,
    readers: PgPool,
    changes: PgPool,
    reads: Counter,
    node: NodeName,
    patience: Duration,
    suspicion: Suspicion,
}

impl Connections {
    /// None is open yet.
    pub fn new(address: &Address, options: &StoreOptions) -> Connections {
        let (connect, suspicion) = (connect_options(address, options), Suspicion::default());
        let pool = |connections| pool(&connect, connections, options.busy_timeout, &suspicion);
        Connections {
            address: address.clone(),
            readers: pool(options.readers.max(1)),
            changes: pool(CHANGES),
            options: connect,
            reads: options.reads.clone(),
            node: NodeName::new(),
            patience: options.busy_timeout + GRACE,
            suspicion,
        }
    }

    /// Names this opening of the store among all that write to the database.
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// How long the server is waited for.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// One outside of the pools.
    pub async fn connect(&self) -> Result<PgConnection, StoreError> {
        let connected = timeout(CONNECT_WITHIN, self.options.connect()).await.map_err(|_| silent())?;
        connected.map_err(|error| open_error(&self.address, error))
    }

    /// Waits for what the server is asked, but not without end: a network that swallows everything tells nobody.
    pub async fn answer<T, E: From<StoreError>>(&self, asked: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let answer = timeout(self.patience, asked).await.unwrap_or_else(|_| Err(silent().into()));
        if answer.is_err() {
            self.suspect();
        }
        answer
    }

    /// Something went wrong with a connection: the others are asked before they are used again.
    pub fn suspect(&self) {
        self.suspicion.raise();
    }

    /// The rows that one statement reads.
    pub async fn all<R: Row>(&self, query: Query<'_, R>) -> Result<Vec<R>, StoreError> {
        self.reads.inc();
        self.answer(async { Ok(query.fetch_all(&self.readers).await?) }).await
    }

    /// The row that one statement reads, if there is one.
    pub async fn optional<R: Row>(&self, query: Query<'_, R>) -> Result<Option<R>, StoreError> {
        self.reads.inc();
        self.answer(async { Ok(query.fetch_optional(&self.readers).await?) }).await
    }

    /// The row that one statement reads.
    pub async fn one<R: Row>(&self, query: Query<'_, R>) -> Result<R, StoreError> {
        self.reads.inc();
        self.answer(async { Ok(query.fetch_one(&self.readers).await?) }).await
    }

    /// For a read of several statements.
    pub async fn read(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        self.reads.inc();
        let pool = self.readers.clone();
        self.begun(async move { pool.begin_with(READ).await }).await
    }

    /// For what is written beside the writer. What is only made, and known to nobody yet, is committed as it is,
    /// other changes with [`commit_noted`](Connections::commit_noted).
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.changes.clone();
        self.begun(async move { pool.begin().await }).await
    }

    /// In a task of its own, which nobody gives up: sqlx does not know of a transaction whose BEGIN was sent and not
    /// yet answered, so that the connection could go back to the pool with it, to show everybody a state of the past.
    async fn begun<F>(&self, begin: F) -> Result<Transaction<'static, Postgres>, sqlx::Error>
    where
        F: Future<Output = Result<Transaction<'static, Postgres>, sqlx::Error>> + Send + 'static,
    {
        let begun = tokio::spawn(timeout(self.patience, begin)).await.map_err(|_| sqlx::Error::WorkerCrashed)?;
        begun.unwrap_or_else(|_| Err(given_up()))
    }

    /// Commits, so that the other nodes notice. The note comes last: whoever has its turn to write the note
    /// waits for nothing more.
    pub async fn commit_noted(&self, tx: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
        self.commit_as(tx, Part::Beside).await
    }

    async fn commit_as(&self, mut tx: Transaction<'static, Postgres>, part: Part) -> Result<(), sqlx::Error> {
        let node = self.node.current();
        sqlx::query(NOTE).bind(&*node).bind(part as i64).bind(now_ms()).execute(&mut *tx).await?;
        let doubt = self.node.doubt();
        tx.commit().await?;
        doubt.dispel();
        Ok(())
    }

    /// Writes with one statement, beside the writer, so that the other nodes notice.
    pub async fn write_noted(&self, statement: Statement<'_>, part: Part) -> Result<(), StoreError> {
        self.answer(async {
            let mut tx = self.begin().await?;
            statement.execute(&mut *tx).await?;
            Ok(self.commit_as(tx, part).await?)
        })
        .await
    }

    /// Writes with one statement, beside the writer, what other nodes need not notice.
    pub async fn write(&self, statement: Statement<'_>) -> Result<(), StoreError> {
        self.answer(async { Ok(statement.execute(&self.changes).await.map(drop)?) }).await
    }

    /// The same, with the rows that it answers.
    pub async fn changed<R: Row>(&self, query: Query<'_, R>) -> Result<Vec<R>, StoreError> {
        self.answer(async { Ok(query.fetch_all(&self.changes).await?) }).await
    }

    pub async fn close(&self) {
        self.readers.close().await;
        self.changes.close().await;
    }
}

/// What [`Connections`] reads into.
pub(super) trait Row: for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<R: for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for R {}

pub(super) type Query<'q, R> = QueryAs<'q, Postgres, R, PgArguments>;
type Statement<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// When something went wrong last. Connections that have not been used since may be broken too.
#[derive(Clone, Default)]
struct Suspicion(Arc<Mutex<Option<Instant>>>);

impl Suspicion {
    fn raise(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection that was idle for so long is to be asked before it is used.
    fn of(&self, idle: Duration) -> bool {
        let raised = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle >= ASK_AFTER || raised.is_some_and(|at| at.elapsed() <= idle)
    }
}

fn pool(connect: &PgConnectOptions, connections: u32, wait: Duration, suspicion: &Suspicion) -> PgPool {
    let suspicion = suspicion.clone();
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(wait)
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            let doubtful = suspicion.of(meta.idle_for);
            async move {
                if doubtful {
                    connection.ping().await?;
                }
                Ok(true)
            }
            .boxed()
        })
        .after_release(|connection, _| {
            // An answer that nobody waits for any more may never come, and the connection would keep its place in the
            // pool until the system gives it up: it is closed.
            let nothing_under_way = connection.flush().now_or_never();
            async move { nothing_under_way.map_or(Ok(false), |flushed| flushed.map(|()| true)) }.boxed()
        })
        .connect_lazy_with(connect.clone())
}

fn given_up() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
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
