//! Pages that only say something.

use super::frame::Sheet;
use crate::i18n::Catalogue;
use crate::protocol::{ErrorBody, ErrorCode};
use leptos::prelude::*;

pub fn link_expired(texts: &'static Catalogue) -> Sheet {
    notice(texts.plain.expired_title, texts.plain.expired_text.to_owned(), ())
}

pub fn not_set_up(texts: &'static Catalogue) -> Sheet {
    notice(texts.plain.not_set_up_title, texts.plain.not_set_up_text.to_owned(), ())
}

pub fn not_found(texts: &'static Catalogue) -> Sheet {
    notice(texts.common.not_found_title, texts.common.not_found_text.to_owned(), to_rooms(texts))
}

pub fn failed(texts: &'static Catalogue, error: &ErrorBody) -> Sheet {
    notice(texts.common.failed_title, (texts.error)(error.code), to_rooms(texts))
}

/// Whoever is signed in has the right name: only the password can be wrong.
pub fn password_change(texts: &'static Catalogue, error: Option<&ErrorBody>) -> Sheet {
    let text = match error.map(|error| error.code) {
        None => texts.settings.password_changed.to_owned(),
        Some(ErrorCode::WrongCredentials) => texts.settings.wrong_password.to_owned(),
        Some(code) => (texts.error)(code),
    };
    let back = view! { <a class="button" href="/settings">{texts.settings.title}</a> };
    notice(texts.settings.password_title, text, back)
}

fn to_rooms(texts: &'static Catalogue) -> impl IntoView {
    view! { <a class="button" href="/rooms">{texts.common.to_rooms}</a> }
}

fn notice(title: &'static str, text: String, action: impl IntoView + 'static) -> Sheet {
    let body = view! {
        <header>
            <h1>{title}</h1>
            <p>{text}</p>
        </header>
        {action}
    };
    Sheet { title: title.to_owned(), body: body.into_any() }
}
