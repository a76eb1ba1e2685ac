//! What every layer behind `ChannelLayer` guarantees, as one suite. A layer is added with one line
//! at the end of this file.

use crate::app::PATIENCE;
use pickmate::domain::{RoomId, UserId};
use pickmate::server::channel_layer::{ChannelLayer, Delivery, Group, MemoryLayer, Notice};

/// An installation whose nodes' ends of the layer hold a bounded number of waiting notices.
trait Installation {
    type Layer: ChannelLayer;

    fn with_capacity(capacity: usize) -> Self;

    /// One more node.
    fn node(&self) -> Self::Layer;
}

struct Memory(MemoryLayer);

impl Installation for Memory {
    type Layer = MemoryLayer;

    fn with_capacity(capacity: usize) -> Memory {
        Memory(MemoryLayer::with_capacity(capacity))
    }

    fn node(&self) -> MemoryLayer {
        self.0.peer()
    }
}

const ROOM: RoomId = RoomId(1);
const USER: UserId = UserId(2);

fn to_room() -> Notice {
    Notice::Recheck { room: ROOM }
}

fn to_user() -> Notice {
    Notice::RoomsChanged { user: Some(USER) }
}

/// To everyone, told apart by a number.
fn to_everyone(number: u8) -> Notice {
    Notice::SessionEnded { session: [number; 32] }
}

async fn next(layer: &impl ChannelLayer) -> Delivery {
    tokio::time::timeout(PATIENCE, layer.next()).await.expect("a delivery in time").expect("an open layer")
}

async fn hears(layer: &impl ChannelLayer, notice: Notice) {
    assert_eq!(next(layer).await, Delivery::Notice(notice));
}

async fn a_notice_reaches_every_subscribed_node_its_own_too(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    for group in [Group::Room(ROOM), Group::User(USER)] {
        one.subscribe(group).await;
        other.subscribe(group).await;
    }
    one.publish(to_room());
    other.publish(to_user());
    for node in [&one, &other] {
        let heard = [next(node).await, next(node).await];
        assert!(heard.contains(&Delivery::Notice(to_room())) && heard.contains(&Delivery::Notice(to_user())));
    }
}

async fn other_groups_are_not_heard(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    other.subscribe(Group::Room(RoomId(ROOM.0 + 1))).await;
    other.subscribe(Group::User(UserId(USER.0 + 1))).await;
    one.publish(to_room());
    one.publish(to_user());
    one.publish(to_everyone(1));
    hears(&other, to_everyone(1)).await;
}

async fn what_is_for_everyone_needs_no_subscription(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    one.publish(to_everyone(1));
    hears(&one, to_everyone(1)).await;
    hears(&other, to_everyone(1)).await;
}

async fn nothing_is_heard_after_unsubscribing(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    other.subscribe(Group::Room(ROOM)).await;
    one.publish(to_room());
    hears(&other, to_room()).await;
    other.unsubscribe(Group::Room(ROOM)).await;
    one.publish(to_room());
    one.publish(to_everyone(1));
    hears(&other, to_everyone(1)).await;
}

async fn subscribing_twice_is_subscribing_once(nodes: impl Installation) {
    let node = nodes.node();
    node.subscribe(Group::Room(ROOM)).await;
    node.subscribe(Group::Room(ROOM)).await;
    node.publish(to_room());
    node.publish(to_everyone(1));
    hears(&node, to_room()).await;
    hears(&node, to_everyone(1)).await;
}

async fn notices_of_one_node_to_one_group_keep_their_order(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    for number in 0..100 {
        one.publish(to_everyone(number));
    }
    for number in 0..100 {
        hears(&other, to_everyone(number)).await;
    }
}

async fn a_full_node_is_told_that_it_missed_some(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    for number in 0..10 {
        one.publish(to_everyone(number));
        hears(&one, to_everyone(number)).await;
    }
    let mut heard = Vec::new();
    let mut lost = 0;
    while heard.len() < CAPACITY {
        match next(&other).await {
            Delivery::Notice(notice) => heard.push(notice),
            Delivery::Lost => lost += 1,
        }
    }
    assert_eq!(lost, 1, "a loss is told once");
    assert_eq!(heard, (0..CAPACITY as u8).map(to_everyone).collect::<Vec<_>>());
    one.publish(to_everyone(99));
    hears(&other, to_everyone(99)).await;
}

async fn a_node_that_is_gone_holds_nobody_up(nodes: impl Installation) {
    let (one, other, gone) = (nodes.node(), nodes.node(), nodes.node());
    gone.subscribe(Group::Room(ROOM)).await;
    other.subscribe(Group::Room(ROOM)).await;
    drop(gone);
    one.publish(to_room());
    hears(&other, to_room()).await;
}

async fn a_waiting_node_is_woken(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    let (heard, ()) = tokio::join!(next(&other), async {
        tokio::task::yield_now().await;
        one.publish(to_everyone(1));
    });
    assert_eq!(heard, Delivery::Notice(to_everyone(1)));
}

/// Fits every test but the one about losses.
const ROOMY: usize = 1_000;

/// What a node holds in the test about losses.
const CAPACITY: usize = 4;

macro_rules! suite {
    ($($test:ident($capacity:expr))*) => {
        macro_rules! layer {
            ($name:ident, $installation:ty) => {
                mod $name {
                    use super::*;
                    $(
                        #[tokio::test]
                        async fn $test() {
                            super::$test(<$installation>::with_capacity($capacity)).await;
                        }
                    )*
                }
            };
        }
    };
}

suite! {
    a_notice_reaches_every_subscribed_node_its_own_too(ROOMY)
    other_groups_are_not_heard(ROOMY)
    what_is_for_everyone_needs_no_subscription(ROOMY)
    nothing_is_heard_after_unsubscribing(ROOMY)
    subscribing_twice_is_subscribing_once(ROOMY)
    notices_of_one_node_to_one_group_keep_their_order(ROOMY)
    a_full_node_is_told_that_it_missed_some(CAPACITY)
    a_node_that_is_gone_holds_nobody_up(ROOMY)
    a_waiting_node_is_woken(ROOMY)
}

layer!(memory, Memory);
