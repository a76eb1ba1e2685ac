//! A community to test with, and the engines it can live in.

use crate::postgres::Database;
use pickmate::domain::{Access, Key, MessageBody, Role, RoomId, RoomName, Seq, Slug, UserId, UserName};
use pickmate::protocol::{Event, EventKind};
use pickmate::server::config::Limits;
use pickmate::server::store::postgres::PostgresStore;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{
    Action, Command, Committed, Grown, Intent, NewUser, Observer, Pending, Refusal, Store, StoreOptions,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

pub const NOW: i64 = 1_763_800_000_000;
pub const HOUR: i64 = 3_600_000;

/// A database that can be opened more than once, each time as another process would.
pub trait Engine: Sized {
    fn empty() -> Self;
    fn open(&self, options: StoreOptions) -> impl Future<Output = Arc<dyn Store>> + Send;
}

pub struct Sqlite(pub TempDir);

impl Engine for Sqlite {
    fn empty() -> Sqlite {
        Sqlite(TempDir::new().unwrap())
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        SqliteStore::open(self.0.path(), options).await.unwrap()
    }
}

pub struct Postgres(pub Database);

impl Engine for Postgres {
    fn empty() -> Postgres {
        Postgres(Database::new())
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        PostgresStore::open(&self.0.address().await, options).await.unwrap()
    }
}

/// Keeps what the writer told.
#[derive(Default)]
pub struct Witness(Mutex<Vec<Grown>>);

impl Observer for Witness {
    fn grown(&self, _epoch: &Arc<str>, rooms: &[Grown]) {
        self.0.lock().unwrap().extend_from_slice(rooms);
    }
}

impl Witness {
    /// All events told of a room, in the order of telling.
    pub fn events(&self, room: RoomId) -> Vec<Event> {
        let told = self.0.lock().unwrap();
        told.iter().filter(|grown| grown.room == room).flat_map(|grown| grown.events.clone()).collect()
    }
}

pub struct World<E> {
    pub engine: E,
    pub store: Arc<dyn Store>,
    pub witness: Arc<Witness>,
}

impl<E: Engine> World<E> {
    pub async fn new() -> World<E> {
        let engine = E::empty();
        let witness = Arc::new(Witness::default());
        let store = engine.open(StoreOptions::new(&Limits::default(), witness.clone())).await;
        World { engine, store, witness }
    }

    /// The same database as another process sees it.
    pub async fn another_process(&self) -> Arc<dyn Store> {
        self.engine.open(StoreOptions::default()).await
    }

    pub async fn user(&self, name: &str) -> UserId {
        self.store.create_user(account(name, Role::Member), NOW).await.unwrap().unwrap()
    }

    pub async fn owner(&self, name: &str) -> UserId {
        self.store.create_user(account(name, Role::Owner), NOW).await.unwrap().unwrap()
    }

    pub async fn room(&self, address: &str, access: Access, creator: UserId) -> RoomId {
        let name = RoomName::parse(address).unwrap();
        let action = Action::CreateRoom { name, access, creator: Some(creator) };
        self.run(once(creator, address, action)).await.unwrap().room
    }

    pub async fn submit(&self, command: Command) -> Pending {
        self.store.submit(command).await.unwrap()
    }

    pub async fn run(&self, command: Command) -> Result<Committed, Refusal> {
        self.submit(command).await.outcome().await
    }

    pub async fn post(&self, room: &str, author: UserId, key: &str, body: &str) -> Result<Committed, Refusal> {
        self.run(post(room, author, key, body)).await
    }

    /// Posts `count` messages one after the other; their keys are `name-0`, `name-1` ….
    pub async fn posts(&self, room: &str, author: UserId, name: &str, count: usize) {
        let mut pending = Vec::new();
        for n in 0..count {
            pending.push(self.submit(post(room, author, &format!("{name}-{n}"), "hello")).await);
        }
        for pending in pending {
            pending.outcome().await.unwrap();
        }
    }

    pub async fn join(&self, room: &str, member: UserId) -> Result<Committed, Refusal> {
        self.add(room, member, member).await
    }

    pub async fn add(&self, room: &str, member: UserId, actor: UserId) -> Result<Committed, Refusal> {
        self.run(once(actor, room, Action::AddMember { member })).await
    }

    pub async fn leave(&self, room: &str, member: UserId) -> Result<Committed, Refusal> {
        self.run(once(member, room, Action::Leave)).await
    }

    pub async fn rename(&self, room: &str, actor: UserId, name: &str) -> Result<Committed, Refusal> {
        self.run(once(actor, room, renaming(name))).await
    }

    pub async fn set_access(&self, room: &str, actor: UserId, access: Access) -> Result<Committed, Refusal> {
        self.run(once(actor, room, Action::SetAccess { access })).await
    }

    /// Of one's own message, with a key that nothing else has.
    pub async fn edit(&self, room: &str, author: UserId, target: Seq, body: &str) -> Result<Committed, Refusal> {
        self.run(once(author, room, editing(target, body))).await
    }

    pub async fn delete(&self, room: &str, author: UserId, target: Seq) -> Result<Committed, Refusal> {
        self.run(once(author, room, Action::Delete { target })).await
    }

    pub async fn unread(&self, room: &str, reader: UserId) -> u32 {
        self.store.room(&slug(room), reader).await.unwrap().unwrap().summary.unread
    }

    pub async fn log(&self, room: RoomId) -> Vec<Event> {
        self.store.events_after(room, Seq::ZERO, 10_000).await.unwrap().events
    }
}

pub fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

pub fn account(name: &str, role: Role) -> NewUser {
    NewUser { name: UserName::parse(name).unwrap(), password_hash: format!("hash of {name}"), role, locale: None }
}

pub fn text(body: &str) -> MessageBody {
    MessageBody::parse(body, MessageBody::MAX_BYTES).unwrap()
}

pub fn renaming(name: &str) -> Action {
    Action::Rename { name: RoomName::parse(name).unwrap() }
}

pub fn editing(target: Seq, body: &str) -> Action {
    Action::Edit { target, body: text(body) }
}

pub fn by(actor: UserId, key: &str, room: &str, action: Action) -> Command {
    Command::new(Intent { actor, key: Key::parse(key).unwrap() }, slug(room), action)
}

/// With a key that nothing else has.
pub fn once(actor: UserId, room: &str, action: Action) -> Command {
    static USED: AtomicU64 = AtomicU64::new(0);
    by(actor, &format!("once-{}", USED.fetch_add(1, Ordering::Relaxed)), room, action)
}

pub fn post(room: &str, author: UserId, key: &str, body: &str) -> Command {
    by(author, key, room, Action::Post { body: text(body), files: vec![] })
}

pub fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq.0).collect()
}

/// The seqs are 1, 2, 3 … to the end.
pub fn assert_dense(events: &[Event]) {
    assert_eq!(seqs(events), (1..=events.len() as u64).collect::<Vec<_>>());
}

/// Keys of the posts among the events.
pub fn keys(events: &[Event]) -> Vec<&str> {
    events
        .iter()
        .filter_map(|event| match &event.kind {
            EventKind::Posted { key, .. } => Some(key.as_str()),
            _ => None,
        })
        .collect()
}
