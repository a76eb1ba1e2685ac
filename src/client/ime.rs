//! What Enter means in a text box while an input method may be composing. Pure; the composer feeds
//! it the DOM's events and does what it answers.
//!
//! Hangul has no candidate window, so an Enter during its composition means "send": it is
//! remembered and the message is sent once, after the composition has been committed, with the
//! value read from the DOM. In Kana and Pinyin the same Enter chooses a candidate and never sends.

/// A `keydown`, as the DOM tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyDown<'a> {
    /// `KeyboardEvent.key`; input methods may report `Process` or `Unidentified`.
    pub key: &'a str,
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
const TAKEN: u32 = 229;

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
        if event.key != "Enter" {
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

    /// Ends a press of Enter.
    pub fn key_up(&mut self, key: &str) {
        if key == "Enter" {
            self.spent = false;
            if self.phase == Phase::JustCommitted {
                self.phase = Phase::Idle;
            }
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

impl Script {
    fn of(text: &str) -> Script {
        match text.chars().last() {
            // Syllables, jamo, compatibility jamo.
            Some('\u{AC00}'..='\u{D7A3}' | '\u{1100}'..='\u{11FF}' | '\u{3130}'..='\u{318F}') => Script::Hangul,
            _ => Script::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum On {
        Start,
        Update(&'static str),
        End(&'static str),
        /// Enter with key code and `isComposing`.
        Enter(u32, bool),
        ShiftEnter,
        Key(&'static str),
        Up,
    }
    use On::*;
    use Reaction::*;

    /// Sends once in all, and the answers are exactly these.
    fn check(name: &str, enter_key: EnterKey, steps: &[(On, Reaction)]) {
        let mut ime = Ime::new(enter_key);
        let keydown = |key, key_code, is_composing, shift| KeyDown { key, key_code, is_composing, shift };
        for (index, (event, expected)) in steps.iter().enumerate() {
            let reaction = match *event {
                Start => ime.composition_start(),
                Update(text) => ime.composition_update(text),
                End(text) => ime.composition_end(text),
                Enter(code, composing) => ime.key_down(keydown("Enter", code, composing, false)),
                ShiftEnter => ime.key_down(keydown("Enter", 13, false, true)),
                Key(key) => ime.key_down(keydown(key, 229, true, false)),
                Up => {
                    ime.key_up("Enter");
                    Nothing
                }
            };
            assert_eq!(reaction, *expected, "{name}, step {index}: {event:?}");
        }
    }

    #[test]
    fn plain_enter_sends_and_shift_enter_breaks_the_line() {
        check(
            "Latin",
            EnterKey::Sends,
            &[(Key("h"), Nothing), (ShiftEnter, Nothing), (Enter(13, false), Send), (Up, Nothing)],
        );
    }

    #[test]
    fn hangul_enter_sends_once_after_the_commit() {
        let composing = [(Key("Process"), Nothing), (Start, Nothing), (Update("요"), Nothing)];
        let endings: [(&str, &[(On, Reaction)]); 4] = [
            ("Chrome on macOS", &[(Enter(229, true), PreventAndSendAfterCommit), (End("요"), SendSoon), (Up, Nothing)]),
            (
                "Chrome on macOS, the same Enter reported again",
                &[
                    (Enter(229, true), PreventAndSendAfterCommit),
                    (End("요"), SendSoon),
                    (Enter(13, false), Prevent),
                    (Up, Nothing),
                ],
            ),
            (
                "Windows, clean Enter before the commit",
                &[
                    (Enter(229, true), PreventAndSendAfterCommit),
                    (Enter(13, false), Prevent),
                    (End("요"), SendSoon),
                    (Up, Nothing),
                ],
            ),
            (
                "Safari, Enter reported after the commit",
                &[(End("요"), Nothing), (Enter(229, false), SendSoon), (Enter(13, false), Prevent), (Up, Nothing)],
            ),
        ];
        for (name, ending) in endings {
            let mut steps = composing.to_vec();
            steps.extend_from_slice(ending);
            // The next message, in Latin, is a send of its own.
            steps.extend([(Key("a"), Nothing), (Enter(13, false), Send)]);
            check(name, EnterKey::Sends, &steps);
        }
    }

    #[test]
    fn safaris_extra_keydown_does_not_send_twice() {
        check(
            "Safari, Enter reported before and after the commit",
            EnterKey::Sends,
            &[
                (Start, Nothing),
                (Update("ㅎ"), Nothing),
                (Enter(229, true), PreventAndSendAfterCommit),
                (End("ㅎ"), SendSoon),
                (Enter(229, false), Prevent),
                (Up, Nothing),
            ],
        );
    }

    #[test]
    fn kana_and_pinyin_enter_only_commits() {
        for text in ["かんじ", "漢字", "nihao", "カナ"] {
            check(
                text,
                EnterKey::Sends,
                &[
                    (Start, Nothing),
                    (Update(text), Nothing),
                    (Enter(229, true), Nothing),
                    (End(text), Nothing),
                    (Up, Nothing),
                    (Enter(13, false), Send),
                ],
            );
            check(
                "Safari",
                EnterKey::Sends,
                &[
                    (Start, Nothing),
                    (Update(text), Nothing),
                    (End(text), Nothing),
                    (Enter(229, false), Nothing),
                    (Up, Nothing),
                    (Enter(13, false), Send),
                ],
            );
        }
    }

    #[test]
    fn a_hanja_chosen_with_enter_is_not_sent() {
        check(
            "candidate window of a Korean input method",
            EnterKey::Sends,
            &[
                (Start, Nothing),
                (Update("한"), Nothing),
                (Enter(229, true), PreventAndSendAfterCommit),
                (End("韓"), Nothing),
                (Up, Nothing),
                (Enter(13, false), Send),
            ],
        );
    }

    #[test]
    fn an_interrupted_composition_sends_nothing() {
        check(
            "arrow key or click ends it",
            EnterKey::Sends,
            &[(Start, Nothing), (Update("하"), Nothing), (Key("ArrowLeft"), Nothing), (End("하"), Nothing)],
        );
    }

    #[test]
    fn typing_on_after_a_commit_leaves_the_next_enter_clean() {
        check(
            "syllables, then Enter right after a commit by space",
            EnterKey::Sends,
            &[
                (Start, Nothing),
                (Update("안"), Nothing),
                (Key(" "), Nothing),
                (End("안"), Nothing),
                (Enter(13, false), Send),
            ],
        );
    }

    #[test]
    fn a_send_whose_key_up_was_lost_does_not_swallow_the_next() {
        check(
            "two Hangul messages",
            EnterKey::Sends,
            &[
                (Start, Nothing),
                (Update("네"), Nothing),
                (Enter(229, true), PreventAndSendAfterCommit),
                (End("네"), SendSoon),
                (Start, Nothing),
                (Update("아"), Nothing),
                (Enter(229, true), PreventAndSendAfterCommit),
                (End("아"), SendSoon),
            ],
        );
    }

    #[test]
    fn enter_breaks_the_line_on_touch_devices() {
        check(
            "Android, where everything is composition",
            EnterKey::BreaksLine,
            &[
                (Start, Nothing),
                (Update("네"), Nothing),
                (Enter(229, true), Nothing),
                (End("네"), Nothing),
                (Enter(229, false), Nothing),
                (Enter(13, false), Nothing),
            ],
        );
    }

    #[test]
    fn leaving_the_box_forgets_a_remembered_enter() {
        let mut ime = Ime::new(EnterKey::Sends);
        ime.composition_start();
        ime.composition_update("네");
        ime.key_down(KeyDown { key: "Enter", key_code: 229, is_composing: true, shift: false });
        ime.blur();
        assert_eq!(ime.composition_end("네"), Nothing);
    }
}
