//! Two nodes on one store and one bus: what reaches the other node's connections, by notice or by
//! comparing with the store when the notice was lost.

use crate::app::PATIENCE;
use crate::store_contract::world::{HOUR, NOW, account, once, post, slug};
use bytes::Bytes;
use pickmate::domain::{Access, Role, RoomId, RoomName, Seq, UserId};
use pickmate::protocol::{CloseCode, ServerFrame};
use pickmate::server::cache::Cache;
use pickmate::server::channel_layer::{ChannelLayer, Delivery, Group, Growth, MemoryLayer, Notice, Reach};
use pickmate::server::config::{Config, Limits};
use pickmate::server::encode::LogName;
use pickmate::server::hub::queue::Work;
use pickmate::server::hub::{Connection, Hub, Peer, Wire};
use pickmate::server::metrics::Metrics;
use pickmate::server::service::publisher::Publisher;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Action, Command, Committed, Store, StoreOptions};
use std::collections::HashSet;
use std::io::{self, Cursor, IoSlice};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role as Side, WebSocketContext};
use tokio_util::sync::CancellationToken;

const SESSION: [u8; 32] = [7; 32];

/// A node's end of the bus that remembers its subscriptions.
pub struct Watched {
    pub layer: MemoryLayer,
    pub groups: Mutex<HashSet<Group>>,
    /// Other than [`Reach::Alone`]: nothing arrives, and nothing tells that it was lost.
    pub reach: Reach,
}

#[async_trait::async_trait]
impl ChannelLayer for Watched {
    fn publish(&self, notice: Notice) {
        self.layer.publish(notice);
    }

    async fn subscribe(&self, group: Group) {
        self.layer.subscribe(group).await;
        self.groups.lock().unwrap().insert(group);
    }

    async fn unsubscribe(&self, group: Group) {
        self.layer.unsubscribe(group).await;
        self.groups.lock().unwrap().remove(&group);
    }

    async fn next(&self) -> Option<Delivery> {
        match self.reach {
            Reach::Alone => self.layer.next().await,
            Reach::Whole | Reach::Cut => std::future::pending().await,
        }
    }

    fn reach(&self) -> Reach {
        self.reach
    }
}

pub fn cache() -> Arc<Cache> {
    Arc::new(Cache::new(&Limits::default(), &Arc::new(Metrics::new())))
}

/// Node A writes; the hub is node B's, whose people listen.
struct Nodes {
    store: Arc<dyn Store>,
    bus: Arc<Watched>,
    hub: Hub,
    mina: UserId,
    room: RoomId,
    _data: TempDir,
}

impl Nodes {
    /// With an inbox of `capacity` notices on node B.
    async fn new(capacity: usize) -> Nodes {
        Nodes::that_reach(capacity, Reach::Alone).await
    }

    async fn that_reach(capacity: usize, reach: Reach) -> Nodes {
        let data = TempDir::new().unwrap();
        let config = Config {
            limits: Limits { session_check_ms: 1, compare_every_ms: 1, ..Default::default() },
            ..Config::default()
        };
        let layer = MemoryLayer::with_capacity(capacity);
        let bus = Arc::new(Watched { layer: layer.peer(), groups: Mutex::default(), reach });
        let publisher = Publisher::new(Arc::new(layer), cache(), Arc::new(Metrics::new()));
        let options = StoreOptions::new(&config.limits, Arc::new(publisher));
        let store: Arc<dyn Store> = SqliteStore::open(data.path(), options).await.unwrap();
        let hub = Hub::new(&config, bus.clone(), cache(), Arc::new(Metrics::new()));
        let mina = store.create_user(account("mina", Role::Member), NOW).await.unwrap().unwrap();
        let mut nodes = Nodes { store, bus, hub, mina, room: RoomId(0), _data: data };
        let (slug, name) = (slug("general"), RoomName::parse("general").unwrap());
        let action = Action::CreateRoom { name, access: Access::Closed, creator: Some(mina) };
        nodes.room = nodes.run(Command::by_operator(slug, action)).await.room;
        nodes
    }

    async fn run(&self, command: Command) -> Committed {
        self.store.submit(command).await.unwrap().outcome().await.unwrap()
    }

    async fn leave(&self, member: UserId) {
        self.run(once(member, "general", Action::Leave)).await;
    }

    async fn posts(&self, count: usize) {
        for number in 0..count {
            self.run(post("general", self.mina, &format!("k{number}"), "hello")).await;
        }
    }

