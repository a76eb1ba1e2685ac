//! Real causes, a running server, and the cause gone again.

use super::{Place, Server, done};
use crate::app::PATIENCE;
use crate::command::Machine;
use pickmate::protocol::CloseCode;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const DATABASE: &str = "pickmate.sqlite3";

/// Runs a tool of the system on a path.
fn tool(command: &str, path: &Path) {
    let mut words = command.split(' ');
    let done = Command::new(words.next().unwrap()).args(words).arg(path).output();
    let done = done.unwrap_or_else(|error| panic!("this test needs `{command}`: {error}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "this test needs root, and `{command}` on {}: {said}", path.display());
}

/// A small file system of its own.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: PathBuf) -> Disk {
        std::fs::create_dir(&place).unwrap();
        tool("mount -t tmpfs -o size=3m,mode=0700 pickmate-test", &place);
        Disk(place)
    }

    /// Takes what space there is.
    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        let mut filler = File::create(&path).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while filler.write(&vec![b'x'; size]).is_ok_and(|written| written > 0) {}
        }
        assert_eq!(filler.write(b"x").unwrap_err().kind(), ErrorKind::StorageFull);
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        tool("umount", &self.0);
    }
}

/// Attributes of files that are taken back at the end.
struct Immutable(Vec<PathBuf>);

impl Immutable {
    fn make(files: Vec<PathBuf>) -> Immutable {
        files.iter().for_each(|file| tool("chattr +i", file));
        Immutable(files)
    }
}

impl Drop for Immutable {
    fn drop(&mut self) {
        self.0.iter().for_each(|file| tool("chattr -i", file));
    }
}

