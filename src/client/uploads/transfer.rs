//! The browser's side of an upload: `fetch` tells nobody how far it is, `XMLHttpRequest` does.

use super::{UploadState, answer};
use crate::domain::Key;
use crate::protocol::{Attached, ErrorCode};
use std::cell::RefCell;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{File, ProgressEvent, XmlHttpRequest};

/// Hears once what became of a request.
pub type Teller = Box<dyn FnOnce(UploadState)>;
type Progress = Closure<dyn FnMut(ProgressEvent)>;

/// One that is under way, with what the browser calls back: gone with it.
struct Request {
    request: XmlHttpRequest,
    _progress: Option<Progress>,
    _ended: Closure<dyn FnMut()>,
}

/// A file that has been chosen and may have to be sent once more, or a question about one that is there.
struct Held {
    key: Key,
    file: Option<File>,
    request: Option<Request>,
}

thread_local! {
    /// The browser's own objects are of no thread but one, and signals take none such.
    static HELD: RefCell<Vec<Held>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a file until a message can carry it.
pub fn hold(key: &Key, file: File) {
    let held = Held { key: key.clone(), file: Some(file), request: None };
    HELD.with_borrow_mut(|all| all.push(held));
}

/// Whether it can be sent once more.
pub fn holds(key: &Key) -> bool {
    HELD.with_borrow(|all| all.iter().any(|held| held.key == *key && held.file.is_some()))
}

/// Sends the file that is held under the key.
pub fn send(key: &Key, room: &str, name: &str, told: Teller, mut progress: Box<dyn FnMut(u32)>) {
    let file = HELD.with_borrow(|all| all.iter().find(|held| held.key == *key)?.file.clone());
    let Some(file) = file else { return told(UploadState::Failed(ErrorCode::NoSuchFile)) };
    let part = |text: &str| String::from(js_sys::encode_uri_component(text));
    let address = format!("/api/v1/rooms/{}/files?key={}&name={}", part(room), key.as_str(), part(name));
    let moved = Progress::new(move |event: ProgressEvent| {
        progress((100.0 * event.loaded() / event.total().max(1.0)) as u32);
    });
    request(key, "POST", &address, Some((file, moved)), told);
}

/// Asks about a file that is there.
pub fn ask(key: &Key, file: Attached, told: Teller) {
    let address = format!("/api/v1/files/{}", file.id.as_str());
    let told = Box::new(move |state| match state {
        UploadState::Failed(ErrorCode::NotFound) => told(UploadState::Failed(ErrorCode::NoSuchFile)),
        // Another time, then. What is said of the file itself is final.
        UploadState::Failed(code) if code.retryable() && code != ErrorCode::ImageFailed => {
            told(UploadState::Preparing(file))
        }
        state => told(state),
    });
    request(key, "GET", &address, None, told);
}

/// Lets go of what is held under the key; what is under way ends and is not told of.
pub fn end(key: &Key) {
    let ended = HELD.with_borrow_mut(|all| {
        let index = all.iter().position(|held| held.key == *key)?;
        Some(all.swap_remove(index))
    });
    if let Some(Request { request, .. }) = ended.as_ref().and_then(|held| held.request.as_ref()) {
        request.set_onloadend(None);
        let _ = request.abort();
    }
}

fn request(key: &Key, method: &str, address: &str, sent: Option<(File, Progress)>, told: Teller) {
    let Ok(request) = XmlHttpRequest::new() else { return told(UploadState::Failed(ErrorCode::Unknown)) };
    let (asked, held) = (request.clone(), key.clone());
    let ended = Closure::once(move || {
        let text = asked.response_text().ok().flatten().unwrap_or_default();
        let state = answer::read(asked.status().unwrap_or_default(), &text);
        // What failed may be sent again, and an image that is being prepared may fail.
        if matches!(state, UploadState::Ready(_)) {
            end(&held);
        }
        told(state);
    });
    request.set_onloadend(Some(ended.as_ref().unchecked_ref()));
    let (file, progress) = sent.unzip();
    if let (Ok(upload), Some(progress)) = (request.upload(), &progress) {
        upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
    }
    let body = file.as_ref().map(AsRef::as_ref);
    // Method and address are as they have to be; whatever else is wrong ends the request, and that is told.
    let _ = request.open(method, address).and_then(|()| request.send_with_opt_blob(body));
    HELD.with_borrow_mut(|all| {
        let file = file.or_else(|| all.iter_mut().find(|held| held.key == *key)?.file.take());
        all.retain(|held| held.key != *key);
        let request = Some(Request { request, _progress: progress, _ended: ended });
        all.push(Held { key: key.clone(), file, request });
    });
}