    /// A member with a session, who listens on node B from the head of the log on.
    async fn joon(&self) -> (UserId, Listener) {
        let joon = self.store.create_user(account("joon", Role::Member), NOW).await.unwrap().unwrap();
        self.store.create_session(&SESSION, joon, NOW, NOW + HOUR).await.unwrap();
        let add = Command::by_operator(slug("general"), Action::AddMember { member: joon });
        let head = self.run(add).await.seq.unwrap();
        let peer = Peer { user: joon, name: "joon".into(), session: Some(SESSION), address: [127, 0, 0, 1].into() };
        let connection = self.hub.connect(peer).await.unwrap();
        let heard = Arc::new(Heard::default());
        connection.queue().open(heard.clone(), []);
        connection.follow(self.room, slug("general"), head).await;
        connection.queue().release(self.room, head);
        (joon, Listener { connection, heard })
    }

    fn pump(&self, now: fn() -> i64) -> Pump {
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.hub.clone().run(Arc::clone(&self.store), now, stop.clone()));
        Pump { stop, task }
    }
}

struct Pump {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Pump {
    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn now() -> i64 {
    NOW
}

fn later() -> i64 {
    NOW + HOUR
}

/// A socket that takes everything.
#[derive(Default)]
struct Heard(Mutex<Vec<u8>>);

impl Wire for Heard {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut heard = self.0.lock().unwrap();
        let before = heard.len();
        slices.iter().for_each(|slice| heard.extend_from_slice(slice));
        Ok(heard.len() - before)
    }
}

/// A connection and what it was sent.
struct Listener {
    connection: Connection,
    heard: Arc<Heard>,
}

impl Listener {
    /// All that it was sent and is to do, until there is what `wanted` looks for.
    async fn awaits<T>(&self, mut wanted: impl FnMut(&[ServerFrame], &Work) -> Option<T>) -> T {
        let queue = self.connection.queue();
        let found = async {
            loop {
                queue.flush(queue.mark());
                if let Some(found) = wanted(&self.frames(), &queue.take()) {
                    return found;
                }
                // What the hub wrote itself wakes nobody.
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("it is found in time")
    }

    fn frames(&self) -> Vec<ServerFrame> {
        let mut stream = Cursor::new(self.heard.0.lock().unwrap().clone());
        let mut client = WebSocketContext::new(Side::Client, None);
        let mut frames = Vec::new();
        while let Ok(Message::Text(text)) = client.read(&mut stream) {
            frames.push(serde_json::from_str(&text).unwrap());
        }
        frames
    }

    async fn is_revoked(&self) {
        let revoked = ServerFrame::Revoked { room: "general".into() };
        self.awaits(|frames, _| frames.contains(&revoked).then_some(())).await;
    }

    async fn is_closed(&self) -> CloseCode {
        self.awaits(|_, work| work.close).await
    }

    /// The first `events` frame.
    async fn events(&self) -> (String, Vec<u64>) {
        let events = |frame: &ServerFrame| match frame {
            ServerFrame::Events { epoch, list, .. } => {
                Some((epoch.clone(), list.iter().map(|event| event.seq.0).collect()))
            }
            _ => None,
        };
        self.awaits(|frames, _| frames.iter().find_map(events)).await
    }
}

#[tokio::test]
async fn a_post_of_one_node_is_pushed_on_the_other_without_reading_the_log() {
    let nodes = Nodes::new(8_192).await;
    let (_, listener) = nodes.joon().await;
    let pump = nodes.pump(now);
    nodes.posts(1).await;
    let (_, seqs) = listener.events().await;
    assert_eq!(seqs, [3]);
    pump.end().await;
}

#[tokio::test]
async fn a_notice_of_another_history_is_not_delivered() {
    let nodes = Nodes::new(8_192).await;
    let (_, listener) = nodes.joon().await;
    let pump = nodes.pump(now);
    let (events, changes) = (vec![Bytes::from_static(br#"{"seq":3,"at":1,"kind":"lost"}"#)], Vec::new());
    let log = LogName { slug: slug("general"), epoch: "lost".into() };
    let lost = Growth { room: nodes.room, log, first: Seq(3), events, changes };
    nodes.bus.publish(Notice::Grew(Arc::new(lost)));
    nodes.posts(1).await;
    let (epoch, _) = listener.events().await;
    assert_eq!(epoch, *nodes.store.epoch());
    pump.end().await;
}

#[tokio::test]
async fn what_a_full_inbox_lost_is_caught_up_with() {
    let nodes = Nodes::new(1).await;
    let (_, listener) = nodes.joon().await;
    nodes.posts(5).await;
    let pump = nodes.pump(now);
    let behind = listener.awaits(|_, work| work.behind.clone()).await;
    assert!(behind.room == nodes.room && behind.head == Seq(7) && behind.at <= Seq(3), "one notice had a place");
    pump.end().await;
}

#[tokio::test]
async fn growth_that_nothing_told_of_is_found_by_the_clock() {
    let nodes = Nodes::that_reach(1, Reach::Whole).await;
    let (_, listener) = nodes.joon().await;
    let pump = nodes.pump(now);
    nodes.posts(5).await;
    let behind = async |head| {
        listener.awaits(|_, work| work.behind.clone().filter(|behind| behind.head == Seq(head))).await;
    };
    behind(7).await;
    nodes.run(post("general", nodes.mina, "again", "hello")).await;
    behind(8).await;
    pump.end().await;
}

#[tokio::test]
async fn who_left_while_the_nodes_were_cut_off_is_found_by_the_clock() {
    let nodes = Nodes::that_reach(1, Reach::Cut).await;
    let (joon, listener) = nodes.joon().await;
    let pump = nodes.pump(now);
    nodes.leave(joon).await;
    listener.is_revoked().await;
    pump.end().await;
}

#[tokio::test]
async fn events_that_a_notice_does_not_carry_are_looked_up() {
    let nodes = Nodes::new(8_192).await;
    let (_, listener) = nodes.joon().await;
    nodes.posts(1).await;
    let Some(Delivery::Notice(Notice::Grew(_))) = nodes.bus.next().await else { panic!("the post's notice") };
    nodes.bus.publish(Notice::Unread { room: nodes.room });
    let pump = nodes.pump(now);
    let behind = listener.awaits(|_, work| work.behind.clone()).await;
    assert_eq!((behind.at, behind.head), (Seq(2), Seq(3)));
    pump.end().await;
}

#[tokio::test]
async fn a_revocation_whose_notice_was_lost_is_found_by_comparing() {
    let nodes = Nodes::new(1).await;
    let (joon, listener) = nodes.joon().await;
    nodes.posts(1).await;
    nodes.leave(joon).await;
    let pump = nodes.pump(now);
    listener.is_revoked().await;
    pump.end().await;
}

#[tokio::test]
async fn a_sign_out_whose_notice_was_lost_is_found_by_comparing() {
    let nodes = Nodes::new(8_192).await;
    let (_, listener) = nodes.joon().await;
    let pump = nodes.pump(now);
    nodes.store.end_session(&SESSION).await.unwrap();
    assert_eq!(listener.is_closed().await, CloseCode::Unauthenticated);
    pump.end().await;
}

#[tokio::test]
async fn a_session_that_expires_loses_its_connection() {
    let nodes = Nodes::new(8_192).await;
    let (_, listener) = nodes.joon().await;
    let pump = nodes.pump(later);
    assert_eq!(listener.is_closed().await, CloseCode::Unauthenticated);
    pump.end().await;
}

#[tokio::test]
async fn who_left_gets_nothing_more() {
    let nodes = Nodes::new(8_192).await;
    let (joon, listener) = nodes.joon().await;
    let pump = nodes.pump(now);
    nodes.leave(joon).await;
    listener.is_revoked().await;
    nodes.posts(1).await;
    // A notice of its own account comes after everything before it on this node.
    nodes.bus.publish(Notice::SignedOut { user: joon, except: None });
    listener.is_closed().await;
    let frames = listener.frames();
    let after = frames.iter().skip_while(|frame| !matches!(frame, ServerFrame::Revoked { .. }));
    assert!(!after.clone().any(|frame| matches!(frame, ServerFrame::Events { .. })), "{frames:?}");
    pump.end().await;
}

#[tokio::test]
async fn a_room_that_nobody_may_follow_any_more_is_unsubscribed() {
    let nodes = Nodes::new(8_192).await;
    let (joon, listener) = nodes.joon().await;
    let subscribed = || nodes.bus.groups.lock().unwrap().clone();
    assert_eq!(subscribed(), HashSet::from([Group::Room(nodes.room), Group::User(joon)]));
    let pump = nodes.pump(now);
    nodes.leave(joon).await;
    listener.is_revoked().await;
    let settled = async {
        while subscribed().contains(&Group::Room(nodes.room)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, settled).await.expect("the room is unsubscribed");
    drop(listener);
    nodes.hub.emptied().await;
    assert_eq!(subscribed(), HashSet::new());
    pump.end().await;
}

/// A layer whose reader dies.
struct Broken;

#[async_trait::async_trait]
impl ChannelLayer for Broken {
    fn publish(&self, _: Notice) {}

    async fn subscribe(&self, _: Group) {}

    async fn unsubscribe(&self, _: Group) {}

    async fn next(&self) -> Option<Delivery> {
        panic!("on purpose")
    }

    fn reach(&self) -> Reach {
        Reach::Alone
    }
}

#[tokio::test]
async fn a_pump_that_dies_is_noticed() {
    let nodes = Nodes::new(1).await;
    let hub = Hub::new(&Config::default(), Arc::new(Broken), cache(), Arc::new(Metrics::new()));
    assert!(!hub.pump_has_ended());
    let pump = tokio::spawn(hub.clone().run(Arc::clone(&nodes.store), now, CancellationToken::new()));
    assert!(pump.await.unwrap_err().is_panic());
    assert!(hub.pump_has_ended());
}
