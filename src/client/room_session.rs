//! One open room: timeline and outbox joined into what the room page shows, and the verbs a reader has.

use super::conversation::Item;
use crate::domain::BodyError;
use leptos::prelude::*;
use std::sync::Arc;

/// What is above the oldest loaded row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// There is more; `load_older` fetches it.
    More,
    Loading,
    /// Fetching failed; `load_older` tries again.
    Failed,
    /// The conversation begins here.
    Beginning,
}

#[derive(Clone, Copy)]
pub struct RoomSession {}

impl RoomSession {
    /// Everything in the conversation in order, each with a key that stays when a pending row is confirmed.
    pub fn items(self) -> Signal<Vec<Arc<Item>>> {
        todo!()
    }

    /// One item by its key, for a row that is already in the DOM to follow its changes.
    pub fn item(self, _key: Arc<str>) -> Signal<Option<Arc<Item>>> {
        todo!()
    }

    pub fn older(self) -> Signal<Older> {
        todo!()
    }

    pub fn load_older(self) {
        todo!()
    }

    /// Shows the row as pending at once and sends it when the connection can. An error leaves the
    /// text with the caller.
    pub fn post(self, _text: String) -> Result<(), BodyError> {
        todo!()
    }

    /// Sends a failed row again, with its key.
    pub fn retry(self, _key: Arc<str>) {
        todo!()
    }

    /// Takes a failed row out of the outbox and gives its text back.
    pub fn discard(self, _key: Arc<str>) -> Option<String> {
        todo!()
    }

    /// The reader sees the end of the conversation: moves the read position to the head.
    pub fn seen_to_end(self) {
        todo!()
    }

    /// The reader may no longer see the room.
    pub fn revoked(self) -> Signal<bool> {
        todo!()
    }
}
