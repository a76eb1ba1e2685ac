//! The hub's one task: notices in, queues fed; and the comparison with the store that repairs
//! whatever notices did not tell.

use super::Hub;
use super::comparison::{BATCH, Rounds};
use crate::domain::{RoomId, UserId};
use crate::protocol::{CloseCode, ServerFrame};
use crate::server::channel_layer::{Delivery, Group, Notice, Reach};
use crate::server::encode;
use crate::server::store::{Store, StoreError};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// After a comparison failed, because the store was busy or gone.
const RETRY: Duration = Duration::from_secs(1);

/// Tells that the pump is over, also after a panic.
struct Ended(Hub);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.0.pump_ended.store(true, Ordering::Relaxed);
    }
}

impl Hub {
    /// Feeds the connections until `stop` or the end of the layer. One per node.
    pub async fn run(self, store: Arc<dyn Store>, now: fn() -> i64, stop: CancellationToken) {
        let _ended = Ended(self.clone());
        let (mut foreign_writes, mut epochs) = (store.foreign_writes(), store.epochs());
        let layer = Arc::clone(&self.0.layer);
        let mut store_open = true;
        let mut unsure = false;
        // Whether the lists of rooms may be others, too.
        let mut lists = false;
        let mut session_check = interval_at(Instant::now() + self.0.session_check, self.0.session_check);
        session_check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let between_nodes = layer.reach() != Reach::Alone;
        let (every, heads_per_second) = self.0.comparison;
        let mut rounds = Rounds::new(every, heads_per_second, Instant::now());
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                delivery = layer.next() => match delivery {
                    // It may be of the history that is told of only now.
                    Some(_) if epochs.has_changed().unwrap_or(false) => {
                        epochs.mark_unchanged();
                        self.start_over();
                        unsure = true;
                    }
                    Some(Delivery::Notice(notice)) => {
                        unsure |= self.take(notice, &*store).await.is_err();
                        // There may be many, and each may have been written to a few dozen sockets.
                        tokio::task::yield_now().await;
                    }
                    Some(Delivery::Lost) => {
                        self.0.cache.forget_all();
                        (unsure, lists) = (true, true);
                    }
                    None => return,
                },
                written = foreign_writes.changed(), if store_open => {
                    store_open = written.is_ok();
                    (unsure, lists) = (unsure | store_open, lists | store_open);
                }
                changed = epochs.changed(), if store_open => {
                    store_open = changed.is_ok();
                    self.start_over();
                }
                _ = session_check.tick() => self.check_sessions(&*store, now()).await,
                () = sleep(RETRY), if unsure => {}
                () = sleep_until(rounds.due()), if between_nodes => self.go_round(&mut rounds, &*store, now()).await,
            }
            if unsure && self.compare(&*store, now()).await.is_ok() {
                unsure = false;
                if std::mem::take(&mut lists) {
                    self.tell_rooms_changed(|_| true);
                }
            }
        }
    }

    async fn take(&self, notice: Notice, store: &dyn Store) -> Result<(), StoreError> {
        match notice {
            // Waited here while another history took its place: nothing of it is true any more.
            Notice::Grew(growth) if growth.log.epoch != store.epoch() => {}
            Notice::Grew(growth) => {
                self.0.cache.grew(&growth);
                self.spread(&growth);
            }
            Notice::Unread { room } => self.compare_heads(&[room], store).await?,
            Notice::Recheck { room } => {
                self.0.cache.readers_changed();
                self.memberships_changed(Some(room), None);
                self.recheck(&[room], store).await?;
            }
            Notice::RoomsChanged { user } => {
                if user.is_some() {
                    self.memberships_changed(None, user);
                }
                self.tell_rooms_changed(|other| user.is_none_or(|user| user == other));
            }
            Notice::Present { room, node } => self.present_changed(room, node),
            Notice::Spent(spending) => {
                if let Some(limits) = self.0.rate_limits.get() {
                    limits.owe(&spending);
                }
            }
            Notice::Typing(typing) => self.tell_typing(&typing),
            Notice::Read { user, room, seq } => self.tell_read(user, ServerFrame::Read { room: room.to_string(), seq }),
            Notice::SessionEnded { session } => {
                self.0.cache.accounts_changed();
                self.close_where(|peer| peer.session == Some(session));
            }
            Notice::SignedOut { user, except } => {
                self.0.cache.accounts_changed();
                self.close_where(|peer| peer.user == user && peer.session.is_some() && peer.session != except);
            }
        }
        Ok(())
    }

    /// Compares all that is known from memory with the store: heads, rights, sessions.
    async fn compare(&self, store: &dyn Store, now: i64) -> Result<(), StoreError> {
        let rooms = self.registry().followed();
        for batch in rooms.chunks(BATCH) {
            self.compare_heads(batch, store).await?;
        }
        self.recheck(&rooms, store).await?;
        self.end_fallen_sessions(store, now).await
    }

    /// In one statement.
    async fn compare_heads(&self, rooms: &[RoomId], store: &dyn Store) -> Result<(), StoreError> {
        let heads = store.heads(rooms).await?;
        let registry = self.registry();
        for (room, head) in heads {
            // First, so that whoever asks from here on does not get what is known to be too old.
            self.0.cache.head_seen(room, head);
            registry.followers(room).for_each(|queue| queue.observe_head(room, head));
        }
        Ok(())
    }

    /// One batch of the comparison by the clock.
    async fn go_round(&self, rounds: &mut Rounds, store: &dyn Store, now: i64) {
        let batch = rounds.next(Instant::now(), || self.registry().followed());
        self.0.metrics.comparison_seconds.set(rounds.period().as_secs_f64());
        if let Err(error) = self.compare_by_clock(&batch, store, now).await {
            tracing::warn!(%error, "cannot compare rooms; trying again in the next round");
        }
    }

    /// Heads; and while nothing is heard of other nodes, rights and sessions too.
    async fn compare_by_clock(&self, batch: &[RoomId], store: &dyn Store, now: i64) -> Result<(), StoreError> {
        if !batch.is_empty() {
            self.compare_heads(batch, store).await?;
        }
        if self.0.layer.reach() == Reach::Cut {
            self.0.cache.readers_changed();
            self.0.cache.accounts_changed();
            self.recheck(batch, store).await?;
            self.end_fallen_sessions(store, now).await?;
        }
        Ok(())
    }

    /// Ends the subscriptions of those who may no longer read these rooms.
    async fn recheck(&self, rooms: &[RoomId], store: &dyn Store) -> Result<(), StoreError> {
        let followers: Vec<_> = {
            let registry = self.registry();
            rooms.iter().flat_map(|room| registry.followers_by_user(*room)).collect()
        };
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
        for batch in known.chunks(BATCH) {
            let standing: HashSet<_> = store.standing_sessions(batch, now).await?.into_iter().collect();
            let fallen: HashSet<_> = batch.iter().filter(|session| !standing.contains(*session)).copied().collect();
            self.close_where(|peer| peer.session.is_some_and(|session| fallen.contains(&session)));
        }
        Ok(())
    }

    /// The log is another history: nothing of it follows on what the connections were given. They come
    /// back, not all at once, and say from where.
    fn start_over(&self) {
        self.0.cache.forget_all();
        self.begin_draining();
        let mut registry = self.registry();
        let rooms = registry.unfollow_all();
        registry.peers().for_each(|(_, queue)| queue.close(CloseCode::Restarting));
        drop(registry);
        self.settle_later(rooms.into_iter().map(Group::Room).collect());
    }

    fn tell_rooms_changed(&self, whom: impl Fn(UserId) -> bool) {
        let frame = encode::frame(&ServerFrame::RoomsChanged);
        for (_, queue) in self.registry().peers().filter(|(peer, _)| whom(peer.user)) {
            queue.rooms_changed(frame.clone());
        }
    }

    /// A connection that has no space for it fetches its list when it has.
    fn tell_read(&self, user: UserId, read: ServerFrame) {
        let (read, changed) = (encode::frame(&read), encode::frame(&ServerFrame::RoomsChanged));
        for (_, queue) in self.registry().peers().filter(|(peer, _)| peer.user == user) {
            if !queue.offer_notice(read.clone()) {
                queue.rooms_changed(changed.clone());
            }
        }
    }

    fn close_where(&self, whom: impl Fn(&super::Peer) -> bool) {
        for (_, queue) in self.registry().peers().filter(|(peer, _)| whom(peer)) {
            queue.close(CloseCode::Unauthenticated);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Seq, Slug};
    use crate::server::cache::Cache;
    use crate::server::channel_layer::MemoryLayer;
    use crate::server::config::{Config, Limits};
    use crate::server::hub::Peer;
    use crate::server::metrics::Metrics;

    #[tokio::test]
    async fn those_of_a_former_history_are_let_go_spread_over_time() {
        let metrics = Arc::new(Metrics::new());
        let cache = Arc::new(Cache::new(&Limits::default(), &metrics));
        let hub = Hub::new(&Config::default(), Arc::new(MemoryLayer::new()), cache, metrics);
        let mut connections = Vec::new();
        for user in 1..=3 {
            let peer = Peer { user: UserId(user), name: "mina".into(), session: None, address: [127, 0, 0, 1].into() };
            let connection = hub.connect(peer).await.unwrap();
            connection.follow(RoomId(1), Slug::parse("general").unwrap(), Seq(0)).await;
            connections.push(connection);
        }
        hub.start_over();
        assert_eq!(hub.0.draining.load(Ordering::Relaxed), connections.len());
        assert!(connections.iter().all(|one| one.queue().take().close == Some(CloseCode::Restarting)));
        assert_eq!(hub.registry().followed(), []);
    }
}
