use super::{Glyph, Icon, place};
use crate::client::draft;
use crate::client::ime::{EnterKey, Ime, KeyDown, Reaction};
use crate::client::room_session::RoomSession;
use crate::domain::{BodyError, UserId};
use crate::i18n::Talk;
use crate::protocol::{ErrorCode, RoomSummary};
use crate::ui::live::{act, effect, live};
use crate::ui::reader::{Reader, texts};
use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;
use web_sys::HtmlTextAreaElement;

/// What stands above the text box.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Nothing,
    /// Characters, about, that still fit.
    Left(u32),
    /// Characters, about, that are too many.
    TooLong(u32),
    Refused(ErrorCode),
}

impl Hint {
    fn is_wrong(self) -> bool {
        matches!(self, Hint::TooLong(_) | Hint::Refused(_))
    }
}

/// Where one writes. A plain form before WASM; afterwards the same text box, which nobody but the writer
/// and the moment of sending changes: an input method may be at work in it.
#[component]
pub fn Composer(
    room: Signal<RoomSummary>,
    session: RoomSession,
    field: NodeRef<html::Textarea>,
    /// Idempotency key of the plain form.
    form_key: String,
    sent: Callback<()>,
) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().talk;
    let slug = room.read_untracked().slug.clone();
    let desk = Desk {
        me: UserId(reader.start.me.id),
        slug: StoredValue::new(slug.clone()),
        max_bytes: reader.start.body_bytes as usize,
        field,
        session,
        hint: RwSignal::new(Hint::Nothing),
        ime: StoredValue::new(Ime::new(EnterKey::Sends)),
        sent,
    };
    let hint = desk.hint;
    let wrong = move || hint.get().is_wrong();
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
            <p class="hint" id="composer-hint" role="status" class:error=live(wrong)>
                {live(move || hint_words(hint.get(), &reader).unwrap_or_default())}
            </p>
            <input type="hidden" name="key" value=form_key/>
            <div class="composer-box">
                <TextBox room desk/>
                // Pressing it leaves the focus, and with it a phone's keyboard, where it is.
                <button class="send" aria-label=texts.send title=texts.send on:mousedown=act(|event: ev::MouseEvent| event.prevent_default())>
                    <Icon glyph=Glyph::Send/>
                </button>
            </div>
        </form>
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
            required
            node_ref=desk.field
            placeholder=texts.placeholder
            aria-label=live(move || (texts.write_to)(&room.read().name))
            aria-describedby="composer-hint"
            aria-invalid=live(move || desk.hint.get().is_wrong().then_some("true"))
            enterkeyhint="enter"
            on:input=act(move |_| desk.changed())
            on:keydown=act(move |event| desk.key_down(&event))
            on:keyup=act(move |event: ev::KeyboardEvent| {
                desk.ime.update_value(|ime| ime.key_up(&event.key(), &event.code()));
            })
            on:compositionstart=act(move |_| desk.ime.update_value(|ime| { ime.composition_start(); }))
            on:compositionupdate=act(move |event: ev::CompositionEvent| {
                desk.ime.update_value(|ime| { ime.composition_update(&event.data().unwrap_or_default()); });
            })
            on:compositionend=act(move |event| desk.composition_end(&event))
            on:blur=act(move |_| desk.ime.update_value(Ime::blur))
        ></textarea>
    }
}

/// Puts a text that was not sent back into the text box, behind what has been written there since.
pub fn put_back(field: NodeRef<html::Textarea>, text: &str) {
    let Some(field) = field.get_untracked() else { return };
    field.set_value(&draft::joined(&field.value(), text));
    let _ = field.focus();
    if let Ok(event) = web_sys::Event::new("input") {
        let _ = field.dispatch_event(&event);
    }
}

fn hint_words(hint: Hint, reader: &Reader) -> Option<String> {
    let texts: &Talk = &reader.texts().talk;
    match hint {
        Hint::Nothing => None,
        Hint::Left(chars) => Some((texts.room_left)(chars)),
        Hint::TooLong(chars) => Some((texts.too_long)(chars)),
        Hint::Refused(code) => Some((reader.texts().error)(code)),
    }
}

/// The text box and all that goes with it.
#[derive(Clone, Copy)]
struct Desk {
    me: UserId,
    slug: StoredValue<String>,
    max_bytes: usize,
    field: NodeRef<html::Textarea>,
    session: RoomSession,
    hint: RwSignal<Hint>,
    ime: StoredValue<Ime>,
    sent: Callback<()>,
}

impl Desk {
    /// The draft of last time comes back, before what was written until WASM came. The focus is
    /// taken only where nothing else has it, but the link that led here.
    fn begin(self, field: &HtmlTextAreaElement) {
        let writing = place::is_there("textarea:focus");
        let written = field.value();
        let kept = self.slug.with_value(|slug| draft::load(self.me, slug)).unwrap_or_default();
        let text = draft::joined(&kept, &written);
        if text != written {
            end_composition(field);
            field.set_value(&text);
        }
        let touch = place::is_touch();
        if touch {
            self.ime.set_value(Ime::new(EnterKey::BreaksLine));
        }
        if writing || !(touch || place::is_there("dialog[open], :focus:not(.rail-link[aria-current])")) {
            let _ = field.focus();
        }
        self.changed();
    }

