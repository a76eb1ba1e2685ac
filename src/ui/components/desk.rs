mod commands;
mod files;

use super::hint::{Hint, length_hint};
use super::slash_menu::SlashMenu;
use super::{ReaderPlace, place};
use crate::client::conversation::{Item, MessageItem};
use crate::client::draft;
use crate::client::ime::{EnterKey, Ime, KeyDown, Reaction, TAKEN};
use crate::client::room_session::RoomSession;
use crate::client::slash::{self, Typed};
use crate::client::uploads::Uploads;
use crate::domain::{BodyError, Seq, UserId};
use crate::protocol::{Attached, ErrorCode};
use crate::ui::attempt::Attempt;
use crate::ui::live::memo;
use crate::ui::reader::Reader;
use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use std::time::Duration;
use web_sys::HtmlTextAreaElement;

/// The text box of a room and all that goes with it. One writes new messages in it and changes old
/// ones: so a change survives whatever happens to the message's row, and an input method is at work
/// in one place only. What was begun before waits meanwhile.
#[derive(Clone, Copy)]
pub struct Desk {
    me: UserId,
    slug: StoredValue<String>,
    max_bytes: usize,
    pub field: NodeRef<html::Textarea>,
    pub session: RoomSession,
    place: ReaderPlace,
    pub hint: RwSignal<Hint>,
    pub uploads: Uploads,
    /// Something is held over the conversation to be dropped there.
    pub dropping: RwSignal<bool>,
    pub ime: StoredValue<Ime>,
    /// The message that is changed; zero while a new one is written.
    pub editing: RwSignal<Seq>,
    /// The history in which that message was chosen.
    epoch: StoredValue<String>,
    /// What was being written before.
    aside: StoredValue<String>,
    /// The message that the reader is asked about: whether to erase it.
    pub doomed: RwSignal<Seq>,
    pub asking: RwSignal<bool>,
    /// The seq of the reader's newest message that can be changed; zero without one.
    newest_own: Memo<i64>,
    pub slash: SlashMenu,
    /// The command that was sent last: when it will say something, if it does that.
    command: Attempt<Option<i64>>,
}

impl Desk {
    pub fn new(slug: String, session: RoomSession, place: ReaderPlace) -> Desk {
        let reader = Reader::expect();
        let me = reader.start.me.id;
        let own = move |item: &MessageItem| item.author.id == me && item.body.is_some();
        let slug = StoredValue::new(slug);
        let (hint, command) = (RwSignal::new(Hint::Nothing), Attempt::new());
        commands::tell_refusals(command, hint);
        Desk {
            slash: SlashMenu::new(&reader),
            command,
            me: UserId(me),
            uploads: Uploads::new(session.session(), slug, reader.start.upload_bytes, reader.start.message_files),
            dropping: RwSignal::new(false),
            slug,
            max_bytes: reader.start.body_bytes as usize,
            field: NodeRef::new(),
            session,
            place,
            hint,
            ime: StoredValue::new(Ime::new(EnterKey::Sends)),
            editing: RwSignal::new(Seq::ZERO),
            epoch: StoredValue::new(String::new()),
            aside: StoredValue::new(String::new()),
            doomed: RwSignal::new(Seq::ZERO),
            asking: RwSignal::new(false),
            newest_own: memo(move || {
                session.with_items(|items| {
                    let newest = items.iter().rev().find_map(|item| message(item).filter(|item| own(item))?.seq);
                    newest.map_or(0, |seq| seq.0 as i64)
                })
            }),
        }
    }

    /// Whether this is the newest message of the reader's; followed.
    pub fn is_newest_own(self, seq: Option<Seq>) -> bool {
        seq.is_some_and(|seq| seq.0 as i64 == self.newest_own.get())
    }

    /// Whether the message that is changed has been erased meanwhile; followed.
    pub fn is_gone(self) -> bool {
        let target = Some(self.editing.get());
        self.session.with_items(|items| {
            let target = items.iter().filter_map(|item| message(item)).find(|item| item.seq == target);
            target.is_some_and(|item| item.body.is_none())
        })
    }

