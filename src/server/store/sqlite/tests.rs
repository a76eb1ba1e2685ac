//! What only this engine can get wrong. The guarantees of `Store` are in `tests/it/store_contract.rs`.

use super::super::{Accounts, Action, Command, Intent, Log, NewUser, Pending, Refusal, Rooms};
use super::directory::FILE;
use super::*;
use crate::domain::{Access, Key, MessageBody, Role, RoomId, RoomName, Seq, Slug, UserId, UserName};
use crate::protocol::EventKind;
use crate::server::config::Limits;
use sqlx::{Connection, SqliteConnection};
use std::time::Duration;
use tempfile::TempDir;

mod erasing;
mod looking;
mod migrating;
mod sessions;

struct Place {
    dir: TempDir,
    store: Arc<SqliteStore>,
    author: UserId,
    room: RoomId,
}

/// A database with one author in one room, where a write waits for others as long as `busy_timeout`.
async fn place(busy_timeout: Duration) -> Place {
    place_with(StoreOptions { busy_timeout, ..StoreOptions::default() }).await
}

async fn place_with(options: StoreOptions) -> Place {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(dir.path(), options).await.unwrap();
    let name = UserName::parse("mina").unwrap();
    let new = NewUser { name, password_hash: String::new(), role: Role::Owner, locale: None };
    let author = store.create_user(new, 1).await.unwrap().unwrap();
    let name = RoomName::parse("General").unwrap();
    let action = Action::CreateRoom { name, access: Access::Open, creator: Some(author) };
    let command = Command::by_operator(slug(), action);
    let room = store.submit(command).await.unwrap().outcome().await.unwrap().room;
    Place { dir, store, author, room }
}

fn slug() -> Slug {
    Slug::parse("general").unwrap()
}

impl Place {
    async fn post(&self, key: &str) -> Result<Option<Seq>, Refusal> {
        let body = MessageBody::parse("hello", 100).unwrap();
        Ok(self.submit(key, Action::Post { body, files: vec![] }).await?.outcome().await?.seq)
    }

    async fn submit(&self, key: &str, action: Action) -> Result<Pending, StoreError> {
        let intent = Intent { actor: self.author, key: Key::parse(key).unwrap() };
        self.store.submit(Command::new(intent, slug(), action)).await
    }

    /// A connection of some other program.
    async fn other(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.dir.path().join(FILE));
        SqliteConnection::connect_with(&options).await.unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.other().await).await.unwrap();
    }
}

async fn pragma(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    let (value,): (i64,) = sqlx::query_as(sql).fetch_one(connection).await.unwrap();
    value
}

const FULL: i64 = 2;

#[tokio::test]
async fn every_connection_syncs_fully_and_keeps_foreign_keys() {
    let place = place(Duration::from_secs(5)).await;
    let mut readers = Vec::new();
    for _ in 0..StoreOptions::default().readers {
        readers.push(place.store.readers.acquire().await.unwrap());
    }
    let mut turn = place.store.gate.turn().await;
    let writing = turn.connection().await.unwrap();
    for connection in readers.iter_mut().map(|reader| &mut **reader).chain([writing]) {
        assert_eq!(pragma(connection, "PRAGMA synchronous").await, FULL);
        assert_eq!(pragma(connection, "PRAGMA foreign_keys").await, 1);
        assert_eq!(pragma(connection, "PRAGMA busy_timeout").await, 5_000);
        let (mode,): (String,) = sqlx::query_as("PRAGMA journal_mode").fetch_one(connection).await.unwrap();
        assert_eq!(mode, "wal");
    }
}

#[tokio::test]
async fn readers_and_their_patience_are_settings() {
    let limits = Limits { store_readers: 2, busy_wait_ms: 70, ..Limits::default() };
    let place = place_with(StoreOptions::new(&limits, Arc::new(()))).await;
    let mut readers = [place.store.readers.acquire().await.unwrap(), place.store.readers.acquire().await.unwrap()];
    assert_eq!(pragma(&mut readers[0], "PRAGMA busy_timeout").await, 70);
    let third = StoreError::from(place.store.readers.acquire().await.unwrap_err());
    assert!(matches!(third, StoreError::Unavailable(_)), "{third}");
}

