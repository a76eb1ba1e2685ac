use super::{Glyph, Icon};
use crate::ui::live::{act, effect, live};
use crate::ui::reader::texts;
use leptos::html;
use leptos::prelude::*;

/// A modal dialog. The browser keeps the focus inside, closes it with Escape and gives the focus
/// back. Its content exists only while it is open, so a form in it begins empty each time.
#[component]
pub fn Dialog(open: RwSignal<bool>, #[prop(into)] title: Signal<String>, children: ChildrenFn) -> impl IntoView {
    let texts = texts();
    let node = NodeRef::<html::Dialog>::new();
    effect(move || {
        let Some(dialog) = node.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => {
                // Refused only when the dialog has left the document.
                let _ = dialog.show_modal();
            }
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    view! {
        <dialog class="dialog" node_ref=node on:close=act(move |_| open.set(false)) aria-label=live(move || title.get())>
            {live(move || match open.get() {
                false => ().into_any(),
                true => view! {
                <header>
                    <h2>{live(move || title.get())}</h2>
                    <button type="button" class="icon-button" aria-label=texts.common.close on:click=act(move |_| open.set(false))>
                        <Icon glyph=Glyph::Close/>
                    </button>
                </header>
                <div class="dialog-body">{children()}</div>
                }
                .into_any(),
            })}
        </dialog>
    }
}
