use super::drawer::DrawerClose;
use super::room_actions::RoomActions;
use super::{Avatar, Drawer, Fetched, OpenDrawer, Rows, keys_of, with_key};
use crate::api;
use crate::client::conversation::Item;
use crate::client::room_session::RoomSession;
use crate::client::session::Session;
use crate::protocol::{ErrorBody, EventKind, MemberList, MemberView, RoomSummary};
use crate::ui::live::{live, memo};
use crate::ui::loaded::Loaded;
use crate::ui::reader::{Reader, texts};
use leptos::prelude::*;
use std::sync::Arc;

/// The right column: who is in the room, and what can be done with it.
#[component]
pub fn ContextColumn(
    room: Signal<RoomSummary>,
    session: RoomSession,
    /// The members, when the page brought them.
    first: Option<Result<MemberList, ErrorBody>>,
) -> impl IntoView {
    let texts = texts();
    let open = OpenDrawer::expect();
    let slug = room.read_untracked().slug.clone();
    let changes = member_changes(session);
    let (app, left) = (Session::expect(), slug.clone());
    let members = Loaded::new(first, || (), move |()| api::members(slug.clone()));
    Effect::new(move |before: Option<u64>| {
        let now = changes.get();
        // Whoever leaves may not be told of the others any more.
        if before.is_some_and(|before| before != now) && !app.is_leaving(&left) {
            members.refetch();
        }
        now
    });
    let count = move || members.read(|members| members.count);
    view! {
        <aside
            class="context"
            id=Drawer::About.id()
            tabindex="-1"
            aria-label=texts.rooms.about
            role=live(move || open.is(Drawer::About).then_some("dialog"))
            aria-modal=live(move || open.is(Drawer::About).then_some("true"))
            data-open=live(move || open.is(Drawer::About))
            inert=live(move || open.is(Drawer::Rooms))
        >
            <div class="bar">
                <h2>{texts.rooms.about}</h2>
                <DrawerClose/>
            </div>
            <div class="context-body">
                <section>
                    <h3>
                        <span>{texts.rooms.members}</span>
                        <span class="count">{live(move || count().map(|count| count.to_string()))}</span>
                    </h3>
                    <Fetched progress=members.progress() here=Box::new(move || view! { <Members members room/> }.into_any())/>
                </section>
                <RoomActions room members/>
            </div>
        </aside>
    }
}

#[component]
fn Members(members: Loaded<MemberList>, room: Signal<RoomSummary>) -> impl IntoView {
    let keys = memo(move || members.read(|list| keys_of(&list.first, |member| member.id)).unwrap_or_default());
    let line = move |key: Arc<str>| {
        let member = untrack(|| members.read(|list| with_key(&list.first, |member| member.id, &key)));
        member.flatten().map(|member| view! { <Member member room/> }.into_any()).into_any()
    };
    view! { <ul class="members"><Rows keys row=Arc::new(line)/></ul> }
}

#[component]
fn Member(member: MemberView, room: Signal<RoomSummary>) -> impl IntoView {
    let reader = Reader::expect();
    let (me, id) = (reader.is_me(member.id), member.id);
    let session = Session::expect();
    view! {
        <li>
            <Avatar id=member.id name=member.name.clone() class="small"/>
            <span class="name truncate" title=member.name.clone()>{member.name.clone()}</span>
            <span class="here" hidden=live(move || !session.is_present(&room.read().slug, id))>
                {reader.texts().rooms.here}
            </span>
            {me.then(|| view! { <span class="hint">{reader.texts().common.you}</span> }.into_any())}
        </li>
    }
}

/// Moves when somebody came or went, so that the list is fetched again.
fn member_changes(session: RoomSession) -> Memo<u64> {
    memo(move || {
        let moved = |item: &Item| match item {
            Item::Notice(notice) => {
                matches!(notice.kind, EventKind::Joined { .. } | EventKind::Left { .. }).then_some(notice.seq.0)
            }
            _ => None,
        };
        session.with_items(|items| items.iter().rev().find_map(|item| moved(item)).unwrap_or(0))
    })
}