#[tokio::test]
async fn readers_cannot_write() {
    let place = place(Duration::from_secs(5)).await;
    let refused = sqlx::query("DELETE FROM users").execute(&place.store.readers).await.unwrap_err();
    assert!(matches!(StoreError::from(refused), StoreError::Unavailable(_)));
}

#[tokio::test]
async fn a_lock_that_lasts_is_unavailable_and_passes() {
    let place = place(Duration::from_millis(50)).await;
    let mut other = place.other().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert!(matches!(place.post("k").await, Err(Refusal::Store(StoreError::Unavailable(_)))));
    assert!(matches!(place.store.ready().await, Err(StoreError::Unavailable(_))));
    assert_eq!(place.store.heads(&[place.room]).await.unwrap(), [(place.room, Seq(1))], "reading goes on");
    lock.rollback().await.unwrap();
    place.store.ready().await.unwrap();
    assert_eq!(place.post("k").await.unwrap(), Some(Seq(2)));
}

#[tokio::test]
async fn an_abandoned_write_leaves_the_connection_usable() {
    let place = place(Duration::from_secs(5)).await;
    {
        let mut turn = place.store.gate.turn().await;
        let mut tx = turn.begin().await.unwrap();
        sqlx::query("DELETE FROM memberships").execute(&mut *tx).await.unwrap();
    }
    assert_eq!(place.store.members(place.room, 10).await.unwrap().count, 1);
    assert_eq!(place.post("k").await.unwrap(), Some(Seq(2)));
}

#[tokio::test]
async fn events_are_served_with_the_message_as_it_stands() {
    let place = place(Duration::from_secs(5)).await;
    place.post("a").await.unwrap();
    place.post("b").await.unwrap();
    place
        .execute(
            "INSERT INTO events (room_id, seq, kind, at, actor_id, target)
             VALUES (1, 4, 'edited', 9, 1, 2), (1, 5, 'deleted', 9, 1, 3), (1, 6, 'edited', 9, 1, 2);
             UPDATE bodies SET body = 'twice edited' WHERE id = 1;
             UPDATE messages SET rev = 6 WHERE seq = 2;
             UPDATE messages SET body_id = NULL, rev = 5 WHERE seq = 3;
             UPDATE rooms SET head = 6",
        )
        .await;
    let events = place.store.events_after(place.room, Seq(1), 10).await.unwrap().events;
    let (body, rev) = (Some("twice edited".to_owned()), Seq(6));
    let EventKind::Posted { body: shown, rev: shown_rev, deleted: false, .. } = &events[0].kind else { panic!() };
    assert_eq!((shown, *shown_rev), (&body, Some(rev)));
    let EventKind::Posted { body: None, rev: None, deleted: true, .. } = &events[1].kind else { panic!() };
    let edited = EventKind::Edited { target: Seq(2), rev, body };
    assert_eq!((&events[2].kind, &events[4].kind), (&edited, &edited));
    assert_eq!(events[3].kind, EventKind::Deleted { target: Seq(3) });
    let page = place.store.page(place.room, None, 2).await.unwrap();
    let rows: Vec<_> = page.rows.iter().map(|row| row.seq.0).collect();
    assert_eq!((rows, page.head, page.older), (vec![2, 3], Seq(6), true), "changes to rows are no rows");
}

#[tokio::test]
async fn a_damaged_database_is_an_error() {
    for damage in [
        "UPDATE events SET member_id = NULL",
        "UPDATE events SET at = 'noon'",
        "UPDATE rooms SET head = -1",
        "UPDATE rooms SET head = 3; INSERT INTO events (room_id, seq, kind, at) VALUES (1, 3, 'joined', 1);
         DELETE FROM events WHERE seq = 1",
    ] {
        let place = place(Duration::from_secs(5)).await;
        place.execute(damage).await;
        let read = place.store.events_after(place.room, Seq::ZERO, 10).await;
        assert!(matches!(read, Err(StoreError::Internal(_))), "{damage}: {read:?}");
    }
}

