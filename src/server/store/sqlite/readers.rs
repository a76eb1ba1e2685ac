//! The connections that read. They are exchanged together when another file takes the database's
//! place; whoever reads meanwhile hears `Unavailable`.

use super::super::{Reason, StoreError};
use super::error::open_error;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt};
use prometheus_client::metrics::counter::Counter;
use sqlx::pool::{PoolConnection, PoolConnectionMetadata};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqlitePoolOptions, SqliteQueryResult, SqliteRow, SqliteStatement};
use sqlx::{Either, Execute, Executor, SqlStr, SqliteConnection, SqlitePool, Transaction};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// A handle; clones share the connections.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: SqlitePoolOptions,
    options: SqliteConnectOptions,
    pool: RwLock<SqlitePool>,
    /// Somebody met a damaged page.
    met_damage: AtomicBool,
}

impl Readers {
    /// None is open yet.
    pub fn new(limits: SqlitePoolOptions, options: SqliteConnectOptions) -> Readers {
        let pool = RwLock::new(limits.clone().connect_lazy_with(options.clone()));
        Readers(Arc::new(Shared { limits, options, pool, met_damage: AtomicBool::new(false) }))
    }

    /// Connects to the file that has the database's name now. Those to another are to be closed before.
    pub async fn open(&self, path: &Path) -> Result<(), StoreError> {
        let limits = self.0.limits.clone();
        let opened = limits.connect_with(self.0.options.clone()).await.map_err(|error| open_error(path, error))?;
        self.0.met_damage.store(false, Ordering::Relaxed);
        *self.0.pool.write().unwrap_or_else(PoisonError::into_inner) = opened;
        Ok(())
    }

    /// Returns when no connection is left; reads that are under way finish first.
    pub async fn close(&self) {
        self.pool().close().await;
    }

    /// For several reads, one after the other.
    pub async fn acquire(&self) -> Result<PoolConnection<Sqlite>, sqlx::Error> {
        self.pool().acquire().await
    }

    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool().begin().await
    }

    /// Remembers what a reading says of the file, and passes it on.
    pub fn noticed<T>(&self, reading: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable(trouble)) = &reading
            && trouble.reason == Reason::Corrupt
        {
            self.0.met_damage.store(true, Ordering::Relaxed);
        }
        reading
    }

    /// Whether somebody met a damaged page since the last call.
    pub fn met_damage(&self) -> bool {
        self.0.met_damage.swap(false, Ordering::Relaxed)
    }

    fn pool(&self) -> SqlitePool {
        self.0.pool.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look_at(&self, error: &sqlx::Error) {
        if super::error::is_no_database(error) || super::error::is_damage(error) {
            self.0.met_damage.store(true, Ordering::Relaxed);
        }
    }
}

impl<'p> Executor<'p> for &'_ Readers {
    type Database = Sqlite;

    fn fetch_many<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxStream<'e, Result<Either<SqliteQueryResult, SqliteRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let readers = self.clone();
        let rows = (&self.pool()).fetch_many(query);
        rows.inspect(move |row| row.as_ref().err().into_iter().for_each(|error| readers.look_at(error))).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<SqliteRow>, sqlx::Error>>
    where
        'p: 'e,
        E: 'q + Execute<'q, Sqlite>,
    {
        let readers = self.clone();
        let row = (&self.pool()).fetch_optional(query);
        Box::pin(async move { row.await.inspect_err(|error| readers.look_at(error)) })
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<Sqlite as sqlx::Database>::TypeInfo],
    ) -> BoxFuture<'e, Result<SqliteStatement, sqlx::Error>>
    where
        'p: 'e,
    {
        (&self.pool()).prepare_with(sql, parameters)
    }
}

/// Counts who takes a connection from the pool: each does so for one read.
pub(super) fn count(
    reads: &Counter,
) -> impl for<'c> Fn(&'c mut SqliteConnection, PoolConnectionMetadata) -> BoxFuture<'c, Result<bool, sqlx::Error>> + 'static
{
    let reads = reads.clone();
    move |_, _| {
        reads.inc();
        std::future::ready(Ok(true)).boxed()
    }
}