    /// The draft of last time comes back, before what was written until WASM came, and so does an edit
    /// that was under way. The focus is taken only where nothing else has it, but the link that led
    /// here.
    pub fn begin(self, field: &HtmlTextAreaElement) {
        let writing = place::is_there("textarea:focus");
        let written = field.value();
        let kept = self.slug.with_value(|slug| draft::load(self.me, slug)).unwrap_or_default();
        let text = self.resume_edit(&kept, &written);
        if text != written {
            end_composition(field);
            field.set_value(&text);
        }
        self.uploads.restore();
        let touch = place::is_touch();
        if touch {
            self.ime.set_value(Ime::new(EnterKey::BreaksLine));
        }
        if writing || !(touch || place::is_there("dialog[open], :focus:not(.rail-link[aria-current])")) {
            let _ = field.focus();
        }
        self.changed();
    }

    /// What is to stand in the box: of an edit that was under way, its text. After a restore its seq may
    /// be of another message: then the text becomes part of the draft.
    fn resume_edit(self, draft: &str, written: &str) -> String {
        let kept = self.slug.with_value(|slug| draft::load(self.me, &edit_of(slug)));
        let Some((target, epoch, edit)) = kept.as_deref().and_then(draft::edit_parts) else {
            return draft::joined(draft, written);
        };
        // Browsers bring back what stood in the box, and that was the edit.
        let text = draft::joined(draft, if written == edit { "" } else { written });
        if epoch != self.session.epoch() {
            self.keep_edit("");
            return draft::joined(&text, edit);
        }
        self.keep(&text);
        self.aside.set_value(text);
        self.epoch.set_value(epoch.to_owned());
        self.editing.set(target);
        edit.to_owned()
    }

    /// Puts what was not sent into the box, behind what has been written there since.
    pub fn put_back(self, text: &str, files: Vec<Attached>) {
        self.leave_edit();
        self.uploads.put_back(files);
        let Some(field) = self.field.get_untracked() else { return };
        self.write(&draft::joined(&field.value(), text));
    }

    /// Changes the reader's own message: as it is now, or with the text of an earlier try.
    pub fn edit(self, target: Seq, text: Option<String>) {
        let Some(field) = self.field.get_untracked() else { return };
        if text.is_none() && self.editing.get_untracked() == target {
            let _ = field.focus();
            return;
        }
        let Some(text) = text.or_else(|| self.body_of(target)) else { return };
        self.leave_edit();
        self.aside.set_value(field.value());
        self.session.chose();
        self.epoch.set_value(self.session.epoch());
        self.editing.set(target);
        self.write(&text);
    }

    /// Makes room in the box for something else: what an edit has changed so far goes behind what was
    /// being written before it.
    fn leave_edit(self) {
        let target = self.editing.get_untracked();
        let Some(field) = self.field.get_untracked().filter(|_| target != Seq::ZERO) else { return };
        let text = field.value();
        if self.body_of(target).is_none_or(|body| body != text) {
            self.aside.update_value(|aside| *aside = draft::joined(aside, &text));
        }
        self.end_edit();
    }

    fn body_of(self, target: Seq) -> Option<String> {
        untrack(|| {
            self.session.with_items(|items| {
                items.iter().filter_map(|item| message(item)).find(|item| item.seq == Some(target))?.body.clone()
            })
        })
    }

    /// Back to what was being written before.
    pub fn end_edit(self) {
        if self.editing.get_untracked() != Seq::ZERO {
            self.editing.set(Seq::ZERO);
            self.write(&self.aside.get_value());
            self.keep_edit("");
        }
    }

    /// Asks first.
    pub fn erase(self, target: Seq) {
        if self.editing.get_untracked() != target {
            self.session.chose();
        }
        self.doomed.set(target);
        self.asking.set(true);
    }

    /// The answer was yes. The focus goes back to where it was at work.
    pub fn erase_doomed(self) {
        let doomed = self.doomed.get_untracked();
        self.session.erase(doomed);
        self.asking.set(false);
        let was_edited = self.editing.get_untracked() == doomed;
        // The dialog gives the focus back first, to a button that is gone.
        set_timeout(
            move || match was_edited {
                true => self.end_edit(),
                false => place::focus(".scroller"),
            },
            Duration::ZERO,
        );
    }

    pub fn changed(self) {
        let Some(field) = self.field.get_untracked() else { return };
        let text = field.value();
        self.keep(&text);
        let typed = if self.editing.get_untracked() == Seq::ZERO { text.as_str() } else { "" };
        self.slash.typed(typed);
        let hint = match length_hint(&text, self.max_bytes) {
            Hint::Nothing => commands::hint(typed),
            hint => hint,
        };
        if hint != self.hint.get_untracked() {
            self.hint.set(hint);
        }
        grow(&field);
    }

