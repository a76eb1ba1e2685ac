use super::drawer::DrawerClose;
use super::{Drawer, Glyph, Icon, NewRoom, OpenDrawer, Rows};
use crate::client::session::Session;
use crate::domain::Access;
use crate::protocol::{MOST_UNREAD, RoomSummary};
use crate::ui::live::{act, live, memo};
use crate::ui::reader::{Reader, texts};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use leptos_router::location::Url;
use std::sync::Arc;

/// The left column: rooms, and the ways to people and settings.
#[component]
pub fn RoomList() -> impl IntoView {
    let reader = Reader::expect();
    let texts = reader.texts();
    let open = OpenDrawer::expect();
    let making = RwSignal::new(false);
    view! {
        <nav
            class="rail"
            id=Drawer::Rooms.id()
            tabindex="-1"
            aria-label=texts.rooms.title
            role=live(move || open.is(Drawer::Rooms).then_some("dialog"))
            aria-modal=live(move || open.is(Drawer::Rooms).then_some("true"))
            data-open=live(move || open.is(Drawer::Rooms))
            inert=live(move || open.is(Drawer::About))
        >
            <div class="bar">
                <a class="community truncate" href="/rooms" prop:replace=live(move || open.is_any())>{reader.start.community.name.clone()}</a>
                <button
                    type="button" class="icon-button" aria-label=texts.rooms.new title=texts.rooms.new
                    on:click=act(move |_| making.set(true))
                >
                    <Icon glyph=Glyph::Add/>
                </button>
                <DrawerClose/>
            </div>
            <div class="room-lists">
                <RoomGroup title=texts.rooms.joined group=Group::Joined/>
                <RoomGroup title=texts.rooms.others group=Group::Others/>
            </div>
            <Stuck/>
            <footer>
                <RailLink href="/people" glyph=Glyph::People label=texts.people.title/>
                {Reader::expect().is_owner().then(|| view! {
                    <RailLink href="/tasks" glyph=Glyph::Clock label=texts.tasks.title/>
                }.into_any())}
                <RailLink href="/settings" glyph=Glyph::Settings label=texts.settings.title/>
            </footer>
        </nav>
        <NewRoom open=making/>
    }
}

/// The way to what was not sent, wherever that is: its room may not be open, or be gone.
#[component]
fn Stuck() -> impl IntoView {
    let texts = &texts().talk;
    let session = Session::expect();
    live(move || match session.stuck_room() {
        None => ().into_any(),
        Some(room) => view! {
            <a class="rail-link stuck" href=format!("/rooms/{room}")>
                <Icon glyph=Glyph::Alert/>
                <span class="name truncate">{(texts.unsent)(session.unsent_count())}</span>
            </a>
        }
        .into_any(),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Joined,
    Others,
}

#[component]
fn RoomGroup(title: &'static str, group: Group) -> impl IntoView {
    let rooms = Session::expect().rooms();
    let slugs = memo(move || {
        let mine = |room: &&RoomSummary| room.member == (group == Group::Joined);
        rooms.read().iter().filter(mine).map(|room| Arc::from(room.slug.as_str())).collect::<Vec<_>>()
    });
    let none = move || slugs.read().is_empty();
    // The group of one's own rooms stays, to say that there is none.
    let shown = move || group == Group::Joined || !none();
    view! {
        <section class="room-group" hidden=live(move || !shown())>
            <h2>{title}</h2>
            <ul>
                <Rows keys=slugs row=Arc::new(|slug| view! { <li><RoomLink slug/></li> }.into_any())/>
            </ul>
            <p class="rail-none" hidden=live(move || !none())>{texts().rooms.none_title}</p>
        </section>
    }
}

/// One room, by its slug: the line stays when name or count change.
#[component]
fn RoomLink(slug: Arc<str>) -> impl IntoView {
    let texts = texts();
    let open = OpenDrawer::expect();
    let rooms = Session::expect().rooms();
    let href = format!("/rooms/{slug}");
    let current = use_is_current(href.clone());
    let room = memo(move || rooms.read().iter().find(|room| *room.slug == *slug).cloned());
    let name = live(move || room.read().as_ref().map(|room| room.name.clone()).unwrap_or_default());
    let glyph = move || match room.read().as_ref().map(|room| room.access) {
        Some(Access::Closed) => Glyph::Lock,
        _ => Glyph::Hash,
    };
    let unread = memo(move || room.read().as_ref().map_or(0, |room| room.unread));
    let some_unread = live(move || unread.get() > 0);
    view! {
        <a
            class="rail-link"
            href=href
            prop:replace=live(move || open.is_any())
            aria-current=live(move || current.get().then_some("page"))
            data-unread=some_unread
        >
            {live(move || view! { <Icon glyph=glyph()/> }.into_any())}
            <span class="name truncate">{name}</span>
            <span class="badge" hidden=live(move || unread.get() == 0)>
                <span aria-hidden="true">{live(move || badge(unread.get()))}</span>
                <span class="unseen">{live(move || (texts.rooms.unread)(unread.get()))}</span>
            </span>
        </a>
    }
}

#[component]
fn RailLink(href: &'static str, glyph: Glyph, label: &'static str) -> impl IntoView {
    let open = OpenDrawer::expect();
    let current = use_is_current(href.to_owned());
    view! {
        <a
            class="rail-link" href=href prop:replace=live(move || open.is_any())
            aria-current=live(move || current.get().then_some("page"))
        >
            <Icon glyph/>
            <span class="name truncate">{label}</span>
        </a>
    }
}

fn badge(unread: u32) -> String {
    if unread > MOST_UNREAD { format!("{MOST_UNREAD}+") } else { unread.to_string() }
}

/// Whether the page is the one at `path`. Addresses are compared as people read them: the browser
/// writes Hangul in percent signs, the server does not.
fn use_is_current(path: String) -> Memo<bool> {
    let at = use_location().pathname;
    memo(move || Url::unescape(&at.read()) == path)
}
