use super::*;

#[derive(Clone, Copy, Debug)]
enum On {
    Start,
    Update(&'static str),
    End(&'static str),
    /// Enter with key code and `isComposing`.
    Enter(u32, bool),
    /// Enter as input methods of Windows report it, key up too.
    Process,
    ProcessUp,
    /// The send button.
    Button,
    ShiftEnter,
    Key(&'static str),
    Up,
}
use On::*;
use Reaction::*;

/// Sends once in all, and the answers are exactly these.
fn check(name: &str, enter_key: EnterKey, steps: &[(On, Reaction)]) {
    let mut ime = Ime::new(enter_key);
    let keydown = |key, key_code, is_composing, shift| KeyDown { key, code: "", key_code, is_composing, shift };
    for (index, (event, expected)) in steps.iter().enumerate() {
        let reaction = match *event {
            Start => ime.composition_start(),
            Update(text) => ime.composition_update(text),
            End(text) => ime.composition_end(text),
            Enter(code, composing) => ime.key_down(keydown("Enter", code, composing, false)),
            Process => {
                ime.key_down(KeyDown { key: "Process", code: "Enter", key_code: 229, is_composing: true, shift: false })
            }
            ProcessUp => {
                ime.key_up("Process", "Enter");
                Nothing
            }
            Button => ime.submit(),
            ShiftEnter => ime.key_down(keydown("Enter", 13, false, true)),
            Key(key) => ime.key_down(keydown(key, 229, true, false)),
            Up => {
                ime.key_up("Enter", "Enter");
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
fn an_enter_without_its_name_sends_once_after_the_commit() {
    let composing = [(Key("Process"), Nothing), (Start, Nothing), (Update("테스트"), Nothing)];
    let endings: [(&str, &[(On, Reaction)]); 2] = [
        (
            "Windows, no clean Enter follows",
            &[(Process, PreventAndSendAfterCommit), (ProcessUp, Nothing), (End("테스트"), SendSoon)],
        ),
        (
            "Windows, a clean Enter follows",
            &[
                (Process, PreventAndSendAfterCommit),
                (ProcessUp, Nothing),
                (Enter(13, false), Prevent),
                (End("테스트"), SendSoon),
                (Up, Nothing),
            ],
        ),
    ];
    for (name, ending) in endings {
        check(name, EnterKey::Sends, &[&composing[..], ending].concat());
    }
    check(
        "Windows, Pinyin",
        EnterKey::Sends,
        &[(Start, Nothing), (Update("nihao"), Nothing), (Process, Nothing), (End("你好"), Nothing)],
    );
}

#[test]
fn the_button_ends_the_composition_and_sends_once() {
    for (text, enter_key) in [("하요", EnterKey::Sends), ("nihao", EnterKey::Sends), ("hello", EnterKey::BreaksLine)]
    {
        check(
            text,
            enter_key,
            &[(Start, Nothing), (Update(text), Nothing), (Button, SendSoon), (End(text), Nothing), (Button, Send)],
        );
    }
    check(
        "after an Enter that is remembered",
        EnterKey::Sends,
        &[
            (Start, Nothing),
            (Update("네"), Nothing),
            (Enter(229, true), PreventAndSendAfterCommit),
            (Button, SendSoon),
            (End("네"), Nothing),
        ],
    );
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
    ime.key_down(KeyDown { key: "Enter", code: "Enter", key_code: 229, is_composing: true, shift: false });
    ime.blur();
    assert_eq!(ime.composition_end("네"), Nothing);
}
