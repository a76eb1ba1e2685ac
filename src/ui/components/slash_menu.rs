use super::desk::Desk;
use crate::client::slash::{self, Slash};
use crate::i18n::{Locale, SlashWords};
use crate::ui::live::{act, live};
use crate::ui::reader::Reader;
use leptos::ev;
use leptos::prelude::*;

/// The commands that a text may become while the name of one is typed. The focus stays in the text box, which
/// points one out.
#[derive(Clone, Copy)]
pub struct SlashMenu {
    is_owner: bool,
    locale: Locale,
    /// None of them: it is closed.
    offered: RwSignal<Vec<Slash>>,
    pointed: RwSignal<usize>,
    /// Escape has closed it, until the text is another thing.
    dismissed: StoredValue<bool>,
}

impl SlashMenu {
    pub fn new(reader: &Reader) -> SlashMenu {
        let (offered, pointed) = (RwSignal::new(Vec::new()), RwSignal::new(0));
        let (is_owner, locale) = (reader.is_owner(), reader.locale());
        SlashMenu { is_owner, locale, offered, pointed, dismissed: StoredValue::new(false) }
    }

    /// The command as it stands in the box once it is chosen.
    pub fn completion(self, command: Slash) -> String {
        let name = command.name(self.locale);
        if command.takes_arguments() { format!("/{name} ") } else { format!("/{name}") }
    }

    /// The text has changed.
    pub fn typed(self, text: &str) {
        let offered = slash::offered(text, self.is_owner);
        if offered.is_none() {
            self.dismissed.set_value(false);
        }
        let offered = offered.filter(|_| !self.dismissed.get_value()).unwrap_or_default();
        if self.offered.with_untracked(|before| *before != offered) {
            self.pointed.set(0);
            self.offered.set(offered);
        }
    }

    pub fn is_open(self) -> bool {
        self.offered.with_untracked(|offered| !offered.is_empty())
    }

    pub fn pointed_out(self) -> Option<Slash> {
        self.offered.with_untracked(|offered| offered.get(self.pointed.get_untracked()).copied())
    }

    /// Up and down lead round, Escape out. Whether the key meant that.
    pub fn walk(self, key: &str) -> bool {
        let count = self.offered.with_untracked(Vec::len);
        let step = match key {
            _ if count == 0 => return false,
            "ArrowDown" => 1,
            "ArrowUp" => count - 1,
            "Escape" => {
                self.dismissed.set_value(true);
                self.offered.set(Vec::new());
                return true;
            }
            _ => return false,
        };
        self.pointed.update(|pointed| *pointed = (*pointed + step) % count);
        true
    }

    /// Id of the option that is pointed out, followed; none while it is closed.
    pub fn active(self) -> Option<String> {
        self.offered.with(|offered| (!offered.is_empty()).then(|| id(self.pointed.get())))
    }
}

pub const ID: &str = "commands";

fn id(number: usize) -> String {
    format!("command-{number}")
}

#[component]
pub fn Commands(desk: Desk) -> impl IntoView {
    let reader = Reader::expect();
    let texts = &reader.texts().slash;
    let menu = desk.slash;
    let option = move |(number, command): (usize, Slash)| {
        view! {
            <li
                role="option" id=id(number) aria-selected=live(move || (menu.pointed.get() == number).to_string())
                on:click=act(move |_| desk.choose(command))
            >
                <span class="name">{format!("/{}", command.name(menu.locale))}</span>
                <span class="hint">{words(texts, command)}</span>
            </li>
        }
        .into_any()
    };
    view! {
        <div class="commands">
            {live(move || {
                let offered = menu.offered.get();
                if offered.is_empty() {
                    return ().into_any();
                }
                view! {
                    // The focus, and with it a phone's keyboard, stays where it is.
                    <ul role="listbox" id=ID aria-label=texts.commands on:mousedown=act(|event: ev::MouseEvent| event.prevent_default())>
                        {offered.into_iter().enumerate().map(option).collect_view()}
                    </ul>
                }
                .into_any()
            })}
        </div>
    }
}

fn words(texts: &SlashWords, command: Slash) -> &'static str {
    match command {
        Slash::Remind => texts.remind,
        Slash::Export => texts.export,
        Slash::Demo => texts.demo,
    }
}
