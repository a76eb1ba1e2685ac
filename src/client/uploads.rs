//! Files that are to go with the next message: sent to the server as they are chosen, each with a key that
//! stays when it is sent again. The browser's own objects are kept beside the signals, which know none.

use super::browser;
use crate::domain::Key;
use crate::protocol::{Attached, ErrorBody, ErrorCode, json};
use leptos::prelude::*;
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{File, FileList, ProgressEvent, XmlHttpRequest};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub key: Key,
    pub name: String,
    pub state: UploadState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadState {
    /// Percent of its bytes that are there.
    Sending(u32),
    Ready(Attached),
    Failed(ErrorCode),
}

/// What is said when files cannot be sent with the message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotReady;

/// The files of one room's text box.
#[derive(Clone, Copy)]
pub struct Uploads {
    slug: StoredValue<String>,
    most_bytes: u64,
    list: RwSignal<Vec<Upload>>,
}

thread_local! {
    /// What is being sent, and by what, until it is taken out.
    static FILES: RefCell<Vec<(Key, File, XmlHttpRequest)>> = const { RefCell::new(Vec::new()) };
}

impl Uploads {
    pub fn new(slug: StoredValue<String>, most_bytes: u64) -> Uploads {
        Uploads { slug, most_bytes, list: RwSignal::new(Vec::new()) }
    }

    /// Followed.
    pub fn list(self) -> Vec<Upload> {
        self.list.get()
    }

    /// Followed.
    pub fn is_empty(self) -> bool {
        self.list.with(Vec::is_empty)
    }

    /// Whether nothing is to be waited for; followed.
    pub fn are_ready(self) -> bool {
        self.list.with(|list| list.iter().all(|upload| matches!(upload.state, UploadState::Ready(_))))
    }

    /// Begins to send them. Whether there are any.
    pub fn take_in(self, files: Option<FileList>) -> bool {
        let Some(files) = files.filter(|files| files.length() > 0) else { return false };
        for file in (0..files.length()).filter_map(|index| files.get(index)) {
            let (key, name) = (browser::random_key(), file.name());
            let fits = file.size() <= self.most_bytes as f64;
            let state = if fits { UploadState::Sending(0) } else { UploadState::Failed(ErrorCode::TooLarge) };
            self.list.update(|list| list.push(Upload { key: key.clone(), name, state }));
            if fits {
                self.send(key, file);
            }
        }
        true
    }

    /// Sends one again that failed, with its key.
    pub fn again(self, key: &Key) {
        if let Some(file) = take_out(key) {
            self.set(key, UploadState::Sending(0));
            self.send(key.clone(), file);
        }
    }

    /// Whether sending it again could help.
    pub fn may_go_again(upload: &Upload) -> bool {
        matches!(upload.state, UploadState::Failed(code) if code.retryable() || code == ErrorCode::Unauthenticated)
    }

    pub fn remove(self, key: &Key) {
        take_out(key);
        self.list.update(|list| list.retain(|upload| upload.key != *key));
    }

    /// What is to go with a message, if all of it is there.
    pub fn ready(self) -> Result<Vec<Attached>, NotReady> {
        let ready = |upload: &Upload| match &upload.state {
            UploadState::Ready(file) => Ok(file.clone()),
            _ => Err(NotReady),
        };
        self.list.with_untracked(|list| list.iter().map(ready).collect())
    }

    /// They have gone with a message.
    pub fn clear(self) {
        self.list.update(|list| list.drain(..).for_each(|upload| drop(take_out(&upload.key))));
    }

    fn set(self, key: &Key, state: UploadState) {
        self.list.try_update(|list| {
            if let Some(upload) = list.iter_mut().find(|upload| upload.key == *key) {
                upload.state = state;
            }
        });
    }

    fn send(self, key: Key, file: File) {
        let Ok(request) = XmlHttpRequest::new() else { return };
        let name = String::from(js_sys::encode_uri_component(&file.name()));
        let slug = self.slug.with_value(|slug| String::from(js_sys::encode_uri_component(slug)));
        let url = format!("/api/v1/rooms/{slug}/files?key={}&name={name}", key.as_str());
        let told = key.clone();
        let progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            let percent = 100.0 * event.loaded() / event.total().max(1.0);
            self.set(&told, UploadState::Sending(percent as u32));
        });
        let (told, asked) = (key.clone(), request.clone());
        let end = Closure::once_into_js(move || self.set(&told, outcome(&asked)));
        if let Ok(upload) = request.upload() {
            upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
        }
        // They live as long as the request, which the browser holds.
        progress.forget();
        request.set_onloadend(Some(end.unchecked_ref()));
        let sent = request.open("POST", &url).and_then(|()| request.send_with_opt_blob(Some(&file)));
        if sent.is_err() {
            self.set(&key, UploadState::Failed(ErrorCode::Unavailable));
        }
        FILES.with_borrow_mut(|files| files.push((key, file, request)));
    }
}

/// What came of a request that has ended.
fn outcome(request: &XmlHttpRequest) -> UploadState {
    let text = request.response_text().ok().flatten().unwrap_or_default();
    match request.status() {
        Ok(200 | 201) => json::read(&text).map_or(UploadState::Failed(ErrorCode::Unknown), UploadState::Ready),
        // There was no answer.
        Ok(0) | Err(_) => UploadState::Failed(ErrorCode::Unavailable),
        Ok(_) => UploadState::Failed(json::read(&text).map_or(ErrorCode::Unknown, |ErrorBody { code, .. }| code)),
    }
}

/// Whatever of it is under way ends.
fn take_out(key: &Key) -> Option<File> {
    let taken = FILES.with_borrow_mut(|files| {
        let index = files.iter().position(|(known, ..)| known == key)?;
        Some(files.remove(index))
    });
    let (_, file, request) = taken?;
    request.set_onloadend(None);
    let _ = request.abort();
    Some(file)
}
