use crate::protocol::{ErrorBody, ErrorCode};
use crate::ui::reader::texts;
use leptos::prelude::*;

/// The code of the error that an action ended with, while it has not been tried again.
pub fn refusal<T>(answer: Option<&Result<T, ErrorBody>>) -> Option<ErrorCode> {
    answer.and_then(|answer| answer.as_ref().err()).map(|error| error.code)
}

/// Why an action did not work, said aloud when it appears.
#[component]
pub fn ErrorNote(#[prop(into)] code: Signal<Option<ErrorCode>>) -> impl IntoView {
    let texts = texts();
    move || code.get().map(|code| view! { <p class="note error" role="alert">{(texts.error)(code)}</p> })
}
