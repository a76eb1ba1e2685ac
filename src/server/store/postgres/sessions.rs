use super::super::account_change::AccountChange;
use super::super::account_row::{AccountRow, account};
use super::super::columns::hash_from;
use super::super::{Credential, FoundAccount, PROLONG_EVERY_MS, StoreError, sql};
use super::PostgresStore;
use super::connections::Connections;
use crate::domain::UserId;

const STANDING: &str = "SELECT hash FROM sessions WHERE hash = ANY($1) AND expires_at > $2";

const SESSIONS: &str = "SELECT s.hash, u.id, u.name, u.role, u.locale, s.expires_at
    FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.hash = ANY($1) AND s.expires_at > $2";

const TOKENS: &str = "SELECT t.hash, u.id, u.name, u.role, u.locale, NULL::bigint
    FROM tokens AS t JOIN users AS u ON u.id = t.user_id WHERE t.hash = ANY($1)";

/// What another node prolongs or ends just now is left to it.
const PROLONG: &str = "UPDATE sessions SET expires_at = $2 WHERE hash = ANY(ARRAY(
    SELECT hash FROM sessions WHERE hash = ANY($1) AND expires_at < $2 ORDER BY hash FOR UPDATE SKIP LOCKED))";

const DROP_EXPIRED: &str = "DELETE FROM sessions WHERE hash = ANY(ARRAY(
    SELECT hash FROM sessions WHERE expires_at <= $1 ORDER BY hash FOR UPDATE SKIP LOCKED))";

impl PostgresStore {
    pub(super) async fn begin_session(
        &self,
        hash: &[u8; 32],
        user: UserId,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.connections.begin().await?;
        sqlx::query(DROP_EXPIRED).bind(now).execute(&mut *tx).await?;
        let insert = sqlx::query(sql::accounts::INSERT_SESSION).bind(&hash[..]).bind(user.0).bind(now);
        insert.bind(expires_at).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn find_accounts(
        &self,
        credentials: &[Credential],
        now: i64,
        expires_at: i64,
    ) -> Result<Vec<(Credential, FoundAccount)>, StoreError> {
        let (mut sessions, mut tokens) = (Vec::new(), Vec::new());
        for credential in credentials {
            match credential {
                Credential::Session(hash) => sessions.push(&hash[..]),
                Credential::Token(hash) => tokens.push(&hash[..]),
            }
        }
        let (mut found, mut prolonged) = (Vec::with_capacity(credentials.len()), Vec::new());
        if !sessions.is_empty() {
            let asked = sqlx::query_as(SESSIONS).bind(sessions).bind(now);
            let rows: Vec<AccountRow> = self.connections.all(asked).await?;
            for row in rows {
                let (hash, mut account) = account(row)?;
                if account.expires_at.is_some_and(|stored| expires_at.saturating_sub(stored) >= PROLONG_EVERY_MS) {
                    account.expires_at = Some(expires_at);
                    prolonged.push(hash.to_vec());
                }
                found.push((Credential::Session(hash), account));
            }
        }
        if !tokens.is_empty() {
            let asked = sqlx::query_as(TOKENS).bind(tokens);
            let rows: Vec<AccountRow> = self.connections.all(asked).await?;
            for row in rows {
                let (hash, account) = account(row)?;
                found.push((Credential::Token(hash), account));
            }
        }
        self.prolong(prolonged, expires_at);
        Ok(found)
    }

    /// Soon. Who uses a session does not wait for it, and no reading fails because nothing can be written.
    fn prolong(&self, hashes: Vec<Vec<u8>>, until: i64) {
        if hashes.is_empty() {
            return;
        }
        let connections = self.connections.clone();
        tokio::spawn(async move {
            if let Err(error) = connections.write(sqlx::query(PROLONG).bind(hashes).bind(until)).await {
                // The sessions stand all the same, and are looked at again in an hour.
                tracing::warn!(%error, "sessions were not prolonged");
            }
        });
    }

    /// What may end the rights of an account; see [`AccountChange::carry_out`].
    pub(super) async fn change_accounts<T, F>(
        &self,
        change: impl FnOnce(Connections) -> F + Send,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (connections, change) = (self.connections.clone(), change(self.connections.clone()));
        AccountChange::carry_out(&self.observer, async move { connections.answer(change).await }).await
    }

    pub(super) async fn find_standing(&self, hashes: &[[u8; 32]], now: i64) -> Result<Vec<[u8; 32]>, StoreError> {
        let asked: Vec<_> = hashes.iter().map(|hash| &hash[..]).collect();
        let query = sqlx::query_as(STANDING).bind(asked).bind(now);
        let rows: Vec<(Vec<u8>,)> = self.connections.all(query).await?;
        rows.iter().map(|(hash,)| hash_from(hash)).collect()
    }

    pub(super) async fn replace_password(
        &self,
        user: UserId,
        password_hash: &str,
        keep: Option<&[u8; 32]>,
    ) -> Result<(), StoreError> {
        let (password_hash, keep) = (password_hash.to_owned(), keep.copied());
        self.change_accounts(async move |connections| {
            let mut tx = connections.begin().await?;
            sqlx::query(sql::accounts::SET_PASSWORD).bind(user.0).bind(password_hash).execute(&mut *tx).await?;
            let end = match keep {
                Some(keep) => sqlx::query(sql::accounts::END_OTHER_SESSIONS).bind(user.0).bind(keep.to_vec()),
                None => sqlx::query(sql::accounts::END_SESSIONS).bind(user.0),
            };
            end.execute(&mut *tx).await?;
            Ok(connections.commit_noted(tx).await?)
        })
        .await
    }
}
