//! `pickmate migrate`: what clients find on Postgres afterwards, and what it refuses.

use super::{Place, Server, done};
use crate::command::{Machine, Said};
use crate::postgres::Database;
use pickmate::domain::{Seq, UserId};
use pickmate::protocol::ServerFrame;
use pickmate::server::clock::now_ms;
use pickmate::server::store::moving::TABLES;
use pickmate::server::store::postgres::PostgresStore;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Accounts, Log, NewInvite, Store, StoreOptions};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use std::collections::BTreeSet;

pub const FILE: &str = "pickmate.sqlite3";

/// `pickmate migrate` from the place's data to the database.
pub async fn migrate(place: &Place, database: &Database, flags: &str) -> Said {
    let to = database.url().await;
    place.machine.run(&format!("migrate --from sqlite:data --to {to}{flags}"), "")
}

pub async fn migrated(place: &Place, database: &Database, flags: &str) -> String {
    let said = migrate(place, database, flags).await;
    assert_eq!(said.status, Some(0), "{}", said.err);
    said.out
}

pub fn refused(said: &Said, sentence: &str) {
    assert_eq!((said.status, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert!(said.err.contains(sentence) && said.err.lines().count() == 1, "{}", said.err);
}

/// From here on the machine works on the database.
pub async fn settle_on(place: &mut Place, database: &Database) {
    place.machine.set("PICKMATE_DATABASE", &database.url().await);
}

async fn command(live: &mut crate::app::Live, command: Value) -> u64 {
    live.send_json(command).await;
    loop {
        match live.frame().await {
            ServerFrame::Ack { seq, .. } => return seq.0,
            ServerFrame::Refused(refusal) => panic!("{refusal:?}"),
            _ => {}
        }
    }
}

const SESSION: [u8; 32] = [1; 32];
const RESET: [u8; 32] = [2; 32];
const INVITE: [u8; 32] = [3; 32];

/// Two people who have said, changed and read things, and links under way.
async fn community() -> (Place, String) {
    let place = Place::new();
    done(&place.machine, "admin user create 준 --password-stdin", "correct horse\n");
    let jun = done(&place.machine, "admin token create 준", "");
    done(&place.machine, "admin room create closed --closed --name 비밀", "");
    done(&place.machine, "admin room add closed 준", "");
    let store = SqliteStore::open(&place.machine.path("data"), StoreOptions::default()).await.unwrap();
    let far = now_ms() + 1_000_000;
    store.create_session(&SESSION, UserId(2), 1, far).await.unwrap();
    store.create_reset(&RESET, UserId(2), far).await.unwrap();
    let new = NewInvite { secret_hash: INVITE, created_by: UserId(1), expires_at: far, max_uses: 9 };
    store.create_invite(new, 1).await.unwrap();
    store.close().await;
    (place, jun)
}

async fn say(server: &Server, jun: &str) {
    for n in 0..5 {
        server.posted(&format!("k{n}")).await;
    }
    let (status, _) = server.post("strange", "a\\b\tc\nd \\N \\. 'e' \"f\" 안녕\u{feff}😀").await;
    assert_eq!(status, StatusCode::CREATED);
    let mut mina = server.live().await;
    command(&mut mina, json!({"type": "edit", "room": "general", "key": "e", "target": 2, "body": "other"})).await;
    command(&mut mina, json!({"type": "delete", "room": "general", "key": "d", "target": 3})).await;
    let mut jun = server.live_as(jun).await;
    command(&mut jun, json!({"type": "post", "room": "general", "key": "j", "body": "me too"})).await;
    server.posted("last").await;
    jun.send_json(json!({"type": "read", "room": "general", "seq": 99})).await;
    while !matches!(jun.frame().await, ServerFrame::Read { .. }) {}
}

/// All that the two people see of accounts and rooms.
async fn seen(store: &dyn Store) -> String {
    let far = now_ms() + 1_000;
    let (mut seen, both) = (format!("{:?}", store.people().await.unwrap()), [UserId(1), UserId(2)]);
    for user in both {
        seen += &format!("{:?}", store.rooms(user).await.unwrap());
        seen += &format!("{:?}", store.user(user).await.unwrap());
    }
    seen += &format!("{:?} {:?}", store.community().await.unwrap(), store.base_address().await.unwrap());
    seen += &format!("{:?}", store.session(&SESSION, now_ms(), far).await.unwrap());
    seen += &format!("{:?} {:?}", store.reset(&RESET, now_ms()).await.unwrap(), store.invites(now_ms()).await.unwrap());
    seen + &format!("{} {}", store.database_id(), store.epoch())
}

#[tokio::test]
async fn clients_go_on_on_postgres_as_if_nothing_had_happened() {
    let (mut place, jun) = community().await;
    let server = place.serve();
    say(&server, &jun).await;
    let (log, page) = (server.log("").await, server.get("/api/v1/rooms/general/messages").await.text().await.unwrap());
    let head = log["head"].as_u64().unwrap();
    server.stop();
    let sqlite = SqliteStore::open(&place.machine.path("data"), StoreOptions::default()).await.unwrap();
    let before = seen(&*sqlite).await;
    sqlite.close().await;
    drop(sqlite);

    let database = Database::new();
    let said = migrated(&place, &database, "").await;
    for table in TABLES {
        let line = said.lines().find(|line| line.starts_with(table.name)).unwrap_or_else(|| panic!("{said}"));
        assert!(line.ends_with(" same"), "{said}");
    }
    let postgres = PostgresStore::open(&database.address().await, StoreOptions::default()).await.unwrap();
    assert_eq!(seen(&*postgres).await, before);
    postgres.close().await;

    settle_on(&mut place, &database).await;
    let server = place.serve();
    assert_eq!(server.log("").await, log);
    assert_eq!(server.get("/api/v1/rooms/general/messages").await.text().await.unwrap(), page);
    // A client that was two events behind on SQLite, and does not know whether its last post arrived.
    let mut mina = server.live().await;
    let epoch = log["epoch"].as_str().unwrap();
    mina.send_json(json!({"type": "join", "room": "general", "after": head - 2, "epoch": epoch})).await;
    let ServerFrame::Joined { head: told, epoch: same, .. } = mina.frame().await else { panic!("not joined") };
    assert_eq!((told, same.as_str()), (Seq(head), epoch));
    let (status, first) = server.post("k4", "text").await;
    assert_eq!((status, first["seq"].as_u64()), (StatusCode::OK, Some(6)), "the first ack");
    let (status, answer) = server.post("k4", "another text").await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
    let again = json!({"type": "delete", "room": "general", "key": "d", "target": 3});
    assert_eq!(command(&mut server.live().await, again).await, 9, "the first ack");
    assert_eq!(server.posted("next").await, head + 1);
    assert_eq!(mina.seqs_until(head + 1).await, [head - 1, head, head + 1]);
    server.stop();

    let third = done(&place.machine, "admin user create third --password-stdin", "correct horse\n");
    assert_eq!(third, "3");
    done(&place.machine, "admin room create third", "");
}

#[tokio::test]
async fn the_source_stays_as_it_is() {
    let (place, _) = community().await;
    let epoch = {
        let server = place.serve();
        server.posted("k").await;
        let epoch = server.epoch().await;
        server.stop();
        epoch
    };
    let read = || ["heads", FILE].map(|file| std::fs::read(place.data(file)).unwrap());
    let before = read();
    migrated(&place, &Database::new(), "").await;
    assert!(before == read(), "a byte has changed");
    let server = place.serve();
    assert_eq!((server.epoch().await, server.keys().await), (epoch, vec!["k".to_owned()]));
}

#[tokio::test]
async fn ids_of_what_is_gone_are_not_given_again() {
    let place = Place::new();
    let mut other = SqliteConnectOptions::new().filename(place.data(FILE)).connect().await.unwrap();
    let gone = "UPDATE sqlite_sequence SET seq = 40 WHERE name = 'users'";
    sqlx::raw_sql(gone).execute(&mut other).await.unwrap();
    drop(other);
    let (mut place, database) = (place, Database::new());
    migrated(&place, &database, "").await;
    settle_on(&mut place, &database).await;
    assert_eq!(done(&place.machine, "admin user create jun --password-stdin", "correct horse\n"), "41");
}

#[tokio::test]
async fn every_table_and_column_of_both_engines_is_moved() {
    let (place, database) = (Place::new(), Database::new());
    PostgresStore::open(&database.address().await, StoreOptions::default()).await.unwrap().close().await;
    let ours = |table: &str| TABLES.iter().find(|ours| ours.name == table);
    let moved: BTreeSet<_> = TABLES.iter().map(|table| table.name.to_owned()).collect();

    let mut postgres = database.other().await;
    let columns = "SELECT table_name::text, column_name::text FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name NOT IN ('schema_version', 'writes', 'schedule')";
    let rows: Vec<(String, String)> = sqlx::query_as(columns).fetch_all(&mut postgres).await.unwrap();
    let mut sqlite = SqliteConnectOptions::new().filename(place.data(FILE)).connect().await.unwrap();
    let tables = "SELECT m.name, c.name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
        WHERE m.type = 'table' AND m.name NOT IN ('schema_version', 'sqlite_sequence')";
    let others: Vec<(String, String)> = sqlx::query_as(tables).fetch_all(&mut sqlite).await.unwrap();
    for rows in [rows, others] {
        assert_eq!(rows.iter().map(|(table, _)| table.clone()).collect::<BTreeSet<_>>(), moved);
        assert_eq!(rows.len(), TABLES.iter().map(|table| table.columns.len()).sum::<usize>());
        for (table, column) in rows {
            let known = ours(&table).is_some_and(|table| table.columns.iter().any(|(name, _)| *name == column));
            assert!(known, "{table}.{column}");
        }
    }
}

#[tokio::test]
async fn a_source_in_use_is_not_moved() {
    let (place, database) = (Place::new(), Database::new());
    let server = place.serve();
    refused(&migrate(&place, &database, "").await, "a server or a command works in data: stop it first");
    server.stop();
    let mut shell = SqliteConnectOptions::new().filename(place.data(FILE)).connect().await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut shell).await.unwrap();
    let mut machine = Machine::new();
    machine.set("PICKMATE_LIMIT", "busy_wait_ms=250");
    let (from, to) = (place.data(FILE), database.url().await);
    let said = machine.run(&format!("migrate --from sqlite:{} --to {to}", from.display()), "");
    refused(&said, "pickmate.sqlite3 is locked by another program");
    drop(shell);
    assert_eq!(machine.run(&format!("migrate --from sqlite:{} --to {to}", from.display()), "").status, Some(0));
}

#[tokio::test]
async fn a_target_that_is_somebodys_is_not_touched() {
    let (mut other, place, database) = (Place::new(), Place::new(), Database::new());
    migrated(&other, &database, "").await;
    for flags in ["", " --start-over"] {
        refused(&migrate(&place, &database, flags).await, "holds another community");
        refused(&migrate(&other, &database, flags).await, "holds this community already");
    }
    settle_on(&mut other, &database).await;
    assert!(other.serve().keys().await.is_empty());

    // Tables of a first start are nobody's, but while a node works on them.
    let (place, database) = (Place::new(), Database::new());
    let node = PostgresStore::open(&database.address().await, StoreOptions::default()).await.unwrap();
    refused(&migrate(&place, &database, "").await, "a server or a command works on");
    node.close().await;
    drop(node);
    let mut waits = database.other().await;
    let gone =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pickmate'";
    while sqlx::query_scalar::<_, i64>(gone).fetch_one(&mut waits).await.unwrap() > 0 {}
    migrated(&place, &database, "").await;
}

#[tokio::test]
async fn one_move_at_a_time() {
    let (place, database) = (Place::new(), Database::new());
    let mut first = database.other().await;
    let hold = format!("SELECT pg_advisory_lock({})", (0x7069_636b_i64 << 32) + 3);
    sqlx::raw_sql(AssertSqlSafe(hold)).execute(&mut first).await.unwrap();
    let mut place = place;
    place.machine.set("PICKMATE_LIMIT", "busy_wait_ms=250");
    refused(&migrate(&place, &database, "").await, "another `pickmate migrate` works on");
}

#[tokio::test]
async fn what_is_named_wrongly_is_told_without_its_password() {
    let (place, database) = (Place::new(), Database::new());
    let url = database.url().await;
    let secret = url.replace("postgres://postgres@", "postgres://postgres:secret@");
    let run = |arguments: &str| place.machine.run(arguments, "");
    refused(&run(&format!("migrate --from data --to {secret}")), "--from takes sqlite:PATH");
    refused(&run(&format!("migrate --from {secret} --to {secret}")), "postgres:***@");
    refused(&run(&format!("migrate --from sqlite:elsewhere --to {secret}")), "elsewhere is neither a data directory");
    assert!(!place.machine.path("elsewhere").exists());
    refused(&run("migrate --from sqlite:data --to mysql://mina:secret@db/chat"), "mysql://mina:***@db/chat");
    refused(&run("migrate --from sqlite:data"), "--to postgres://HOST/DATABASE is missing");
    let unreachable = run("migrate --from sqlite:data --to postgres://mina:secret@localhost/chat?host=nowhere.invalid");
    refused(&unreachable, "postgres://mina:***@localhost/chat cannot be reached");
    let said = run(&format!("migrate --from sqlite:data --to {secret}"));
    assert_eq!(said.status, Some(0), "{}", said.err);
    assert!(!said.out.contains("secret") && said.out.contains("postgres:***@"), "{}", said.out);
}
