//! What a reader may do with a room, each behind a dialog that says what it means.

use super::{Avatar, Dialog, ErrorNote, Glyph, Icon, refusal};
use crate::api;
use crate::client::session::Session;
use crate::domain::{Access, RoomName};
use crate::protocol::{ErrorBody, MemberView, PersonView, RoomSummary};
use crate::ui::loaded::Loaded;
use crate::ui::reader::texts;
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

type Members = Loaded<Vec<MemberView>>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Add,
    Rename,
    ChangeAccess,
    Leave,
}

#[component]
pub fn RoomActions(room: Signal<RoomSummary>, members: Members) -> impl IntoView {
    let texts = texts();
    let deed = RwSignal::new(Deed::Add);
    let open = RwSignal::new(false);
    let begin = move |chosen| {
        deed.set(chosen);
        open.set(true);
    };
    let words = move |deed| deed_words(deed, room.read().access);
    let allowed = move |deed| match deed {
        Deed::Add | Deed::Leave => room.read().member,
        Deed::Rename | Deed::ChangeAccess => room.read().manages,
    };
    let line = move |deed, glyph| {
        view! {
            <li hidden=move || !allowed(deed)>
                <button type="button" on:click=move |_| begin(deed)>
                    <Icon glyph/>
                    <span>{move || words(deed)}</span>
                </button>
            </li>
        }
    };
    view! {
        <section hidden=move || !room.read().member && !room.read().manages>
            <h3>{texts.rooms.actions}</h3>
            <ul class="room-actions">
                {line(Deed::Add, Glyph::AddPerson)}
                {line(Deed::Rename, Glyph::Pencil)}
                {line(Deed::ChangeAccess, Glyph::Lock)}
                {line(Deed::Leave, Glyph::Leave)}
            </ul>
        </section>
        <Dialog open title=Signal::derive(move || words(deed.get()).to_owned())>
            {move || match deed.get_untracked() {
                Deed::Add => view! { <AddPeople room members/> }.into_any(),
                Deed::Rename => view! { <Rename room open/> }.into_any(),
                Deed::ChangeAccess => view! { <ChangeAccess room open/> }.into_any(),
                Deed::Leave => view! { <Leave room/> }.into_any(),
            }}
        </Dialog>
    }
}

fn deed_words(deed: Deed, access: Access) -> &'static str {
    let texts = &texts().rooms;
    match (deed, access) {
        (Deed::Add, _) => texts.add,
        (Deed::Rename, _) => texts.rename,
        (Deed::ChangeAccess, Access::Open) => texts.make_closed,
        (Deed::ChangeAccess, Access::Closed) => texts.make_open,
        (Deed::Leave, _) => texts.leave,
    }
}

