//! Pages that are filled in. Each form posts to the address it stands at.

use super::PlainContext;
use super::frame::Sheet;
use crate::domain::Password;
use crate::i18n::Catalogue;
use crate::protocol::ErrorBody;
use leptos::prelude::*;

pub fn sign_in(context: &PlainContext, name: String, next: Option<String>, error: Option<ErrorBody>) -> Sheet {
    let texts = context.locale.texts();
    // Whoever mistyped the password goes on there.
    let named = !name.is_empty();
    let body = view! {
        <header><h1>{texts.plain.sign_in}</h1></header>
        <form method="post" action="/sign-in">
            <Refusal texts error/>
            {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
            <NameField texts value=name autocomplete="username" hint="" focus=if named { Focus::No } else { Focus::Yes }/>
            <PasswordField texts label=texts.plain.password purpose=Purpose::Current focus=if named { Focus::Yes } else { Focus::No }/>
            <button class="button primary wide">{texts.plain.sign_in}</button>
        </form>
        <p class="aside">{texts.plain.sign_in_forgot}</p>
    };
    Sheet { title: texts.plain.sign_in.to_owned(), body: body.into_any() }
}

pub struct SetUpFields {
    pub community: String,
    pub name: String,
    pub room: String,
}

pub fn set_up(texts: &'static Catalogue, fields: SetUpFields, error: Option<ErrorBody>) -> Sheet {
    let body = view! {
        <header>
            <h1>{texts.plain.set_up_title}</h1>
            <p>{texts.plain.set_up_intro}</p>
        </header>
        <form method="post">
            <Refusal texts error/>
            <div class="field">
                <label for="community">{texts.plain.community}</label>
                <input
                    class="input" id="community" name="community" value=fields.community
                    required autofocus
                    autocomplete="organization" aria-describedby="refusal"
                />
            </div>
            <div class="field">
                <label for="room">{texts.plain.first_room}</label>
                <input
                    class="input" id="room" name="room" value=fields.room
                    required
                    autocomplete="off" aria-describedby="refusal"
                />
            </div>
            <NameField texts value=fields.name autocomplete="username" hint=texts.plain.name_hint focus=Focus::No/>
            <PasswordField texts label=texts.plain.password purpose=Purpose::New focus=Focus::No/>
            <button class="button primary wide">{texts.plain.set_up}</button>
        </form>
    };
    Sheet { title: texts.plain.set_up_title.to_owned(), body: body.into_any() }
}

pub fn join(context: &PlainContext, inviter: &str, name: String, error: Option<ErrorBody>) -> Sheet {
    let texts = context.locale.texts();
    let title = (texts.plain.join_title)(context.community.as_deref().unwrap_or("PickMate"));
    let body = view! {
        <header>
            <h1>{title.clone()}</h1>
            <p>{(texts.plain.join_intro)(inviter)}</p>
        </header>
        <form method="post">
            <Refusal texts error/>
            <NameField texts value=name autocomplete="username" hint=texts.plain.name_hint focus=Focus::Yes/>
            <PasswordField texts label=texts.plain.password purpose=Purpose::New focus=Focus::No/>
            <button class="button primary wide">{texts.plain.join}</button>
        </form>
    };
    Sheet { title, body: body.into_any() }
}

pub fn reset(texts: &'static Catalogue, name: &str, error: Option<ErrorBody>) -> Sheet {
    let body = view! {
        <header>
            <h1>{texts.plain.reset_title}</h1>
            <p>{(texts.plain.reset_intro)(name)}</p>
        </header>
        <form method="post">
            <Refusal texts error/>
            // Tells password managers whose password this is.
            <input type="text" hidden autocomplete="username" value=name.to_owned()/>
            <PasswordField texts label=texts.plain.new_password purpose=Purpose::New focus=Focus::Yes/>
            <button class="button primary wide">{texts.plain.reset}</button>
        </form>
    };
    Sheet { title: texts.plain.reset_title.to_owned(), body: body.into_any() }
}

/// Why the form came back. Every field of the form is described by it.
#[component]
pub fn Refusal(texts: &'static Catalogue, error: Option<ErrorBody>) -> impl IntoView {
    error.map(|error| view! { <p class="note error" id="refusal" role="alert">{(texts.error)(error.code)}</p> })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Focus {
    Yes,
    No,
}

#[component]
fn NameField(
    texts: &'static Catalogue,
    value: String,
    autocomplete: &'static str,
    /// Nothing, where nobody chooses a name.
    hint: &'static str,
    focus: Focus,
) -> impl IntoView {
    let hint = (!hint.is_empty()).then(|| view! { <p class="hint" id="name-hint">{hint}</p> });
    view! {
        <div class="field">
            <label for="name">{texts.plain.name}</label>
            <input
                class="input" id="name" name="name" value=value
                required autofocus={focus == Focus::Yes}
                autocomplete=autocomplete autocapitalize="none" spellcheck="false"
                aria-describedby="refusal name-hint"
            />
            {hint}
        </div>
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Current,
    New,
}

#[component]
fn PasswordField(texts: &'static Catalogue, label: &'static str, purpose: Purpose, focus: Focus) -> impl IntoView {
    let new = purpose == Purpose::New;
    let hint = new.then(
        || view! { <p class="hint" id="password-hint">{(texts.plain.password_hint)(Password::MIN_CHARS as u32)}</p> },
    );
    view! {
        <div class="field">
            <label for="password">{label}</label>
            <input
                class="input" id="password" name="password" type="password"
                required autofocus={focus == Focus::Yes}
                minlength=new.then(|| Password::MIN_CHARS.to_string())
                autocomplete=if new { "new-password" } else { "current-password" }
                aria-describedby="refusal password-hint"
            />
            {hint}
        </div>
    }
}
