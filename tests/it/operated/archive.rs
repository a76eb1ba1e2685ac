use super::{Place, Server, done};
use crate::command::Machine;
use futures_util::future::join_all;
use pickmate::domain::{Seq, UserId};
use pickmate::protocol::ServerFrame;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Accounts, NewInvite, StoreOptions};
use reqwest::StatusCode;
use serde_json::json;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Child;

const FILE: &str = "backup.sqlite3";
const DATABASE: &str = "pickmate.sqlite3";

fn restore(place: &Place) -> String {
    done(&place.machine, &format!("restore {FILE}"), "")
}

/// Every file of the data directory with what is in it.
fn files(place: &Place) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(place.machine.path("data")).unwrap().map(|entry| entry.unwrap());
    let entries = entries.filter(|entry| entry.path().is_file());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

/// A place with three posts, of which the first two are in the backup.
async fn backed_up() -> (Place, String) {
    let place = Place::new();
    let server = place.serve();
    server.posted("kept-1").await;
    server.posted("kept-2").await;
    done(&place.machine, &format!("backup {FILE}"), "");
    assert_eq!(server.posted("later").await, 4);
    let epoch = server.epoch().await;
    server.stop();
    (place, epoch)
}

#[tokio::test]
async fn a_backup_under_load_is_a_dense_part_of_the_log_from_its_begin() {
    let place = Place::new();
    let server = place.serve();
    let mut copies: Vec<Child> = Vec::new();
    // Posts go on until three copies are made.
    for round in 0.. {
        let copied = copies.last_mut().is_none_or(|copy| copy.try_wait().unwrap().is_some());
        if copied && copies.len() == 3 {
            break;
        }
        if copied && round > 0 {
            copies.push(place.machine.start(&format!("backup copy-{}", copies.len())));
        }
        let keys: Vec<_> = (0..16).map(|n| format!("k{round}-{n}")).collect();
        join_all(keys.iter().map(|key| server.posted(key))).await;
    }
    let whole = server.keys().await;
    for (n, copy) in copies.into_iter().enumerate() {
        assert!(copy.wait_with_output().unwrap().status.success());
        let other = Machine::new();
        done(&other, &format!("restore {}", place.machine.path(format!("copy-{n}")).display()), "");
        let keys = Server::start(&other, &place.token).keys().await;
        assert!(!keys.is_empty() && whole.starts_with(&keys), "copy {n}: {} of {}", keys.len(), whole.len());
    }
}

#[tokio::test]
async fn a_cursor_of_before_a_restore_is_told_of_a_gap() {
    let (place, epoch) = backed_up().await;
    let said = restore(&place);
    let server = place.serve();
    assert_eq!(server.keys().await, ["kept-1", "kept-2"]);
    let now = server.epoch().await;
    assert_ne!(now, epoch);
    assert!(said.contains(&now), "{said}");
    assert_eq!(server.posted("other").await, 4, "the seq of what is gone");

    let gone = server.get(&format!("/api/v1/rooms/general/events?after=3&epoch={epoch}")).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    let mut live = server.live().await;
    live.send_json(json!({"type": "join", "room": "general", "after": 3, "epoch": epoch})).await;
    let ServerFrame::Joined { head, epoch: told, .. } = live.frame().await else { panic!("not joined") };
    assert_eq!((head, told), (Seq(4), now));
    assert!(matches!(live.frame().await, ServerFrame::Gap { head: Seq(4), .. }));
}

#[tokio::test]
async fn the_database_before_a_restore_is_kept_whole() {
    let (place, _) = backed_up().await;
    let said = restore(&place);
    let (_, before) = said.split_once("the database before it is ").unwrap();
    let copy = place.machine.path("copy");
    std::fs::copy(place.machine.path(before), &copy).unwrap();
    let other = Machine::new();
    done(&other, &format!("restore {}", copy.display()), "");
    assert_eq!(Server::start(&other, &place.token).keys().await, ["kept-1", "kept-2", "later"]);
}

#[tokio::test]
async fn a_restore_waits_for_nobody_to_work_there() {
    let (place, epoch) = backed_up().await;
    let server = place.serve();
    let said = place.machine.run(&format!("restore {FILE}"), "");
    assert_eq!((said.status, said.out.as_str()), (Some(1), ""));
    assert_eq!(said.err, "pickmate: a server or a command works in data: stop it first\n");
    assert_eq!(server.epoch().await, epoch);
    assert_eq!(server.posted("k").await, 5);
    server.kill();
    restore(&place);
}

#[tokio::test]
async fn what_is_no_sound_backup_is_refused_and_nothing_changes() {
    let (place, epoch) = backed_up().await;
    let sound = std::fs::read(place.machine.path(FILE)).unwrap();
    let mut spoilt = sound.clone();
    spoilt[4096..8192].fill(0xa5);
    let mut scrambled = sound.clone();
    let middle = scrambled.len() / 2;
    scrambled[middle..].reverse();
    let kinds: [(&str, &[u8], &str); 6] = [
        ("empty", b"", "is not a PickMate backup: it is empty"),
        (
            "text",
            &b"hello, this is not a database at all\n".repeat(500),
            "is not a PickMate backup: it is not a SQLite",
        ),
        ("cut", &sound[..sound.len() / 2], "is damaged"),
        ("spoilt", &spoilt, "is damaged"),
        ("scrambled", &scrambled, "is damaged"),
        ("headless", &sound[100..], "is not a PickMate backup"),
    ];
    let before = files(&place);
    for (name, bytes, sentence) in kinds {
        std::fs::write(place.machine.path(name), bytes).unwrap();
        let said = place.machine.run(&format!("restore {name}"), "");
        assert_eq!((said.status, said.out.as_str()), (Some(1), ""), "{name}");
        assert!(said.err.contains(sentence) && said.err.lines().count() == 1, "{name}: {}", said.err);
        assert_eq!(files(&place), before, "{name}");
    }
    let missing = place.machine.run("restore nowhere", "");
    assert!(missing.status == Some(1) && missing.err.contains("nowhere"), "{}", missing.err);
    assert_eq!(place.serve().epoch().await, epoch);
}

