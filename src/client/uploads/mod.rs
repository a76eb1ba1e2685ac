//! Files that are to go with the next message of a room: sent to the server as they are chosen, a few at once, each
//! with a key that stays when it is sent again. They belong to the session, so that one may look at another room
//! meanwhile; those that are there come back after a reload, as a draft does.

mod answer;
mod transfer;

use super::draft;
use super::session::Session;
use crate::domain::{FileName, Key, UserId};
use crate::protocol::{Attached, ErrorCode, json};
use leptos::prelude::*;
use std::time::Duration;
use web_sys::{File, FileList};

/// So many are on their way at once: a browser has six connections for all that it asks of a server.
const AT_ONCE: usize = 3;
/// How long to wait before it is asked again whether an image is ready.
const ASK_AGAIN: Duration = Duration::from_millis(1_500);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its slug.
    pub room: String,
    pub key: Key,
    pub name: String,
    pub bytes: u64,
    pub state: UploadState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// For others that are on their way.
    Waiting,
    /// Percent of its bytes that are there.
    Sending(u32),
    /// It is there, and made anew.
    Preparing(Attached),
    Ready(Attached),
    Failed(ErrorCode),
}

/// Not all files can go with the message yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReady;

/// The files of one room's text box.
#[derive(Clone, Copy)]
pub struct Uploads {
    session: Session,
    room: StoredValue<String>,
    list: RwSignal<Vec<Upload>>,
    pub most_bytes: u64,
    pub most_files: u32,
}

impl Uploads {
    pub fn new(session: Session, room: StoredValue<String>, most_bytes: u64, most_files: u32) -> Uploads {
        Uploads { session, room, list: session.uploads(), most_bytes, most_files }
    }

    /// Followed.
    pub fn keys(self) -> Vec<Key> {
        self.list.with(|list| self.of_room(list).map(|upload| upload.key.clone()).collect())
    }

    /// Followed.
    pub fn get(self, key: &Key) -> Option<Upload> {
        self.list.with(|list| list.iter().find(|upload| upload.key == *key).cloned())
    }

    /// Followed.
    pub fn is_empty(self) -> bool {
        self.list.with(|list| self.of_room(list).next().is_none())
    }

    /// What is to go with a message, if all of it is there; followed.
    pub fn ready(self) -> Result<Vec<Attached>, NotReady> {
        let ready = |upload: &Upload| match &upload.state {
            UploadState::Ready(file) => Ok(file.clone()),
            _ => Err(NotReady),
        };
        self.list.with(|list| self.of_room(list).map(ready).collect())
    }

    /// Begins to send them. Whether there is room for all of them.
    pub fn take_in(self, files: &FileList) -> bool {
        let there = untrack(|| self.keys().len() as u32);
        let fit = files.length().min(self.most_files.saturating_sub(there));
        (0..fit).filter_map(|index| files.get(index)).for_each(|file| self.add(file));
        self.go_on();
        fit == files.length()
    }

    fn add(self, file: File) {
        let (key, bytes) = (super::random_key(), file.size() as u64);
        let name = FileName::cleaned(&file.name()).as_str().to_owned();
        let fits = bytes <= self.most_bytes;
        if fits {
            transfer::hold(&key, file);
        }
        let state = if fits { UploadState::Waiting } else { UploadState::Failed(ErrorCode::TooLarge) };
        self.push(key, name, bytes, state);
    }

    /// What a message was to carry that was taken back. Whether it still is there is asked.
    pub fn put_back(self, files: Vec<Attached>) {
        for file in files {
            let key = super::random_key();
            self.push(key.clone(), file.name.clone(), file.bytes, UploadState::Preparing(file.clone()));
            self.ask(key, file);
        }
        self.keep(&self.room.get_value());
    }

    /// Those of before a reload come back, unless the room has some here.
    pub fn restore(self) {
        if untrack(|| self.is_empty()) {
            let reader = UserId(self.session.reader().id);
            let kept = self.room.with_value(|room| draft::load(reader, &files_of(room)));
            self.put_back(kept.and_then(|kept| json::read(&kept).ok()).unwrap_or_default());
        }
    }

    /// Sends one again that failed, with its key.
    pub fn again(self, key: &Key) {
        self.set(key, UploadState::Waiting);
        self.go_on();
    }

    /// Whether [`again`](Uploads::again) can help: the browser gives nothing back after a reload.
    pub fn can_go_again(self, key: &Key, code: ErrorCode) -> bool {
        code.retryable() && transfer::holds(key)
    }

    pub fn remove(self, key: &Key) {
        transfer::end(key);
        self.list.update(|list| list.retain(|upload| upload.key != *key));
        self.keep(&self.room.get_value());
        self.go_on();
    }

    /// They have gone with a message.
    pub fn clear(self) {
        untrack(|| self.keys()).iter().for_each(|key| self.remove(key));
    }

