use super::desk::Desk;
use super::hint::Hint;
use super::later::{SendLater, moment_words, plan_words};
use super::slash_menu::{self, Commands};
use super::tray::{AttachButton, Tray};
use super::{Dialog, Glyph, Icon};
use crate::client::session::Link;
use crate::domain::Seq;
use crate::i18n::Talk;
use crate::protocol::RoomSummary;
use crate::ui::live::{act, effect, live};
use crate::ui::reader::{Reader, texts};
use leptos::ev;
use leptos::prelude::*;

/// Where one writes. A plain form before WASM; afterwards the same text box, which nobody but the writer,
/// the moment of sending and a message to be changed touches: an input method may be at work in it.
#[component]
pub fn Composer(
    room: Signal<RoomSummary>,
    desk: Desk,
    /// Idempotency key of the plain form.
    form_key: String,
) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().talk;
    let (as_text, later) = (reader.texts().slash.as_text, reader.texts().later.open);
    let sending_later = RwSignal::new(false);
    let slug = room.read_untracked().slug.clone();
    let typed_in = slug.clone();
    let hint = desk.hint;
    let wrong = move || hint.get().is_wrong();
    let session = desk.session.session();
    // What is on its way is not worth a word.
    let not_kept =
        move || session.keeps_nothing().get() && session.link().get() != Link::Live && session.unsent_count() > 0;
    let hint_words = move || match hint.get() {
        Hint::Nothing if not_kept() => texts.not_kept.to_owned(),
        Hint::Uploading if desk.uploads.ready().is_ok() => String::new(),
        hint => hint_words(hint, &reader).unwrap_or_default(),
    };
    view! {
        <form
            class="composer"
            method="post"
            action=format!("/rooms/{slug}")
            on:submit=act(move |event: ev::SubmitEvent| {
                event.prevent_default();
                desk.submit();
            })
        >
            // Not said aloud: it would be at every change.
            <p class="typing">{live(move || session.with_typing(&typed_in, |names| typing_words(names, texts)))}</p>
            <Editing desk/>
            <p class="hint" id="composer-hint" role="status" class:error=live(wrong)>
                {live(hint_words)}
            </p>
            <p class="unknown" hidden=live(move || hint.get() != Hint::UnknownCommand)>
                <button type="button" class="button small" on:click=act(move |_| desk.say_as_text())>{as_text}</button>
            </p>
            <Commands desk/>
            <input type="hidden" name="key" value=form_key/>
            <Tray desk/>
            <div class="composer-box">
                <AttachButton desk/>
                <TextBox room desk/>
                <button
                    type="button" class="icon-button later" aria-label=later title=later aria-haspopup="dialog"
                    on:click=act(move |_| sending_later.set(true))
                >
                    <Icon glyph=Glyph::Clock/>
                </button>
                // Pressing it leaves the focus, and with it a phone's keyboard, where it is.
                <button class="send" aria-label=texts.send title=texts.send on:mousedown=act(|event: ev::MouseEvent| event.prevent_default())>
                    <Icon glyph=Glyph::Send/>
                </button>
            </div>
        </form>
        <SendLater desk slug=slug.clone() open=sending_later/>
        <Dialog open=desk.asking title=Signal::stored(texts.erase_title.to_owned())>
            <p>{texts.erase_text}</p>
            <div class="dialog-actions">
                <button type="button" class="button primary danger" on:click=act(move |_| desk.erase_doomed())>
                    {texts.erase}
                </button>
            </div>
        </Dialog>
    }
}

/// That an old message is being changed, and the way out.
#[component]
fn Editing(desk: Desk) -> impl IntoView {
    let texts = texts();
    let editing = move || desk.editing.get() != Seq::ZERO;
    let words = move || match editing() {
        true if desk.is_gone() => texts.talk.editing_gone,
        true => texts.talk.editing,
        false => "",
    };
    view! {
        <div class="editing">
            <p role="status">{live(words)}</p>
            <button type="button" class="button quiet small" hidden=live(move || !editing()) on:click=act(move |_| desk.end_edit())>
                {texts.common.cancel}
            </button>
        </div>
    }
}

/// Says to the desk whatever happens in the text box.
#[component]
fn TextBox(room: Signal<RoomSummary>, desk: Desk) -> impl IntoView {
    let texts = &texts().talk;
    effect(move || {
        if let Some(field) = desk.field.get() {
            desk.begin(&field);
        }
    });
    view! {
        <textarea
            name="body"
            rows="1"
            required=live(move || desk.uploads.is_empty())
            node_ref=desk.field
            placeholder=texts.placeholder
            aria-label=live(move || (texts.write_to)(&room.read().name))
            aria-describedby="composer-hint"
            aria-autocomplete="list"
            aria-controls=live(move || desk.slash.active().map(|_| slash_menu::ID))
            aria-activedescendant=live(move || desk.slash.active())
            aria-invalid=live(move || desk.hint.get().is_wrong().then_some("true"))
            enterkeyhint="enter"
            on:input=act(move |_| {
                desk.changed();
                desk.types();
            })
            on:keydown=act(move |event| desk.key_down(&event))
            on:paste=act(move |event: ev::ClipboardEvent| {
                if desk.paste(event.clipboard_data()) {
                    event.prevent_default();
                }
            })
            on:keyup=act(move |event: ev::KeyboardEvent| {
                desk.ime.update_value(|ime| ime.key_up(&event.key(), &event.code()));
            })
            on:compositionstart=act(move |_| desk.ime.update_value(|ime| { ime.composition_start(); }))
            on:compositionupdate=act(move |event: ev::CompositionEvent| {
                desk.ime.update_value(|ime| { ime.composition_update(&event.data().unwrap_or_default()); });
            })
            on:compositionend=act(move |event| desk.composition_end(&event))
            on:blur=act(move |_| desk.ime.update_value(|ime| ime.blur()))
        ></textarea>
    }
}

fn typing_words(names: &[&str], texts: &Talk) -> String {
    match names {
        [] => String::new(),
        [one] => (texts.types)(one),
        [one, other] => (texts.type_both)(one, other),
        _ => texts.type_many.to_owned(),
    }
}

fn hint_words(hint: Hint, reader: &Reader) -> Option<String> {
    let texts: &Talk = &reader.texts().talk;
    let (slash, later) = (&reader.texts().slash, &reader.texts().later);
    match hint {
        Hint::Nothing => None,
        Hint::Left(chars) => Some((texts.room_left)(chars)),
        Hint::TooLong(chars) => Some((texts.too_long)(chars)),
        Hint::Refused(code) => Some((reader.texts().error)(code)),
        Hint::Uploading => Some(texts.uploading.to_owned()),
        Hint::TooManyFiles => Some((texts.too_many_files)(reader.start.message_files)),
        Hint::EditTakesNoFiles => Some(texts.edit_takes_no_files.to_owned()),
        Hint::Usage => Some(slash.remind_usage.to_owned()),
        Hint::NoText => Some(slash.no_text.to_owned()),
        Hint::UnknownCommand => Some(slash.unknown.to_owned()),
        Hint::Planned(when) => Some((later.planned)(&plan_words(when))),
        Hint::Scheduled(at) => Some((later.scheduled)(&moment_words(at))),
    }
}
