//! What a reader may do with a room, each behind a dialog that says what it means.

use super::{Avatar, Dialog, ErrorNote, Fetched, Glyph, Icon, OpenDrawer, Rows, keys_of, with_key};
use crate::api;
use crate::client::session::Session;
use crate::domain::Access;
use crate::protocol::{MemberList, PersonView, RoomSummary};
use crate::ui::attempt::Attempt;
use crate::ui::live::{act, effect, live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::{Reader, texts};
use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;

type Members = Loaded<MemberList>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Add,
    Rename,
    ChangeAccess,
    Keep,
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
    let owner = Reader::expect().is_owner();
    let words = move |deed| deed_words(deed, room.read().access);
    let allowed = move |deed| match deed {
        Deed::Add | Deed::Leave => room.read().member,
        Deed::Rename | Deed::ChangeAccess | Deed::Keep => room.read().manages,
    };
    let line = move |deed, glyph| {
        view! {
            <li hidden=live(move || !allowed(deed))>
                <button type="button" on:click=act(move |_| begin(deed))>
                    <Icon glyph/>
                    <span>{live(move || words(deed))}</span>
                </button>
            </li>
        }
    };
    view! {
        <section hidden=live(move || !room.read().member && !room.read().manages)>
            <h3>{texts.rooms.actions}</h3>
            <ul class="room-actions">
                {line(Deed::Add, Glyph::AddPerson)}
                {line(Deed::Rename, Glyph::Pencil)}
                {line(Deed::ChangeAccess, Glyph::Lock)}
                {line(Deed::Keep, Glyph::Bin)}
                // A plain page: few people go there.
                <li hidden=!owner>
                    <a rel="external" href=live(move || format!("/rooms/{}/webhooks", room.read().slug))>
                        <Icon glyph=Glyph::Send/>
                        <span>{texts.rooms.webhooks}</span>
                    </a>
                </li>
                {line(Deed::Leave, Glyph::Leave)}
            </ul>
        </section>
        <Dialog open title=Signal::derive(move || words(deed.get()).to_owned())>
            {live(move || match deed.get_untracked() {
                Deed::Add => view! { <AddPeople room members/> }.into_any(),
                Deed::Rename => view! { <Rename room open/> }.into_any(),
                Deed::ChangeAccess => view! { <ChangeAccess room open/> }.into_any(),
                Deed::Keep => view! { <Keep room open/> }.into_any(),
                Deed::Leave => view! { <Leave room/> }.into_any(),
            })}
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
        (Deed::Keep, _) => texts.keep,
        (Deed::Leave, _) => texts.leave,
    }
}

