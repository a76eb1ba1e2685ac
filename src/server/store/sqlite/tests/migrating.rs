//! Databases of earlier schemas.

use super::*;

const FIRST: &str = include_str!("../../migrations/sqlite/0001_first.sql");

/// A room with two posts, one edited and one deleted, as the first schema held them. Their fingerprint is the beginning
/// of the SHA-256 of "post\0hello".
const HISTORY: &str = "
    CREATE TABLE schema_version (version INTEGER NOT NULL PRIMARY KEY);
    INSERT INTO schema_version (version) VALUES (1);
    INSERT INTO users (id, name, name_folded, role, password_hash, created_at)
    VALUES (1, 'mina', 'mina', 'owner', '', 1);
    INSERT INTO rooms (id, slug, name, access, creator_id, head, first, created_at)
    VALUES (1, 'general', 'General', 'open', 1, 5, 1, 1);
    INSERT INTO memberships VALUES (1, 1, 1, 5);
    INSERT INTO events (room_id, seq, kind, at, actor_id, member_id, key, fingerprint, target) VALUES
        (1, 1, 'joined', 1, 1, 1, NULL, NULL, NULL),
        (1, 2, 'posted', 2, 1, NULL, 'a', unhex('cceb558b1c83b77ad89dc5e06c937d80'), NULL),
        (1, 3, 'posted', 3, 1, NULL, 'b', unhex('cceb558b1c83b77ad89dc5e06c937d80'), NULL),
        (1, 4, 'edited', 4, 1, NULL, NULL, NULL, 2),
        (1, 5, 'deleted', 5, 1, NULL, NULL, NULL, 3);
    INSERT INTO messages (room_id, seq, author_id, body, rev, at)
    VALUES (1, 2, 1, 'edited', 4, 2), (1, 3, 1, NULL, 5, 3);";

#[tokio::test]
async fn a_database_of_the_first_schema_keeps_its_messages_and_keys() {
    let dir = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new().filename(dir.path().join(FILE)).create_if_missing(true);
    let mut old = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(FIRST).execute(&mut old).await.unwrap();
    sqlx::raw_sql(HISTORY).execute(&mut old).await.unwrap();
    old.close().await.unwrap();

    let store = SqliteStore::open(dir.path(), StoreOptions::default()).await.unwrap();
    let place = Place { dir, store, author: UserId(1), room: RoomId(1) };
    let events = place.store.events_after(place.room, Seq(1), 10).await.unwrap().events;
    let (body, rev) = (Some("edited".to_owned()), Seq(4));
    assert!(matches!(&events[0].kind, EventKind::Posted { key, body: shown, .. } if key == "a" && *shown == body));
    assert!(matches!(&events[1].kind, EventKind::Posted { deleted: true, body: None, .. }));
    assert_eq!(events[2].kind, EventKind::Edited { target: Seq(2), rev, body });
    assert_eq!(place.post("a").await.unwrap(), Some(Seq(2)), "its key is known");
    assert_eq!(place.post("b").await.unwrap(), Some(Seq(3)), "also that of a deleted one");
    let other = Action::Delete { target: Seq(2) };
    let reused = place.submit("a", other).await.unwrap().outcome().await;
    assert!(matches!(reused, Err(Refusal::KeyReused)));
    assert_eq!(place.post("c").await.unwrap(), Some(Seq(6)));
}
