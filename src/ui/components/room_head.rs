use super::link_state::LinkState;
use super::{Drawer, DrawerButton};
use crate::client::session::Session;
use crate::domain::Access;
use crate::protocol::RoomSummary;
use crate::ui::live::live;
use crate::ui::reader::texts;
use leptos::prelude::*;

/// The bar on top of a conversation: which room, who may see it, how the connection is.
#[component]
pub fn RoomHead(room: Signal<Option<RoomSummary>>) -> impl IntoView {
    let texts = texts();
    let name = Signal::derive(move || room.read().as_ref().map(|room| room.name.clone()).unwrap_or_default());
    let session = Session::expect();
    let about = live(move || {
        room.read().as_ref().map(|room| {
            let access = match room.access {
                Access::Open => texts.rooms.open,
                Access::Closed => texts.rooms.closed,
            };
            session
                .present(&room.slug)
                .map_or_else(|| access.to_owned(), |count| (texts.rooms.access_and_here)(access, count))
        })
    });
    view! {
        <header class="bar room-head">
            <DrawerButton drawer=Drawer::Rooms class="only-narrow"/>
            <div class="title">
                <h1 class="truncate" title=name>{name}</h1>
                <span class="access">{about}</span>
            </div>
            <LinkState/>
            <DrawerButton drawer=Drawer::About class="only-context-drawer"/>
        </header>
    }
}
