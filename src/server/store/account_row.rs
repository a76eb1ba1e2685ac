//! Accounts and what gives or proves one, from rows.

use super::columns::{count_from, hash_from, locale_from, role_from};
use super::{FoundAccount, SessionUser, StoreError, User};
use crate::domain::UserId;
use crate::protocol::{InviteView, PersonView};
use data_encoding::HEXLOWER;
use rand::Rng;

/// Names in the table `meta`.
pub(super) const COMMUNITY: &str = "community";
pub(super) const SET_UP_LINK: &str = "set_up_link";
pub(super) const BASE_ADDRESS: &str = "base_address";
pub(super) const SHARED_SECRET: &str = "shared_secret";

/// Invites that a list shows at most.
pub(super) const LISTED_INVITES: i64 = 100;

/// As it is kept.
pub(super) fn new_shared_secret() -> String {
    HEXLOWER.encode(&rand::rng().random::<[u8; 32]>())
}

pub(super) fn shared_secret(kept: Option<String>) -> Result<[u8; 32], StoreError> {
    let secret = HEXLOWER.decode(kept.unwrap_or_default().as_bytes()).unwrap_or_default();
    hash_from(&secret)
}

/// Id, name, role, password's hash and language.
pub(super) type UserRow = (i64, String, String, String, Option<String>);

pub(super) fn user((id, name, role, password_hash, locale): UserRow) -> Result<User, StoreError> {
    let locale = locale_from(locale.as_deref());
    Ok(User { id: UserId(id), name, role: role_from(&role)?, password_hash, locale })
}

/// Id, name, role and language.
pub(super) type SessionUserRow = (i64, String, String, Option<String>);

pub(super) fn session_user((id, name, role, locale): SessionUserRow) -> Result<SessionUser, StoreError> {
    let locale = locale_from(locale.as_deref());
    Ok(SessionUser { id: UserId(id), name, role: role_from(&role)?, locale })
}

/// A credential's hash, its account and, of a session, its end.
pub(super) type AccountRow = (Vec<u8>, i64, String, String, Option<String>, Option<i64>);

pub(super) fn account(
    (hash, id, name, role, locale, expires_at): AccountRow,
) -> Result<([u8; 32], FoundAccount), StoreError> {
    Ok((hash_from(&hash)?, FoundAccount { user: session_user((id, name, role, locale))?, expires_at }))
}

/// Id, name, role and when it was made.
pub(super) type PersonRow = (i64, String, String, i64);

pub(super) fn person((id, name, role, created_at): PersonRow) -> Result<PersonView, StoreError> {
    Ok(PersonView { id, name, role: role_from(&role)?, created_at })
}

pub(super) type InviteRow = (i64, String, i64, i64, i64, i64, Option<i64>);

pub(super) fn invite(row: InviteRow) -> Result<InviteView, StoreError> {
    let (id, created_by, created_at, expires_at, uses, max_uses, revoked_at) = row;
    Ok(InviteView {
        id,
        created_by,
        created_at,
        expires_at,
        uses: count_from(uses)?,
        max_uses: count_from(max_uses)?,
        revoked: revoked_at.is_some(),
    })
}
