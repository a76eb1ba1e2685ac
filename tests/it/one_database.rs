//! Nodes and commands of the operator on one Postgres database.

use crate::app::{Live, PATIENCE, TestApp};
use crate::command::Machine;
use crate::postgres::Database;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::domain::{Access, Seq};
use pickmate::protocol::EventKind;
use pickmate::server::config::Limits;
use pickmate::server::store::postgres::Address;
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, yield_now};

async fn node(address: &Address) -> TestApp {
    let address = address.clone();
    TestApp::spawn_with(|config| config.database = Some(address)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_of_every_node_see_what_all_of_them_write() {
    let database = Database::new();
    let address = database.address().await;
    let (mut one, mut other) = (node(&address).await, node(&address).await);
    let mina = one.owner("mina").await;
    let room = one.room("general", Access::Open, &mina).await;
    let mut followers: Vec<Live> = vec![one.live(&mina).await, other.live(&mina).await];
    for follower in &mut followers {
        assert_eq!(follower.join(&room, 0).await, 1);
    }
    for n in 0..20 {
        let (here, there) = (format!("here-{n}"), format!("there-{n}"));
        tokio::join!(one.post(&room, &mina, &here, "hello"), other.post(&room, &mina, &there, "hello"));
    }
    for follower in &mut followers {
        assert_eq!(follower.seqs_until(41).await, (1..=41).collect::<Vec<_>>(), "dense, in order, once");
    }
    let id = one.store().room_head(&room, mina.id).await.unwrap().unwrap().id;
    let log = other.store().events_after(id, Seq::ZERO, 100).await.unwrap().events;
    assert_eq!(log.iter().filter(|event| matches!(event.kind, EventKind::Posted { .. })).count(), 40);
    for app in [&mut one, &mut other] {
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_works_on_the_database_that_is_named() {
    let database = Database::new();
    let url = database.url().await;
    let machine = Machine::new();
    let made =
        machine.run(&format!("admin user create mina --password-stdin --owner --database {url}"), "correct horse\n");
    assert_eq!((made.status, made.err.as_str()), (Some(0), ""));
    let room = machine.run(&format!("admin room create general --database {url}"), "");
    assert_eq!((room.status, room.err.as_str()), (Some(0), ""));
    assert!(!machine.path("data").exists(), "nothing is made beside it");
    let mut node = node(&database.address().await).await;
    assert_eq!(node.set_up_link(), None);
    let mina = node.store().user_by_name("mina").await.unwrap().unwrap();
    assert_eq!(node.store().rooms(mina.id).await.unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_waiting_leaves_no_transaction_open() {
    let database = Database::new();
    let mut node = node(&database.address().await).await;
    let mina = node.owner("mina").await;
    let room = node.room("general", Access::Open, &mina).await;
    let room = node.store().room_head(&room, mina.id).await.unwrap().unwrap().id;
    let mut other = database.other().await;
    for n in 0..200 {
        let store = Arc::clone(node.store());
        let reader = tokio::spawn(async move { store.page(room, None, 10).await });
        let patience = Instant::now() + Duration::from_micros(n * 5);
        // A timer would be too coarse.
        while Instant::now() < patience {
            yield_now().await;
        }
        reader.abort();
        let _given_up = reader.await;
        let begun = Instant::now();
        while open_transactions(&mut other).await > 0 {
            assert!(begun.elapsed() < Duration::from_secs(1), "given up after {} µs", n * 5);
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_that_hangs_does_not_hold_a_stop() {
    let database = Database::new();
    let address = database.address().await;
    let mut node = TestApp::spawn_with(|config| {
        config.database = Some(address);
        (config.limits.session_check_ms, config.limits.shutdown_ms) = (100, 1_000);
    })
    .await;
    let mina = node.owner("mina").await;
    let _live = node.live_by_cookie(&mina).await;
    let mut other = database.other().await;
    let mut lock = other.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'sessions'::regclass";
    let begun = Instant::now();
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *lock).await.unwrap() == 0 {
        assert!(begun.elapsed() < PATIENCE, "no session is compared");
    }
    let begun = Instant::now();
    node.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// Processes of the server that are stopped; they go on when it is dropped.
struct Stopped(Vec<Pid>);

impl Stopped {
    /// All that serve this database, but the one that is asked.
    async fn all(connection: &mut PgConnection) -> Stopped {
        let pids = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let pids: Vec<i32> = sqlx::query_scalar(pids).fetch_all(connection).await.unwrap();
        let stopped = Stopped(pids.into_iter().map(Pid::from_raw).collect());
        stopped.0.iter().for_each(|pid| kill(*pid, Signal::SIGSTOP).unwrap());
        stopped
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _gone = kill(*pid, Signal::SIGCONT);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_connections_that_fell_silent_leave_their_places_to_others() {
    let database = Database::new();
    let address = database.address().await;
    let mut node = TestApp::spawn_with(|config| {
        config.database = Some(address);
        config.limits.busy_wait_ms = 500;
    })
    .await;
    let mina = node.owner("mina").await;
    let room = node.room("general", Access::Open, &mina).await;
    let room = node.store().room_head(&room, mina.id).await.unwrap().unwrap().id;
    let read = || {
        let store = Arc::clone(node.store());
        tokio::spawn(async move { store.page(room, None, 10).await })
    };
    let places = || (0..Limits::default().store_readers).map(|_| read()).collect::<Vec<_>>();
    for reader in places() {
        reader.await.unwrap().unwrap();
    }
    let stopped = Stopped::all(&mut database.other().await).await;
    let silent = places();
    tokio::time::sleep(Duration::from_millis(100)).await;
    silent.iter().for_each(JoinHandle::abort);
    let begun = Instant::now();
    while read().await.unwrap().is_err() {
        assert!(begun.elapsed() < PATIENCE, "the pool is full of those who were given up");
    }
    drop(stopped);
    node.stop().await;
}

/// That wait for their next statement.
async fn open_transactions(connection: &mut PgConnection) -> i64 {
    let open = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
    sqlx::query_scalar(open).fetch_one(connection).await.unwrap()
}

#[test]
fn what_is_for_the_file_only_says_so_and_shows_no_password() {
    let mut machine = Machine::new();
    machine.set("PICKMATE_DATABASE", "postgres://mina:secret@localhost/chat");
    for verb in ["backup copy", "restore copy"] {
        let said = machine.run(verb, "");
        let expected = "pickmate: postgres://mina:***@localhost/chat is a Postgres database: docs/operating.md tells how it is backed up\n";
        assert_eq!((said.status, said.err.as_str()), (Some(1), expected));
    }
}

#[test]
fn a_database_that_cannot_be_reached_is_named() {
    let mut machine = Machine::new();
    // Nobody listens there, which is known at once; a name that does not exist is as slow as whoever looks it up.
    machine.set("PICKMATE_DATABASE", "postgres://mina:secret@localhost:1/chat");
    let said = machine.run("serve --listen 127.0.0.1:0", "");
    assert_eq!(said.status, Some(1));
    assert!(said.err.contains("postgres://mina:***@localhost:1/chat cannot be reached: "), "{}", said.err);
    assert!(!said.err.contains("secret"), "{}", said.err);
}
