use super::desk::Desk;
use super::{Glyph, Icon};
use crate::client::uploads::{Upload, UploadState, Uploads};
use crate::ui::live::{act, effect, live};
use crate::ui::reader::texts;
use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// Chooses files. It is of use once WASM is there.
#[component]
pub fn AttachButton(desk: Desk) -> impl IntoView {
    let label = texts().talk.attach;
    let waits = RwSignal::new(true);
    effect(move || waits.set(false));
    view! {
        <label class="icon-button attach" title=label>
            <Icon glyph=Glyph::Clip/>
            <input
                class="unseen"
                type="file"
                multiple
                aria-label=label
                disabled=live(move || waits.get())
                on:change=act(move |event: ev::Event| {
                    if let Some(input) = event.target().and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
                        desk.attach(input.files());
                        // So that the same one can be chosen again.
                        input.set_value("");
                    }
                })
            />
        </label>
    }
}

/// What goes with the message, and how far each of it is.
#[component]
pub fn Tray(desk: Desk) -> impl IntoView {
    let label = texts().talk.attachments;
    view! {
        <ul class="tray" aria-label=label hidden=live(move || desk.uploads.is_empty())>
            {live(move || desk.uploads.list().into_iter().map(|upload| row(upload, desk)).collect_view())}
        </ul>
    }
}

fn row(upload: Upload, desk: Desk) -> AnyView {
    let texts = texts();
    let (percent, words) = match &upload.state {
        UploadState::Sending(percent) => (*percent, String::new()),
        UploadState::Ready(_) => (100, String::new()),
        UploadState::Failed(code) => (0, (texts.error)(*code)),
    };
    let (again, ready) = (Uploads::may_go_again(&upload), matches!(upload.state, UploadState::Ready(_)));
    let failed = !words.is_empty();
    let Upload { key, name, .. } = upload;
    let (remove, retried) = ((texts.talk.detach)(&name), key.clone());
    view! {
        <li class:failed=failed>
            <span class="name">{name.clone()}</span>
            <progress max="100" value=percent aria-label=name hidden=failed class:ready=ready></progress>
            <span class="why" role="status">{words}</span>
            <button type="button" class="button small" hidden=!again on:click=act(move |_| desk.uploads.again(&retried))>
                {texts.common.try_again}
            </button>
            <button type="button" class="icon-button" aria-label=remove.clone() title=remove on:click=act(move |_| desk.detach(&key))>
                <Icon glyph=Glyph::Close/>
            </button>
        </li>
    }
    .into_any()
}
