//! `pickmate migrate` that ends before it is done, by whatever, and what is made of what it left.

use super::moving::{FILE, migrate, migrated, refused, settle_on};
use super::{Place, done};
use crate::app::PATIENCE;
use crate::command::Said;
use crate::postgres::Database;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use std::process::Child;
use std::time::{Duration, Instant};

/// More than one transaction takes.
const MESSAGES: u64 = 6_000;

/// As many messages, as if they had been posted.
const FILL: &str = "BEGIN IMMEDIATE;
    CREATE TEMP TABLE n AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 6000) SELECT n FROM n;
    INSERT INTO events (room_id, seq, kind, at, actor_id, key) SELECT 1, n + 1, 'posted', n, 1, 'k' || n FROM n;
    INSERT INTO bodies (id, body) SELECT n, 'body ' || n FROM n;
    INSERT INTO messages (room_id, seq, author_id, rev, at, body_id) SELECT 1, n + 1, 1, n + 1, n, n FROM n;
    INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq) SELECT 1, 1, 'k' || n, randomblob(16), 1, n + 1 FROM n;
    UPDATE rooms SET head = 6001;
    COMMIT";

const COUNTS: [(&str, &str); 4] = [
    ("events", "SELECT count(*) FROM events"),
    ("keys", "SELECT count(*) FROM keys"),
    ("bodies", "SELECT count(*) FROM bodies"),
    ("messages", "SELECT count(*) FROM messages"),
];

async fn full_place() -> Place {
    let place = Place::new();
    let mut file = SqliteConnectOptions::new().filename(place.data(FILE)).connect().await.unwrap();
    sqlx::raw_sql(FILL).execute(&mut file).await.unwrap();
    place
}

/// Rows of the table; none while it is not there.
async fn rows(connection: &mut PgConnection, table: &str) -> u64 {
    let (_, count) = COUNTS.into_iter().find(|(name, _)| *name == table).unwrap();
    sqlx::query_scalar(count).fetch_one(connection).await.map_or(0, i64::unsigned_abs)
}

async fn is_moving(connection: &mut PgConnection) -> bool {
    sqlx::query_scalar("SELECT to_regclass('moving') IS NOT NULL").fetch_one(connection).await.unwrap()
}

async fn start(place: &Place, database: &Database) -> Child {
    place.machine.start(&format!("migrate --from sqlite:data --to {}", database.url().await))
}

/// Kills it with SIGKILL, which must be what ends it.
fn kill(mut process: Child) {
    process.kill().unwrap();
    assert_eq!(process.wait().unwrap().code(), None, "it was not killed");
}

/// Killed as soon as the table has rows.
async fn killed_in(place: &Place, database: &Database, table: &str) {
    let mut look = database.other().await;
    let mut process = start(place, database).await;
    let begun = Instant::now();
    while rows(&mut look, table).await == 0 {
        assert!(process.try_wait().unwrap().is_none() && begun.elapsed() < 3 * PATIENCE, "{table} stays empty");
    }
    kill(process);
}

async fn serve_refused(place: &Place, database: &Database) -> Said {
    let url = database.url().await;
    place.machine.run(&format!("serve --listen 127.0.0.1:0 --database {url}"), "")
}

const CLOSED: &str = "holds a part of a community that moves there: run `pickmate migrate` again to finish it";

#[tokio::test]
async fn killed_at_every_table_and_at_random_it_goes_on_where_it_was() {
    let (mut place, database) = (full_place().await, Database::new());
    let mut look = database.other().await;
    let mut before = [0; 4];
    let mut chance = StdRng::seed_from_u64(20_261_129);
    for round in 0..8 {
        match COUNTS.get(round) {
            Some((table, _)) => killed_in(&place, &database, table).await,
            None => {
                let mut process = start(&place, &database).await;
                let until = Instant::now() + Duration::from_millis(chance.random_range(0..700));
                while Instant::now() < until && process.try_wait().unwrap().is_none() {
                    tokio::task::yield_now().await;
                }
                let _ = process.kill();
                process.wait().unwrap();
            }
        }
        if !is_moving(&mut look).await {
            // It was done before its end came.
            break;
        }
        refused(&serve_refused(&place, &database).await, CLOSED);
        let mut now = [0; 4];
        for (count, (table, _)) in now.iter_mut().zip(COUNTS) {
            *count = rows(&mut look, table).await;
        }
        assert!(now.iter().zip(before).all(|(now, before)| *now >= before), "round {round}: {now:?} after {before:?}");
        before = now;
    }
    if is_moving(&mut look).await {
        migrated(&place, &database, "").await;
    }
    settle_on(&mut place, &database).await;
    let server = place.serve();
    assert_eq!(server.keys().await, (1..=MESSAGES).map(|n| format!("k{n}")).collect::<Vec<_>>());
    assert_eq!(server.posted("next").await, MESSAGES + 2);
}

#[tokio::test]
async fn nobody_comes_in_before_it_is_done() {
    let (place, database) = (full_place().await, Database::new());
    killed_in(&place, &database, "keys").await;
    refused(&serve_refused(&place, &database).await, CLOSED);
    let url = database.url().await;
    refused(&place.machine.run(&format!("admin room create other --database {url}"), ""), CLOSED);
    let other = Place::new();
    for flags in ["", " --start-over"] {
        refused(&migrate(&other, &database, flags).await, "holds a part of another community");
    }
    migrated(&place, &database, "").await;
    done(&place.machine, &format!("admin room create other --database {url}"), "");
}

#[tokio::test]
async fn what_was_changed_in_the_target_is_found() {
    let (place, database) = (full_place().await, Database::new());
    killed_in(&place, &database, "messages").await;
    let mut hand = database.other().await;
    sqlx::raw_sql("UPDATE bodies SET body = 'bOdy 77' WHERE id = 77").execute(&mut hand).await.unwrap();
    for _ in 0..2 {
        let said = migrate(&place, &database, "").await;
        assert_eq!(said.status, Some(1), "{}", said.out);
        assert!(said.err.contains("does not hold what the source holds"), "{}", said.err);
        let differs: Vec<_> = said.out.lines().filter(|line| line.contains("differs: 6000 rows")).collect();
        assert!(differs.len() == 1 && differs[0].starts_with("bodies "), "{}", said.out);
        refused(&serve_refused(&place, &database).await, CLOSED);
    }
    migrated(&place, &database, " --start-over").await;
    let body: String = sqlx::query_scalar("SELECT body FROM bodies WHERE id = 77").fetch_one(&mut hand).await.unwrap();
    assert_eq!(body, "body 77");
}

#[tokio::test]
async fn two_states_of_the_source_are_never_mixed() {
    let (mut place, database) = (full_place().await, Database::new());
    killed_in(&place, &database, "bodies").await;
    let server = place.serve();
    server.posted("meanwhile").await;
    server.stop();
    refused(&migrate(&place, &database, "").await, "data is not what it was when its move to");
    migrated(&place, &database, " --start-over").await;
    settle_on(&mut place, &database).await;
    assert_eq!(place.serve().keys().await.len() as u64, MESSAGES + 1);
}

#[tokio::test]
async fn a_database_server_that_goes_away_is_no_end() {
    let (place, database) = (full_place().await, Database::new());
    let mut look = database.other().await;
    let process = start(&place, &database).await;
    while rows(&mut look, "events").await == 0 {}
    database.cut().await;
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 1);
    migrated(&place, &database, "").await;
}