    /// The writer has changed the text. Only that of a new message is told of.
    pub fn types(self) {
        let blank = self.field.get_untracked().is_none_or(|field| field.value().trim().is_empty());
        if !blank && self.editing.get_untracked() == Seq::ZERO {
            self.slug.with_value(|slug| self.session.session().types(slug));
        }
    }

    /// An edit is kept beside the draft.
    fn keep(self, text: &str) {
        let target = self.editing.get_untracked();
        if target == Seq::ZERO {
            self.slug.with_value(|slug| draft::save(self.me, slug, text));
        } else {
            self.keep_edit(&self.epoch.with_value(|epoch| draft::edit_text(target, epoch, text)));
        }
    }

    /// A blank one is forgotten.
    fn keep_edit(self, edit: &str) {
        self.slug.with_value(|slug| draft::save(self.me, &edit_of(slug), edit));
    }

    pub fn key_down(self, event: &ev::KeyboardEvent) {
        let (key, code) = (event.key(), event.code());
        let press = KeyDown {
            key: &key,
            code: &code,
            key_code: event.key_code(),
            is_composing: event.is_composing(),
            shift: event.shift_key(),
        };
        let reaction = self.ime.try_update_value(|ime| ime.key_down(press)).unwrap_or(Reaction::Nothing);
        // Safari tells of the Escape that ended a composition after the composition.
        let free = !event.is_composing() && event.key_code() != TAKEN;
        let taken =
            reaction != Reaction::Nothing || (free && (self.menu_key(&key, event.shift_key()) || self.shortcut(&key)));
        if taken {
            event.prevent_default();
        }
        self.react(reaction);
    }

    /// Whether the key meant one.
    fn shortcut(self, key: &str) -> bool {
        let editing = self.editing.get_untracked() != Seq::ZERO;
        let is_empty = || self.field.get_untracked().is_some_and(|field| field.value().is_empty());
        match key {
            "Escape" if editing => self.end_edit(),
            "ArrowUp" if !editing && is_empty() && self.newest_own.get_untracked() != 0 => {
                self.edit(Seq(self.newest_own.get_untracked() as u64), None);
            }
            _ => return false,
        }
        true
    }

    pub fn composition_end(self, event: &ev::CompositionEvent) {
        let text = event.data().unwrap_or_default();
        let reaction = self.ime.try_update_value(|ime| ime.composition_end(&text)).unwrap_or(Reaction::Nothing);
        self.react(reaction);
    }

    /// The button: an open composition is ended first, and what it leaves in the box is sent.
    pub fn submit(self) {
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
        let (text, target) = (field.value(), self.editing.get_untracked());
        let body = text.trim_end();
        let is_new = target == Seq::ZERO || untrack(|| self.is_gone());
        let body = match slash::read(body) {
            _ if !is_new => body,
            // A stroke alone may become any command.
            Typed::Text("/") if self.slash.is_open() => return self.command(Typed::Unknown),
            Typed::Text(text) => text,
            typed => return self.command(typed),
        };
        let done = match is_new {
            false => self.session.edit(target, body),
            true => {
                let Some(files) = self.carried() else { return };
                self.session.post(body, files).map(|()| self.uploads.clear())
            }
        };
        match done {
            Ok(()) if target != Seq::ZERO => return self.end_edit(),
            Ok(()) => {
                field.set_value("");
                self.changed();
                self.place.to_end();
            }
            Err(BodyError::Empty) if is_new => {}
            // Nothing is left of it: that is what erasing is for.
            Err(BodyError::Empty) => return self.erase(target),
            Err(BodyError::TooLong { max_bytes }) => self.hint.set(length_hint(&text, max_bytes)),
            Err(BodyError::ControlCharacter) => self.hint.set(Hint::Refused(ErrorCode::ControlCharacter)),
        }
        let _ = field.focus();
    }

    fn write(self, text: &str) {
        let Some(field) = self.field.get_untracked() else { return };
        end_composition(&field);
        field.set_value(text);
        let _ = field.focus();
        self.changed();
    }
}

/// Where the edit of a room is kept: no room has a colon in its slug.
fn edit_of(slug: &str) -> String {
    format!("{slug}:edit")
}

fn message(item: &Item) -> Option<&MessageItem> {
    match item {
        Item::Message(message) => Some(message),
        _ => None,
    }
}

/// Has the input method put down what it is composing. Whoever wants the focus back says so.
fn end_composition(field: &HtmlTextAreaElement) {
    let _ = field.blur();
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
