use super::super::columns::hash_from;
use super::super::event_row::json;
use super::super::{SessionUser, StoreError, sql};
use super::SqliteStore;
use super::accounts::session_user;
use crate::domain::UserId;
use data_encoding::HEXLOWER;

/// A session's expiry is moved at most this often, so that reading does not become writing.
const PROLONG_EVERY_MS: i64 = 60 * 60 * 1_000;

const STANDING: &str = "SELECT s.hash FROM json_each($1) AS j
    JOIN sessions AS s ON s.hash = unhex(j.value) WHERE s.expires_at > $2";

type SessionRow = (i64, String, String, Option<String>, i64);

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

    pub(super) async fn find_session(
        &self,
        hash: &[u8; 32],
        now: i64,
        expires_at: i64,
    ) -> Result<Option<SessionUser>, StoreError> {
        let query = sqlx::query_as(sql::accounts::SESSION).bind(&hash[..]).bind(now);
        let row: Option<SessionRow> = query.fetch_optional(&self.readers).await?;
        let Some((id, name, role, locale, stored)) = row else { return Ok(None) };
        if expires_at.saturating_sub(stored) >= PROLONG_EVERY_MS
            && let Err(error) = self.prolong_session(hash, expires_at).await
        {
            // The session stands all the same; the next request tries again.
            tracing::warn!(%error, user.id = id, "a session was not prolonged");
        }
        session_user((id, name, role, locale)).map(Some)
    }

    async fn prolong_session(&self, hash: &[u8; 32], expires_at: i64) -> Result<(), StoreError> {
        let mut turn = self.gate.turn().await;
        let prolong = sqlx::query(sql::accounts::PROLONG_SESSION).bind(&hash[..]).bind(expires_at);
        prolong.execute(turn.connection().await?).await?;
        Ok(())
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
