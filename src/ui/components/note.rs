use crate::protocol::ErrorCode;
use crate::ui::live::live;
use crate::ui::reader::texts;
use leptos::prelude::*;

/// Why an attempt did not work, said aloud when it appears.
#[component]
pub fn ErrorNote(
    code: Signal<Option<ErrorCode>>,
    /// Where `WrongCredentials` can mean one thing only: what it means.
    #[prop(optional)]
    wrong: Option<&'static str>,
) -> impl IntoView {
    let texts = texts();
    let words = move |code| match wrong {
        Some(words) if code == ErrorCode::WrongCredentials => words.to_owned(),
        _ => (texts.error)(code),
    };
    live(move || match code.get() {
        Some(code) => view! { <p class="note error" role="alert">{words(code)}</p> }.into_any(),
        None => ().into_any(),
    })
}
