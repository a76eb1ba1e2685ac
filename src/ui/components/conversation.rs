use super::desk::Desk;
use super::message_row::MessageRow;
use super::moment::day_words;
use super::notice_row::NoticeRow;
use super::place::{focus, walk_tools};
use super::reader_place::ReaderPlace;
use super::rows::Rows;
use super::task_card::TaskCard;
use crate::client::conversation::{DayItem, Item, MessageItem, TaskItem};
use crate::client::room_session::{Older, RoomSession};
use crate::domain::Seq;
use crate::protocol::RoomSummary;
use crate::ui::live::{act, live, memo};
use crate::ui::reader::texts;
use leptos::html;
use leptos::prelude::*;
use std::sync::Arc;

/// The rows of a room, standing at their end.
#[component]
pub fn Conversation(room: Signal<RoomSummary>, session: RoomSession, place: ReaderPlace, desk: Desk) -> impl IntoView {
    let texts = &texts().talk;
    let keys = memo(move || session.keys());
    let history = NodeRef::<html::Div>::new();
    place.keep(session, history);
    view! {
        <div
            class="scroller"
            node_ref=place.viewport
            role="log"
            tabindex="0"
            aria-label=live(move || (texts.log)(&room.read().name))
            // Rows that come above a reader who scrolled up are no news.
            aria-live=live(move || if place.is_at_end() { "polite" } else { "off" })
            on:scroll=act(move |_| place.moved(session))
            on:keydown=act(|event| walk_tools(&event))
        >
            <div class="history" node_ref=history>
                <Above room session/>
                <ol>
                    <Rows keys row=Arc::new(move |key| row(key, session, desk))/>
                </ol>
            </div>
        </div>
    }
}

fn row(key: Arc<str>, session: RoomSession, desk: Desk) -> AnyView {
    match untrack(|| session.item(&key)).as_deref() {
        Some(Item::Day(day)) => view! { <DayRow day=day.clone()/> }.into_any(),
        Some(Item::Notice(notice)) => view! { <NoticeRow notice=notice.clone()/> }.into_any(),
        Some(Item::Seam(seam)) => view! { <Seam before=seam.before session/> }.into_any(),
        Some(Item::Message(message)) => {
            let message = follow(message.clone(), session);
            view! { <MessageRow message desk/> }.into_any()
        }
        Some(Item::Task(task)) => {
            let task = follow_task(task.clone(), session);
            view! { <TaskCard task room=session/> }.into_any()
        }
        None => ().into_any(),
    }
}

/// The message as it is now; as it was, once it has left the conversation.
fn follow(first: MessageItem, session: RoomSession) -> Memo<MessageItem> {
    Memo::new(move |before: Option<&MessageItem>| match session.item(&first.key).as_deref() {
        Some(Item::Message(message)) => message.clone(),
        _ => before.unwrap_or(&first).clone(),
    })
}

/// Likewise the card.
fn follow_task(first: TaskItem, session: RoomSession) -> Memo<TaskItem> {
    Memo::new(move |before: Option<&TaskItem>| match session.item(&first.key).as_deref() {
        Some(Item::Task(task)) => task.clone(),
        _ => before.unwrap_or(&first).clone(),
    })
}

/// Sticks to the top while its day is on screen.
#[component]
fn DayRow(day: DayItem) -> impl IntoView {
    view! { <li class="day"><span>{day_words(day.at)}</span></li> }
}

/// What is before the oldest row.
#[component]
fn Above(room: Signal<RoomSummary>, session: RoomSession) -> impl IntoView {
    let texts = &texts().talk;
    let older = session.older();
    live(move || match older.get() {
        Older::Beginning => view! { <Beginning room session/> }.into_any(),
        state => absent(state, ["", texts.older_more], session, None),
    })
}

/// More was said between two rows than was brought: said honestly, and loaded when asked for.
#[component]
fn Seam(before: Seq, session: RoomSession) -> impl IntoView {
    let texts = &texts().talk;
    let missing = session.missing();
    let words = [texts.missing, texts.missing_load];
    view! { <li>{live(move || absent(missing.get(), words, session, Some(before)))}</li> }
}

/// Rows that are not here, before the row at `before` or the first one, and how it stands with loading them.
/// Takes the same room whatever it says. The button goes when it is pressed, and the focus stays near by.
fn absent(state: Older, words: [&'static str; 2], session: RoomSession, before: Option<Seq>) -> AnyView {
    let texts = texts();
    let [said, label] = match state {
        Older::Failed => [texts.talk.older_failed, texts.common.try_again],
        _ => words,
    };
    let load = move |_| {
        focus(".scroller");
        match before {
            Some(before) => session.load_missing(before),
            None => session.load_older(),
        }
    };
    let class = if state == Older::Loading { "above loading" } else { "above" };
    let button = if said.is_empty() { "button quiet small" } else { "button small" };
    view! {
        <div class=class>
            <span>{said}</span>
            <span class="either">
                <button type="button" class=button on:click=act(load)>{label}</button>
                <span class="late">{texts.common.loading}</span>
            </span>
        </div>
    }
    .into_any()
}

/// Where a conversation begins, or will.
#[component]
fn Beginning(room: Signal<RoomSummary>, session: RoomSession) -> impl IntoView {
    let texts = &texts().talk;
    let silent = memo(move || session.with_items(|items| !items.iter().any(|item| matches!(**item, Item::Message(_)))));
    let title = live(move || if silent.get() { texts.empty_title.to_owned() } else { room.read().name.clone() });
    let text =
        live(move || if silent.get() { texts.empty_text.to_owned() } else { (texts.beginning)(&room.read().name) });
    view! {
        <div class="beginning">
            <h2>{title}</h2>
            <p>{text}</p>
        </div>
    }
}
