use super::moment::ClockTime;
use super::prose::Prose;
use super::{Avatar, Glyph, Icon};
use crate::client::conversation::{Delivery, MessageItem};
use crate::client::room_session::RoomSession;
use crate::protocol::ErrorCode;
use crate::ui::live::{act, live, memo};
use crate::ui::reader::texts;
use leptos::prelude::*;
use std::sync::Arc;

/// One message. The row stays while its message is confirmed, edited or erased.
#[component]
pub fn MessageRow(
    message: Memo<MessageItem>,
    session: RoomSession,
    /// Takes a text back into the composer.
    rewrite: Callback<String>,
) -> impl IntoView {
    let key = message.read_untracked().key.clone();
    let name = key.to_string();
    let at = memo(move || message.read().at);
    let first = memo(move || message.read().first_of_run);
    let delivery = move || message.read().delivery;
    let state = live(move || match delivery() {
        Delivery::Sent => "sent",
        Delivery::Pending => "pending",
        Delivery::Failed(_) => "failed",
    });
    let head = live(move || match first.get() {
        true => view! { <Who message/> }.into_any(),
        false => view! { <ClockTime at/> }.into_any(),
    });
    view! {
        <li class="message" class:first=live(move || first.get()) data-key=name data-delivery=state>
            {head}
            <div class="said">
                <Said message/>
                {live(move || match delivery() {
                    Delivery::Failed(code) => view! { <NotSent code key=key.clone() session rewrite/> }.into_any(),
                    Delivery::Pending => view! { <span class="unseen">{texts().talk.pending}</span> }.into_any(),
                    Delivery::Sent => ().into_any(),
                })}
            </div>
        </li>
    }
}

/// Avatar, name and time: once for a run.
#[component]
fn Who(message: Memo<MessageItem>) -> impl IntoView {
    // Who said it never changes.
    let author = message.read_untracked().author.clone();
    let at = memo(move || message.read().at);
    view! {
        <Avatar id=author.id name=author.name.clone()/>
        <div class="who">
            <span class="name">{author.name}</span>
            <ClockTime at/>
        </div>
    }
}

#[component]
fn Said(message: Memo<MessageItem>) -> impl IntoView {
    let texts = &texts().talk;
    let body = memo(move || message.read().body.clone());
    let edited = memo(move || message.read().edited);
    view! {
        {live(move || match body.get() {
            Some(source) => view! { <Prose source/> }.into_any(),
            None => view! { <p class="erased">{texts.erased}</p> }.into_any(),
        })}
        <span class="mark" hidden=live(move || !edited.get())>{texts.edited}</span>
    }
}

/// Why it was not sent, and what can be done: again as it is, again with changes, or not at all.
#[component]
fn NotSent(code: ErrorCode, key: Arc<str>, session: RoomSession, rewrite: Callback<String>) -> impl IntoView {
    let texts = texts();
    let again = key.clone();
    let taken = key.clone();
    view! {
        <div class="not-sent">
            <Icon glyph=Glyph::Alert/>
            <span>{(texts.talk.not_sent)(&(texts.error)(code))}</span>
            <button type="button" class="button small" on:click=act(move |_| session.retry(again.clone()))>
                {texts.talk.resend}
            </button>
            <button
                type="button" class="button small"
                on:click=act(move |_| {
                    if let Some(text) = session.discard(taken.clone()) {
                        rewrite.run(text);
                    }
                })
            >
                {texts.talk.rewrite}
            </button>
            <button type="button" class="button quiet small" on:click=act(move |_| { session.discard(key.clone()); })>
                {texts.talk.discard}
            </button>
        </div>
    }
}
