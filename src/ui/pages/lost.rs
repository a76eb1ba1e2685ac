use crate::client::session::Session;
use crate::i18n::Locale;
use crate::protocol::{ErrorBody, ErrorCode};
use crate::ui::answer::AnswerStatus;
use crate::ui::components::{Drawer, DrawerButton, Prose};
use crate::ui::live::{act, effect, live};
use crate::ui::reader::texts;
use leptos::prelude::*;

/// An address inside the app where nothing is, or nothing for this reader.
#[component]
pub fn NotFound() -> impl IntoView {
    AnswerStatus::tell(ErrorCode::NotFound);
    let texts = &texts().common;
    effect(move || document().set_title(texts.not_found_title));
    view! {
        <Problem title=texts.not_found_title text=texts.not_found_text.to_owned()>
            <a class="button" href="/rooms">{texts.to_rooms}</a>
        </Problem>
    }
}

/// What was to be said in a room that cannot be opened any more: to be read, copied, and given up.
#[component]
pub fn Unsaid(slug: String) -> impl IntoView {
    let session = Session::expect();
    let texts = &texts().talk;
    live(move || {
        let unsaid = session.unsaid_in(&slug);
        let slug = slug.clone();
        match unsaid.is_empty() {
            true => ().into_any(),
            false => view! {
                <div class="unsaid">
                    <h2>{(texts.unsent)(unsaid.len() as u32)}</h2>
                    {unsaid.into_iter().map(|source| view! { <Prose source/> }).collect_view()}
                    <button type="button" class="button small" on:click=act(move |_| session.discard_in(&slug))>
                        {texts.discard}
                    </button>
                </div>
            }
            .into_any(),
        }
    })
}

/// Something could not be loaded: what happened, what is safe, what to do.
#[component]
pub fn Failed(error: ErrorBody, retry: Callback<()>) -> impl IntoView {
    AnswerStatus::tell(error.code);
    let texts = texts();
    view! {
        <Problem title=texts.common.failed_title text=(texts.error)(error.code)>
            <button type="button" class="button" on:click=act(move |_| retry.run(()))>{texts.common.try_again}</button>
        </Problem>
    }
}

#[component]
pub fn Problem(title: &'static str, text: String, children: Children) -> impl IntoView {
    view! {
        <section class="sheet">
            <div class="bar"><DrawerButton drawer=Drawer::Rooms class="only-narrow"/></div>
            <div class="state" role="alert">
                <h1>{title}</h1>
                <p>{text}</p>
                {children()}
            </div>
        </section>
    }
}

/// The app itself could not start: there is no reader yet, so both languages are there to be read.
#[component]
pub fn CannotStart(error: ErrorBody) -> impl IntoView {
    AnswerStatus::tell(error.code);
    let said = |locale: Locale| {
        let texts = locale.texts();
        let (href, words) = match error.code {
            ErrorCode::Unauthenticated => ("/sign-in", texts.plain.sign_in),
            _ => ("", texts.common.try_again),
        };
        view! {
            <div class="state" lang=locale.tag()>
                <h2>{texts.common.failed_title}</h2>
                <p>{(texts.error)(error.code)}</p>
                <a class="button" href=href rel="external">{words}</a>
            </div>
        }
        .into_any()
    };
    view! { <main class="cannot-start" role="alert">{Locale::ALL.map(said).collect_view()}</main> }
}
