use super::carried::size;
use super::desk::Desk;
use super::rows::Rows;
use super::{Glyph, Icon};
use crate::client::uploads::{Upload, UploadState};
use crate::domain::{Key, Seq};
use crate::protocol::ErrorCode;
use crate::ui::live::{act, effect, live, memo};
use crate::ui::reader::texts;
use leptos::ev;
use leptos::prelude::*;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// Chooses files. It is of use once WASM is there, and for a new message only.
#[component]
pub fn AttachButton(desk: Desk) -> impl IntoView {
    let label = texts().talk.attach;
    let waits = RwSignal::new(true);
    effect(move || waits.set(false));
    view! {
        <label class="icon-button attach" title=label hidden=live(move || desk.editing.get() != Seq::ZERO)>
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
    let keys = memo(move || desk.uploads.keys().iter().map(|key| key.as_str().into()).collect::<Vec<_>>());
    let hidden = move || desk.editing.get() != Seq::ZERO || keys.read().is_empty();
    view! {
        <ul class="tray" aria-label=texts().talk.attachments hidden=live(hidden)>
            <Rows keys row=Arc::new(move |key| row(&key, desk))/>
        </ul>
    }
}

/// It stays as it is while its file is sent and others come and go, so that the focus may be in it.
fn row(key: &str, desk: Desk) -> AnyView {
    let texts = texts();
    let found = Key::parse(key).ok().and_then(|key| untrack(|| desk.uploads.get(&key)));
    let Some(Upload { key, name, bytes, .. }) = found else { return ().into_any() };
    let followed = key.clone();
    let state = memo(move || desk.uploads.get(&followed).map(|upload| upload.state));
    let is = move |wanted: fn(&UploadState) -> bool| state.with(|state| state.as_ref().is_some_and(wanted));
    let failed = move || is(|state| matches!(state, UploadState::Failed(_)));
    let ready = move || is(|state| matches!(state, UploadState::Ready(_)));
    let held = key.clone();
    let again =
        move || matches!(state.get(), Some(UploadState::Failed(code)) if desk.uploads.can_go_again(&held, code));
    let percent = move || match state.get() {
        Some(UploadState::Sending(percent)) => percent,
        Some(UploadState::Preparing(_) | UploadState::Ready(_)) => 100,
        _ => 0,
    };
    let most_bytes = desk.uploads.most_bytes;
    let words = move || match state.get() {
        Some(UploadState::Sending(100) | UploadState::Preparing(_)) => texts.talk.preparing.to_owned(),
        Some(UploadState::Ready(_)) => texts.talk.file_ready.to_owned(),
        Some(UploadState::Failed(ErrorCode::TooLarge)) => (texts.talk.file_too_large)(&size(most_bytes)),
        Some(UploadState::Failed(code)) => (texts.error)(code),
        Some(UploadState::Waiting | UploadState::Sending(_)) | None => String::new(),
    };
    let (remove, retried) = ((texts.talk.detach)(&name), key.clone());
    view! {
        <li class:failed=live(failed) class:ready=live(ready)>
            {live(move || face(state.get()))}
            <span class="name">{name.clone()}</span>
            <span class="size">{size(bytes)}</span>
            <progress max="100" value=live(percent) aria-label=name hidden=live(failed)></progress>
            <span class="why" role="status">{live(words)}</span>
            <button type="button" class="button small" hidden=live(move || !again()) on:click=act(move |_| desk.uploads.again(&retried))>
                {texts.common.try_again}
            </button>
            <button type="button" class="icon-button" aria-label=remove.clone() title=remove on:click=act(move |_| desk.detach(&key))>
                <Icon glyph=Glyph::Close/>
            </button>
        </li>
    }
    .into_any()
}

/// An image that is there, small; else something in its place.
fn face(state: Option<UploadState>) -> AnyView {
    match state {
        Some(UploadState::Ready(file)) if file.width.is_some() => {
            view! { <img src=format!("/files/{}/thumb", file.id.as_str()) alt="" width="32" height="32"/> }.into_any()
        }
        Some(UploadState::Failed(_)) => view! { <Icon glyph=Glyph::Alert/> }.into_any(),
        _ => view! { <Icon glyph=Glyph::Clip/> }.into_any(),
    }
}
