use super::lost::{Failed, NotFound, Problem, Unsaid};
use crate::api::{self, Place, RoomStart};
use crate::client::room_session::RoomSession;
use crate::client::session::Session;
use crate::protocol::{ErrorBody, ErrorCode, MemberList, RoomSummary};
use crate::ui::attempt::Attempt;
use crate::ui::components::{
    Composer, ContextColumn, Conversation, Desk, Drawer, OpenDrawer, ReaderPlace, RoomHead, Scrim, ToLatest,
};
use crate::ui::first::First;
use crate::ui::live::{act, effect, live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::texts;
use crate::ui::title;
use leptos::ev;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use wasm_bindgen::JsCast;
use web_sys::Node;

/// `/rooms/{slug}`
#[component]
pub fn RoomPage() -> impl IntoView {
    let params = use_params_map();
    let slug = memo(move || params.read().get("slug").unwrap_or_default());
    let rooms = Session::expect().rooms();
    // Known before the room is loaded, so its head is there at once.
    let listed = memo(move || {
        let slug = slug.read();
        rooms.read().iter().find(|room| room.slug == *slug).cloned()
    });
    let brought = slug.with_untracked(|slug| First::take(|place| room_at(place, slug)));
    let (first, members) = brought.unzip();
    // Of the room that the page brought; others fetch theirs.
    let members = StoredValue::new(members);
    let start = Loaded::new(first, move || slug.get(), api::open_room);
    let retry = Callback::new(move |()| start.refetch());
    live(move || match start.get() {
        None => view! { <Opening room=listed/> }.into_any(),
        Some(Ok(start)) => {
            let members = members.try_update_value(Option::take).flatten();
            view! { <Room start members retry/> }.into_any()
        }
        Some(Err(error)) if error.code == ErrorCode::NotFound => {
            view! { <NotFound/><Unsaid slug=slug.get()/> }.into_any()
        }
        Some(Err(error)) => view! { <Failed error retry/> }.into_any(),
    })
}

type Answer<T> = Result<T, ErrorBody>;

/// The room's part of a page, if the page is that room's.
fn room_at(place: &Place, slug: &str) -> Option<(Answer<RoomStart>, Answer<MemberList>)> {
    match place {
        Place::Room { slug: at, start, members } if at == slug => Some((start.clone(), members.clone())),
        _ => None,
    }
}

/// While a room is on its way: its head, and the shape of the rest.
#[component]
fn Opening(room: Memo<Option<RoomSummary>>) -> impl IntoView {
    view! {
        <div class="room">
            <section class="conversation">
                <RoomHead room=room.into()/>
                <p class="state late" role="status">{texts().common.loading}</p>
            </section>
            <div class="context"></div>
        </div>
    }
}

#[component]
fn Room(start: RoomStart, members: Option<Answer<MemberList>>, retry: Callback<()>) -> impl IntoView {
    let session = Session::expect();
    let form_key = start.form_key.clone();
    let slug = start.room.slug.clone();
    let room = follow(start.room.clone());
    let open = session.open(start);
    let revoked = open.revoked();
    let drawer = OpenDrawer::expect();
    let left = slug.clone();
    effect(move || {
        if revoked.get() && session.is_leaving(&left) {
            drawer.go("/rooms".to_owned());
        }
    });
    title::keep(Signal::derive(move || room.read().name.clone()));
    view! {
        {live(move || match revoked.get() {
            true if session.is_leaving(&slug) => ().into_any(),
            true => view! { <Revoked slug=slug.clone() retry/> }.into_any(),
            false => view! { <Columns room session=open form_key=form_key.clone() members=members.clone()/> }.into_any(),
        })}
    }
}

/// The room as the list has it now; as it was opened, when the list does not have it.
fn follow(first: RoomSummary) -> Signal<RoomSummary> {
    let rooms = Session::expect().rooms();
    let now = memo(move || {
        let listed = rooms.read().iter().find(|room| room.slug == first.slug).cloned();
        listed.unwrap_or_else(|| first.clone())
    });
    now.into()
}

#[component]
fn Columns(
    room: Signal<RoomSummary>,
    session: RoomSession,
    form_key: String,
    members: Option<Answer<MemberList>>,
) -> impl IntoView {
    let place = ReaderPlace::new();
    let desk = Desk::new(room.read_untracked().slug.clone(), session, place);
    let open = OpenDrawer::expect();
    // The column that an address opens as a drawer is there only now.
    effect(move || open.look());
    view! {
        <div class="room">
            <section
                class="conversation"
                class:dropping=live(move || desk.dropping.get())
                data-drop=texts().talk.drop_here
                inert=live(move || open.is(Drawer::About))
                on:dragover=act(move |event: ev::DragEvent| drag_over(&event, desk))
                on:dragleave=act(move |event: ev::DragEvent| {
                    if !stays_over(&event) {
                        desk.dropping.set(false);
                    }
                })
                on:drop=act(move |event: ev::DragEvent| {
                    desk.dropping.set(false);
                    if desk.attach(event.data_transfer().and_then(|data| data.files())) {
                        event.prevent_default();
                    }
                })
            >
                <RoomHead room=Signal::derive(move || Some(room.get()))/>
                <Conversation room session place desk/>
                <div class="foot">
                    <ToLatest place session/>
                    <Visitor room/>
                    <Composer room desk form_key/>
                </div>
            </section>
            <Scrim drawer=Drawer::About class="of-context"/>
            <ContextColumn room session first=members/>
        </div>
    }
}

/// Files may be dropped anywhere in the conversation; text and the like go where the browser takes them.
fn drag_over(event: &ev::DragEvent, desk: Desk) {
    if holds_files(event) {
        event.prevent_default();
        desk.dropping.set(true);
    }
}

/// Whether files are what is held.
pub fn holds_files(event: &ev::DragEvent) -> bool {
    let types = event.data_transfer().map(|data| data.types());
    types.is_some_and(|types| types.includes(&"Files".into(), 0))
}

/// Whether what is held is still over the conversation: it goes from one part of it to another.
fn stays_over(event: &ev::DragEvent) -> bool {
    let over = event.related_target().and_then(|over| over.dyn_into::<Node>().ok());
    let conversation = event.current_target().and_then(|here| here.dyn_into::<Node>().ok());
    conversation.is_some_and(|conversation| conversation.contains(over.as_ref()))
}

/// Tells a reader of an open room who is no member yet how to become one.
#[component]
fn Visitor(room: Signal<RoomSummary>) -> impl IntoView {
    let texts = &texts().rooms;
    let session = Session::expect();
    let slug = room.read_untracked().slug.clone();
    let join = Attempt::new();
    let begin = move |_| {
        let work = |key| api::join_room(key, slug.clone());
        join.begin_change(String::new(), work, move |()| session.refresh_rooms());
    };
    view! {
        <div class="visitor" hidden=live(move || room.read().member)>
            <p>{texts.not_member}</p>
            <button type="button" class="button small" on:click=act(begin)>{texts.join}</button>
        </div>
    }
}

/// The room was closed, or its reader taken out of it; when it comes back into the list it opens
/// again.
#[component]
fn Revoked(slug: String, retry: Callback<()>) -> impl IntoView {
    let texts = texts();
    let rooms = Session::expect().rooms();
    let unsaid = slug.clone();
    Effect::new(move |was_gone: Option<bool>| {
        let gone = !rooms.read().iter().any(|room| room.slug == slug);
        if was_gone == Some(true) && !gone {
            retry.run(());
        }
        gone
    });
    view! {
        <Problem title=texts.rooms.revoked_title text=texts.rooms.revoked_text.to_owned()>
            <a class="button" href="/rooms">{texts.common.to_rooms}</a>
            <Unsaid slug=unsaid/>
        </Problem>
    }
}
