//! What only an engine with several nodes and a server of its own can get wrong.

use super::world::*;
use crate::postgres::Database;
use pickmate::domain::{Access, Role, RoomName, Seq, UserId};
use pickmate::i18n::Locale;
use pickmate::server::store::postgres::PostgresStore;
use pickmate::server::store::{
    Action, Command, Foreign, Grown, Observer, Reason, Refusal, Store, StoreError, StoreOptions,
};
use sqlx::Connection;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Longer than anything here takes; reached only when what is waited for never happens.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ends the connection that commits an event, as the last thing before it is durable.
const CUT_IN_COMMIT: &str = "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION cut()";

fn impatient() -> StoreOptions {
    StoreOptions { busy_timeout: Duration::from_millis(300), ..StoreOptions::default() }
}

fn reason(refused: Result<impl Sized, Refusal>) -> Reason {
    match refused {
        Err(Refusal::Store(StoreError::Unavailable(trouble))) => trouble.reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was done"),
    }
}

fn making(creator: UserId) -> Action {
    let name = RoomName::parse("Made").unwrap();
    Action::CreateRoom { name, access: Access::Open, creator: Some(creator) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_write_to_the_same_rooms_in_any_order_never_stop_each_other() {
    let world = World::<Postgres>::new().await;
    let author = world.user("a").await;
    let rooms = ["one", "two", "three"];
    for room in rooms {
        world.room(room, Access::Open, author).await;
    }
    let nodes = [world.store.clone(), world.another_process().await, world.another_process().await];
    let mut work = JoinSet::new();
    for n in 0..600 {
        let store = nodes[n % 3].clone();
        let room = rooms[(n / 3 + n) % 3];
        work.spawn(async move {
            let command = match n % 5 {
                0 => by(author, &format!("k{n}"), room, renaming(&format!("name {n}"))),
                _ => post(room, author, &format!("k{n}"), "hello"),
            };
            let committed = store.submit(command).await?.outcome().await?;
            store.mark_read(committed.room, author, committed.seq.unwrap()).await?;
            Ok::<_, Refusal>(())
        });
    }
    for done in work.join_all().await {
        done.unwrap();
    }
    let mut events = 0;
    for room in world.store.rooms(author).await.unwrap() {
        let log = world.log(room.id).await;
        assert_dense(&log);
        assert_eq!(room.summary.head.0, log.len() as u64);
        events += log.len();
    }
    assert_eq!(events, 3 + 600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_command_at_two_nodes_at_once_happens_once() {
    let world = World::<Postgres>::new().await;
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let other = world.another_process().await;
    for n in 0..30 {
        let key = format!("k{n}");
        let address = format!("made-{n}");
        for command in [post("general", author, &key, "hello"), by(author, &key, &address, making(author))] {
            let run =
                async |store: &Arc<dyn Store>| store.submit(command.clone()).await.unwrap().outcome().await.unwrap();
            let (here, there) = tokio::join!(run(&world.store), run(&other));
            assert_eq!((here.seq, here.room), (there.seq, there.room));
            assert_ne!(here.repeated, there.repeated);
        }
    }
    assert_eq!(world.log(room).await.len(), 1 + 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_two_nodes_want_at_once_is_taken_by_one() {
    let world = World::<Postgres>::new().await;
    let (a, b) = (world.user("a").await, world.user("b").await);
    let other = world.another_process().await;
    for n in 0..20 {
        let make = async |store: &Arc<dyn Store>, creator| {
            store.submit(once(creator, &format!("made-{n}"), making(creator))).await.unwrap().outcome().await
        };
        let made = tokio::join!(make(&world.store, a), make(&other, b));
        assert!(matches!(made, (Ok(_), Err(Refusal::SlugTaken)) | (Err(Refusal::SlugTaken), Ok(_))), "{made:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_cannot_both_step_back() {
    let world = World::<Postgres>::new().await;
    let other = world.another_process().await;
    let (a, b) = (world.owner("a").await, world.owner("b").await);
    for _ in 0..10 {
        let (one, two) = tokio::join!(world.store.set_role(a, Role::Member), other.set_role(b, Role::Member));
        assert_ne!(one.unwrap(), two.unwrap());
        assert!(world.store.has_owner().await.unwrap());
        for user in [a, b] {
            assert!(world.store.set_role(user, Role::Owner).await.unwrap());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_connections_come_back_by_themselves() {
    let database = Database::new();
    let store = PostgresStore::open(&database.address().await, impatient()).await.unwrap();
    let world = World { engine: Postgres(database), store, witness: Arc::default() };
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    for n in 0..3 {
        world.engine.0.admit(false).await;
        world.engine.0.cut().await;
        let (key, ended) = (format!("k{n}"), Instant::now());
        let refused = reason(world.post("general", author, &key, "hello").await);
        assert!(matches!(refused, Reason::Unreachable | Reason::Unavailable), "{refused:?}");
        assert!(world.store.ready().await.is_err());
        world.engine.0.admit(true).await;
        while world.post("general", author, &key, "hello").await.is_err() || world.store.ready().await.is_err() {
            assert!(ended.elapsed() < PATIENCE);
        }
        let heads = world.store.heads(&[room]).await.unwrap();
        assert_eq!(heads, [(room, Seq(n + 2))], "what was refused was done once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_lasts_is_unavailable_and_passes() {
    let database = Database::new();
    let store = PostgresStore::open(&database.address().await, impatient()).await.unwrap();
    let world = World { engine: Postgres(database), store, witness: Arc::default() };
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let mut other = world.engine.0.other().await;
    let mut lock = other.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM rooms FOR UPDATE").execute(&mut *lock).await.unwrap();
    assert_eq!(reason(world.post("general", author, "k", "hello").await), Reason::Locked);
    assert_eq!(world.store.heads(&[room]).await.unwrap(), [(room, Seq(1))], "reading goes on");
    lock.rollback().await.unwrap();
    assert_eq!(world.post("general", author, "k", "hello").await.unwrap().seq, Some(Seq(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_epoch_is_found_out_while_the_store_is_open() {
    let world = World::<Postgres>::new().await;
    let author = world.user("a").await;
    world.room("general", Access::Open, author).await;
    let (mut epochs, before) = (world.store.epochs(), world.store.epoch());
    epochs.mark_unchanged();
    let mut other = world.engine.0.other().await;
    sqlx::query("UPDATE meta SET value = 'another' WHERE name = 'epoch'").execute(&mut other).await.unwrap();
    tokio::time::timeout(PATIENCE, epochs.changed()).await.unwrap().unwrap();
    assert_ne!(world.store.epoch(), before);
    let old = post("general", author, "k", "hello").in_epoch(Some(&before));
    assert!(matches!(world.run(old).await, Err(Refusal::Gap)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_is_durable_and_sees_what_others_committed() {
    let world = World::<Postgres>::new().await;
    let mut other = world.engine.0.other().await;
    // The server's own default is another: what counts is what each connection asked for.
    sqlx::query(
        "DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database());
             EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database());
         END $$",
    )
    .execute(&mut other)
    .await
    .unwrap();
    sqlx::raw_sql(
        "CREATE TABLE said (value TEXT);
         CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN INSERT INTO said
         VALUES (current_setting('synchronous_commit') || ', ' || current_setting('transaction_isolation')); RETURN NULL; END $$;
         CREATE TRIGGER say AFTER INSERT OR UPDATE ON writes FOR EACH ROW EXECUTE FUNCTION say()",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let again = world.another_process().await;
    let author = again.create_user(account("a", Role::Owner), NOW).await.unwrap().unwrap();
    again.submit(once(author, "general", making(author))).await.unwrap().outcome().await.unwrap();
    let said: Vec<(String,)> = sqlx::query_as("SELECT value FROM said").fetch_all(&mut other).await.unwrap();
    let said: BTreeSet<_> = said.into_iter().map(|(value,)| value).collect();
    assert_eq!(said, ["on, read committed".to_owned()].into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_body_is_nowhere_in_the_tables() {
    let world = World::<Postgres>::new().await;
    let author = world.user("a").await;
    world.room("general", Access::Open, author).await;
    for (key, body) in [("a", "secret one"), ("b", "secret two")] {
        world.post("general", author, key, body).await.unwrap();
    }
    world.edit("general", author, Seq(2), "fine").await.unwrap();
    world.delete("general", author, Seq(3)).await.unwrap();
    let mut other = world.engine.0.other().await;
    let bodies: Vec<(String,)> =
        sqlx::query_as("SELECT body FROM bodies WHERE body IS NOT NULL").fetch_all(&mut other).await.unwrap();
    assert_eq!(bodies, [("fine".to_owned(),)]);
}

async fn refused(database: &Database) -> String {
    match PostgresStore::open(&database.address().await, impatient()).await {
        Ok(_) => panic!("the store was opened"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let database = Database::new();
    database.address().await;
    database.admit(false).await;
    let error = refused(&database).await;
    assert!(
        error.contains("cannot be opened: ") && error.contains("is not currently accepting connections"),
        "{error}"
    );
    database.admit(true).await;
    PostgresStore::open(&database.address().await, impatient()).await.unwrap();
    let mut other = database.other().await;
    sqlx::query("INSERT INTO schema_version (version) VALUES (99)").execute(&mut other).await.unwrap();
    let error = refused(&database).await;
    assert!(error.contains("was written by a newer PickMate (schema 99, this one knows "), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_cut_short_is_no_final_refusal() {
    let world = World::<Postgres>::new().await;
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let mut other = world.engine.0.other().await;
    sqlx::raw_sql(CUT_IN_COMMIT).execute(&mut other).await.unwrap();
    let mut foreign = world.store.foreign_writes();
    assert_eq!(reason(world.post("general", author, "k", "hello").await), Reason::Unreachable);
    assert!(foreign.take().is_some(), "whoever knows the heads compares them");
    sqlx::raw_sql("DROP TRIGGER cut ON events").execute(&mut other).await.unwrap();
    assert_eq!(world.post("general", author, "k", "hello").await.unwrap().seq, Some(Seq(2)));
    assert_dense(&world.log(room).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_committed_after_all_is_noticed_by_its_own_node() {
    let world = World::<Postgres>::new().await;
    let author = world.user("a").await;
    world.room("general", Access::Open, author).await;
    let mut other = world.engine.0.other().await;
    let name = "SELECT node FROM writes WHERE part = 4";
    let (name,): (String,) = sqlx::query_as(name).fetch_one(&mut other).await.unwrap();
    sqlx::raw_sql(CUT_IN_COMMIT).execute(&mut other).await.unwrap();
    assert_eq!(reason(world.post("general", author, "k", "hello").await), Reason::Unreachable);
    let mut foreign = world.store.foreign_writes();
    // What the server would have done, had it got COMMIT and its answer been lost.
    let late = sqlx::query("UPDATE writes SET last = last + 1 WHERE node = $1").bind(name);
    late.execute(&mut other).await.unwrap();
    assert!(timeout(PATIENCE, foreign.next()).await.unwrap().is_some());
}

/// A node of a community with several: it tells the others of what it writes.
struct Node;

impl Observer for Node {
    fn grown(&self, _epoch: &Arc<str>, _rooms: &[Grown]) {}

    fn tells_nodes(&self) -> bool {
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_noticed_as_what_it_may_have_changed() {
    let world = World::<Postgres>::new().await;
    let (mina, joon) = (world.user("mina").await, world.user("joon").await);
    let node = world.engine.open(StoreOptions { observer: Arc::new(Node), ..StoreOptions::default() }).await;
    let mut foreign = world.store.foreign_writes();
    let mut noticed = async |kinds: &[Foreign]| {
        for kind in kinds {
            assert_eq!(timeout(PATIENCE, foreign.next()).await.unwrap(), Some(*kind));
        }
    };
    let of_rooms = [Foreign::Rooms, Foreign::Logs];
    let of_rights = [Foreign::Rights, Foreign::Rooms, Foreign::Logs];
    let run = async |command: Command| node.submit(command).await.unwrap().outcome().await.unwrap();

    let room = run(by(mina, "made", "general", making(mina))).await.room;
    noticed(&of_rooms).await;
    let seq = run(post("general", mina, "k", "hello")).await.seq.unwrap();
    noticed(&[Foreign::Logs]).await;
    run(by(joon, "join", "general", Action::AddMember { member: joon })).await;
    noticed(&of_rooms).await;
    // Nobody knows from memory how far somebody has read.
    node.mark_read(room, joon, seq).await.unwrap();
    run(by(joon, "leave", "general", Action::Leave)).await;
    noticed(&of_rights).await;
    node.create_session(&[1; 32], joon, NOW, NOW + 1_000).await.unwrap();
    node.end_session(&[1; 32]).await.unwrap();
    noticed(&[Foreign::Accounts]).await;
    node.set_locale(joon, Some(Locale::Ko)).await.unwrap();
    noticed(&[Foreign::Settings]).await;
    node.create_user(account("late", Role::Member), NOW).await.unwrap();
    node.create_session(&[2; 32], mina, NOW, NOW + 1_000).await.unwrap();
    run(post("general", mina, "last", "hello")).await;
    // What is only made is nothing that anybody remembers otherwise.
    noticed(&[Foreign::Logs]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_position_waits_for_no_room_and_is_not_lost_while_its_row_is_locked() {
    let world = World::<Postgres>::new().await;
    let (mina, joon) = (world.user("mina").await, world.user("joon").await);
    let room = world.room("general", Access::Open, mina).await;
    world.join("general", joon).await.unwrap();
    world.posts("general", mina, "k", 10).await;
    let mut other = world.engine.0.other().await;
    sqlx::raw_sql("BEGIN; SELECT id FROM rooms FOR UPDATE").execute(&mut other).await.unwrap();
    timeout(Duration::from_secs(2), world.store.mark_read(room, joon, Seq(9))).await.unwrap().unwrap();
    assert_eq!(world.unread("general", joon).await, 3);
    sqlx::raw_sql("COMMIT; BEGIN; SELECT user_id FROM memberships FOR UPDATE").execute(&mut other).await.unwrap();
    let mut marked = tokio::spawn({
        let store = world.store.clone();
        async move { store.mark_read(room, joon, Seq(11)).await }
    });
    timeout(Duration::from_millis(300), &mut marked).await.expect_err("it is locked");
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    marked.await.unwrap().unwrap();
    assert_eq!(world.unread("general", joon).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_now_and_then_is_done_by_one_node() {
    let world = World::<Postgres>::new().await;
    let _others = [world.another_process().await, world.another_process().await];
    let mut other = world.engine.0.other().await;
    let count = "CREATE TABLE turns (at TIMESTAMPTZ NOT NULL);
        CREATE FUNCTION turn() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO turns VALUES (clock_timestamp()); RETURN NULL; END $$;
        CREATE TRIGGER turn AFTER UPDATE ON schedule FOR EACH ROW EXECUTE FUNCTION turn()";
    sqlx::raw_sql(count).execute(&mut other).await.unwrap();
    let mut turns = async || {
        let (turns,): (i64,) = sqlx::query_as("SELECT count(*) FROM turns").fetch_one(&mut other).await.unwrap();
        turns
    };
    let begun = Instant::now();
    while turns().await == 0 {
        assert!(begun.elapsed() < PATIENCE, "nobody does it");
    }
    // All three have looked by then.
    let looked = Instant::now() + Duration::from_secs(6);
    while Instant::now() < looked {
        assert_eq!(turns().await, 1);
    }
}
