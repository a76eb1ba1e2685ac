//! What every presence between nodes guarantees, as one suite.

use crate::channel_layer_contract::until_async;
use crate::redis_server::RedisServer;
use pickmate::domain::{RoomId, UserId};
use pickmate::server::channel_layer::redis::RedisAddress;
use pickmate::server::presence::redis::RedisPresence;
use pickmate::server::presence::{MemoryPresence, People, Presence};
use std::sync::Arc;
use std::time::Duration;

/// What a node that says nothing is forgotten after, in tests that wait for it.
const SOON: Duration = Duration::from_millis(300);

const LATE: Duration = Duration::from_secs(60);

trait Installation {
    type Node: Presence;

    fn with_expiry(expiry: Duration) -> Self;

    /// Another installation, on whatever connects the nodes of this one.
    fn neighbour(&self) -> Self;

    fn node(&self) -> Self::Node;
}

struct Memory(MemoryPresence);

impl Installation for Memory {
    type Node = MemoryPresence;

    fn with_expiry(_: Duration) -> Memory {
        Memory(MemoryPresence::new())
    }

    fn neighbour(&self) -> Memory {
        Memory::with_expiry(LATE)
    }

    fn node(&self) -> MemoryPresence {
        self.0.peer()
    }
}

/// Another installation each, on the Redis of `PICKMATE_TEST_REDIS` or one of its own.
struct Redis {
    address: RedisAddress,
    database_id: Arc<str>,
    expiry: Duration,
    _own: Option<RedisServer>,
}

impl Redis {
    fn on(address: RedisAddress, expiry: Duration) -> Redis {
        let database_id = format!("test{:032x}", rand::random::<u128>()).into();
        Redis { address, database_id, expiry, _own: None }
    }
}

impl Installation for Redis {
    type Node = RedisPresence;

    fn with_expiry(expiry: Duration) -> Redis {
        let shared = std::env::var("PICKMATE_TEST_REDIS").ok();
        let own = shared.is_none().then(RedisServer::start);
        let address = match &own {
            Some(server) => server.address(),
            None => RedisAddress::parse(&shared.unwrap()).expect("PICKMATE_TEST_REDIS is an address"),
        };
        Redis { _own: own, ..Redis::on(address, expiry) }
    }

    fn neighbour(&self) -> Redis {
        Redis::on(self.address.clone(), LATE)
    }

    fn node(&self) -> RedisPresence {
        let node = RedisPresence::new(self.address.clone(), self.expiry);
        node.open(self.database_id.clone());
        node
    }
}

pub const ROOM: RoomId = RoomId(1);
const OTHER: RoomId = RoomId(2);

pub fn people(users: &[i64]) -> People {
    users.iter().map(|user| (UserId(*user), format!("사람 {user} \"").into())).collect()
}

pub async fn found(node: &impl Presence, room: RoomId) -> People {
    node.elsewhere(&[room]).await.unwrap().remove(0)
}

async fn other_nodes_find_what_a_node_says_and_itself_does_not(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    one.say(&[(ROOM, people(&[1, 2]))]).await.unwrap();
    assert_eq!(found(&other, ROOM).await, people(&[1, 2]));
    assert_eq!(found(&one, ROOM).await, people(&[]));
}

async fn what_is_said_later_counts_and_nobody_is_nobody(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    one.say(&[(ROOM, people(&[1, 2])), (OTHER, people(&[3]))]).await.unwrap();
    one.say(&[(ROOM, people(&[2, 4]))]).await.unwrap();
    assert_eq!(other.elsewhere(&[OTHER, RoomId(9), ROOM]).await.unwrap(), [people(&[3]), people(&[]), people(&[2, 4])]);
    one.say(&[(ROOM, people(&[]))]).await.unwrap();
    assert_eq!(other.elsewhere(&[ROOM, OTHER]).await.unwrap(), [people(&[]), people(&[3])]);
}

async fn what_is_restated_is_all_there_is(nodes: impl Installation) {
    let (one, other, third) = (nodes.node(), nodes.node(), nodes.node());
    third.say(&[(ROOM, people(&[7]))]).await.unwrap();
    one.say(&[(ROOM, people(&[1])), (OTHER, people(&[3]))]).await.unwrap();
    one.restate(&[(OTHER, people(&[4]))]).await.unwrap();
    assert_eq!(other.elsewhere(&[ROOM, OTHER]).await.unwrap(), [people(&[7]), people(&[4])]);
    one.restate(&[]).await.unwrap();
    assert_eq!(found(&other, OTHER).await, people(&[]));
    assert!(one.renew().await.unwrap(), "a node with nobody is there too");
}

async fn somebody_on_two_nodes_is_one(nodes: impl Installation) {
    let (one, other, third) = (nodes.node(), nodes.node(), nodes.node());
    one.say(&[(ROOM, people(&[1, 2]))]).await.unwrap();
    other.say(&[(ROOM, people(&[2, 3]))]).await.unwrap();
    assert_eq!(found(&third, ROOM).await, people(&[1, 2, 3]));
    one.say(&[(ROOM, people(&[1]))]).await.unwrap();
    assert_eq!(found(&third, ROOM).await, people(&[1, 2, 3]), "still on the other one");
}

async fn a_node_that_is_gone_is_forgotten_and_one_that_renews_is_not(nodes: impl Installation) {
    let (one, other, third) = (nodes.node(), nodes.node(), nodes.node());
    one.say(&[(ROOM, people(&[1]))]).await.unwrap();
    other.say(&[(ROOM, people(&[2]))]).await.unwrap();
    drop(one);
    until_async(async || {
        assert!(other.renew().await.unwrap());
        let found = found(&third, ROOM).await;
        assert!(found.contains_key(&UserId(2)), "it is there");
        found == people(&[2])
    })
    .await;
}

async fn another_installation_finds_nobody(nodes: impl Installation) {
    let others = nodes.neighbour();
    let (one, stranger) = (nodes.node(), others.node());
    one.say(&[(ROOM, people(&[1]))]).await.unwrap();
    assert_eq!(found(&stranger, ROOM).await, people(&[]));
}

async fn there_may_be_many_of_everything(nodes: impl Installation) {
    let (one, other) = (nodes.node(), nodes.node());
    let rooms: Vec<_> = (1..=1_000).map(|room| (RoomId(room), people(&(0..room % 50).collect::<Vec<_>>()))).collect();
    one.say(&rooms).await.unwrap();
    let (ids, expected): (Vec<_>, Vec<_>) = rooms.into_iter().unzip();
    assert_eq!(other.elsewhere(&ids).await.unwrap(), expected);
}

macro_rules! suite {
    ($($test:ident($expiry:expr))*) => {
        macro_rules! presence {
            ($name:ident, $installation:ty) => {
                mod $name {
                    use super::*;
                    $(
                        #[tokio::test]
                        async fn $test() {
                            super::$test(<$installation>::with_expiry($expiry)).await;
                        }
                    )*
                }
            };
        }
    };
}

suite! {
    other_nodes_find_what_a_node_says_and_itself_does_not(LATE)
    what_is_said_later_counts_and_nobody_is_nobody(LATE)
    what_is_restated_is_all_there_is(LATE)
    somebody_on_two_nodes_is_one(LATE)
    a_node_that_is_gone_is_forgotten_and_one_that_renews_is_not(SOON)
    another_installation_finds_nobody(LATE)
    there_may_be_many_of_everything(LATE)
}

presence!(memory, Memory);
presence!(redis, Redis);
