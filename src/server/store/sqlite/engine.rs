//! What the writer drives: a batch committed, its heads put down, the work of others noticed.

use super::super::plan::{Moment, Outcome};
use super::super::writer::{Batch, Engine};
use super::super::{StoreError, StoreOptions};
use super::chores::Chores;
use super::commit::commit;
use super::gate::Gate;
use super::history::History;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct SqliteEngine {
    gate: Arc<Gate>,
    history: Arc<History>,
    key_lifetime: Duration,
    chores: Chores,
}

impl SqliteEngine {
    pub fn new(gate: Arc<Gate>, history: Arc<History>, options: &StoreOptions) -> SqliteEngine {
        SqliteEngine { gate, history, key_lifetime: options.key_lifetime, chores: Chores::new(options.erase_after) }
    }

    fn moment(&self, at: i64) -> Moment {
        let lifetime_ms = i64::try_from(self.key_lifetime.as_millis()).unwrap_or(i64::MAX);
        Moment { at, keys_until: at.saturating_add(lifetime_ms) }
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, StoreError> {
        let mut turn = self.gate.turn().await;
        let result = commit(&mut turn, batch, self.moment(at)).await;
        match &result {
            Ok(outcome) => {
                if outcome.erased {
                    self.chores.bodies_erased();
                }
                self.history.grown(&outcome.grown).await;
            }
            Err(_) => {
                turn.forget_connection();
                // It may have been committed.
                self.chores.bodies_erased();
            }
        }
        result
    }

    fn epoch(&self) -> Arc<str> {
        self.history.epoch()
    }

    async fn foreign_write(&mut self) -> Result<bool, StoreError> {
        let mut turn = self.gate.turn().await;
        let written = turn.foreign_write().await?;
        if written && self.history.follow(turn.connection().await?).await? {
            self.history.settle(&mut turn).await?;
        }
        if written {
            // It may have erased something and be gone.
            self.chores.bodies_erased();
        }
        Ok(written)
    }

    async fn chores(&mut self, now: i64) -> Result<(), StoreError> {
        self.chores.run(&self.gate, now).await
    }
}
