//! What a text that begins with a stroke does instead of being said.

use super::super::hint::Hint;
use super::Desk;
use crate::api::{self, Schedule};
use crate::client::slash::{self, Slash, Typed};
use crate::client::{now_ms, remind, utc_offset_min_at, zone_name};
use crate::domain::When;
use crate::ui::attempt::Attempt;
use crate::ui::live::effect;
use leptos::prelude::*;

/// What a reminder begins with, so that it is known as one.
const MARK: &str = "⏰ ";

/// A command that was refused stays in the box, and why is said above it.
pub(super) fn tell_refusals(command: Attempt<Option<i64>>, hint: RwSignal<Hint>) {
    effect(move || {
        if let Some(code) = command.refusal() {
            hint.set(Hint::Refused(code));
        }
    });
}

/// What is to be known about a command while it is written.
pub(super) fn hint(text: &str) -> Hint {
    match slash::read(text) {
        Typed::Command(Slash::Remind, words) if text.contains(char::is_whitespace) => match remind::read(words) {
            Some((when, _)) => Hint::Planned(when),
            None => Hint::Usage,
        },
        _ => Hint::Nothing,
    }
}

impl Desk {
    /// Whether the key is for the list of commands.
    pub(super) fn menu_key(self, key: &str, shift: bool) -> bool {
        match key {
            "Tab" | "Enter" if !shift => self.complete(),
            _ => self.slash.walk(key),
        }
    }

    /// Puts the command that is pointed out into the box. Whether that changes anything.
    fn complete(self) -> bool {
        let Some(command) = self.slash.pointed_out() else { return false };
        let done = self.field.get_untracked().is_none_or(|field| field.value() == self.slash.completion(command));
        if !done {
            self.choose(command);
        }
        !done
    }

    pub fn choose(self, command: Slash) {
        self.write(&self.slash.completion(command));
    }

    pub(super) fn command(self, typed: Typed) {
        match typed {
            Typed::Command(Slash::Remind, words) => self.remind(words),
            Typed::Command(command, _) => self.start(command),
            Typed::Text(_) | Typed::Unknown => {
                if !self.complete() {
                    self.hint.set(Hint::UnknownCommand);
                }
            }
        }
    }

    /// What only looks like a command is said.
    pub fn say_as_text(self) {
        let Some(field) = self.field.get_untracked() else { return };
        field.set_value(&format!("/{}", field.value()));
        self.submit();
    }

    fn start(self, command: Slash) {
        let Some(task) = command.task() else { return };
        let (slug, args) = (self.slug.get_value(), command.arguments(&zone_name()));
        let work = |key| async move { api::start_task(key, task.to_owned(), args, slug).await.map(|_| None) };
        self.command.begin_change(task.to_owned(), work, move |_| {
            self.done(Hint::Nothing);
            self.place.to_end();
        });
    }

    fn remind(self, words: &str) {
        match remind::read(words) {
            None => self.hint.set(Hint::Usage),
            Some((_, "")) => self.hint.set(Hint::NoText),
            Some((when, text)) => match schedule_of(when) {
                Some(schedule) => self.schedule(self.command, [MARK, text].concat(), schedule, || {}),
                None => self.hint.set(Hint::Usage),
            },
        }
    }

    /// Has the text said later; then the box is empty, and says when.
    pub fn schedule(
        self,
        attempt: Attempt<Option<i64>>,
        body: String,
        schedule: Schedule,
        then: impl FnOnce() + 'static,
    ) {
        let slug = self.slug.get_value();
        let at = schedule.at.unwrap_or_default();
        let meant = format!("{at} {} {body}", schedule.repeat.as_deref().unwrap_or_default());
        let work = |key| async move { api::schedule_message(key, slug, body, schedule).await.map(Some) };
        attempt.begin_change(meant, work, move |at| {
            self.done(at.map_or(Hint::Nothing, Hint::Scheduled));
            then();
        });
    }

    /// What stands in the box, but for blanks at its end.
    pub fn text(self) -> String {
        self.field.get_untracked().map(|field| field.value().trim_end().to_owned()).unwrap_or_default()
    }

    fn done(self, hint: Hint) {
        if let Some(field) = self.field.get_untracked() {
            field.set_value("");
            self.changed();
        }
        self.hint.set(hint);
    }
}

/// For where the reader is.
fn schedule_of(when: When) -> Option<Schedule> {
    let zone = zone_name();
    Some(match when {
        When::Every(recurrence, minute) => Schedule { at: None, repeat: Some(recurrence.cron(minute)), zone },
        when => Schedule { at: Some(when.at(now_ms(), utc_offset_min_at)?), repeat: None, zone },
    })
}