#[component]
fn Rename(room: Signal<RoomSummary>, open: RwSignal<bool>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let field = NodeRef::<html::Input>::new();
    let slug = room.read_untracked().slug.clone();
    let rename = Action::new(move |name: &String| api::rename_room(slug.clone(), name.clone()));
    let answer = rename.value();
    Effect::new(move || {
        if let Some(Ok(())) = answer.get() {
            session.refresh_rooms();
            open.set(false);
        }
    });
    Effect::new(move || {
        if let Some(field) = field.get() {
            field.select();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked().filter(|_| !rename.pending().get_untracked()) {
            rename.dispatch(field.value());
        }
    };
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="field">
                <label for="room-name">{texts.rooms.name}</label>
                <input
                    class="input" id="room-name" node_ref=field required autocomplete="off"
                    value=room.read_untracked().name.clone() maxlength=RoomName::MAX_CHARS.to_string()
                />
            </div>
            <ErrorNote code=Signal::derive(move || refusal(answer.get().as_ref()))/>
            <div class="dialog-actions">
                <button class="button primary" aria-disabled=move || rename.pending().get().then_some("true")>
                    {texts.common.save}
                </button>
            </div>
        </form>
    }
}

#[component]
fn ChangeAccess(room: Signal<RoomSummary>, open: RwSignal<bool>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let RoomSummary { slug, access, .. } = room.get_untracked();
    let (other, label, text) = match access {
        Access::Open => (Access::Closed, texts.rooms.make_closed, texts.rooms.make_closed_text),
        Access::Closed => (Access::Open, texts.rooms.make_open, texts.rooms.make_open_text),
    };
    let change = Action::new(move |_: &()| api::set_room_access(slug.clone(), other));
    let answer = change.value();
    Effect::new(move || {
        if let Some(Ok(())) = answer.get() {
            session.refresh_rooms();
            open.set(false);
        }
    });
    view! { <Confirm text label action=change class="primary"/> }
}

#[component]
fn Leave(room: Signal<RoomSummary>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let navigate = use_navigate();
    let RoomSummary { slug, access, .. } = room.get_untracked();
    let text = match access {
        Access::Open => texts.rooms.leave_open_text,
        Access::Closed => texts.rooms.leave_closed_text,
    };
    let leave = Action::new(move |_: &()| api::leave_room(slug.clone()));
    let answer = leave.value();
    Effect::new(move || {
        if let Some(Ok(())) = answer.get() {
            session.refresh_rooms();
            navigate("/rooms", Default::default());
        }
    });
    view! { <Confirm text label=texts.rooms.leave action=leave class="primary danger"/> }
}

/// What will happen, and the button that does it.
#[component]
fn Confirm(
    text: &'static str,
    label: &'static str,
    action: Action<(), Result<(), ErrorBody>>,
    class: &'static str,
) -> impl IntoView {
    let answer = action.value();
    view! {
        <p>{text}</p>
        <ErrorNote code=Signal::derive(move || refusal(answer.get().as_ref()))/>
        <div class="dialog-actions">
            <button
                type="button" class=format!("button {class}")
                aria-disabled=move || action.pending().get().then_some("true")
                on:click=move |_| {
                    if !action.pending().get_untracked() {
                        action.dispatch(());
                    }
                }
            >
                {label}
            </button>
        </div>
    }
}

/// Everybody who is not in the room yet, each with a button.
#[component]
fn AddPeople(room: Signal<RoomSummary>, members: Members) -> impl IntoView {
    let texts = texts();
    let slug = room.read_untracked().slug.clone();
    let people = Loaded::new(None, || (), |()| api::people());
    let add = Action::new(move |person: &PersonView| {
        let (slug, person) = (slug.clone(), person.clone());
        async move { api::add_member(slug, person.id).await.map(|()| person.name) }
    });
    let answer = add.value();
    Effect::new(move || {
        if let Some(Ok(_)) = answer.get() {
            members.refetch();
        }
    });
    let line = move |person: PersonView| {
        let chosen = person.clone();
        view! {
            <li>
                <Avatar id=person.id name=person.name.clone() class="small"/>
                <span class="name truncate">{person.name.clone()}</span>
                <button
                    type="button" class="button small" aria-label=format!("{} {}", texts.rooms.add_action, person.name)
                    on:click=move |_| { add.dispatch(chosen.clone()); }
                >
                    {texts.rooms.add_action}
                </button>
            </li>
        }
    };
    let list = move || match (people.get(), members.get()) {
        (Some(Ok(people)), Some(Ok(members))) => {
            let absent = |person: &PersonView| !members.iter().any(|member| member.id == person.id);
            let lines: Vec<_> = people.into_iter().filter(absent).map(line).collect();
            let none = lines.is_empty().then(|| view! { <p class="hint">{texts.rooms.add_none}</p> });
            view! { {none}<ul class="members">{lines}</ul> }.into_any()
        }
        (Some(Err(error)), _) | (_, Some(Err(error))) => {
            view! { <p class="note error">{(texts.error)(error.code)}</p> }.into_any()
        }
        _ => view! { <p class="hint late">{texts.common.loading}</p> }.into_any(),
    };
    view! {
        <p class="hint">{texts.rooms.add_text}</p>
        <ErrorNote code=Signal::derive(move || refusal(answer.get().as_ref()))/>
        <p class="unseen" role="status">
            {move || answer.get().and_then(Result::ok).map(|name| (texts.rooms.added)(&name))}
        </p>
        {list}
    }
}
