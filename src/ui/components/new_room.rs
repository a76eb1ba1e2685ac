use super::{Dialog, ErrorNote, OpenDrawer};
use crate::api;
use crate::client::session::Session;
use crate::domain::Access;
use crate::ui::attempt::Attempt;
use crate::ui::live::{act, effect, live};
use crate::ui::reader::texts;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;

/// The dialog that makes a room and goes there.
#[component]
pub fn NewRoom(open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog open title=Signal::stored(texts().rooms.new.to_owned())>
            <NewRoomForm open/>
        </Dialog>
    }
}

#[component]
fn NewRoomForm(open: RwSignal<bool>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let drawer = OpenDrawer::expect();
    let name = NodeRef::<html::Input>::new();
    let access = RwSignal::new(Access::Open);
    let create = Attempt::new();
    effect(move || {
        if let Some(name) = name.get() {
            let _ = name.focus();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = name.get_untracked().map(|field| field.value()).unwrap_or_default();
        let access = access.get_untracked();
        let work = |key| api::create_room(key, name.clone(), access);
        let meant = [if access == Access::Open { "open " } else { "closed " }, &name].concat();
        create.begin_change(meant, work, move |slug| {
            session.refresh_rooms();
            open.set(false);
            drawer.go(format!("/rooms/{slug}"));
        });
    };
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="field">
                <label for="new-room-name">{texts.rooms.name}</label>
                <input
                    class="input" id="new-room-name" node_ref=name required autocomplete="off"
                />
            </div>
            <AccessChoice access/>
            <ErrorNote code=Signal::derive(move || create.refusal())/>
            <div class="dialog-actions">
                <button class="button primary" aria-disabled=live(move || create.busy())>
                    {texts.rooms.create}
                </button>
            </div>
        </form>
    }
}

/// Open or closed, with what each means.
#[component]
fn AccessChoice(access: RwSignal<Access>) -> impl IntoView {
    let texts = texts();
    let choice = |choice: Access, label: &'static str, hint: &'static str| {
        view! {
            <label class="choice">
                <input
                    type="radio" name="access" prop:checked=live(move || access.get() == choice)
                    on:change=act(move |_| access.set(choice))
                />
                <span>{label}</span>
                <span class="hint">{hint}</span>
            </label>
        }
    };
    view! {
        <fieldset class="choices">
            <legend>{texts.rooms.access}</legend>
            {choice(Access::Open, texts.rooms.open, texts.rooms.open_hint)}
            {choice(Access::Closed, texts.rooms.closed, texts.rooms.closed_hint)}
        </fieldset>
    }
}
