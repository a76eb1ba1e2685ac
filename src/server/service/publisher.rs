//! From a commit to the channel layer: encodes what the log gained, once for every receiver, and
//! says what else the nodes should look at.

use crate::domain::{Access, Seq, UserId};
use crate::protocol::EventKind;
use crate::server::channel_layer::{ChannelLayer, Growth, Notice};
use crate::server::hub::encode;
use crate::server::metrics::Metrics;
use crate::server::store::{Grown, Observer};
use std::sync::Arc;

/// Publishes every commit of this node's writer, in seq order per room.
pub struct Publisher {
    layer: Arc<dyn ChannelLayer>,
    metrics: Arc<Metrics>,
}

impl Publisher {
    pub fn new(layer: Arc<dyn ChannelLayer>, metrics: Arc<Metrics>) -> Publisher {
        Publisher { layer, metrics }
    }

    fn publish(&self, grown: &Grown) {
        let Some(first) = grown.events.first().map(|event| event.seq) else { return };
        let events = grown.events.iter().map(encode::event).collect();
        let growth = Growth { room: grown.room, slug: grown.slug.clone(), first, events };
        self.layer.publish(Notice::Grew(Arc::new(growth)));
        for event in &grown.events {
            self.publish_consequences(grown, event.seq, &event.kind);
        }
    }

    fn publish_consequences(&self, grown: &Grown, seq: Seq, kind: &EventKind) {
        match kind {
            EventKind::Posted { .. } => {
                self.metrics.posts.inc();
            }
            // The first event of a log means a new room, which everybody may be able to see.
            EventKind::Joined { .. } if seq == Seq(1) => self.layer.publish(Notice::RoomsChanged { user: None }),
            EventKind::Joined { member } => {
                self.layer.publish(Notice::RoomsChanged { user: Some(UserId(member.id)) });
            }
            EventKind::Left { member } => {
                self.layer.publish(Notice::Recheck { room: grown.room });
                self.layer.publish(Notice::RoomsChanged { user: Some(UserId(member.id)) });
            }
            EventKind::Renamed { .. } => self.layer.publish(Notice::RoomsChanged { user: None }),
            EventKind::AccessChanged { access, .. } => {
                if *access == Access::Closed {
                    self.layer.publish(Notice::Recheck { room: grown.room });
                }
                self.layer.publish(Notice::RoomsChanged { user: None });
            }
            EventKind::Edited { .. } | EventKind::Deleted { .. } | EventKind::Unknown => {}
        }
    }
}

impl Observer for Publisher {
    fn grown(&self, rooms: &[Grown]) {
        rooms.iter().for_each(|grown| self.publish(grown));
    }
}
