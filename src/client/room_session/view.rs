//! What a room shows, made anew from timeline and outbox whenever one of them changes.

use super::super::conversation::{Item, Source, items};
use super::super::outbox::Entry;
use super::super::session::Session;
use super::Room;
use leptos::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

/// Items in order, and by key for the rows that follow their own.
#[derive(Default)]
pub(super) struct View {
    pub list: Vec<Arc<Item>>,
    pub by_key: HashMap<Arc<str>, Arc<Item>>,
}

impl PartialEq for View {
    fn eq(&self, other: &View) -> bool {
        self.list == other.list
    }
}

impl View {
    /// Items that are as they were stay the same allocation, so that their rows have nothing to do.
    pub fn of(session: Session, room: StoredValue<Room>, before: Option<&View>) -> View {
        let zone = session.zone().get();
        let day_of = |at| zone.day_number(at);
        let delay = session.delay();
        let fresh = session.update(|core| {
            let reader = core.reader.clone();
            room.try_with_value(|room| {
                let outbox: Vec<&Entry> = core.outbox.of(&room.slug).collect();
                let seam = room.timeline.seam();
                items(Source {
                    rows: room.timeline.rows(),
                    seam,
                    outbox: &outbox,
                    epoch: room.timeline.epoch(),
                    delay,
                    reader: &reader,
                    day_of: &day_of,
                })
            })
        });
        let mut view = View::default();
        for item in fresh.flatten().unwrap_or_default() {
            let same = before.and_then(|before| before.by_key.get(item.key())).filter(|old| ***old == item);
            let item = same.cloned().unwrap_or_else(|| Arc::new(item));
            view.by_key.insert(item.key().clone(), item.clone());
            view.list.push(item);
        }
        view
    }
}