/// What was acknowledged, and only that, is in the log, also after a kill.
async fn nothing_is_lost(place: &Place, server: Server, taken: &[String], epoch: &str) {
    let log = server.keys().await;
    let lost: Vec<_> = taken.iter().filter(|key| !log.contains(key)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    server.kill();
    let server = place.serve();
    assert_eq!(server.keys().await, log);
    assert_eq!(server.epoch().await, epoch);
}

#[tokio::test]
async fn a_full_disk_refuses_posts_until_there_is_space() {
    let machine = Machine::new();
    let disk = Disk::mount(machine.path("data"));
    let place = Place::on(machine);
    let server = place.serve();
    server.posted("before").await;
    let epoch = server.epoch().await;
    let filler = disk.fill();
    let mut taken = server.post_until_refused("full", &"x".repeat(15_000)).await;
    server.store_becomes("disk_full").await;
    assert!(server.keys().await.contains(&"before".to_owned()), "reading goes on");
    taken.extend(server.post_until_refused("still", &"x".repeat(15_000)).await);

    std::fs::remove_file(filler).unwrap();
    server.store_becomes("ok").await;
    server.posted("after").await;
    taken.extend(["before".into(), "after".into()]);
    nothing_is_lost(&place, server, &taken, &epoch).await;
    drop(place.serve());
}

#[tokio::test]
async fn a_lock_of_another_program_refuses_posts_until_it_goes() {
    let place = Place::new();
    let server = place.serve();
    server.posted("before").await;
    let epoch = server.epoch().await;
    let mut other = SqliteConnectOptions::new().filename(place.data(DATABASE)).connect().await.unwrap();
    let lock = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
    assert!(server.post_until_refused("locked", "text").await.is_empty());
    server.store_becomes("locked").await;
    assert_eq!(server.keys().await, ["before"], "reading goes on");
    lock.rollback().await.unwrap();
    server.store_becomes("ok").await;
    server.posted("locked-0").await;
    nothing_is_lost(&place, server, &["before".into(), "locked-0".into()], &epoch).await;
}

#[tokio::test]
async fn files_that_may_not_be_written_refuse_posts_until_they_may() {
    let place = Place::new();
    let server = place.serve();
    server.posted("before").await;
    let epoch = server.epoch().await;
    let files = Immutable::make(vec![place.data(DATABASE), place.data("pickmate.sqlite3-wal")]);
    let mut taken = server.post_until_refused("fixed", "text").await;
    server.store_becomes("read_only").await;
    assert!(server.keys().await.contains(&"before".to_owned()), "reading goes on");
    drop(files);
    server.store_becomes("ok").await;
    server.posted("after").await;
    taken.extend(["before".into(), "after".into()]);
    nothing_is_lost(&place, server, &taken, &epoch).await;
}

#[tokio::test]
async fn a_file_that_is_moved_away_is_missed_until_it_is_back() {
    let place = Place::new();
    let server = place.serve();
    server.posted("before").await;
    let epoch = server.epoch().await;
    let away = place.data("away");
    std::fs::rename(place.data(DATABASE), &away).unwrap();
    assert!(server.post_until_refused("gone", "text").await.is_empty());
    server.store_becomes("missing").await;
    assert_eq!(server.keys().await, ["before"], "reading goes on");
    std::fs::rename(&away, place.data(DATABASE)).unwrap();
    server.store_becomes("ok").await;
    server.posted("after").await;
    nothing_is_lost(&place, server, &["before".into(), "after".into()], &epoch).await;
}

#[tokio::test]
async fn another_file_in_its_place_is_opened_under_a_new_epoch() {
    let place = Place::new();
    let server = place.serve();
    server.posted("kept").await;
    done(&place.machine, "backup data/older", "");
    server.posted("lost").await;
    let (epoch, mut live) = (server.epoch().await, server.live().await);
    std::fs::rename(place.data("older"), place.data(DATABASE)).unwrap();
    tokio::time::timeout(PATIENCE, live.is_closed_with(CloseCode::Restarting)).await.unwrap();
    server.store_becomes("ok").await;
    assert_eq!(server.keys().await, ["kept"]);
    let now = server.epoch().await;
    assert_ne!(now, epoch);
    server.posted("after").await;
    nothing_is_lost(&place, server, &["kept".into(), "after".into()], &now).await;
}

#[tokio::test]
async fn damaged_pages_refuse_posts_until_they_are_repaired() {
    let place = Place::new();
    let server = place.serve();
    server.posted("before").await;
    // So that the file is more than what the log beside it repeats.
    done(&place.machine, "backup data/whole", "");
    std::fs::rename(place.data("whole"), place.data(DATABASE)).unwrap();
    server.store_becomes("ok").await;
    let epoch = server.epoch().await;
    let sound = std::fs::read(place.data(DATABASE)).unwrap();
    let file = OpenOptions::new().write(true).open(place.data(DATABASE)).unwrap();
    file.write_all_at(&vec![0xa5; sound.len() - 4096], 4096).unwrap();
    let taken = server.post_until_refused("damaged", "text").await;
    server.store_becomes("corrupt").await;
    file.write_all_at(&sound, 0).unwrap();
    server.store_becomes("ok").await;
    server.posted("after").await;
    nothing_is_lost(&place, server, &[taken, vec!["after".into()]].concat(), &epoch).await;
}

#[tokio::test]
async fn a_file_that_is_no_database_refuses_posts_until_a_good_one_is_there() {
    let place = Place::new();
    let server = place.serve();
    server.posted("before").await;
    let epoch = server.epoch().await;
    let away = place.data("away");
    std::fs::rename(place.data(DATABASE), &away).unwrap();
    std::fs::write(place.data(DATABASE), "this is not a database\n".repeat(1_000)).unwrap();
    server.store_becomes("corrupt").await;
    assert!(server.post_until_refused("none", "text").await.is_empty());
    std::fs::rename(&away, place.data(DATABASE)).unwrap();
    server.store_becomes("ok").await;
    server.posted("after").await;
    nothing_is_lost(&place, server, &["before".into(), "after".into()], &epoch).await;
}
