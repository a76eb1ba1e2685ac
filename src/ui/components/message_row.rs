use super::carried::carried;
use super::desk::Desk;
use super::moment::ClockTime;
use super::previews::Previews;
use super::prose::Prose;
use super::{Avatar, Glyph, Icon, place};
use crate::client::conversation::{Deed, Delivery, MessageItem, Unsent};
use crate::client::outbox::Command;
use crate::domain::Seq;
use crate::ui::live::{act, live, memo};
use crate::ui::reader::{Reader, texts};
use leptos::prelude::*;

/// One message. The row stays while its message is confirmed, edited or erased.
#[component]
pub fn MessageRow(message: Memo<MessageItem>, desk: Desk) -> impl IntoView {
    let name = message.read_untracked().key.to_string();
    let at = memo(move || message.read().at);
    let first = memo(move || message.read().first_of_run);
    let state = live(move || match message.read().delivery {
        Delivery::Sent => "sent",
        Delivery::Pending | Delivery::Waiting | Delivery::Held(_) => "pending",
        Delivery::Failed(_) | Delivery::Undecided => "failed",
    });
    let head = live(move || match first.get() {
        true => view! { <Who message/> }.into_any(),
        false => view! { <ClockTime at/> }.into_any(),
    });
    let edited = move || desk.editing.get() != Seq::ZERO && message.read().seq == Some(desk.editing.get());
    view! {
        <li class="message" class:first=live(move || first.get()) class:editing=live(edited) data-key=name data-delivery=state>
            {head}
            <div class="said">
                <Said message/>
                <Previews message/>
                {live(move || unsent(&message.read(), desk))}
            </div>
            <Tools message desk/>
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
    let files = memo(move || message.read().files.clone());
    let edited = memo(move || message.read().edited);
    view! {
        {live(move || match body.get() {
            Some(source) if source.is_empty() => ().into_any(),
            Some(source) => view! { <Prose source/> }.into_any(),
            None => view! { <p class="erased">{texts.erased}</p> }.into_any(),
        })}
        {live(move || body.with(Option::is_some).then(|| files.with(|files| carried(files))))}
        <span class="mark" hidden=live(move || !edited.get())>{texts.edited}</span>
    }
}

/// What can be done with one's own message: in sight when the row is pointed at or has the focus, and
/// behind a button where one points with a finger. One Tab stop for the whole conversation, the first that
/// is shown at the newest message; arrows lead to the others.
#[component]
fn Tools(message: Memo<MessageItem>, desk: Desk) -> impl IntoView {
    let texts = &texts().talk;
    let mine = Reader::expect().is_me(message.read_untracked().author.id);
    let target = memo(move || message.with(|message| message.seq.filter(|_| mine && message.body.is_some())));
    live(move || {
        let Some(seq) = target.get() else { return ().into_any() };
        let tool = move |label: &'static str, glyph, class, choose: fn(Desk, Seq)| {
            let first = !matches!(glyph, Glyph::Bin);
            let stop = move || if first && desk.is_newest_own(Some(seq)) { "0" } else { "-1" };
            view! {
                <button
                    type="button" class=class aria-label=label title=label tabindex=live(stop)
                    on:click=act(move |_| choose(desk, seq))
                >
                    <Icon glyph/>
                </button>
            }
            .into_any()
        };
        view! {
            // They come with the ack: no news to be read out after each message.
            <div class="tools" aria-live="off">
                {tool(texts.edit, Glyph::Pencil, "tool", |desk, seq| desk.edit(seq, None))}
                {tool(texts.erase, Glyph::Bin, "tool", Desk::erase)}
                // Pressing it gives it the focus, which is all that it takes to show the others.
                {tool(texts.tools, Glyph::More, "tool more", |_, _| {})}
            </div>
        }
        .into_any()
    })
}

/// What a writer can do with something that is not sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Again,
    Rewrite,
    Discard,
}

/// How it stands with what the reader did to the message and the server does not have yet.
fn unsent(message: &MessageItem, desk: Desk) -> AnyView {
    let Some(unsent) = &message.unsent else { return ().into_any() };
    let texts = texts();
    let (words, choices) = match (message.delivery, unsent.deed) {
        (Delivery::Sent | Delivery::Pending, _) => {
            return view! { <span class="unseen">{texts.talk.pending}</span> }.into_any();
        }
        (Delivery::Held(seconds), _) => return view! { <Held seconds/> }.into_any(),
        (Delivery::Waiting, _) if !unsent.may_go => (texts.talk.waiting.to_owned(), &[][..]),
        (Delivery::Waiting, Deed::Delete) => (texts.talk.waiting.to_owned(), &[Choice::Discard][..]),
        (Delivery::Waiting, _) => (texts.talk.waiting.to_owned(), &[Choice::Rewrite, Choice::Discard][..]),
        (Delivery::Undecided, _) => (texts.talk.undecided.to_owned(), &[Choice::Again, Choice::Discard][..]),
        (Delivery::Failed(code), deed) => {
            let why = (texts.error)(code);
            match deed {
                Deed::Post => ((texts.talk.not_sent)(&why), &[Choice::Again, Choice::Rewrite, Choice::Discard][..]),
                Deed::Edit => ((texts.talk.not_edited)(&why), &[Choice::Again, Choice::Rewrite, Choice::Discard][..]),
                Deed::Delete => ((texts.talk.not_erased)(&why), &[Choice::Again, Choice::Discard][..]),
            }
        }
    };
    let waiting = message.delivery == Delivery::Waiting;
    let button = |choice: &Choice| choice_button(*choice, unsent.clone(), message.seq, desk);
    view! {
        <div class="not-sent" class:quiet=waiting>
            {(!waiting).then(|| view! { <Icon glyph=Glyph::Alert/> })}
            <span>{words}</span>
            {choices.iter().map(button).collect_view()}
        </div>
    }
    .into_any()
}

/// The seconds are counted down for eyes only: said aloud they would never end.
#[component]
fn Held(seconds: u32) -> impl IntoView {
    let texts = &texts().talk;
    view! {
        <div class="not-sent quiet">
            <span class="unseen">{texts.pending}</span>
            <span aria-hidden="true">{(texts.held)(seconds)}</span>
        </div>
    }
}

fn choice_button(choice: Choice, unsent: Unsent, seq: Option<Seq>, desk: Desk) -> AnyView {
    let texts = &texts().talk;
    let session = desk.session.session();
    let label = match (choice, unsent.deed) {
        (Choice::Again, _) => texts.resend,
        (Choice::Rewrite, _) => texts.rewrite,
        (Choice::Discard, Deed::Post) => texts.discard,
        (Choice::Discard, _) => texts.leave_as_is,
    };
    let choose = move |_| {
        // The button goes with what it did.
        place::focus(".scroller");
        match choice {
            Choice::Again => session.send_again(&unsent.key),
            Choice::Rewrite => match (session.take_back(&unsent.key), seq) {
                (Some(Command::Edit { body, .. }), Some(seq)) => desk.edit(seq, Some(body)),
                (Some(Command::Post { body, files }), _) => desk.put_back(&body, files),
                _ => {}
            },
            Choice::Discard => {
                session.take_back(&unsent.key);
            }
        }
    };
    view! {
        <button type="button" class="button small" class:quiet=choice == Choice::Discard on:click=act(choose)>
            {label}
        </button>
    }
    .into_any()
}
