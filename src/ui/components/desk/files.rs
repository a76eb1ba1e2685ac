//! Files that go with a new message; an edit leaves those of its message as they are.

use super::super::hint::Hint;
use super::Desk;
use crate::domain::{Key, Seq};
use crate::protocol::Attached;
use leptos::prelude::*;
use web_sys::{DataTransfer, FileList};

impl Desk {
    /// Files that were chosen, pasted or dropped. Whether there are any.
    pub fn attach(self, files: Option<FileList>) -> bool {
        let Some(files) = files.filter(|files| files.length() > 0) else { return false };
        let is_new = self.editing.get_untracked() == Seq::ZERO;
        let all = is_new && self.uploads.take_in(&files);
        self.look_again();
        if !all {
            self.hint.set(if is_new { Hint::TooManyFiles } else { Hint::EditTakesNoFiles });
        }
        true
    }

    /// Text that brings a picture of itself along, as that of office programs does, is pasted as text.
    pub fn paste(self, data: Option<DataTransfer>) -> bool {
        let has = |kind: &str| data.as_ref().is_some_and(|data| data.types().includes(&kind.into(), 0));
        let is_text = has("text/html") && has("text/plain");
        !is_text && self.attach(data.and_then(|data| data.files()))
    }

    pub fn detach(self, key: &Key) {
        self.uploads.remove(key);
        self.look_again();
    }

    /// What a new message is to carry; `None` as long as it cannot go, and why is said.
    pub(super) fn carried(self) -> Option<Vec<Attached>> {
        let ready = untrack(|| self.uploads.ready());
        if ready.is_err() {
            self.hint.set(Hint::Uploading);
        }
        ready.ok()
    }

    /// What was said about files may hold no longer. One goes on writing.
    fn look_again(self) {
        self.changed();
        if let Some(field) = self.field.get_untracked() {
            let _ = field.focus();
        }
    }
}
