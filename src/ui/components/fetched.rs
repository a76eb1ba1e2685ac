use crate::protocol::ErrorCode;
use crate::ui::live::live;
use crate::ui::loaded::Progress;
use crate::ui::reader::texts;
use leptos::prelude::*;

/// Something that comes from the server: `here` once it is there, and until then what is going on.
#[component]
pub fn Fetched(progress: Memo<Progress>, here: Box<dyn Fn() -> AnyView + Send>) -> impl IntoView {
    live(move || match progress.get() {
        Progress::Waiting => view! { <p class="hint late" role="status">{texts().common.loading}</p> }.into_any(),
        Progress::Failed(code) => failed(code),
        Progress::Here => here(),
    })
}

fn failed(code: ErrorCode) -> AnyView {
    view! { <p class="note error" role="alert">{(texts().error)(code)}</p> }.into_any()
}