    fn changed(self) {
        let Some(field) = self.field.get_untracked() else { return };
        let text = field.value();
        self.slug.with_value(|slug| draft::save(self.me, slug, &text));
        let hint = length_hint(&text, self.max_bytes);
        if hint != self.hint.get_untracked() {
            self.hint.set(hint);
        }
        grow(&field);
    }

    fn key_down(self, event: &ev::KeyboardEvent) {
        let (key, code) = (event.key(), event.code());
        let press = KeyDown {
            key: &key,
            code: &code,
            key_code: event.key_code(),
            is_composing: event.is_composing(),
            shift: event.shift_key(),
        };
        let reaction = self.ime.try_update_value(|ime| ime.key_down(press)).unwrap_or(Reaction::Nothing);
        if reaction != Reaction::Nothing {
            event.prevent_default();
        }
        self.react(reaction);
    }

    fn composition_end(self, event: &ev::CompositionEvent) {
        let text = event.data().unwrap_or_default();
        let reaction = self.ime.try_update_value(|ime| ime.composition_end(&text)).unwrap_or(Reaction::Nothing);
        self.react(reaction);
    }

    /// The button: an open composition is ended first, and what it leaves in the box is sent.
    fn submit(self) {
        let reaction = self.ime.try_update_value(Ime::submit).unwrap_or(Reaction::Nothing);
        if reaction == Reaction::SendSoon
            && let Some(field) = self.field.get_untracked()
        {
            end_composition(&field);
            let _ = field.focus();
        }
        self.react(reaction);
    }

    fn react(self, reaction: Reaction) {
        match reaction {
            Reaction::Nothing | Reaction::Prevent | Reaction::PreventAndSendAfterCommit => {}
            Reaction::Send => self.send(),
            Reaction::SendSoon => set_timeout(move || self.send(), Duration::ZERO),
        }
    }

    fn send(self) {
        let Some(field) = self.field.get_untracked() else { return };
        let text = field.value();
        match self.session.post(text.trim_end().to_owned()) {
            Ok(()) => {
                field.set_value("");
                self.changed();
                self.sent.run(());
            }
            Err(BodyError::Empty) => {}
            Err(BodyError::TooLong { max_bytes }) => self.hint.set(length_hint(&text, max_bytes)),
            Err(BodyError::ControlCharacter) => self.hint.set(Hint::Refused(ErrorCode::ControlCharacter)),
        }
        let _ = field.focus();
    }
}

/// Has the input method put down what it is composing. Whoever wants the focus back says so.
fn end_composition(field: &HtmlTextAreaElement) {
    let _ = field.blur();
}

/// Says something about the length only near the limit and beyond it.
fn length_hint(text: &str, max_bytes: usize) -> Hint {
    let Some(left) = max_bytes.checked_sub(text.len()) else {
        return Hint::TooLong(about(chars_over(text, max_bytes)));
    };
    if left > max_bytes / 10 || text.is_empty() {
        return Hint::Nothing;
    }
    // As many as fit if the writer goes on in the same script.
    Hint::Left(about((left * text.chars().count() / text.len()) as u32))
}

/// Rounded up, so that it is not said anew with every key.
fn about(chars: u32) -> u32 {
    let step = if chars > 100 { 100 } else { 10 };
    chars.div_ceil(step) * step
}

/// How many characters at the end are beyond the limit.
fn chars_over(text: &str, max_bytes: usize) -> u32 {
    text.char_indices().rev().take_while(|(at, c)| at + c.len_utf8() > max_bytes).count() as u32
}

/// For browsers that do not size a text box by its content.
fn grow(field: &HtmlTextAreaElement) {
    let element: &web_sys::HtmlElement = field;
    let style = element.style();
    if js_sys::Reflect::has(&style, &"fieldSizing".into()).unwrap_or(false) {
        return;
    }
    // Measured without the height of before, or it could never become less.
    let _ = style.remove_property("height");
    if field.scroll_height() > field.client_height() {
        let _ = style.set_property("height", &format!("{}px", field.scroll_height()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_announced_near_it_and_counted_beyond_it() {
        let hint = |text: &str| length_hint(text, 300);
        assert!(hint("") == Hint::Nothing);
        assert!(hint(&"a".repeat(269)) == Hint::Nothing);
        assert!(hint(&"a".repeat(280)) == Hint::Left(20));
        assert!(hint(&"가".repeat(94)) == Hint::Left(10));
        assert!(hint(&"가".repeat(100)) == Hint::Left(0));
        assert!(hint(&"가".repeat(103)) == Hint::TooLong(10));
        assert!(hint(&format!("{}가", "a".repeat(299))) == Hint::TooLong(10));
    }
}
