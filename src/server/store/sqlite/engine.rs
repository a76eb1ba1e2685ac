//! What the writer drives: a batch committed, its heads put down, the work of others noticed.

use super::super::plan::{Moment, Outcome};
use super::super::writer::{BREATH, Batch, Engine, Failed};
use super::super::{Foreign, StoreError, StoreOptions};
use super::chores::Chores;
use super::commit::commit;
use super::damage::Damage;
use super::database::Database;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct SqliteEngine {
    database: Arc<Database>,
    damage: Damage,
    key_lifetime: Duration,
    chores: Chores,
}

impl SqliteEngine {
    pub fn new(database: Arc<Database>, options: &StoreOptions) -> SqliteEngine {
        SqliteEngine {
            database,
            damage: Damage::default(),
            key_lifetime: options.key_lifetime,
            chores: Chores::new(options),
        }
    }

    fn moment(&self, at: i64) -> Moment {
        let lifetime_ms = i64::try_from(self.key_lifetime.as_millis()).unwrap_or(i64::MAX);
        Moment { at, keys_until: at.saturating_add(lifetime_ms) }
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn commit(&mut self, batch: &Batch<'_>, at: i64) -> Result<Outcome, Failed> {
        let mut turn = self.database.gate.turn().await;
        let committed = match commit(&mut turn, batch, self.moment(at)).await {
            // Into a file that lost its name meanwhile nothing is committed that anybody finds again.
            Ok(outcome) => turn.check_file().await.map(|()| outcome).map_err(Failed::Unknown),
            failed => failed,
        };
        turn.remember(committed.as_ref().err().map(Failed::error)).await;
        match &committed {
            Ok(outcome) if !outcome.erased => {}
            Err(Failed::Before(_)) => {}
            Ok(_) | Err(Failed::Unknown(_)) => self.chores.bodies_erased(),
        }
        match &committed {
            Ok(outcome) => self.database.history.grown(&outcome.grown).await,
            Err(failed) => {
                if let Err(error) = self.database.suspect(&mut turn, failed.error()).await {
                    tracing::warn!(%error, "the file of a commit that failed cannot be looked at");
                }
            }
        }
        committed
    }

    fn epoch(&self) -> Arc<str> {
        self.database.history.epoch()
    }

    /// On the writer's own thread.
    fn breathe(&self) {
        std::thread::sleep(BREATH);
    }

    /// What it was cannot be told: anything.
    async fn foreign_writes(&mut self) -> Result<Vec<Foreign>, StoreError> {
        let opened = self.database.attend(&mut self.damage).await?;
        let history = &self.database.history;
        history.pay().await;
        let mut turn = self.database.gate.turn().await;
        let written = turn.foreign_write().await?;
        if written && history.follow(turn.connection().await?).await? {
            history.settle(&mut turn).await?;
        }
        if written || opened {
            // It may have erased something and be gone.
            self.chores.bodies_erased();
        }
        Ok((written || opened).then_some(Foreign::Anything).into_iter().collect())
    }

    async fn chores(&mut self, now: i64) -> Result<(), StoreError> {
        self.chores.run(&self.database.gate, now).await
    }
}
