//! Keeps what this node knows from memory in step with the store: what nothing told of is found here.

use super::Hub;
use super::comparison::BATCH;
use super::doubts::{Doubts, Known, Work};
use super::registry::{Follower, Right};
use crate::domain::RoomId;
use crate::protocol::ServerFrame;
use crate::server::channel_layer::{Group, Reach};
use crate::server::encode;
use crate::server::store::{Store, StoreError};
use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until};

/// After a comparison failed, because the store was busy or gone.
const RETRY: Duration = Duration::from_secs(1);

/// Connections that are told of something before others have their turn.
const TOLD_TOGETHER: usize = 64;

impl Hub {
    /// Compares whatever is in doubt. Never returns.
    pub(super) async fn keep_in_step(&self, store: &dyn Store, now: fn() -> i64) {
        let mut foreign_writes = store.foreign_writes();
        let mut store_open = true;
        let mut session_check = interval_at(Instant::now() + self.0.session_check, self.0.session_check);
        session_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.doubts().due(Instant::now());
            tokio::select! {
                written = foreign_writes.next(), if store_open => match written {
                    Some(kind) => self.doubt(|doubts, now| doubts.written(kind, self.reach(), now)),
                    None => store_open = false,
                },
                _ = session_check.tick() => self.check_sessions(store, now()).await,
                () = self.0.doubted.notified() => {}
                () = until(due) => self.settle(store, now()).await,
            }
        }
    }

    /// Something may be otherwise than this node knows.
    pub(super) fn doubt(&self, of: impl FnOnce(&mut Doubts, Instant)) {
        of(&mut self.doubts(), Instant::now());
        self.0.doubted.notify_one();
    }

    fn doubts(&self) -> MutexGuard<'_, Doubts> {
        self.0.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is due first.
    async fn settle(&self, store: &dyn Store, now: i64) {
        let work = self.doubts().next(self.reach(), Instant::now(), self);
        let Some(work) = work else { return };
        let done = match &work {
            Work::Grown(rooms) | Work::Round(rooms) => self.compare_heads(rooms, store).await,
            Work::Recheck(rooms) => self.recheck(rooms, store).await,
            Work::Rights(rights) => self.compare_rights(rights, store, now).await,
            Work::Lists => {
                self.memberships_changed(None, None);
                self.tell_everybody();
                Ok(())
            }
        };
        if let Err(error) = done {
            tracing::warn!(%error, "cannot compare with the store; trying again");
            self.doubts().put_off(work, Instant::now() + RETRY);
        }
        self.0.metrics.comparison_seconds.set(self.doubts().period().as_secs_f64());
    }

    /// Everybody looks at their list of rooms anew, but not all at once: no faster than they may come back
    /// after a deploy.
    fn tell_everybody(&self) {
        let queues: Vec<_> = self.registry().peers().map(|(_, queue)| Arc::clone(queue)).collect();
        let per_second = f64::from(self.0.comeback.per_second.max(1));
        let (hub, frame) = (self.clone(), encode::frame(&ServerFrame::RoomsChanged));
        self.0.sweeps.spawn(async move {
            for some in queues.chunks(TOLD_TOGETHER) {
                some.iter().for_each(|queue| queue.rooms_changed(frame.clone()));
                // Nobody is left who waits for it.
                if hub.connections() == 0 {
                    break;
                }
                sleep(Duration::from_secs_f64(some.len() as f64 / per_second)).await;
            }
            hub.doubt(|doubts, now| doubts.told(now));
        });
    }

    /// In one statement.
    async fn compare_heads(&self, rooms: &[RoomId], store: &dyn Store) -> Result<(), StoreError> {
        if rooms.is_empty() {
            return Ok(());
        }
        let heads = store.heads(rooms).await?;
        let registry = self.registry();
        for (room, head) in heads {
            // First, so that whoever asks from here on does not get what is known to be too old.
            self.0.cache.head_seen(room, head);
            registry.followers(room).for_each(|queue| queue.observe_head(room, head));
        }
        Ok(())
    }

    async fn compare_rights(&self, rights: &[Right], store: &dyn Store, now: i64) -> Result<(), StoreError> {
        let (mut sessions, mut followers) = (Vec::new(), Vec::new());
        for right in rights {
            match right {
                Right::Session(session) => sessions.push(*session),
                Right::Reading(follower) => followers.push(*follower),
            }
        }
        self.compare_sessions(&sessions, store, now).await?;
        self.compare_followers(&followers, store).await
    }

    /// Ends the subscriptions of those who may no longer read these rooms.
    async fn recheck(&self, rooms: &[RoomId], store: &dyn Store) -> Result<(), StoreError> {
        let followers: Vec<_> = {
            let registry = self.registry();
            rooms.iter().flat_map(|room| registry.followers_by_user(*room)).collect()
        };
        self.compare_followers(&followers, store).await
    }

    async fn compare_followers(&self, followers: &[Follower], store: &dyn Store) -> Result<(), StoreError> {
        for batch in followers.chunks(BATCH) {
            let pairs: Vec<_> = batch.iter().map(|follower| (follower.room, follower.user)).collect();
            let readable: HashSet<_> = store.readable(&pairs).await?.into_iter().collect();
            for follower in batch.iter().filter(|follower| !readable.contains(&(follower.room, follower.user))) {
                self.revoke(follower.connection, follower.room);
            }
        }
        Ok(())
    }

    fn revoke(&self, connection: u64, room: RoomId) {
        let mut registry = self.registry();
        registry.unfollow(connection, room);
        if let Some(queue) = registry.queue(connection)
            && let Some(slug) = queue.unfollow(room)
        {
            queue.tell(encode::frame(&ServerFrame::Revoked { room: slug.to_string() }));
        }
        drop(registry);
        self.settle_later(vec![Group::Room(room)]);
    }

    /// Expiry sends no notice, and a sign-out whose request was dropped half-way may not have sent
    /// its own: what has not stood at the last check loses its sockets at this one.
    async fn check_sessions(&self, store: &dyn Store, now: i64) {
        if let Err(error) = self.end_fallen_sessions(store, now).await {
            tracing::warn!(%error, "cannot compare sessions; trying again at the next check");
        }
    }

    async fn end_fallen_sessions(&self, store: &dyn Store, now: i64) -> Result<(), StoreError> {
        let known: HashSet<[u8; 32]> = self.registry().peers().filter_map(|(peer, _)| peer.session).collect();
        let known: Vec<_> = known.into_iter().collect();
        self.compare_sessions(&known, store, now).await
    }

    async fn compare_sessions(&self, known: &[[u8; 32]], store: &dyn Store, now: i64) -> Result<(), StoreError> {
        for batch in known.chunks(BATCH) {
            let standing: HashSet<_> = store.standing_sessions(batch, now).await?.into_iter().collect();
            let fallen: HashSet<_> = batch.iter().filter(|session| !standing.contains(*session)).copied().collect();
            self.close_where(|peer| peer.session.is_some_and(|session| fallen.contains(&session)));
        }
        Ok(())
    }
}

impl Known for Hub {
    fn followed(&self) -> Vec<RoomId> {
        self.registry().followed()
    }

    fn rights(&self) -> Vec<Right> {
        // While nothing is heard of other nodes, what is remembered may have ended there.
        if self.reach() == Reach::Cut {
            self.0.cache.rights_changed();
        }
        self.registry().rights()
    }
}

/// Without a moment it never returns.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
