use super::StoreError;
use crate::domain::{Role, RoomName, Slug, UserId, UserName};
use crate::i18n::Locale;
use crate::protocol::{InviteView, PersonView};
use async_trait::async_trait;
use unicode_normalization::UnicodeNormalization;

/// An account with what signing in needs.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    /// PHC string; never leaves the server.
    pub password_hash: String,
    pub locale: Option<Locale>,
}

/// Who a session or token belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionUser {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    pub locale: Option<Locale>,
}

/// What proves an account, by the SHA-256 of its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    Session([u8; 32]),
    Token([u8; 32]),
}

/// Whose a credential is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundAccount {
    pub user: SessionUser,
    /// Unix milliseconds, of a session that is being prolonged the new one; `None` of a token.
    pub expires_at: Option<i64>,
}

/// A session's expiry is moved at most this often, so that reading does not become writing.
pub const PROLONG_EVERY_MS: i64 = 60 * 60 * 1_000;

#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: UserName,
    pub password_hash: String,
    pub role: Role,
    pub locale: Option<Locale>,
}

/// All that the first visitor with the set-up link decides.
#[derive(Clone, Debug)]
pub struct NewSetUp {
    pub community: String,
    pub owner: NewUser,
    pub room_slug: Slug,
    pub room_name: RoomName,
}

/// `expires_at` is Unix milliseconds; the link is good before that moment and for `max_uses` accounts.
#[derive(Clone, Debug)]
pub struct NewInvite {
    pub secret_hash: [u8; 32],
    pub created_by: UserId,
    pub expires_at: i64,
    pub max_uses: u32,
}

/// A usable invite, found by its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub id: i64,
    pub inviter: String,
}

/// Why a link made no account. The link keeps its uses.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("the link is used up, expired, revoked or unknown")]
    LinkExpired,
    #[error("the name is taken")]
    NameTaken,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a community is called that nobody gave a name.
pub const UNNAMED: &str = "PickMate";

/// Accounts, sessions, tokens and one-time links. Secrets arrive as SHA-256 hashes; the store
/// never sees one in the clear. Names are compared folded (Unicode NFKC, lower case).
#[async_trait]
pub trait Accounts {
    /// The community's name; `None` until there is an owner. [`UNNAMED`] when the operator made the
    /// first owner, so that nobody was asked.
    async fn community(&self) -> Result<Option<String>, StoreError>;
    /// Where a server on this data was last reached: what links made beside it start with. `None`
    /// before the first.
    async fn base_address(&self) -> Result<Option<String>, StoreError>;
    async fn put_base_address(&self, address: &str) -> Result<(), StoreError>;
    /// What every node on this database knows and nobody else: the same at every call.
    async fn shared_secret(&self) -> Result<[u8; 32], StoreError>;
    async fn has_owner(&self) -> Result<bool, StoreError>;
    /// Makes this the one valid set-up link.
    async fn put_set_up_link(&self, secret_hash: &[u8; 32]) -> Result<(), StoreError>;
    async fn set_up_link_is_valid(&self, secret_hash: &[u8; 32]) -> Result<bool, StoreError>;
    /// Owner, community name, first room with the owner as its member; consumes the link. Of two
    /// at once one gets `LinkExpired`.
    async fn set_up(&self, secret_hash: &[u8; 32], new: NewSetUp, now: i64) -> Result<UserId, InviteError>;

    /// `None` when the name is taken.
    async fn create_user(&self, new: NewUser, now: i64) -> Result<Option<UserId>, StoreError>;
    async fn user_by_name(&self, name: &str) -> Result<Option<User>, StoreError>;
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;
    /// Everybody, by name.
    async fn people(&self) -> Result<Vec<PersonView>, StoreError>;
    async fn set_locale(&self, user: UserId, locale: Option<Locale>) -> Result<(), StoreError>;
    /// `false` when it would leave the community without an owner.
    async fn set_role(&self, user: UserId, role: Role) -> Result<bool, StoreError>;
    /// Replaces the password and ends every session of the account but `keep`.
    async fn set_password(&self, user: UserId, password_hash: &str, keep: Option<&[u8; 32]>) -> Result<(), StoreError>;