#[tokio::test]
async fn a_restore_ends_sessions_and_links_and_keeps_tokens() {
    let place = Place::new();
    let open = async || SqliteStore::open(&place.machine.path("data"), StoreOptions::default()).await.unwrap();
    let store = open().await;
    let (session, reset, invite, far) = ([1; 32], [2; 32], [3; 32], i64::MAX);
    store.create_session(&session, UserId(1), 1, far).await.unwrap();
    store.create_reset(&reset, UserId(1), far).await.unwrap();
    let new = NewInvite { secret_hash: invite, created_by: UserId(1), expires_at: far, max_uses: 9 };
    store.create_invite(new, 1).await.unwrap();
    done(&place.machine, &format!("backup {FILE}"), "");
    drop(store);
    for (arguments, stands) in [("restore --keep-sessions", true), ("restore", false)] {
        done(&place.machine, &format!("{arguments} {FILE}"), "");
        let store = open().await;
        assert_eq!(store.standing_sessions(&[session], 2).await.unwrap().len(), usize::from(stands));
        assert!(store.reset(&reset, 2).await.unwrap().is_none());
        assert!(store.invite(&invite, 2).await.unwrap().is_none());
    }
    place.serve().posted("with-the-token").await;
}

#[test]
fn a_backup_is_private_and_replaces_nothing_unasked() {
    let place = Place::new();
    let said = done(&place.machine, &format!("backup {FILE}"), "");
    assert!(said.starts_with("backup.sqlite3: 1 rooms, 1 events, 1 accounts, "), "{said}");
    let file = place.machine.path(FILE);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let again = place.machine.run(&format!("backup {FILE}"), "");
    assert_eq!(again.err, "pickmate: backup.sqlite3 exists already: --overwrite replaces it\n");
    let inode = std::fs::metadata(&file).unwrap().ino();
    done(&place.machine, &format!("backup --overwrite {FILE}"), "");
    assert_ne!(std::fs::metadata(&file).unwrap().ino(), inode);
    assert!(!place.machine.path("backup.sqlite3.part").exists());
    let nothing = place.machine.run("backup other --data elsewhere", "");
    assert_eq!(nothing.err, "pickmate: there is no database in elsewhere\n");
    assert!(!place.machine.path("elsewhere").exists() && !place.machine.path("other").exists());
}

#[tokio::test]
async fn a_restore_moves_no_log_of_a_sound_database_away() {
    let (place, _) = backed_up().await;
    let server = place.serve();
    server.posted("last").await;
    let mut reader = SqliteConnectOptions::new().filename(place.data(DATABASE)).connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM events").execute(&mut reader).await.unwrap();
    server.kill();
    let refused = place.machine.run(&format!("restore {FILE}"), "");
    assert!(refused.err.contains("cannot be emptied: another program reads from it"), "{}", refused.err);
    assert!(!place.data("restore.part").exists());
    assert_eq!(place.serve().keys().await, ["kept-1", "kept-2", "later", "last"]);
    drop(reader);
    restore(&place);
    assert_eq!(place.serve().keys().await, ["kept-1", "kept-2"]);
}

/// Ends the process as soon as `reached`, which it may not live to see.
fn kill_when(mut process: Child, reached: impl Fn() -> bool) {
    while !reached() && process.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    let _ = process.kill();
    process.wait().unwrap();
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_the_old_or_the_new() {
    let (place, epoch) = backed_up().await;
    let data = place.machine.path("data");
    let named = |start: &str| {
        let entries = std::fs::read_dir(&data).unwrap();
        entries.filter_map(Result::ok).any(|entry| entry.file_name().to_string_lossy().starts_with(start))
    };
    let inode = |path: &Path| std::fs::metadata(path).map(|file| file.ino()).ok();
    let database = place.data(DATABASE);
    let old = inode(&database);
    let points: [&dyn Fn() -> bool; 3] =
        [&|| named("restore.part"), &|| named("pickmate.sqlite3.before"), &|| inode(&database) != old];
    for (n, reached) in points.into_iter().enumerate() {
        kill_when(place.machine.start(&format!("restore {FILE}")), reached);
        let server = place.serve();
        let (keys, now) = (server.keys().await, server.epoch().await);
        assert!(!place.data("restore.part").exists(), "point {n}");
        match now == epoch {
            true => assert_eq!(keys, ["kept-1", "kept-2", "later"], "point {n}"),
            false => assert_eq!(keys, ["kept-1", "kept-2"], "point {n}"),
        }
        server.kill();
    }
    restore(&place);
    assert_eq!(place.serve().keys().await, ["kept-1", "kept-2"]);
}
