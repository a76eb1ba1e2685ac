//! One-time links: set-up, invites, resets. What a link gives and its use are one transaction.

use super::super::account_row::{COMMUNITY, InviteRow, LISTED_INVITES, SET_UP_LINK, invite};
use super::super::change::{Changes, NewRoom};
use super::super::plan::Moment;
use super::super::{Foreign, InviteError, NewInvite, NewSetUp, NewUser, Refusal, StoreError, sql};
use super::SqliteStore;
use super::accounts::insert_user;
use crate::domain::{Access, Role, UserId};
use crate::protocol::InviteView;
use data_encoding::HEXLOWER;
use sqlx::SqliteConnection;

impl SqliteStore {
    pub(super) async fn carry_out_set_up(
        &self,
        secret_hash: &[u8; 32],
        new: NewSetUp,
        now: i64,
    ) -> Result<UserId, InviteError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        take_set_up_link(&mut tx, secret_hash).await?;
        let account = NewUser { role: Role::Owner, ..new.owner };
        let owner = insert_user(&mut tx, &account, now).await?.ok_or(InviteError::NameTaken)?;
        sqlx::query(sql::accounts::PUT_META).bind(COMMUNITY).bind(&new.community).execute(&mut *tx).await?;
        let room = NewRoom { slug: &new.room_slug, name: &new.room_name, access: Access::Open, creator: Some(owner) };
        let mut changes = Changes { tables: &mut *tx, moment: Moment { at: now, keys_until: now } };
        let entered = match changes.create_room(room).await {
            // The operator made it before: the owner becomes a member of it.
            Err(Refusal::SlugTaken) => changes.add_member(&new.room_slug, owner, None).await,
            made => made,
        };
        let entered = entered.map_err(|refusal| match refusal {
            Refusal::Store(error) => error,
            refusal => StoreError::Internal(format!("the first room: {refusal}")),
        })?;
        tx.commit().await?;
        self.history.raise(entered.events.iter().map(|new| (new.room, new.event.seq)).collect()).await;
        drop(turn);
        // The log grew beside the writer, so its observer was not told.
        self.writer.announce_foreign_write(Foreign::Anything);
        Ok(owner)
    }

    pub(super) async fn insert_invite(&self, new: NewInvite, now: i64) -> Result<i64, StoreError> {
        let mut turn = self.gate.turn().await;
        let (id,): (i64,) = sqlx::query_as(sql::accounts::INSERT_INVITE)
            .bind(&new.secret_hash[..])
            .bind(new.created_by.0)
            .bind(now)
            .bind(new.expires_at)
            .bind(i64::from(new.max_uses))
            .fetch_one(turn.connection().await?)
            .await?;
        Ok(id)
    }

    pub(super) async fn list_invites(&self, now: i64) -> Result<Vec<InviteView>, StoreError> {
        let rows: Vec<InviteRow> =
            sqlx::query_as(sql::accounts::INVITES).bind(LISTED_INVITES).bind(now).fetch_all(&self.readers).await?;
        rows.into_iter().map(invite).collect()
    }

    pub(super) async fn use_invite(
        &self,
        secret_hash: &[u8; 32],
        new: NewUser,
        now: i64,
    ) -> Result<UserId, InviteError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        let used = sqlx::query(sql::accounts::USE_INVITE).bind(&secret_hash[..]).bind(now).execute(&mut *tx).await?;
        if used.rows_affected() == 0 {
            return Err(InviteError::LinkExpired);
        }
        // Returning without COMMIT gives the use back.
        let user = insert_user(&mut tx, &new, now).await?.ok_or(InviteError::NameTaken)?;
        tx.commit().await?;
        Ok(user)
    }

    pub(super) async fn insert_reset(
        &self,
        secret_hash: &[u8; 32],
        user: UserId,
        expires_at: i64,
    ) -> Result<(), StoreError> {
        let mut turn = self.gate.turn().await;
        let mut tx = turn.begin().await?;
        sqlx::query(sql::accounts::DROP_RESETS).bind(user.0).execute(&mut *tx).await?;
        let insert = sqlx::query(sql::accounts::INSERT_RESET).bind(&secret_hash[..]).bind(user.0).bind(expires_at);
        insert.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(super) async fn use_reset(
        &self,
        secret_hash: &[u8; 32],
        password_hash: &str,
        now: i64,
    ) -> Result<Option<UserId>, StoreError> {
        let (secret_hash, password_hash) = (*secret_hash, password_hash.to_owned());
        self.change_accounts(async move |gate| {
            let mut turn = gate.turn().await;
            let mut tx = turn.begin().await?;
            let take = sqlx::query_as(sql::accounts::TAKE_RESET).bind(&secret_hash[..]).bind(now);
            let taken: Option<(i64,)> = take.fetch_optional(&mut *tx).await?;
            let Some((user,)) = taken else { return Ok(None) };
            sqlx::query(sql::accounts::SET_PASSWORD).bind(user).bind(password_hash).execute(&mut *tx).await?;
            sqlx::query(sql::accounts::END_SESSIONS).bind(user).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(Some(UserId(user)))
        })
        .await
    }
}

/// Consumes the link. Once there is an owner, made by whatever way, no link is good any more.
async fn take_set_up_link(tx: &mut SqliteConnection, secret_hash: &[u8; 32]) -> Result<(), InviteError> {
    let (owners,): (i64,) = sqlx::query_as(sql::accounts::OWNERS).fetch_one(&mut *tx).await?;
    let take = sqlx::query(sql::accounts::TAKE_META).bind(SET_UP_LINK).bind(HEXLOWER.encode(secret_hash));
    let taken = take.execute(&mut *tx).await?;
    if owners > 0 || taken.rows_affected() == 0 { Err(InviteError::LinkExpired) } else { Ok(()) }
}
