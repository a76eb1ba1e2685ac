//! What the reader has begun to write in a room, kept in this browser until it is sent. Called from
//! effects and event handlers only. A browser that keeps nothing (private mode, full) loses drafts
//! on reload and nothing else.

use super::browser::storage;
use crate::domain::{Seq, UserId};

/// The text last saved for the room, if any.
pub fn load(reader: UserId, room: &str) -> Option<String> {
    storage()?.get_item(&name(reader, room)).ok().flatten()
}

/// Keeps the text; a blank one is forgotten.
pub fn save(reader: UserId, room: &str, text: &str) {
    let Some(storage) = storage() else { return };
    let name = name(reader, room);
    // A draft that cannot be kept is not worth disturbing the writer for.
    let _ = if text.trim().is_empty() { storage.remove_item(&name) } else { storage.set_item(&name, text) };
}

/// Two texts in one box. A blank one counts for nothing, and so does the second of two that are
/// the same: browsers bring back what stood in a box too.
pub fn joined(first: &str, then: &str) -> String {
    match (first.trim().is_empty(), then.trim().is_empty()) {
        (true, _) => then.to_owned(),
        (false, blank) if blank || first == then => first.to_owned(),
        _ => format!("{first}\n{then}"),
    }
}

/// An edit under way as one text to be kept: the message that is changed, the history in which its seq
/// is that message's, the text so far. `epoch` has no line break.
pub fn edit_text(target: Seq, epoch: &str, text: &str) -> String {
    format!("{target} {epoch}\n{text}")
}

/// What [`edit_text`] made into one.
pub fn edit_parts(kept: &str) -> Option<(Seq, &str, &str)> {
    let (head, text) = kept.split_once('\n')?;
    let (target, epoch) = head.split_once(' ')?;
    Some((Seq(target.parse().ok()?), epoch, text))
}

/// Accounts that share a browser do not see each other's drafts by accident.
fn name(reader: UserId, room: &str) -> String {
    format!("draft:{}:{room}", reader.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_of_two_texts_is_lost() {
        assert_eq!(joined("the draft of last time", "a"), "the draft of last time\na");
        assert_eq!(joined("", "a"), "a");
        assert_eq!(joined("the draft of last time", " \n"), "the draft of last time");
        assert_eq!(joined("the same", "the same"), "the same");
    }

    #[test]
    fn an_edit_comes_back_as_it_was_kept() {
        for text in ["", "one line", " two\n\nlines \n"] {
            assert_eq!(edit_parts(&edit_text(Seq(57), "e1", text)), Some((Seq(57), "e1", text)));
        }
        assert_eq!(edit_parts("a draft\nof another make"), None);
    }
}
