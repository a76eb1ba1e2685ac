//! An outbox entry as the browser keeps it: a text of lines, the body last because it has lines of
//! its own, before it the message that is changed, or the files that a new one carries. The first line is the form's version.

use super::{Command, Entry, EntryState, Kept};
use crate::domain::{Key, Seq};
use crate::protocol::json;

const VERSION: &str = "1";
const SENT: &str = "sent";

/// The kept form of an entry, for the tab `owner`. It counts as sent if it is about to be; once it
/// was refused, the code stands there.
pub fn write(entry: &Entry, owner: &str) -> String {
    let Entry { key, room, at, epoch, .. } = entry;
    let sent = match entry.state {
        EntryState::Failed(code) => code.as_str(),
        _ if entry.sent => SENT,
        _ => "",
    };
    let target = match (entry.command.target(), entry.command.files()) {
        (Some(target), _) => target.to_string(),
        (None, []) => String::new(),
        // In one line, and read only where the kind is `post`.
        (None, files) => serde_json::to_string(files).unwrap_or_default(),
    };
    let (kind, body) = match &entry.command {
        Command::Post { body, .. } => ("post", body.as_str()),
        Command::Edit { body, .. } => ("edit", body.as_str()),
        Command::Delete { .. } => ("delete", ""),
    };
    [VERSION, owner, key.as_str(), room, &at.to_string(), epoch, sent, kind, &target, body].join("\n")
}

/// What the records of the tab `owner` begin with.
pub fn head(owner: &str) -> String {
    [VERSION, owner, ""].join("\n")
}

/// The entry, waiting to be sent if it was not refused, and the tab that owns it. `None` for what another version kept.
pub fn read(record: &str) -> Option<(String, Entry)> {
    let mut lines = record.splitn(10, '\n');
    let mut next = || lines.next();
    if next()? != VERSION {
        return None;
    }
    let owner = next()?.to_owned();
    let key = Key::parse(next()?).ok()?;
    let room = next()?.to_owned();
    let at = next()?.parse().ok()?;
    let epoch = next()?.to_owned();
    let sent = next()?;
    let state = match sent {
        "" | SENT => EntryState::Waiting,
        code => EntryState::Failed(code.to_owned().into()),
    };
    let sent = !sent.is_empty();
    let (kind, target, body) = (next()?, next()?, next()?.to_owned());
    let files = if target.is_empty() { Some(Vec::new()) } else { json::read(target).ok() };
    let command = match (kind, target.parse().map(Seq).ok()) {
        ("post", None) => Command::Post { body, files: files? },
        ("edit", Some(target)) => Command::Edit { target, body },
        ("delete", Some(target)) => Command::Delete { target },
        _ => return None,
    };
    Some((owner, Entry { key, room, command, at, epoch, sent, state, kept: Kept::Yes }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FileId;
    use crate::protocol::{Attached, ErrorCode};

    fn entry(command: Command, sent: bool) -> Entry {
        let key = Key::parse("k1").unwrap();
        let (state, kept) = (EntryState::Waiting, Kept::Yes);
        Entry { key, room: "일반".into(), command, at: 1_763_800_000_000, epoch: "e".into(), sent, state, kept }
    }

    #[test]
    fn what_is_kept_comes_back_with_every_line() {
        let target = Seq(42);
        let (id, name, media_type) = (FileId::from_random([7; 16]), "줄\n바꿈".into(), "image/png".into());
        let file = Attached { id, name, media_type, bytes: 1, width: Some(3), height: Some(2) };
        for command in [
            Command::Post { body: "첫 줄\n\n셋째 줄\n".into(), files: vec![] },
            Command::Post { body: String::new(), files: vec![file] },
            Command::Edit { target, body: "1\nk2\nsent".into() },
            Command::Delete { target },
        ] {
            for sent in [true, false] {
                let entry = entry(command.clone(), sent);
                assert!(write(&entry, "tab").starts_with(&head("tab")));
                assert!(!write(&entry, "tab2").starts_with(&head("tab")));
                assert_eq!(read(&write(&entry, "tab")), Some(("tab".to_owned(), entry)));
            }
        }
    }

    #[test]
    fn a_refusal_comes_back_as_one() {
        let state = EntryState::Failed(ErrorCode::Forbidden);
        let refused = Entry { state, ..entry(Command::Delete { target: Seq(1) }, true) };
        assert_eq!(read(&write(&refused, "tab")), Some(("tab".to_owned(), refused)));
    }

    #[test]
    fn what_another_version_kept_is_left_alone() {
        let record = write(&entry(Command::Delete { target: Seq(1) }, false), "tab");
        assert_eq!(read(&record.replacen('1', "2", 1)), None);
        assert_eq!(read(""), None);
        assert_eq!(read(&record[..record.len() - 4]), None);
    }
}
