use crate::ui::live::{act, live};
use crate::ui::reader::texts;
use leptos::html;
use leptos::prelude::*;

/// An address that is shown once. Copying works without the clipboard's permission, on plain http too:
/// the text is selected, and the browser copies the selection.
#[component]
pub fn CopyLink(address: String, #[prop(into)] label: String) -> impl IntoView {
    let texts = texts();
    let field = NodeRef::<html::Input>::new();
    let copied = RwSignal::new(false);
    let copy = move |_| {
        let Some(field) = field.get() else { return };
        field.select();
        copied.set(super::place::copy_selection());
    };
    view! {
        <div class="secret">
            <input class="input" readonly node_ref=field value=address aria-label=label on:focus=act(move |_| {
                if let Some(field) = field.get() {
                    field.select();
                }
            })/>
            <button type="button" class="button" on:click=copy>
                {live(move || if copied.get() { texts.common.copied } else { texts.common.copy })}
            </button>
        </div>
        <p class="unseen" role="status">{live(move || copied.get().then_some(texts.common.copied))}</p>
    }
}
