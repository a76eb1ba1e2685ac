//! From a commit to the channel layer: encodes what the log gained, once for every receiver, and
//! says what else the nodes should look at.

use crate::domain::{Access, Seq, UserId};
use crate::protocol::EventKind;
use crate::server::cache::Cache;
use crate::server::channel_layer::{ChannelLayer, Growth, Notice};
use crate::server::encode::{self, LogName};
use crate::server::metrics::Metrics;
use crate::server::queue::TaskChanges;
use crate::server::store::{Foreign, Grown, Observer};
use std::sync::Arc;

/// Publishes every commit of this node's writer, in seq order per room, and tells the node's own caches
/// first: nobody can know of a commit that they do not know of.
pub struct Publisher {
    cache: Arc<Cache>,
    layer: Arc<dyn ChannelLayer>,
    metrics: Arc<Metrics>,
    task_changes: TaskChanges,
}

impl Publisher {
    pub fn new(layer: Arc<dyn ChannelLayer>, cache: Arc<Cache>, metrics: Arc<Metrics>) -> Publisher {
        Publisher { cache, layer, metrics, task_changes: TaskChanges::default() }
    }

    /// Told of each commit that did something to tasks.
    pub fn task_changes(&self) -> TaskChanges {
        self.task_changes.clone()
    }

    fn publish(&self, epoch: &Arc<str>, grown: &Grown) {
        let Some(first) = grown.events.first().map(|event| event.seq) else { return };
        let events = grown.events.iter().map(encode::event).collect();
        let changes = grown.events.iter().filter_map(|event| Some((event.seq, event.kind.target()?))).collect();
        let log = LogName { slug: grown.slug.clone(), epoch: Arc::clone(epoch) };
        let growth = Arc::new(Growth { room: grown.room, log, first, events, changes });
        self.cache.committed(grown);
        self.cache.grew(&growth);
        // What was pruned is not to be served from any node's memory: everybody asks the store.
        let pruned = grown.events.iter().any(|event| matches!(event.kind, EventKind::Pruned { .. }));
        self.layer.publish(if pruned { Notice::Unread { room: grown.room } } else { Notice::Grew(growth) });
        for event in &grown.events {
            self.publish_consequences(grown, event.seq, &event.kind);
        }
    }

    fn publish_consequences(&self, grown: &Grown, seq: Seq, kind: &EventKind) {
        let open = grown.access == Access::Open;
        match kind {
            EventKind::Posted { .. } => {
                self.metrics.posts.inc();
            }
            // The first event of a log means a new room: if it is open, everybody can see it.
            EventKind::Joined { .. } if seq == Seq(1) && open => {
                self.layer.publish(Notice::RoomsChanged { user: None });
            }
            EventKind::Joined { member } => {
                self.layer.publish(Notice::RoomsChanged { user: Some(UserId(member.id)) });
            }
            EventKind::Left { member } => {
                self.layer.publish(Notice::Recheck { room: grown.room });
                self.layer.publish(Notice::RoomsChanged { user: Some(UserId(member.id)) });
            }
            // In a closed room the event itself tells its members; to others nothing happened.
            EventKind::Renamed { .. } if open => self.layer.publish(Notice::RoomsChanged { user: None }),
            EventKind::AccessChanged { access, .. } => {
                if *access == Access::Closed {
                    self.layer.publish(Notice::Recheck { room: grown.room });
                }
                self.layer.publish(Notice::RoomsChanged { user: None });
            }
            EventKind::Renamed { .. }
            | EventKind::Edited { .. }
            | EventKind::Deleted { .. }
            | EventKind::Preview { .. }
            | EventKind::Task { .. }
            | EventKind::TaskChanged { .. }
            | EventKind::RetentionChanged { .. }
            | EventKind::Pruned { .. }
            | EventKind::Unknown => {}
        }
    }
}

impl Observer for Publisher {
    fn grown(&self, epoch: &Arc<str>, rooms: &[Grown]) {
        rooms.iter().for_each(|grown| self.publish(epoch, grown));
    }

    fn accounts_changed(&self) {
        self.cache.accounts_changed();
    }

    fn tasks_changed(&self) {
        self.task_changes.tell();
    }

    fn tells_nodes(&self) -> bool {
        true
    }

    fn foreign_write(&self, kind: Foreign) {
        match kind {
            Foreign::Logs | Foreign::Rooms => {}
            Foreign::Settings => self.cache.accounts_changed(),
            Foreign::Accounts | Foreign::Rights => self.cache.rights_changed(),
            Foreign::Anything => self.cache.forget_all(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{RoomId, Slug};
    use crate::protocol::{Author, Event};
    use crate::server::channel_layer::{Delivery, MemoryLayer};
    use crate::server::config::Limits;

    const END: Notice = Notice::SessionEnded { session: [0; 32] };

    /// What everybody's node is told about a room that grew like this.
    async fn told_to_everyone(access: Access, kinds: Vec<EventKind>) -> Vec<Notice> {
        let layer = Arc::new(MemoryLayer::new());
        let metrics = Arc::new(Metrics::new());
        let cache = Arc::new(Cache::new(&Limits::default(), &metrics));
        let publisher = Publisher::new(layer.clone(), cache, metrics);
        let events = (1..).zip(kinds).map(|(seq, kind)| Event { seq: Seq(seq), at: 1, kind }).collect();
        publisher.grown(&"e".into(), &[Grown { room: RoomId(1), slug: Slug::parse("a").unwrap(), access, events }]);
        layer.publish(END);
        let mut told = Vec::new();
        loop {
            match layer.next().await {
                Some(Delivery::Notice(END)) => return told,
                Some(Delivery::Notice(notice)) => told.push(notice),
                other => panic!("{other:?}"),
            }
        }
    }

    fn made_and_renamed() -> Vec<EventKind> {
        let mina = Author { id: 1, name: "mina".into() };
        vec![EventKind::Joined { member: mina.clone() }, EventKind::Renamed { by: mina, name: "b".into() }]
    }

    #[tokio::test]
    async fn what_happens_in_a_closed_room_is_not_noticed_outside() {
        assert_eq!(told_to_everyone(Access::Closed, made_and_renamed()).await, []);
    }

    #[tokio::test]
    async fn everybody_hears_of_open_rooms_and_of_rooms_that_close() {
        let changed = Notice::RoomsChanged { user: None };
        assert_eq!(told_to_everyone(Access::Open, made_and_renamed()).await, [changed.clone(), changed.clone()]);
        let by = Author { id: 1, name: "mina".into() };
        let closed = vec![EventKind::AccessChanged { by, access: Access::Closed }];
        let recheck = Notice::Recheck { room: RoomId(1) };
        assert_eq!(
            told_to_everyone(Access::Closed, closed).await,
            [recheck, changed],
            "any node may remember who reads it"
        );
    }
}
