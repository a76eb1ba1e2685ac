//! The hub's one task: notices in, queues fed. What notices did not tell is found beside it (`comparing`).

use super::Hub;
use super::doubts::Doubts;
use crate::domain::UserId;
use crate::protocol::{CloseCode, ServerFrame};
use crate::server::channel_layer::{Delivery, Group, Notice};
use crate::server::encode;
use crate::server::store::Store;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

/// Tells that the pump is over, also after a panic.
struct Ended(Hub);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.0.pump_ended.store(true, Ordering::Relaxed);
    }
}

impl Hub {
    /// Feeds the connections, and keeps what this node knows in step with the store, until `stop` or the end of
    /// the layer. One per node.
    pub async fn run(self, store: Arc<dyn Store>, now: fn() -> i64, stop: CancellationToken) {
        let _ended = Ended(self.clone());
        // Side by side: while the store is silent, what other nodes tell is delivered all the same, and a stop
        // is not held by it.
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.deliver(&*store) => {}
            () = self.keep_in_step(&*store, now) => {}
        }
    }

    async fn deliver(&self, store: &dyn Store) {
        let mut epochs = store.epochs();
        let mut store_open = true;
        loop {
            tokio::select! {
                delivery = self.0.layer.next() => match delivery {
                    // It may be of the history that is told of only now.
                    Some(_) if epochs.has_changed().unwrap_or(false) => {
                        epochs.mark_unchanged();
                        self.start_over();
                        self.doubt(Doubts::of_everything);
                    }
                    Some(Delivery::Notice(notice)) => {
                        self.take(notice, store);
                        // There may be many, and each may have been written to a few dozen sockets.
                        tokio::task::yield_now().await;
                    }
                    Some(Delivery::Lost) => {
                        self.0.cache.forget_all();
                        self.doubt(Doubts::of_everything);
                    }
                    None => return,
                },
                changed = epochs.changed(), if store_open => {
                    store_open = changed.is_ok();
                    self.start_over();
                }
            }
        }
    }

    fn take(&self, notice: Notice, store: &dyn Store) {
        match notice {
            // Waited here while another history took its place: nothing of it is true any more.
            Notice::Grew(growth) if growth.log.epoch != store.epoch() => {}
            Notice::Grew(growth) => {
                self.0.cache.grew(&growth);
                self.spread(&growth);
            }
            Notice::Unread { room } => self.doubt(|doubts, _| doubts.of_head(room)),
            Notice::Recheck { room } => {
                self.0.cache.readers_changed();
                self.memberships_changed(Some(room), None);
                self.doubt(|doubts, _| doubts.of_readers(room));
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

    pub(super) fn tell_rooms_changed(&self, whom: impl Fn(UserId) -> bool) {
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

    pub(super) fn close_where(&self, whom: impl Fn(&super::Peer) -> bool) {
        for (_, queue) in self.registry().peers().filter(|(peer, _)| whom(peer)) {
            queue.close(CloseCode::Unauthenticated);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomId, Seq, Slug};
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