    fn push(self, key: Key, name: String, bytes: u64, state: UploadState) {
        let room = self.room.get_value();
        self.list.update(|list| list.push(Upload { room, key, name, bytes, state }));
    }

    fn of_room(self, list: &[Upload]) -> impl Iterator<Item = &Upload> {
        let room = self.room.get_value();
        list.iter().filter(move |upload| upload.room == room)
    }
}

/// What goes on by itself, also when the room is not shown any more.
impl Uploads {
    /// Begins with those that wait, as many as may go at once.
    fn go_on(self) {
        while let Some(Some(Upload { room, key, name, .. })) = self.list.try_with_untracked(|list| next(list)) {
            self.set(&key, UploadState::Sending(0));
            let (told, moved) = (self.teller(key.clone()), key.clone());
            let progress = Box::new(move |percent| self.set(&moved, UploadState::Sending(percent)));
            transfer::send(&key, &room, &name, told, progress);
        }
    }

    /// Notes what became of it. An image that is not ready yet is asked for again, as long as it is wanted.
    fn teller(self, key: Key) -> transfer::Teller {
        Box::new(move |state| {
            if let UploadState::Preparing(file) = &state {
                let (key, file) = (key.clone(), file.clone());
                set_timeout(move || self.ask(key, file), ASK_AGAIN);
            }
            self.set(&key, state);
            if let Some(room) = self.find(&key).map(|upload| upload.room) {
                self.keep(&room);
            }
            self.go_on();
        })
    }

    fn ask(self, key: Key, file: Attached) {
        if self.find(&key).is_some() {
            transfer::ask(&key, file, self.teller(key.clone()));
        }
    }

    fn find(self, key: &Key) -> Option<Upload> {
        self.list.try_with_untracked(|list| list.iter().find(|upload| upload.key == *key).cloned()).flatten()
    }

    fn set(self, key: &Key, state: UploadState) {
        self.list.try_maybe_update(|list| {
            let changed = list.iter_mut().find(|upload| upload.key == *key && upload.state != state);
            let any = changed.is_some();
            changed.into_iter().for_each(|upload| upload.state = state.clone());
            (any, ())
        });
    }

    /// What is there of a room is kept beside its draft.
    fn keep(self, room: &str) {
        let kept = self.list.try_with_untracked(|list| kept(list, room)).unwrap_or_default();
        draft::save(UserId(self.session.reader().id), &files_of(room), &kept);
    }
}

/// Where the files of a room are kept: no room has a colon in its slug.
fn files_of(room: &str) -> String {
    format!("{room}:files")
}

/// The one that may go next.
fn next(list: &[Upload]) -> Option<Upload> {
    let under_way = list.iter().filter(|upload| matches!(upload.state, UploadState::Sending(_))).count();
    let waiting = list.iter().find(|upload| upload.state == UploadState::Waiting);
    waiting.filter(|_| under_way < AT_ONCE).cloned()
}

/// What is there of a room, as text; blank when nothing is.
fn kept(list: &[Upload], room: &str) -> String {
    let there = |upload: &Upload| match &upload.state {
        UploadState::Preparing(file) | UploadState::Ready(file) => Some(file.clone()),
        _ => None,
    };
    let there: Vec<Attached> = list.iter().filter(|upload| upload.room == room).filter_map(there).collect();
    if there.is_empty() { String::new() } else { serde_json::to_string(&there).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FileId;

    fn upload(key: &str, room: &str, state: UploadState) -> Upload {
        Upload { room: room.into(), key: Key::parse(key).unwrap(), name: "a".into(), bytes: 1, state }
    }

    fn file(first: u8) -> Attached {
        let id = FileId::from_random([first; 16]);
        Attached { id, name: "a\nb".into(), media_type: "text/plain".into(), bytes: 1, width: None, height: None }
    }

    #[test]
    fn few_go_at_once_and_the_others_in_order() {
        let mut list: Vec<Upload> = (0..5).map(|n| upload(&format!("k{n}"), "a", UploadState::Waiting)).collect();
        for expected in ["k0", "k1", "k2"] {
            let key = next(&list).unwrap().key;
            assert_eq!(key.as_str(), expected);
            list.iter_mut().find(|upload| upload.key == key).unwrap().state = UploadState::Sending(0);
        }
        assert_eq!(next(&list), None);
        list[1].state = UploadState::Failed(ErrorCode::Unavailable);
        assert_eq!(next(&list).unwrap().key.as_str(), "k3");
    }

    #[test]
    fn what_is_there_of_the_room_is_kept() {
        let list = [
            upload("k0", "a", UploadState::Ready(file(1))),
            upload("k1", "b", UploadState::Ready(file(2))),
            upload("k2", "a", UploadState::Sending(99)),
            upload("k3", "a", UploadState::Preparing(file(3))),
        ];
        assert_eq!(json::read::<Vec<Attached>>(&kept(&list, "a")), Ok(vec![file(1), file(3)]));
        assert_eq!(kept(&list, "c"), "");
    }
}
