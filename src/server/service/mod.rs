//! Use cases, one function each. Forms, server functions, socket and HTTP API call these and
//! nothing below them; only the socket, once it has authorised a join, reads logs from the store
//! itself. Each authorises its actor itself.

pub mod accounts;
mod commands;
pub mod community;
pub mod exports;
pub mod files;
pub mod invites;
mod links;
pub mod messages;
pub mod previews;
pub mod publisher;
pub mod reading;
pub mod resets;
pub mod rooms;
pub mod schedule;
pub mod set_up;
pub mod tasks;
pub mod webhooks;

pub use commands::{Acked, PendingAck};
pub use links::{Link, base_address};

use super::store::{SessionUser, User};
use crate::domain::{Role, UserId};
use crate::i18n::Locale;

/// Who asks: an account, proven by a session cookie or a bearer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub id: UserId,
    pub name: String,
    pub role: Role,
    pub locale: Option<Locale>,
    /// SHA-256 of the session's secret; `None` with a bearer token.
    pub session: Option<[u8; 32]>,
    /// Scheme and host by which the actor reached this node, where known: links made for somebody
    /// on the same network start with it unless `public_url` is set.
    pub origin: Option<String>,
}

impl Actor {
    pub fn new(user: SessionUser, session: Option<[u8; 32]>) -> Actor {
        Actor { id: user.id, name: user.name, role: user.role, locale: user.locale, session, origin: None }
    }

    /// Whoever this account is, proven by nothing: for what it asked for before.
    pub fn of(user: User) -> Actor {
        let User { id, name, role, locale, .. } = user;
        Actor { id, name, role, locale, session: None, origin: None }
    }

    pub fn is_owner(&self) -> bool {
        self.role == Role::Owner
    }
}
