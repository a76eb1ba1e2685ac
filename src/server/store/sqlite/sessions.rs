use super::super::columns::hash_from;
use super::super::event_row::json;
use super::super::{Credential, FoundAccount, Observer, PROLONG_EVERY_MS, StoreError, sql};
use super::SqliteStore;
use super::accounts::session_user;
use crate::domain::UserId;
use data_encoding::HEXLOWER;

const STANDING: &str = "SELECT s.hash FROM json_each($1) AS j
    JOIN sessions AS s ON s.hash = unhex(j.value) WHERE s.expires_at > $2";

const SESSIONS: &str = "SELECT s.hash, u.id, u.name, u.role, u.locale, s.expires_at FROM json_each($1) AS j
    JOIN sessions AS s ON s.hash = unhex(j.value) JOIN users AS u ON u.id = s.user_id WHERE s.expires_at > $2";

const TOKENS: &str = "SELECT t.hash, u.id, u.name, u.role, u.locale, NULL FROM json_each($1) AS j
    JOIN tokens AS t ON t.hash = unhex(j.value) JOIN users AS u ON u.id = t.user_id";

const PROLONG: &str = "UPDATE sessions SET expires_at = $2
    WHERE expires_at < $2 AND hash IN (SELECT unhex(value) FROM json_each($1))";

type AccountRow = (Vec<u8>, i64, String, String, Option<String>, Option<i64>);

fn account((hash, id, name, role, locale, expires_at): AccountRow) -> Result<([u8; 32], FoundAccount), StoreError> {
    Ok((hash_from(&hash)?, FoundAccount { user: session_user((id, name, role, locale))?, expires_at }))
}

pub(super) struct AccountChange<'a>(&'a dyn Observer);

impl Drop for AccountChange<'_> {
    fn drop(&mut self) {
        self.0.accounts_changed();
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
        let mut found = Vec::with_capacity(credentials.len());
        if !sessions.is_empty() {
            let asked = sqlx::query_as(SESSIONS).bind(json(&sessions)?).bind(now);
            let rows: Vec<AccountRow> = asked.fetch_all(&self.readers).await?;
            self.prolong(&rows, expires_at).await?;
            for row in rows {
                let (hash, account) = account(row)?;
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
        Ok(found)
    }

    async fn prolong(&self, rows: &[AccountRow], expires_at: i64) -> Result<(), StoreError> {
        let due = |row: &&AccountRow| row.5.is_some_and(|stored| expires_at.saturating_sub(stored) >= PROLONG_EVERY_MS);
        let hashes: Vec<_> = rows.iter().filter(due).map(|row| HEXLOWER.encode(&row.0)).collect();
        if hashes.is_empty() {
            return Ok(());
        }
        let mut turn = self.gate.turn().await;
        let prolong = sqlx::query(PROLONG).bind(json(&hashes)?).bind(expires_at);
        if let Err(error) = prolong.execute(turn.connection().await?).await {
            // The sessions stand all the same; the next request tries again.
            tracing::warn!(%error, "sessions were not prolonged");
        }
        Ok(())
    }

    /// Says, once it is dropped, that accounts may have changed: also when the change failed half-way
    /// or nobody waited for its end.
    pub(super) fn account_change(&self) -> AccountChange<'_> {
        AccountChange(&*self.observer)
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
        let _told = self.account_change();
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        sqlx::query(sql::accounts::SET_PASSWORD).bind(user.0).bind(password_hash).execute(&mut *tx).await?;
        let end = match keep {
            Some(keep) => sqlx::query(sql::accounts::END_OTHER_SESSIONS).bind(user.0).bind(&keep[..]),
            None => sqlx::query(sql::accounts::END_SESSIONS).bind(user.0),
        };
        end.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
