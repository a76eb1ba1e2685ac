//! Pages that need no WASM: set-up, sign-in, joining, password reset and what to show when a plain
//! form was refused. Rendered whole on the server, without hydration, so they work before and
//! without scripts; a refused form comes back with everything that was typed, but passwords.

mod forms;
mod frame;
mod notices;
mod post_refused;
pub mod transcript;
mod webhooks;

#[cfg(test)]
mod tests;

pub use webhooks::WebhooksPage;

use crate::i18n::Locale;
use crate::protocol::ErrorBody;
use leptos::prelude::*;

/// What surrounds every plain page.
#[derive(Clone, Debug)]
pub struct PlainContext {
    pub locale: Locale,
    /// Minutes east of UTC; 0 when unknown.
    pub utc_offset_min: i32,
    /// `None` before set-up.
    pub community: Option<String>,
    /// Path and query that the page stands at: choosing a language comes back here.
    pub address: String,
    /// Address of the stylesheet, hashed name included.
    pub stylesheet: String,
    /// Of the Content-Security-Policy, for the one inline script (it tells the time zone).
    pub nonce: String,
}

/// A form that posts to the address it stands at (`action` is absent), and why it was refused.
#[derive(Clone, Debug)]
pub enum PlainPage {
    /// Fields `name`, `password`; posts to `/sign-in`. `next` is carried as a hidden field.
    SignIn {
        name: String,
        next: Option<String>,
        error: Option<ErrorBody>,
    },
    /// Fields `community`, `name`, `password`, `room`; posts to its own address.
    SetUp {
        community: String,
        name: String,
        room: String,
        error: Option<ErrorBody>,
    },
    /// Fields `name`, `password`; posts to its own address.
    Join {
        inviter: String,
        name: String,
        error: Option<ErrorBody>,
    },
    /// Field `password`; posts to its own address.
    Reset {
        name: String,
        error: Option<ErrorBody>,
    },
    /// A set-up, invite or reset link that does not work (any more).
    LinkExpired,
    /// There is no owner yet: the link is in the terminal.
    NotSetUp,
    /// A post by plain form was refused: its text, to be sent again with the key.
    PostRefused {
        room: String,
        key: String,
        body: String,
        error: ErrorBody,
    },
    /// What came of changing one's password in the settings.
    PasswordChange {
        error: Option<ErrorBody>,
    },
    /// Of a room; its forms have the fields `deed` (`add`, `test`, `remove`), `url` and `id`.
    Webhooks(WebhooksPage),
    NotFound,
    /// Anything else, by its code.
    Failed {
        error: ErrorBody,
    },
}

/// The whole HTML document.
pub fn document(context: &PlainContext, page: PlainPage) -> String {
    let html = Owner::new().with(|| frame::frame(context, page).to_html());
    format!("<!DOCTYPE html>{html}")
}
