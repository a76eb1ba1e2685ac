//! What the writer drives: a batch committed, its heads put down, the work of others noticed.

use super::super::StoreError;
use super::super::plan::Outcome;
use super::super::writer::{Batch, Engine};
use super::commit::commit;
use super::gate::Gate;
use super::history::History;
use async_trait::async_trait;
use std::sync::Arc;

pub(super) struct SqliteEngine {
    gate: Arc<Gate>,
    history: Arc<History>,
}

impl SqliteEngine {
    pub fn new(gate: Arc<Gate>, history: Arc<History>) -> SqliteEngine {
        SqliteEngine { gate, history }
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, StoreError> {
        let mut turn = self.gate.turn().await;
        let result = commit(&mut turn, batch, at).await;
        match &result {
            Ok(outcome) => self.history.grown(&outcome.grown).await,
            Err(_) => turn.forget_connection(),
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
        Ok(written)
    }
}
