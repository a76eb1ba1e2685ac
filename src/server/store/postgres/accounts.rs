use super::super::account_row::{
    BASE_ADDRESS, COMMUNITY, PersonRow, SET_UP_LINK, SHARED_SECRET, new_shared_secret, person, session_user,
    shared_secret, user,
};
use super::super::columns::{locale_column, role_column};
use super::super::{
    Accounts, Credential, FoundAccount, Invite, InviteError, NewInvite, NewSetUp, NewUser, SessionUser, StoreError,
    UNNAMED, User, folded_name, sql,
};
use super::PostgresStore;
use super::lock::Lock;
use super::notes::Part;
use crate::domain::{Role, UserId};
use crate::i18n::Locale;
use crate::protocol::{InviteView, PersonView};
use async_trait::async_trait;
use data_encoding::HEXLOWER;
use sqlx::PgConnection;

#[async_trait]
impl Accounts for PostgresStore {
    async fn community(&self) -> Result<Option<String>, StoreError> {
        match self.meta(COMMUNITY).await? {
            None if self.has_owner().await? => Ok(Some(UNNAMED.to_owned())),
            name => Ok(name),
        }
    }

    async fn base_address(&self) -> Result<Option<String>, StoreError> {
        self.meta(BASE_ADDRESS).await
    }

    async fn put_base_address(&self, address: &str) -> Result<(), StoreError> {
        self.put_meta(BASE_ADDRESS, address).await
    }

    async fn shared_secret(&self) -> Result<[u8; 32], StoreError> {
        if self.meta(SHARED_SECRET).await?.is_none() {
            // Of two nodes at once one comes first, and both read what it put there.
            self.add_meta(SHARED_SECRET, &new_shared_secret()).await?;
        }
        shared_secret(self.meta(SHARED_SECRET).await?)
    }

    async fn has_owner(&self) -> Result<bool, StoreError> {
        let (owners,): (i64,) = self.connections.one(sqlx::query_as(sql::accounts::OWNERS)).await?;
        Ok(owners > 0)
    }

    async fn put_set_up_link(&self, secret_hash: &[u8; 32]) -> Result<(), StoreError> {
        self.put_meta(SET_UP_LINK, &HEXLOWER.encode(secret_hash)).await
    }

    async fn set_up_link_is_valid(&self, secret_hash: &[u8; 32]) -> Result<bool, StoreError> {
        let stored = self.meta(SET_UP_LINK).await?;
        Ok(stored == Some(HEXLOWER.encode(secret_hash)) && !self.has_owner().await?)
    }

    async fn set_up(&self, secret_hash: &[u8; 32], new: NewSetUp, now: i64) -> Result<UserId, InviteError> {
        self.connections.answer(self.carry_out_set_up(secret_hash, new, now)).await
    }

    async fn create_user(&self, new: NewUser, now: i64) -> Result<Option<UserId>, StoreError> {
        let created = async {
            let mut tx = self.connections.begin().await?;
            if new.role == Role::Owner {
                Lock::Owners.take(&mut tx).await?;
            }
            let user = insert_user(&mut tx, &new, now).await?;
            tx.commit().await?;
            Ok(user)
        };
        self.connections.answer(created).await
    }

    async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError> {
        let query = sqlx::query_as(sql::accounts::USER_BY_NAME).bind(folded_name(name));
        self.connections.optional(query).await?.map(user).transpose()
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.connections.optional(sqlx::query_as(sql::accounts::USER).bind(id.0)).await?.map(user).transpose()
    }

    async fn people(&self) -> Result<Vec<PersonView>, StoreError> {
        let rows: Vec<PersonRow> = self.connections.all(sqlx::query_as(sql::accounts::PEOPLE)).await?;
        rows.into_iter().map(person).collect()
    }

    async fn set_locale(&self, user: UserId, locale: Option<Locale>) -> Result<(), StoreError> {
        self.change_accounts(async move |connections| {
            let set = sqlx::query(sql::accounts::SET_LOCALE).bind(user.0).bind(locale_column(locale));
            connections.write_noted(set, Part::Settings).await
        })
        .await
    }

    async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError> {
        self.change_accounts(async move |connections| {
            let mut tx = connections.begin().await?;
            Lock::Owners.take(&mut tx).await?;
            let set = sqlx::query(sql::accounts::SET_ROLE).bind(user.0).bind(role_column(role));
            let done = set.execute(&mut *tx).await?;
            connections.commit_noted(tx).await?;
            Ok(done.rows_affected() > 0)
        })
        .await
    }

