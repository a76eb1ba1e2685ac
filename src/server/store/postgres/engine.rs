//! What the writer drives: a batch committed, the work of other nodes noticed.

use super::super::error::unknown_outcome;
use super::super::plan::{Moment, Outcome};
use super::super::writer::{Batch, Engine, Failed};
use super::super::{Foreign, StoreError, StoreOptions};
use super::commit::{Done, carry_out};
use super::connections::Connections;
use super::error::silent;
use super::notes::{Note, Others, Part};
use super::schedule;
use async_trait::async_trait;
use sqlx::PgConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// How often a node looks whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);

pub(super) struct PostgresEngine {
    connections: Connections,
    /// Opened at the first use after a failure: whatever failed, no transaction is left open on it.
    connection: Option<PgConnection>,
    epoch: Arc<watch::Sender<Arc<str>>>,
    others: Others,
    /// Of what is committed here the other nodes are told.
    told: bool,
    key_lifetime: Duration,
    delivery_lifetime: Duration,
    look_at: Instant,
}

impl PostgresEngine {
    pub async fn begin(
        connections: &Connections,
        mut connection: PgConnection,
        epoch: &Arc<watch::Sender<Arc<str>>>,
        options: &StoreOptions,
    ) -> Result<PostgresEngine, StoreError> {
        let others = Others::read(&mut connection, connections.node()).await?;
        let engine = PostgresEngine {
            connections: connections.clone(),
            connection: Some(connection),
            epoch: Arc::clone(epoch),
            others,
            told: options.observer.tells_nodes(),
            key_lifetime: options.key_lifetime,
            delivery_lifetime: options.delivery_lifetime,
            look_at: Instant::now() + LOOK_EVERY,
        };
        engine.take_epoch(&engine.others.epoch);
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
            None => {
                self.connections.suspect();
                self.connections.connect().await
            }
        }
    }

    /// Whether there may be more.
    async fn purge(&mut self, now: i64) -> Result<bool, StoreError> {
        let mut connection = self.take_connection().await?;
        let more = schedule::purge(&mut connection, now, self.delivery_lifetime).await?;
        self.connection = Some(connection);
        Ok(more)
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, Failed> {
        let (moment, until) = (self.moment(at), Instant::now() + self.connections.patience());
        let mut connection = self.take_connection().await?;
        let note = Note { node: &self.connections.node().current(), part: Part::of(&batch.commands, self.told) };
        let work = carry_out(&mut connection, batch, moment, note);
        let Done { outcome, epoch } = timeout_at(until, work).await.map_err(|_| silent())??;
        let doubt = self.connections.node().doubt();
        let committed = timeout_at(until, sqlx::raw_sql("COMMIT").execute(&mut connection)).await;
        committed.map_err(|_| Failed::Unknown(silent()))?.map_err(|error| Failed::Unknown(unknown_outcome(error)))?;
        doubt.dispel();
        self.connection = Some(connection);
        self.take_epoch(&epoch);
        Ok(outcome)
    }

    fn epoch(&self) -> Arc<str> {
        self.epoch.borrow().clone()
    }

    async fn foreign_writes(&mut self) -> Result<Vec<Foreign>, StoreError> {
        let mut connection = self.take_connection().await?;
        let now = self.connections.answer(Others::read(&mut connection, self.connections.node())).await?;
        self.connection = Some(connection);
        let written = now.since(&self.others);
        self.take_epoch(&now.epoch);
        self.others = now;
        Ok(written)
    }

    async fn chores(&mut self, now: i64) -> Result<(), StoreError> {
        if self.look_at > Instant::now() {
            return Ok(());
        }
        self.look_at = Instant::now() + LOOK_EVERY;
        let connections = self.connections.clone();
        if connections.answer(self.purge(now)).await? {
            self.look_at = Instant::now();
        }
        Ok(())
    }
}
