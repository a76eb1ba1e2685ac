//! Another history: what an operator has to begin after putting a copy of the past in the database's place.

use super::super::{Sessions, StoreError, sql};
use super::PostgresStore;

/// A name that nobody knows.
const NEW_EPOCH: &str = "UPDATE meta SET value = substr(replace(gen_random_uuid()::text, '-', ''), 1, 16)
    WHERE name = 'epoch' RETURNING value";

/// There may be many sessions, and an operator waits for it.
const TAKE_YOUR_TIME: &str = "SET LOCAL statement_timeout = 0";

impl PostgresStore {
    /// Other nodes notice it as they notice a post.
    pub(super) async fn renew_epoch(&self, sessions: Sessions, now: i64) -> Result<String, StoreError> {
        let mut tx = self.connections.begin().await?;
        sqlx::raw_sql(TAKE_YOUR_TIME).execute(&mut *tx).await?;
        let (epoch,): (String,) = sqlx::query_as(NEW_EPOCH).fetch_one(&mut *tx).await?;
        if sessions == Sessions::End {
            sqlx::query(sql::accounts::END_ALL_SESSIONS).execute(&mut *tx).await?;
        }
        sqlx::raw_sql(sql::accounts::END_LINKS).execute(&mut *tx).await?;
        sqlx::query(sql::accounts::REVOKE_INVITES).bind(now).execute(&mut *tx).await?;
        self.connections.commit_noted(tx).await?;
        Ok(epoch)
    }
}