    async fn set_password(&self, user: UserId, password_hash: &str, keep: Option<&[u8; 32]>) -> Result<(), StoreError> {
        self.replace_password(user, password_hash, keep).await
    }

    async fn create_session(&self, hash: &[u8; 32], user: UserId, now: i64, expires_at: i64) -> Result<(), StoreError> {
        self.connections.answer(self.begin_session(hash, user, now, expires_at)).await
    }

    async fn accounts(
        &self,
        credentials: &[Credential],
        now: i64,
        expires_at: i64,
    ) -> Result<Vec<(Credential, FoundAccount)>, StoreError> {
        self.find_accounts(credentials, now, expires_at).await
    }

    async fn end_session(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        let hash = *hash;
        self.change_accounts(async move |connections| {
            let end = sqlx::query(sql::accounts::END_SESSION).bind(&hash[..]);
            connections.write_noted(end, Part::Beside).await
        })
        .await
    }

    async fn standing_sessions(&self, hashes: &[[u8; 32]], now: i64) -> Result<Vec<[u8; 32]>, StoreError> {
        self.find_standing(hashes, now).await
    }

    async fn create_token(&self, hash: &[u8; 32], user: UserId, now: i64) -> Result<(), StoreError> {
        let insert = sqlx::query(sql::accounts::INSERT_TOKEN).bind(&hash[..]).bind(user.0).bind(now);
        self.connections.write(insert).await
    }

    async fn create_invite(&self, new: NewInvite, now: i64) -> Result<i64, StoreError> {
        self.connections.answer(self.insert_invite(new, now)).await
    }

    async fn invites(&self, now: i64) -> Result<Vec<InviteView>, StoreError> {
        self.list_invites(now).await
    }

    async fn revoke_invite(&self, id: i64, now: i64) -> Result<(), StoreError> {
        self.connections.write(sqlx::query(sql::accounts::REVOKE_INVITE).bind(id).bind(now)).await
    }

    async fn invite(&self, secret_hash: &[u8; 32], now: i64) -> Result<Option<Invite>, StoreError> {
        let query = sqlx::query_as(sql::accounts::INVITE).bind(&secret_hash[..]).bind(now);
        let row: Option<(i64, String)> = self.connections.optional(query).await?;
        Ok(row.map(|(id, inviter)| Invite { id, inviter }))
    }

    async fn accept_invite(&self, secret_hash: &[u8; 32], new: NewUser, now: i64) -> Result<UserId, InviteError> {
        self.connections.answer(self.use_invite(secret_hash, new, now)).await
    }

    async fn create_reset(&self, secret_hash: &[u8; 32], user: UserId, expires_at: i64) -> Result<(), StoreError> {
        self.insert_reset(secret_hash, user, expires_at).await
    }

    async fn reset(&self, secret_hash: &[u8; 32], now: i64) -> Result<Option<SessionUser>, StoreError> {
        let query = sqlx::query_as(sql::accounts::RESET).bind(&secret_hash[..]).bind(now);
        self.connections.optional(query).await?.map(session_user).transpose()
    }

    async fn redeem_reset(
        &self,
        secret_hash: &[u8; 32],
        password_hash: &str,
        now: i64,
    ) -> Result<Option<UserId>, StoreError> {
        self.use_reset(secret_hash, password_hash, now).await
    }
}

impl PostgresStore {
    async fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self.connections.optional(sqlx::query_as(sql::accounts::META).bind(name)).await?;
        Ok(row.map(|(value,)| value))
    }

    /// Unless there is one of this name.
    async fn add_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.connections.write(sqlx::query(sql::accounts::ADD_META).bind(name).bind(value)).await?;
        Ok(())
    }

    async fn put_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.connections.write(sqlx::query(sql::accounts::PUT_META).bind(name).bind(value)).await
    }
}

/// `None` when the name is taken.
pub(super) async fn insert_user(
    connection: &mut PgConnection,
    new: &NewUser,
    now: i64,
) -> Result<Option<UserId>, StoreError> {
    let row: Option<(i64,)> = sqlx::query_as(sql::accounts::INSERT_USER)
        .bind(new.name.as_str())
        .bind(folded_name(new.name.as_str()))
        .bind(role_column(new.role))
        .bind(&new.password_hash)
        .bind(locale_column(new.locale))
        .bind(now)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(id,)| UserId(id)))
}
