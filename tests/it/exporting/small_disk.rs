use super::Place;
use crate::app::{PATIENCE, TestApp};
use pickmate::server::config::Config;
use rustix::fs::statvfs;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::time::timeout;

const MIB: u64 = 1024 * 1024;

/// A disk that few others write to, so that what is free there is known.
const DISK: &str = "/dev/shm";

/// Three files of eight MiB are to be exported, and there is room for ten: what is found out while it is written.
const FILES: usize = 3;
const FILE_BYTES: usize = 8 * 1024 * 1024;
const ROOM_FOR: u64 = 10 * MIB;
/// An export looks each time so much more has been written, and wants so much more than is to be spared.
const LOOK: u64 = 8 * MIB;

fn free_bytes() -> u64 {
    let disk = statvfs(DISK).unwrap();
    disk.f_bavail * disk.f_frsize
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    // What goes away meanwhile has no bytes.
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    bytes.sum()
}

/// The task, how many messages were posted meanwhile, and the longest wait for an ack.
async fn exported_while_people_talk(place: &Place) -> (Value, usize, Duration) {
    let export = place.export("failed");
    tokio::pin!(export);
    let (mut said, mut longest) = (0, Duration::ZERO);
    loop {
        if let Ok(task) = timeout(Duration::from_millis(5), &mut export).await {
            return (task, said, longest);
        }
        let asked = Instant::now();
        timeout(PATIENCE, place.say(&format!("talk-{said}"), "on", &[])).await.expect("an ack");
        (said, longest) = (said + 1, longest.max(asked.elapsed()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_larger_than_the_disk_fails_clearly_while_people_talk_on() {
    let disk = TempDir::new_in(DISK).unwrap();
    let data = disk.path().join("data");
    let on_the_disk = |config: &mut Config| (config.data, config.no_rate_limit) = (data.clone(), true);
    let mut place = Place::with(|config| on_the_disk(config)).await;
    for number in 0..FILES {
        let (key, noise) = (format!("u{number}"), rand::random_iter().take(FILE_BYTES).collect());
        let file = place.upload(&key, "noise.zip", noise).await;
        place.say(&format!("k{number}"), "large", &[&file]).await;
    }
    place.app.stop().await;
    let spare_bytes = free_bytes() - LOOK - ROOM_FOR;
    place.app = TestApp::spawn_with(|config| {
        on_the_disk(config);
        config.limits.spare_bytes = spare_bytes;
    })
    .await;
    let under_way = data.join("files/tmp");
    let done = Arc::new(AtomicBool::new(false));
    let (folder, watched) = (under_way.clone(), Arc::clone(&done));
    let watch = std::thread::spawn(move || {
        let mut most = 0;
        while !watched.load(Ordering::SeqCst) {
            most = most.max(bytes_in(&folder));
        }
        most
    });
    let (task, said, longest) = exported_while_people_talk(&place).await;
    done.store(true, Ordering::SeqCst);
    let most = watch.join().unwrap();
    println!("{most} bytes were written, and {said} messages posted meanwhile within {longest:?}");
    assert_eq!((&task["error"]["code"], &task["attempts"]), (&json!("disk_full"), &json!(1)));
    assert!((LOOK..ROOM_FOR + 2 * LOOK).contains(&most), "it ends in the midst of it: {most}");
    assert!(said > 0);
    assert_eq!(std::fs::read_dir(&under_way).unwrap().count(), 0, "nothing is left under way");
    assert_eq!(place.kept(), FILES, "what was uploaded is there");
    place.app.stop().await;
}
