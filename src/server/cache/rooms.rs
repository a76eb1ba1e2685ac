//! Which rooms there are and who may read them.

use super::gathering::Gathering;
use super::remembered::Remembered;
use crate::domain::{Access, RoomId, Slug, UserId};
use crate::protocol::EventKind;
use crate::server::config::Limits;
use crate::server::metrics::{Metrics, StoreRead};
use crate::server::store::{Grown, RoomReaders, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

type Answer = Result<Option<Arc<Known>>, StoreError>;

/// Rooms with their access and, of closed ones, all members.
pub struct Rooms {
    /// By weight of one and its members.
    known: Remembered<Slug, Arc<Known>>,
    gathering: Gathering<Slug, Answer>,
    metrics: Arc<Metrics>,
}

struct Known {
    id: RoomId,
    access: Access,
    members: HashSet<UserId>,
}

impl Rooms {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Rooms {
        // At once: there are no more questions than rooms.
        let gathering = Gathering::new(Duration::ZERO);
        Rooms { known: Remembered::new(limits.members_cached), gathering, metrics }
    }

    /// The room, if `user` may read it at some moment after the call began. Another process may have let
    /// somebody in a moment ago, so `None` is to be confirmed by the store.
    pub async fn readable(
        &self,
        store: &Arc<dyn Store>,
        slug: &Slug,
        user: UserId,
    ) -> Result<Option<RoomId>, StoreError> {
        let known = match self.known.get(slug) {
            Some(known) => Some(known),
            None => self.gathering.ask(slug.clone(), Ok(None), |slugs| self.read(store, slugs)).await?,
        };
        Ok(known.filter(|room| room.access == Access::Open || room.members.contains(&user)).map(|room| room.id))
    }

    async fn read(&self, store: &Arc<dyn Store>, slugs: Vec<Slug>) -> HashMap<Slug, Answer> {
        self.metrics.count_read(StoreRead::Rooms);
        let begun = self.known.begin();
        let found = match store.readers(&slugs).await {
            Ok(found) => found,
            Err(error) => return slugs.into_iter().map(|slug| (slug, Err(error.clone()))).collect(),
        };
        let known = found.into_iter().map(|RoomReaders { id, slug, access, members }| {
            (slug, Arc::new(Known { id, access, members: members.into_iter().collect() }))
        });
        let known: Vec<_> = known.collect();
        self.known.keep(begun, known.iter().map(|(slug, room)| (slug.clone(), room.clone(), 1 + room.members.len())));
        known.into_iter().map(|(slug, room)| (slug, Ok(Some(room)))).collect()
    }

    /// Who may read the room may be others from here on.
    pub(super) fn grew(&self, grown: &Grown) {
        let changes = |kind: &EventKind| {
            matches!(kind, EventKind::Joined { .. } | EventKind::Left { .. } | EventKind::AccessChanged { .. })
        };
        if grown.events.iter().any(|event| changes(&event.kind)) {
            self.known.forget(&grown.slug);
        }
    }

    pub(super) fn forget_all(&self) {
        self.known.forget_all();
    }
}
