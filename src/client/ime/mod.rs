//! What Enter means in a text box while an input method may be composing. Pure; the composer feeds
//! it the DOM's events and does what it answers.
//!
//! Hangul has no candidate window, so an Enter during its composition means "send": it is
//! remembered and the message is sent once, after the composition has been committed, with the
//! value read from the DOM. In Kana and Pinyin the same Enter chooses a candidate and never sends.

#[cfg(test)]
mod tests;

/// A `keydown`, as the DOM tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDown<'a> {
    /// `KeyboardEvent.key`; input methods may report `Process` or `Unidentified`.
    pub key: &'a str,
    /// `KeyboardEvent.code`: the key itself, where `key` does not tell.
    pub code: &'a str,
    /// `KeyboardEvent.keyCode`; 229 while an input method handles the key.
    pub key_code: u32,
    pub is_composing: bool,
    pub shift: bool,
}

/// What to do about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The browser's own behaviour is right.
    Nothing,
    /// `preventDefault`, nothing else: this key press has been dealt with.
    Prevent,
    /// `preventDefault` and send what the DOM holds.
    Send,
    /// `preventDefault`; the composition's end will say [`Reaction::SendSoon`].
    PreventAndSendAfterCommit,
    /// Send in a new macrotask, when the DOM holds the committed text; `preventDefault` if the
    /// event is a `keydown`.
    SendSoon,
}

/// What Enter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnterKey {
    /// With a keyboard: Enter sends, Shift+Enter breaks the line.
    Sends,
    /// On touch devices: Enter breaks the line, a button sends.
    BreaksLine,
}

/// Key code of a key that an input method has taken.
pub const TAKEN: u32 = 229;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ime {
    enter_key: EnterKey,
    phase: Phase,
    /// Script of the composition that is under way, or was the last.
    script: Script,
    /// An Enter that has led to a send; until it is up, more `keydown`s belong to the same press.
    spent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    Composing,
    /// Enter was pressed during a Hangul composition.
    SendAfterCommit,
    /// The composition has ended and no key has been pressed since.
    JustCommitted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Script {
    Hangul,
    Other,
}

impl Ime {
    pub fn new(enter_key: EnterKey) -> Ime {
        Ime { enter_key, phase: Phase::Idle, script: Script::Other, spent: false }
    }

    pub fn composition_start(&mut self) -> Reaction {
        self.phase = Phase::Composing;
        self.script = Script::Other;
        self.spent = false;
        Reaction::Nothing
    }

    /// `text` is `CompositionEvent.data`: what the composition holds now.
    pub fn composition_update(&mut self, text: &str) -> Reaction {
        self.script = Script::of(text);
        Reaction::Nothing
    }

    /// `text` is `CompositionEvent.data`: what was committed. A Hanja chosen with Enter, or nothing
    /// (the composition was cancelled), does not send.
    pub fn composition_end(&mut self, text: &str) -> Reaction {
        let asked_to_send = self.phase == Phase::SendAfterCommit;
        self.phase = Phase::JustCommitted;
        self.script = Script::of(text);
        if asked_to_send && self.script == Script::Hangul {
            self.spent = true;
            Reaction::SendSoon
        } else {
            Reaction::Nothing
        }
    }

    pub fn key_down(&mut self, event: KeyDown) -> Reaction {
        if !is_enter(event.key, event.code) {
            // While a composition is under way its keys are reported too; they end no press of Enter.
            self.spent = false;
            if self.phase == Phase::JustCommitted {
                self.phase = Phase::Idle;
            }
            return Reaction::Nothing;
        }
        if self.enter_key == EnterKey::BreaksLine || event.shift {
            return Reaction::Nothing;
        }
        if self.spent {
            return Reaction::Prevent;
        }
        match self.phase {
            Phase::Composing => self.enter_while_composing(),
            Phase::SendAfterCommit => Reaction::Prevent,
            Phase::JustCommitted => self.enter_after_commit(event),
            Phase::Idle if event.is_composing || event.key_code == TAKEN => Reaction::Nothing,
            Phase::Idle => Reaction::Send,
        }
    }

    /// Ends a press of Enter. `key` and `code` as in a [`KeyDown`].
    pub fn key_up(&mut self, key: &str, code: &str) {
        if is_enter(key, code) {
            self.spent = false;
            if self.phase == Phase::JustCommitted {
                self.phase = Phase::Idle;
            }
        }
    }

    /// The send button was pressed. [`Reaction::SendSoon`] asks to end the composition first, so that
    /// the input method does not put its text into the emptied box; then it has nothing to send itself.
    pub fn submit(&mut self) -> Reaction {
        match self.phase {
            Phase::Composing | Phase::SendAfterCommit => {
                self.phase = Phase::Composing;
                Reaction::SendSoon
            }
            Phase::Idle | Phase::JustCommitted => Reaction::Send,
        }
    }

    /// The text box lost the focus: what was begun there is over.
    pub fn blur(&mut self) {
        *self = Ime::new(self.enter_key);
    }

    fn enter_while_composing(&mut self) -> Reaction {
        match self.script {
            Script::Hangul => {
                self.phase = Phase::SendAfterCommit;
                Reaction::PreventAndSendAfterCommit
            }
            Script::Other => Reaction::Nothing,
        }
    }

    /// Safari ends the composition first and reports the Enter that ended it afterwards, with the
    /// key code of a taken key. A clean Enter is a press of its own.
    fn enter_after_commit(&mut self, event: KeyDown) -> Reaction {
        self.phase = Phase::Idle;
        if event.key_code != TAKEN {
            return Reaction::Send;
        }
        match self.script {
            Script::Hangul => {
                self.spent = true;
                Reaction::SendSoon
            }
            Script::Other => Reaction::Nothing,
        }
    }
}

/// Input methods of Windows report every key of theirs as `Process`; `code` still names it.
fn is_enter(key: &str, code: &str) -> bool {
    key == "Enter" || (matches!(key, "Process" | "Unidentified") && matches!(code, "Enter" | "NumpadEnter"))
}

impl Script {
    fn of(text: &str) -> Script {
        match text.chars().last() {
            // Syllables, jamo, compatibility jamo.
            Some('\u{AC00}'..='\u{D7A3}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}') => Script::Hangul,
            _ => Script::Other,
        }
    }
}
