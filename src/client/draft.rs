//! What the reader has begun to write in a room, kept in this browser until it is sent. Called from
//! effects and event handlers only. A browser that keeps nothing (private mode, full) loses drafts
//! on reload and nothing else.

use crate::domain::UserId;
use leptos::prelude::window;

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

/// Accounts that share a browser do not see each other's drafts by accident.
fn name(reader: UserId, room: &str) -> String {
    format!("draft:{}:{room}", reader.0)
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