#[component]
fn Rename(room: Signal<RoomSummary>, open: RwSignal<bool>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let field = NodeRef::<html::Input>::new();
    let slug = room.read_untracked().slug.clone();
    let rename = Attempt::new();
    effect(move || {
        if let Some(field) = field.get() {
            field.select();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let work = |key| api::rename_room(key, slug.clone(), name.clone());
        rename.begin_change(name.clone(), work, move |()| {
            session.refresh_rooms();
            open.set(false);
        });
    };
    view! {
        <form class="dialog-form" on:submit=submit>
            <div class="field">
                <label for="room-name">{texts.rooms.name}</label>
                <input
                    class="input" id="room-name" node_ref=field required autocomplete="off"
                    value=room.read_untracked().name.clone()
                />
            </div>
            <ErrorNote code=Signal::derive(move || rename.refusal())/>
            <div class="dialog-actions">
                <button class="button primary" aria-disabled=live(move || rename.busy())>
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
    let change = Attempt::new();
    let begin = move || {
        let work = |key| api::set_room_access(key, slug.clone(), other);
        change.begin_change(String::new(), work, move |()| {
            session.refresh_rooms();
            open.set(false);
        });
    };
    view! { <Confirm text label attempt=change begin class="primary"/> }
}

/// Days that are offered; 0: for ever.
const KEPT: [u32; 5] = [0, 7, 30, 90, 365];

#[component]
fn Keep(room: Signal<RoomSummary>, open: RwSignal<bool>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let field = NodeRef::<html::Select>::new();
    let RoomSummary { slug, keep_days, .. } = room.get_untracked();
    let now = keep_days.unwrap_or(0);
    let change = Attempt::new();
    let begin = move || {
        let days = field.get_untracked().and_then(|field| field.value().parse().ok()).unwrap_or(now);
        let slug = slug.clone();
        let work = |key| api::set_room_retention(key, slug, Some(days).filter(|days| *days > 0));
        change.begin_change(days.to_string(), work, move |()| {
            session.refresh_rooms();
            open.set(false);
        });
    };
    let mut offered = KEPT.to_vec();
    if !offered.contains(&now) {
        offered.push(now);
    }
    let option =
        |days: u32| view! { <option value=days.to_string() selected=days == now>{(texts.rooms.kept)(days)}</option> };
    view! {
        <div class="field">
            <label for="room-keep">{texts.rooms.keep}</label>
            <select class="input" id="room-keep" node_ref=field>{offered.into_iter().map(option).collect::<Vec<_>>()}</select>
        </div>
        <Confirm text=texts.rooms.keep_text label=texts.common.save attempt=change begin class="primary"/>
    }
}

#[component]
fn Leave(room: Signal<RoomSummary>) -> impl IntoView {
    let texts = texts();
    let session = Session::expect();
    let drawer = OpenDrawer::expect();
    let RoomSummary { slug, access, .. } = room.get_untracked();
    let text = match access {
        Access::Open => texts.rooms.leave_open_text,
        Access::Closed => texts.rooms.leave_closed_text,
    };
    let leave = Attempt::new();
    let begin = move || {
        let slug = slug.clone();
        // The end of a closed room may be told before the answer comes.
        session.expect_to_leave(Some(slug.clone()));
        let work = |key| async move {
            let answer = api::leave_room(key, slug).await;
            if answer.is_err() {
                session.expect_to_leave(None);
            }
            answer
        };
        leave.begin_change(String::new(), work, move |()| {
            session.refresh_rooms();
            drawer.go("/rooms".to_owned());
        });
    };
    view! { <Confirm text label=texts.rooms.leave attempt=leave begin class="primary danger"/> }
}

/// What will happen, and the button that does it.
#[component]
fn Confirm(
    text: &'static str,
    label: &'static str,
    attempt: Attempt<()>,
    #[prop(into)] begin: UnsyncCallback<()>,
    class: &'static str,
) -> impl IntoView {
    view! {
        <p>{text}</p>
        <ErrorNote code=Signal::derive(move || attempt.refusal())/>
        <div class="dialog-actions">
            <button
                type="button" class=format!("button {class}") aria-disabled=live(move || attempt.busy())
                on:click=act(move |_| begin.run(()))
            >
                {label}
            </button>
        </div>
    }
}

type People = Loaded<Vec<PersonView>>;

/// Everybody who is not in the room yet, each with a button.
#[component]
fn AddPeople(room: Signal<RoomSummary>, members: Members) -> impl IntoView {
    let texts = texts();
    let slug = room.read_untracked().slug.clone();
    let people = Loaded::new(None, || (), |()| api::people());
    let add = Attempt::new();
    let begin = Callback::new(move |person: PersonView| {
        let slug = slug.clone();
        let meant = person.id.to_string();
        let work = |key| async move { api::add_member(key, slug, person.id).await.map(|()| person.name) };
        add.begin_change(meant, work, move |_| members.refetch());
    });
    view! {
        <p class="hint">{texts.rooms.add_text}</p>
        <ErrorNote code=Signal::derive(move || add.refusal())/>
        <p class="unseen" role="status">
            {live(move || add.outcome().map(|name: String| (texts.rooms.added)(&name)).unwrap_or_default())}
        </p>
        <Fetched
            progress=people.progress()
            here=Box::new(move || view! { <Absent people members begin/> }.into_any())
        />
    }
}

#[component]
fn Absent(people: People, members: Members, begin: Callback<PersonView>) -> impl IntoView {
    let keys = memo(move || absent(people, members));
    let line = move |key: Arc<str>| {
        let person = untrack(|| people.read(|list| with_key(list, |person| person.id, &key)));
        person.flatten().map(|person| view! { <Addable person begin/> }.into_any()).into_any()
    };
    view! {
        <p class="hint" hidden=live(move || !keys.read().is_empty())>{texts().rooms.add_none}</p>
        <ul class="members"><Rows keys row=Arc::new(line)/></ul>
    }
}

/// The keys of those who are not members.
fn absent(people: People, members: Members) -> Vec<Arc<str>> {
    let member_ids = members.read(|members| members.first.iter().map(|member| member.id).collect::<Vec<_>>());
    let member_ids = member_ids.unwrap_or_default();
    let absent = |list: &Vec<PersonView>| {
        let absent: Vec<_> = list.iter().map(|person| person.id).filter(|id| !member_ids.contains(id)).collect();
        keys_of(&absent, |id| *id)
    };
    people.read(absent).unwrap_or_default()
}

#[component]
fn Addable(person: PersonView, begin: Callback<PersonView>) -> impl IntoView {
    let texts = &texts().rooms;
    let chosen = person.clone();
    view! {
        <li>
            <Avatar id=person.id name=person.name.clone() class="small"/>
            <span class="name truncate">{person.name.clone()}</span>
            <button
                type="button" class="button small" aria-label=(texts.add_person)(&person.name)
                on:click=act(move |_| begin.run(chosen.clone()))
            >
                {texts.add_action}
            </button>
        </li>
    }
}
