use super::super::account_change::AccountChange;
use super::super::account_row::{AccountRow, account};
use super::super::columns::hash_from;
use super::super::event_row::json;
use super::super::{Credential, FoundAccount, PROLONG_EVERY_MS, StoreError, sql};
use super::SqliteStore;
use super::gate::Gate;
use crate::domain::UserId;
use data_encoding::HEXLOWER;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const STANDING: &str = "SELECT s.hash FROM json_each($1) AS j
    JOIN sessions AS s ON s.hash = unhex(j.value) WHERE s.expires_at > $2";

const SESSIONS: &str = "SELECT s.hash, u.id, u.name, u.role, u.locale, s.expires_at FROM json_each($1) AS j
    JOIN sessions AS s ON s.hash = unhex(j.value) JOIN users AS u ON u.id = s.user_id WHERE s.expires_at > $2";

const TOKENS: &str = "SELECT t.hash, u.id, u.name, u.role, u.locale, NULL FROM json_each($1) AS j
    JOIN tokens AS t ON t.hash = unhex(j.value) JOIN users AS u ON u.id = t.user_id";

const PROLONG: &str = "UPDATE sessions SET expires_at = $2
    WHERE expires_at < $2 AND hash IN (SELECT unhex(value) FROM json_each($1))";

/// Sessions that are to be prolonged. Who uses one does not wait for it, and no reading fails because
/// nothing can be written.
#[derive(Clone, Default)]
pub(super) struct Prolongations(Arc<Mutex<Due>>);

#[derive(Default)]
struct Due {
    hashes: Vec<String>,
    until: i64,
}

impl Prolongations {
    /// What comes while a turn is awaited goes with it.
    fn put(&self, mut hashes: Vec<String>, until: i64, gate: &Arc<Gate>) {
        if hashes.is_empty() {
            return;
        }
        let mut due = self.lock();
        let awaited = !due.hashes.is_empty();
        due.hashes.append(&mut hashes);
        due.until = due.until.max(until);
        if !awaited {
            let (due, gate) = (self.clone(), Arc::clone(gate));
            tokio::spawn(async move {
                if let Err(error) = due.carry_out(&gate).await {
                    // The sessions stand all the same, and are looked at again in an hour.
                    tracing::warn!(%error, "sessions were not prolonged");
                }
            });
        }
    }

    async fn carry_out(&self, gate: &Gate) -> Result<(), StoreError> {
        let mut turn = gate.turn().await;
        let Due { hashes, until } = std::mem::take(&mut *self.lock());
        let prolong = sqlx::query(PROLONG).bind(json(&hashes)?).bind(until);
        prolong.execute(turn.connection().await?).await?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Due> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SqliteStore {
    pub(super) async fn begin_session(
        &self,
        hash: &[u8; 32],
        user: UserId,
        now: i64,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        sqlx::query(sql::accounts::DROP_EXPIRED_SESSIONS).bind(now).execute(&mut *tx).await?;
        sqlx::query(sql::accounts::INSERT_SESSION)
            .bind(&hash[..])
            .bind(user.0)
            .bind(now)
            .bind(expires_at)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
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
                Credential::Session(hash) => sessions.push(HEXLOWER.encode(hash)),
                Credential::Token(hash) => tokens.push(HEXLOWER.encode(hash)),
            }
        }
        let (mut found, mut prolonged) = (Vec::with_capacity(credentials.len()), Vec::new());
        if !sessions.is_empty() {
            let asked = sqlx::query_as(SESSIONS).bind(json(&sessions)?).bind(now);
            let rows: Vec<AccountRow> = asked.fetch_all(&self.readers).await?;
            for row in rows {
                let (hash, mut account) = account(row)?;
                if account.expires_at.is_some_and(|stored| expires_at.saturating_sub(stored) >= PROLONG_EVERY_MS) {
                    account.expires_at = Some(expires_at);
                    prolonged.push(HEXLOWER.encode(&hash));
                }
                found.push((Credential::Session(hash), account));
            }
        }
        if !tokens.is_empty() {
            let rows: Vec<AccountRow> = sqlx::query_as(TOKENS).bind(json(&tokens)?).fetch_all(&self.readers).await?;
            for row in rows {
                let (hash, account) = account(row)?;
                found.push((Credential::Token(hash), account));
            }
        }
        self.prolongations.put(prolonged, expires_at, &self.gate);
        Ok(found)
    }

    /// What may end the rights of an account; see [`AccountChange::carry_out`].
    pub(super) async fn change_accounts<T, F>(
        &self,
        change: impl FnOnce(Arc<Gate>) -> F + Send,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        AccountChange::carry_out(&self.observer, change(Arc::clone(&self.gate))).await
    }

    pub(super) async fn find_standing(&self, hashes: &[[u8; 32]], now: i64) -> Result<Vec<[u8; 32]>, StoreError> {
        let asked: Vec<_> = hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect();
        let rows: Vec<(Vec<u8>,)> =
            sqlx::query_as(STANDING).bind(json(&asked)?).bind(now).fetch_all(&self.readers).await?;
        rows.iter().map(|(hash,)| hash_from(hash)).collect()
    }

    pub(super) async fn replace_password(
        &self,
        user: UserId,
        password_hash: &str,
        keep: Option<&[u8; 32]>,
    ) -> Result<(), StoreError> {
        let (password_hash, keep) = (password_hash.to_owned(), keep.copied());
        self.change_accounts(async move |gate| {
            let mut turn = gate.turn().await;
            let mut tx = turn.begin().await?;
            sqlx::query(sql::accounts::SET_PASSWORD).bind(user.0).bind(password_hash).execute(&mut *tx).await?;
            let end = match keep {
                Some(keep) => sqlx::query(sql::accounts::END_OTHER_SESSIONS).bind(user.0).bind(keep.to_vec()),
                None => sqlx::query(sql::accounts::END_SESSIONS).bind(user.0),
            };
            end.execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}
