//! A post by plain form was refused: its text, to be sent again.

use super::forms::Refusal;
use super::frame::Sheet;
use crate::i18n::Catalogue;
use crate::protocol::ErrorBody;
use leptos::prelude::*;

pub struct Refused {
    pub room: String,
    pub key: String,
    pub body: String,
    pub error: ErrorBody,
}

pub fn page(texts: &'static Catalogue, refused: Refused) -> Sheet {
    let Refused { room, key, body, error } = refused;
    let address = format!("/rooms/{room}");
    let view = view! {
        <header>
            <h1>{texts.plain.refused_title}</h1>
            <p>{texts.plain.refused_text}</p>
        </header>
        <form method="post" action=address.clone()>
            <Refusal texts error=Some(error)/>
            <input type="hidden" name="key" value=key/>
            <div class="field">
                <label for="body">{texts.talk.placeholder}</label>
                <textarea class="input" id="body" name="body" required autofocus aria-describedby="refusal">
                    {as_text(&body)}
                </textarea>
            </div>
            <button class="button primary wide">{texts.talk.send}</button>
        </form>
        <a href=address>{texts.plain.back_to_room}</a>
    };
    Sheet { title: texts.plain.refused_title.to_owned(), body: view.into_any() }
}

/// The text as the content of a `textarea`, which Leptos writes as it is. A parser drops a newline
/// at its beginning, so there is one to drop.
fn as_text(body: &str) -> String {
    format!("\n{}", body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"))
}
