//! What the writer drives: a batch committed, the work of other nodes noticed.

use super::super::error::unknown_outcome;
use super::super::plan::{Moment, Outcome};
use super::super::writer::{Batch, Engine, Failed};
use super::super::{StoreError, StoreOptions};
use super::commit::{Done, carry_out};
use super::connections::Connections;
use super::error::silent;
use async_trait::async_trait;
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// The epoch, and the last transaction of every other node. A state to be compared, not a stream to be
/// followed: nothing is missed, however long nobody looked and whatever was lost on the way.
const OTHERS: &str =
    "SELECT value, (SELECT coalesce(string_agg(concat_ws(' ', node, part, last), ',' ORDER BY node, part), '')
    FROM writes WHERE node <> $1) FROM meta WHERE name = 'epoch'";

const PURGE_EVERY: Duration = Duration::from_secs(60);
/// The oldest thousand at once, so that no commit waits for long; what another node purges is left to it.
const PURGE_KEYS: &str = "DELETE FROM keys WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM keys WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED))";

/// Nodes that have not written for so long are forgotten; who writes again is known again.
const FORGET_AFTER_MS: i64 = 24 * 60 * 60 * 1_000;
const FORGET_NODES: &str = "DELETE FROM writes WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM writes WHERE at <= $1 ORDER BY node, part FOR UPDATE SKIP LOCKED))";

type Others = (String, String);

pub(super) struct PostgresEngine {
    connections: Connections,
    /// Opened at the first use after a failure: whatever failed, no transaction is left open on it.
    connection: Option<PgConnection>,
    epoch: Arc<watch::Sender<Arc<str>>>,
    others: Others,
    key_lifetime: Duration,
    purge_at: Instant,
}

impl PostgresEngine {
    pub async fn begin(
        connections: &Connections,
        mut connection: PgConnection,
        epoch: &Arc<watch::Sender<Arc<str>>>,
        options: &StoreOptions,
    ) -> Result<PostgresEngine, StoreError> {
        let others = others(&mut connection, connections.node()).await?;
        let engine = PostgresEngine {
            connections: connections.clone(),
            connection: Some(connection),
            epoch: Arc::clone(epoch),
            others,
            key_lifetime: options.key_lifetime,
            purge_at: Instant::now() + PURGE_EVERY,
        };
        engine.take_epoch(&engine.others.0);
        Ok(engine)
    }

    fn moment(&self, at: i64) -> Moment {
        let lifetime_ms = i64::try_from(self.key_lifetime.as_millis()).unwrap_or(i64::MAX);
        Moment { at, keys_until: at.saturating_add(lifetime_ms) }
    }

    fn take_epoch(&self, epoch: &str) {
        self.epoch.send_if_modified(|known| {
            let another = **known != *epoch;
            if another {
                *known = epoch.into();
            }
            another
        });
    }

    /// The connection, to be given back after a success.
    async fn take_connection(&mut self) -> Result<PgConnection, StoreError> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => self.connections.connect().await,
        }
    }

    async fn purge(&mut self, now: i64) -> Result<(), StoreError> {
        let mut connection = self.take_connection().await?;
        sqlx::query(PURGE_KEYS).bind(now).execute(&mut connection).await?;
        sqlx::query(FORGET_NODES).bind(now - FORGET_AFTER_MS).execute(&mut connection).await?;
        self.connection = Some(connection);
        Ok(())
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, Failed> {
        let (moment, patience) = (self.moment(at), self.connections.patience());
        let mut connection = self.take_connection().await?;
        let work = carry_out(&mut connection, batch, moment, self.connections.node());
        let Done { outcome, epoch } = timeout(patience, work).await.map_err(|_| silent())??;
        let committed = timeout(patience, sqlx::raw_sql("COMMIT").execute(&mut connection)).await;
        committed.map_err(|_| Failed::Unknown(silent()))?.map_err(|error| Failed::Unknown(unknown_outcome(error)))?;
        self.connection = Some(connection);
        self.take_epoch(&epoch);
        Ok(outcome)
    }

    fn epoch(&self) -> Arc<str> {
        self.epoch.borrow().clone()
    }

    async fn foreign_write(&mut self) -> Result<bool, StoreError> {
        let (patience, node) = (self.connections.patience(), self.connections.node().to_owned());
        let mut connection = self.take_connection().await?;
        let now = timeout(patience, others(&mut connection, &node)).await.map_err(|_| silent())??;
        self.connection = Some(connection);
        if now == self.others {
            return Ok(false);
        }
        self.take_epoch(&now.0);
        self.others = now;
        Ok(true)
    }

    async fn chores(&mut self, now: i64) -> Result<(), StoreError> {
        if self.purge_at > Instant::now() {
            return Ok(());
        }
        self.purge_at = Instant::now() + PURGE_EVERY;
        timeout(self.connections.patience(), self.purge(now)).await.map_err(|_| silent())?
    }
}

async fn others(connection: &mut PgConnection, node: &str) -> Result<Others, StoreError> {
    Ok(sqlx::query_as(OTHERS).bind(node).fetch_one(connection).await?)
}
