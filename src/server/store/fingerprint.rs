use super::Action;
use crate::domain::{Access, FileId, Key, MessageBody, Seq};
use sha2::{Digest, Sha256};

/// Tells whether a known key came with the same command: the first 16 bytes of a SHA-256 over the
/// key, the kind of the action and its arguments. With the key in it, equal texts do not show by
/// equal fingerprints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    keyed: [u8; 16],
    /// Without the key, as the first schema stored it.
    bare: [u8; 16],
}

impl Fingerprint {
    pub(super) fn of(key: &Key, action: &Action) -> Fingerprint {
        match action {
            Action::Post { body, files } => Fingerprint::post(key, body.as_str(), files),
            Action::Edit { target, body } => Fingerprint::edit(key, *target, body.as_str()),
            Action::Delete { target } => Fingerprint::new(key, "delete", &target.0.to_string()),
            Action::Preview { target, .. } => Fingerprint::new(key, "preview", &target.0.to_string()),
            // An account makes rooms for itself.
            Action::CreateRoom { name, access: Access::Open, .. } => Fingerprint::new(key, "open_room", name.as_str()),
            Action::CreateRoom { name, access: Access::Closed, .. } => {
                Fingerprint::new(key, "closed_room", name.as_str())
            }
            Action::AddMember { member } => Fingerprint::new(key, "add_member", &member.0.to_string()),
            Action::Leave => Fingerprint::new(key, "leave", ""),
            Action::Rename { name } => Fingerprint::new(key, "rename", name.as_str()),
            Action::SetAccess { access: Access::Open } => Fingerprint::new(key, "open", ""),
            Action::SetAccess { access: Access::Closed } => Fingerprint::new(key, "close", ""),
            Action::SetRetention { days } => {
                Fingerprint::new(key, "retention", &days.map(|days| days.to_string()).unwrap_or_default())
            }
            // The operator has no keys.
            Action::Prune { .. } | Action::Sweep => Fingerprint::new(key, "prune", ""),
        }
    }

    /// Of a post with this text, which need not fit the rules of bodies, and these files.
    pub fn post(key: &Key, text: &str, files: &[FileId]) -> Fingerprint {
        let text = MessageBody::with_line_ends(text);
        if files.is_empty() {
            return Fingerprint::new(key, "post", &text);
        }
        let ids: Vec<_> = files.iter().map(FileId::as_str).collect();
        Fingerprint::new(key, "post_files", &format!("{}\0{text}", ids.join(" ")))
    }

    /// Of an edit to this text, which need not fit the rules of bodies.
    pub fn edit(key: &Key, target: Seq, text: &str) -> Fingerprint {
        Fingerprint::new(key, "edit", &format!("{}\0{}", target.0, MessageBody::with_line_ends(text)))
    }

    fn new(key: &Key, kind: &str, arguments: &str) -> Fingerprint {
        let command = [kind, "\0", arguments].concat();
        Fingerprint { keyed: hash(&[key.as_str(), "\0", &command]), bare: hash(&[&command]) }
    }

    /// As it is stored.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.keyed
    }

    pub(super) fn is(&self, stored: &[u8]) -> bool {
        stored == self.keyed || stored == self.bare
    }
}

fn hash(parts: &[&str]) -> [u8; 16] {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize();
    let mut first = [0; 16];
    first.copy_from_slice(&digest[..16]);
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomName, UserId};

    #[test]
    fn commands_and_arguments_are_told_apart_and_keys_hide_equal_texts() {
        let (key, other) = (Key::parse("k").unwrap(), Key::parse("l").unwrap());
        let name = |text| RoomName::parse(text).unwrap();
        let file = |number| FileId::from_random([number; 16]);
        let body = |text| MessageBody::parse(text, 100).unwrap();
        let actions = [
            Action::Post { body: body("1"), files: vec![] },
            Action::Post { body: body("2"), files: vec![] },
            Action::Post { body: body("1"), files: vec![file(1)] },
            Action::Post { body: body("1"), files: vec![file(2)] },
            Action::Post { body: body("1"), files: vec![file(1), file(2)] },
            Action::Post { body: body("1"), files: vec![file(2), file(1)] },
            Action::Edit { target: Seq(1), body: body("1") },
            Action::Edit { target: Seq(2), body: body("1") },
            Action::Edit { target: Seq(1), body: body("2") },
            Action::Delete { target: Seq(1) },
            Action::Delete { target: Seq(2) },
            Action::CreateRoom { name: name("1"), access: Access::Open, creator: None },
            Action::CreateRoom { name: name("1"), access: Access::Closed, creator: None },
            Action::CreateRoom { name: name("2"), access: Access::Open, creator: None },
            Action::AddMember { member: UserId(1) },
            Action::AddMember { member: UserId(2) },
            Action::Leave,
            Action::Rename { name: name("1") },
            Action::Rename { name: name("2") },
            Action::SetAccess { access: Access::Open },
            Action::SetAccess { access: Access::Closed },
        ];
        let mut seen = Vec::new();
        for (key, action) in [&key, &other].into_iter().flat_map(|key| actions.iter().map(move |a| (key, a))) {
            let print = Fingerprint::of(key, action);
            assert!(print.is(print.bytes()));
            assert!(!seen.contains(&print.bytes().to_vec()), "{action:?}");
            seen.push(print.bytes().to_vec());
        }
    }

    #[test]
    fn a_fingerprint_of_the_first_schema_is_known() {
        let first = Sha256::digest("post\0one\ntwo");
        let print = Fingerprint::post(&Key::parse("k").unwrap(), "one\r\ntwo", &[]);
        assert!(print.is(&first[..16]));
        assert!(!Fingerprint::post(&Key::parse("k").unwrap(), "one", &[]).is(&first[..16]));
    }
}
