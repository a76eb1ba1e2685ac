//! Who is asking: session cookies, bearer tokens, passwords, the Origin check.

use crate::server::error::AppError;
use crate::server::service::Actor;

/// The actor and node of the request that a server function runs for. `Unauthenticated` without a
/// valid session.
pub async fn current() -> Result<(crate::server::state::AppState, Actor), AppError> {
    todo!()
}

/// How the reader of the current request wants to be spoken to.
pub struct Reader {
    pub locale: crate::i18n::Locale,
    /// Minutes east of UTC, from the `tz` cookie; 0 when unknown.
    pub utc_offset_min: i32,
}

/// From the account's setting, then the `locale` cookie, then `Accept-Language`.
pub async fn reader(_actor: &Actor) -> Reader {
    todo!()
}

/// A fresh idempotency key for a plain form.
pub fn random_key() -> String {
    todo!()
}

pub fn now_ms() -> i64 {
    todo!()
}
