//! No byte of an erased body stays in any file of the data directory. Bodies here repeat a mark
//! of their own, and the files are searched for it.

use super::super::chores::purge_keys;
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// Longer than anything here takes; reached only when what is waited for never happens.
const PATIENCE: Duration = Duration::from_secs(30);

const SOON: Duration = Duration::from_millis(20);

fn erasing_after(erase_after: Duration) -> StoreOptions {
    StoreOptions { erase_after, ..StoreOptions::default() }
}

fn mark(number: usize) -> String {
    format!("mark{number:07}")
}

/// A body of about `bytes` bytes that shows its mark wherever it is cut.
fn marked(number: usize, bytes: usize) -> MessageBody {
    let text = format!("{} ", mark(number)).repeat(bytes / 12 + 1);
    MessageBody::parse(&text, MessageBody::MAX_BYTES).unwrap()
}

/// The numbers of all marks in the files of the directory.
fn marks(dir: &Path) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(dir).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for start in 0..bytes.len().saturating_sub(10) {
            if bytes[start..].starts_with(b"mark") {
                found.extend(
                    std::str::from_utf8(&bytes[start + 4..start + 11]).ok().and_then(|n| n.parse::<usize>().ok()),
                );
            }
        }
    }
    found
}

async fn wait_for_marks(dir: &Path, expected: &BTreeSet<usize>) {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let found = marks(dir);
        if found == *expected {
            return;
        }
        let more: Vec<_> = found.difference(expected).collect();
        assert!(Instant::now() < give_up, "still there: {more:?}");
        tokio::time::sleep(SOON).await;
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

const SIZES: [usize; 5] = [20, 100, 700, 3_000, 12_000];

#[tokio::test]
async fn erased_bodies_of_all_sizes_leave_every_file() {
    let place = place_with(erasing_after(SOON)).await;
    let (mut dice, mut live, mut number) = (Dice(7), BTreeMap::new(), 0);
    for round in 0..60 {
        let mut posts = Vec::new();
        for _ in 0..12 {
            number += 1;
            let body = marked(number, SIZES[dice.below(5)]);
            posts.push((
                number,
                place.submit(&format!("p{number}"), Action::Post { body, files: vec![] }).await.unwrap(),
            ));
        }
        for (number, pending) in posts {
            live.insert(pending.outcome().await.unwrap().seq.unwrap(), number);
        }
        let mut changes = Vec::new();
        for turn in 0..7 {
            let target = *live.keys().nth(dice.below(live.len())).unwrap();
            number += 1;
            let action = if dice.below(2) == 0 {
                live.remove(&target);
                Action::Delete { target }
            } else {
                live.insert(target, number);
                Action::Edit { target, body: marked(number, SIZES[dice.below(5)]) }
            };
            changes.push(place.submit(&format!("c{round}-{turn}"), action).await.unwrap());
        }
        for pending in changes {
            pending.outcome().await.unwrap();
        }
    }
    let expected: BTreeSet<_> = live.into_values().collect();
    wait_for_marks(place.dir.path(), &expected).await;
    place.store.close().await;
    assert_eq!(marks(place.dir.path()), expected);
}

#[tokio::test]
async fn without_secure_deletion_the_search_finds_what_was_deleted() {
    let place = place_with(erasing_after(SOON)).await;
    for number in 0..20 {
        place
            .submit(&format!("k{number}"), Action::Post { body: marked(number, 300), files: vec![] })
            .await
            .unwrap()
            .outcome()
            .await
            .unwrap();
    }
    // A connection that has not asked for it, as every one before the pragma.
    place.execute("PRAGMA secure_delete = OFF; UPDATE bodies SET body = NULL; PRAGMA wal_checkpoint(TRUNCATE)").await;
    assert!(marks(place.dir.path()).len() > 10);
}

#[tokio::test]
async fn before_the_checkpoint_the_search_finds_what_was_deleted() {
    let place = place_with(erasing_after(Duration::from_secs(3_600))).await;
    let posted =
        place.submit("k", Action::Post { body: marked(1, 300), files: vec![] }).await.unwrap().outcome().await.unwrap();
    let delete = Action::Delete { target: posted.seq.unwrap() };
    place.submit("d", delete).await.unwrap().outcome().await.unwrap();
    assert_eq!(marks(place.dir.path()), [1].into());
    place.store.close().await;
    assert_eq!(marks(place.dir.path()), BTreeSet::new(), "closing erases too");
}

#[tokio::test]
async fn a_long_reader_delays_the_erasure_and_no_post() {
    let place = place_with(erasing_after(SOON)).await;
    let posted = place
        .submit("k", Action::Post { body: marked(1, 3_000), files: vec![] })
        .await
        .unwrap()
        .outcome()
        .await
        .unwrap();
    let mut reader = place.other().await;
    let mut reading = reader.begin().await.unwrap();
    let (_,): (i64,) = sqlx::query_as("SELECT count(*) FROM bodies").fetch_one(&mut *reading).await.unwrap();
    let delete = Action::Delete { target: posted.seq.unwrap() };
    place.submit("d", delete).await.unwrap().outcome().await.unwrap();
    let mut slowest = Duration::ZERO;
    let until = Instant::now() + Duration::from_secs(2);
    for number in 0.. {
        let began = Instant::now();
        place.post(&format!("busy{number}")).await.unwrap();
        slowest = slowest.max(began.elapsed());
        if began > until {
            break;
        }
    }
    assert_eq!(marks(place.dir.path()), [1].into(), "the reader still reads it");
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    reading.rollback().await.unwrap();
    wait_for_marks(place.dir.path(), &BTreeSet::new()).await;
}

#[tokio::test]
async fn a_deletion_by_a_process_that_is_gone_is_erased_by_another() {
    let place = place_with(erasing_after(SOON)).await;
    let posted = place
        .submit("k", Action::Post { body: marked(1, 3_000), files: vec![] })
        .await
        .unwrap()
        .outcome()
        .await
        .unwrap();
    let other = SqliteStore::open(place.dir.path(), erasing_after(Duration::from_secs(3_600))).await.unwrap();
    let intent = Intent { actor: place.author, key: Key::parse("d").unwrap() };
    let command = Command::new(intent, slug(), Action::Delete { target: posted.seq.unwrap() });
    other.submit(command).await.unwrap().outcome().await.unwrap();
    // It ends without closing.
    drop(other);
    wait_for_marks(place.dir.path(), &BTreeSet::new()).await;
}

#[tokio::test]
async fn keys_that_expired_are_purged_and_those_of_posts_stay() {
    let place = place_with(StoreOptions { key_lifetime: Duration::from_secs(10), ..StoreOptions::default() }).await;
    place.post("post").await.unwrap();
    let name = |text| Action::Rename { name: RoomName::parse(text).unwrap() };
    place.submit("name", name("One")).await.unwrap().outcome().await.unwrap();
    let now = crate::server::clock::now_ms();
    purge_keys(&place.store.gate, now).await.unwrap();
    let reused = place.submit("name", name("Two")).await.unwrap().outcome().await;
    assert!(matches!(reused, Err(Refusal::KeyReused)));
    purge_keys(&place.store.gate, now + 11_000).await.unwrap();
    place.submit("name", name("Two")).await.unwrap().outcome().await.unwrap();
    assert_eq!(place.post("post").await.unwrap(), Some(Seq(2)));
}