#[tokio::test]
async fn a_damaged_room_does_not_stop_the_others() {
    let place = place(Duration::from_secs(5)).await;
    let name = RoomName::parse("Bad").unwrap();
    let bad = Slug::parse("bad").unwrap();
    let action = Action::CreateRoom { name, access: Access::Open, creator: None };
    let command = Command::by_operator(bad.clone(), action);
    place.store.submit(command).await.unwrap().outcome().await.unwrap();
    place.execute("UPDATE rooms SET access = 'ajar' WHERE slug = 'bad'").await;
    let (key, body) = (Key::parse("k").unwrap(), MessageBody::parse("hello", 100).unwrap());
    let post = Command::new(Intent { actor: place.author, key }, bad, Action::Post { body, files: vec![] });
    let broken = place.store.submit(post).await.unwrap();
    let (good, broken) = tokio::join!(place.post("k"), broken.outcome());
    assert_eq!(good.unwrap(), Some(Seq(2)));
    assert!(matches!(broken, Err(Refusal::Store(StoreError::Internal(_)))));
}

#[tokio::test]
async fn close_leaves_one_whole_file() {
    let place = place(Duration::from_secs(5)).await;
    place.post("k").await.unwrap();
    place.store.close().await;
    let files = std::fs::read_dir(place.dir.path()).unwrap().map(|file| file.unwrap().file_name());
    let files: std::collections::BTreeSet<_> = files.collect();
    assert_eq!(files, ["heads".into(), "lock".into(), FILE.into()].into(), "no write-ahead log");
}

async fn refused(dir: &Path) -> String {
    let options = StoreOptions { busy_timeout: Duration::from_millis(50), ..StoreOptions::default() };
    match SqliteStore::open(dir, options).await {
        Ok(_) => panic!("the store was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join(FILE);
    std::fs::write(&path, "not a database, but long enough to have a header".repeat(50)).unwrap();
    assert_eq!(
        refused(dir.path()).await,
        format!("the store is unavailable: {} is not a SQLite database", path.display())
    );
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let place = place(Duration::from_secs(5)).await;
    place.execute("INSERT INTO schema_version (version) VALUES (99)").await;
    place.store.close().await;
    let error = refused(place.dir.path()).await;
    assert!(error.contains("was written by a newer PickMate (schema 99, this one knows "), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_hold_a_database_is_named() {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join(FILE)).unwrap();
    let error = refused(dir.path()).await;
    assert!(error.contains("pickmate.sqlite3 cannot be opened"), "{error}");
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = refused(&file.join("data")).await;
    assert!(error.contains("the data directory") && error.contains("cannot be made"), "{error}");
}

#[tokio::test]
async fn a_locked_database_is_named() {
    let place = place(Duration::from_secs(5)).await;
    let mut other = place.other().await;
    let _lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let error = refused(place.dir.path()).await;
    assert!(error.ends_with("is locked by another program"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_data_directory_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("a/data");
    SqliteStore::open(&data, StoreOptions::default()).await.unwrap();
    assert_eq!(std::fs::metadata(&data).unwrap().permissions().mode() & 0o777, 0o700);
}

/// What the database itself refuses shows alone, is undone, and costs nobody else anything.
#[tokio::test]
async fn a_statement_that_fails_is_undone_and_the_others_are_committed() {
    let place = place(Duration::from_secs(1)).await;
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON bodies WHEN new.body = 'bad'
        BEGIN SELECT raise(ABORT, 'refused'); END";
    place.execute(trigger).await;
    let post = |body| Action::Post { body: MessageBody::parse(body, 100).unwrap(), files: vec![] };
    let mut pending = Vec::new();
    for (key, body) in [("a", "good"), ("b", "bad"), ("c", "good")] {
        pending.push(place.submit(key, post(body)).await.unwrap());
    }
    let mut outcomes = Vec::new();
    for one in pending {
        outcomes.push(one.outcome().await.map(|done| done.seq));
    }
    assert!(matches!(outcomes[1], Err(Refusal::Store(StoreError::Internal(_)))), "{outcomes:?}");
    let next = place.post("d").await.unwrap();
    let page = place.store.page(place.room, None, 10).await.unwrap();
    assert_eq!(Some(page.head), next);
    assert_eq!(outcomes[0].as_ref().unwrap().map(Seq::next), *outcomes[2].as_ref().unwrap());
}
