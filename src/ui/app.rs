use super::components::{Drawer, OpenDrawer, RoomList, Scrim};
use super::first::First;
use super::pages::{CannotStart, NotFound, PeoplePage, RoomPage, RoomsPage, SettingsPage, TasksPage, holds_files};
use super::reader::{Reader, texts};
use crate::api::AppStart;
use crate::client::session::Session;
use crate::ui::live::{effect, live};
use leptos::ev;
use leptos::prelude::*;
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::hooks::use_location;
use leptos_router::path;

/// Who reads and what the page shows first come from the server, whole, so that a page can be read
/// without WASM.
#[component]
pub fn App() -> impl IntoView {
    First::provide();
    view! {
        <Router>
            {match First::app() {
                Ok(start) => view! { <Frame start/> }.into_any(),
                Err(error) => view! { <CannotStart error/> }.into_any(),
            }}
        </Router>
    }
}

/// The route table.
#[component]
fn Pages() -> impl IntoView {
    view! {
        <FlatRoutes fallback=NotFound>
            <Route path=path!("/rooms") view=RoomsPage/>
            <Route path=path!("/rooms/:slug") view=RoomPage/>
            <Route path=path!("/people") view=PeoplePage/>
            <Route path=path!("/tasks") view=TasksPage/>
            <Route path=path!("/settings") view=SettingsPage/>
        </FlatRoutes>
    }
}

/// Around every page: who reads, the live session, the room list.
#[component]
fn Frame(start: AppStart) -> impl IntoView {
    let session = Session::provide(&start);
    Reader::provide(start);
    let alive = RwSignal::new(false);
    effect(move || {
        session.start();
        alive.set(true);
        keep_the_page();
    });
    let open = OpenDrawer::provide(alive.into());
    let at = use_location().pathname;
    let on_list = move || at.read().trim_end_matches('/') == "/rooms";
    view! {
        <a class="skip" href="#main" rel="external">{texts().common.skip_to_content}</a>
        <div class="app" data-live=live(move || alive.get()) data-place=live(move || on_list().then_some("rooms"))>
            <RoomList/>
            <Scrim drawer=Drawer::Rooms class="of-rail"/>
            <main class="main" id="main" tabindex="-1" inert=live(move || open.is(Drawer::Rooms))>
                <Pages/>
            </main>
        </div>
    }
}

/// A file that is dropped where nobody takes it would take the page's place, and what is under way would be lost.
fn keep_the_page() {
    let refuse = |event: ev::DragEvent| {
        if holds_files(&event) && !event.default_prevented() {
            event.prevent_default();
        }
    };
    let listeners = [window_event_listener(ev::dragover, refuse), window_event_listener(ev::drop, refuse)];
    on_cleanup(move || listeners.into_iter().for_each(|listener| listener.remove()));
}