    async fn create_session(&self, hash: &[u8; 32], user: UserId, now: i64, expires_at: i64) -> Result<(), StoreError>;
    /// The accounts behind these, as far as they stand at `now`, in one statement for sessions and one for
    /// tokens. Pushes the expiry of the sessions to `expires_at`, each at most every
    /// [`PROLONG_EVERY_MS`], soon after it has answered; a failure there is told in the log only.
    async fn accounts(
        &self,
        credentials: &[Credential],
        now: i64,
        expires_at: i64,
    ) -> Result<Vec<(Credential, FoundAccount)>, StoreError>;
    /// The account of one session.
    async fn session(&self, hash: &[u8; 32], now: i64, expires_at: i64) -> Result<Option<SessionUser>, StoreError> {
        let found = self.accounts(&[Credential::Session(*hash)], now, expires_at).await?;
        Ok(found.into_iter().next().map(|(_, found)| found.user))
    }
    async fn end_session(&self, hash: &[u8; 32]) -> Result<(), StoreError>;
    /// Which of these sessions still stand, in one statement.
    async fn standing_sessions(&self, hashes: &[[u8; 32]], now: i64) -> Result<Vec<[u8; 32]>, StoreError>;

    async fn create_token(&self, hash: &[u8; 32], user: UserId, now: i64) -> Result<(), StoreError>;
    /// The account of one token.
    async fn token_user(&self, hash: &[u8; 32]) -> Result<Option<SessionUser>, StoreError> {
        let found = self.accounts(&[Credential::Token(*hash)], 0, 0).await?;
        Ok(found.into_iter().next().map(|(_, found)| found.user))
    }

    async fn create_invite(&self, new: NewInvite, now: i64) -> Result<i64, StoreError>;
    /// At most 100: those that are usable at `now`, then the others, each the newest first.
    async fn invites(&self, now: i64) -> Result<Vec<InviteView>, StoreError>;
    async fn revoke_invite(&self, id: i64, now: i64) -> Result<(), StoreError>;
    /// A usable invite by its secret.
    async fn invite(&self, secret_hash: &[u8; 32], now: i64) -> Result<Option<Invite>, StoreError>;
    /// Makes the account and takes one use, together. A taken name takes no use.
    async fn accept_invite(&self, secret_hash: &[u8; 32], new: NewUser, now: i64) -> Result<UserId, InviteError>;

    /// A one-time link by which the account gets a new password; earlier ones of the account end.
    async fn create_reset(&self, secret_hash: &[u8; 32], user: UserId, expires_at: i64) -> Result<(), StoreError>;
    /// Whose reset link this is, if it is usable.
    async fn reset(&self, secret_hash: &[u8; 32], now: i64) -> Result<Option<SessionUser>, StoreError>;
    /// Sets the password, consumes the link, ends every session of the account. `None`: not usable.
    async fn redeem_reset(
        &self,
        secret_hash: &[u8; 32],
        password_hash: &str,
        now: i64,
    ) -> Result<Option<UserId>, StoreError>;
}

/// The form in which names are compared: two names with the same fold are one account. NFKC,
/// lower case, single blanks.
pub fn folded_name(name: &str) -> String {
    // Lower-casing can leave NFKC ('İ' becomes two characters), so the form is made once more.
    let folded: String = name.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::folded_name;

    #[test]
    fn names_that_read_alike_fold_alike() {
        assert_eq!(folded_name("Ｍｉｎａ  Kim"), "mina kim");
        assert_eq!(folded_name("MINA\u{a0}KIM "), "mina kim");
        assert_eq!(folded_name("민아"), folded_name("\u{1106}\u{1175}\u{11ab}\u{110b}\u{1161}"));
        assert_ne!(folded_name("mina"), folded_name("minna"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for name in ["İstanbul", "ǅungla", "Straße", "ﬁn", "  a \u{3000} b "] {
            assert_eq!(folded_name(&folded_name(name)), folded_name(name), "{name:?}");
        }
    }
}
