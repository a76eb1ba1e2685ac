//! Which rooms there are and who may read them.

use super::gathering::Gathering;
use super::lru::Lru;
use crate::domain::{Access, RoomId, Slug, UserId};
use crate::protocol::EventKind;
use crate::server::config::Limits;
use crate::server::metrics::{Metrics, StoreRead};
use crate::server::store::{Grown, RoomReaders, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Answer = Result<Option<Arc<Known>>, StoreError>;

/// Rooms with their access and, of closed ones, all members.
pub struct Rooms {
    state: Mutex<State>,
    gathering: Gathering<Slug, Answer>,
    metrics: Arc<Metrics>,
}

struct State {
    /// By weight of one and its members.
    known: Lru<Slug, Arc<Known>>,
    /// Changes of who may read what, since the start.
    changes: u64,
}

struct Known {
    id: RoomId,
    access: Access,
    members: HashSet<UserId>,
}

impl Rooms {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Rooms {
        let state = State { known: Lru::new(limits.members_cached), changes: 0 };
        Rooms { state: Mutex::new(state), gathering: Gathering::default(), metrics }
    }

    /// The room, if `user` may read it at some moment after the call began. Another process may have let
    /// somebody in a moment ago, so `None` is to be confirmed by the store.
    pub async fn readable(
        &self,
        store: &Arc<dyn Store>,
        slug: &Slug,
        user: UserId,
    ) -> Result<Option<RoomId>, StoreError> {
        let known = self.lock().known.get(slug).cloned();
        let known = match known {
            Some(known) => Some(known),
            None => self.gathering.ask(slug.clone(), Ok(None), |slugs| self.read(store, slugs)).await?,
        };
        Ok(known.filter(|room| room.access == Access::Open || room.members.contains(&user)).map(|room| room.id))
    }

    /// A read is kept only if nothing that it may have missed has happened since it began.
    async fn read(&self, store: &Arc<dyn Store>, slugs: Vec<Slug>) -> HashMap<Slug, Answer> {
        self.metrics.count_read(StoreRead::Rooms);
        let before = self.lock().changes;
        let found = match store.readers(&slugs).await {
            Ok(found) => found,
            Err(error) => return slugs.into_iter().map(|slug| (slug, Err(error.clone()))).collect(),
        };
        let mut state = self.lock();
        let current = state.changes == before;
        let answers = found.into_iter().map(|RoomReaders { id, slug, access, members }| {
            let known = Arc::new(Known { id, access, members: members.into_iter().collect() });
            if current {
                state.known.insert(slug.clone(), Arc::clone(&known), 1 + known.members.len());
            }
            (slug, Ok(Some(known)))
        });
        answers.collect()
    }

    /// Who may read the room may be others from here on.
    pub(super) fn grew(&self, grown: &Grown) {
        let changes = |kind: &EventKind| {
            matches!(kind, EventKind::Joined { .. } | EventKind::Left { .. } | EventKind::AccessChanged { .. })
        };
        if grown.events.iter().any(|event| changes(&event.kind)) {
            let mut state = self.lock();
            state.changes += 1;
            state.known.remove(&grown.slug);
        }
    }

    pub(super) fn forget_all(&self) {
        let mut state = self.lock();
        state.changes += 1;
        state.known.clear();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
