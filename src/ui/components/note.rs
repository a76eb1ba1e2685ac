use crate::protocol::ErrorCode;
use crate::ui::live::live;
use crate::ui::reader::texts;
use leptos::prelude::*;

/// Why an attempt did not work, said aloud when it appears.
#[component]
pub fn ErrorNote(code: Signal<Option<ErrorCode>>) -> impl IntoView {
    let texts = texts();
    live(move || match code.get() {
        Some(code) => view! { <p class="note error" role="alert">{(texts.error)(code)}</p> }.into_any(),
        None => ().into_any(),
    })
}
