//! Accounts are recognised whatever becomes of the writes, and an end is told once it is one.

use super::*;
use crate::server::store::{Grown, PROLONG_EVERY_MS};
use futures_util::poll;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Notify;
use tokio::time::timeout;

const SESSION: [u8; 32] = [7; 32];
const END: i64 = 10 * PROLONG_EVERY_MS;
const LATER: i64 = 12 * PROLONG_EVERY_MS;

#[derive(Default)]
struct Told {
    changes: AtomicU32,
    changed: Notify,
}

impl Observer for Told {
    fn grown(&self, _epoch: &Arc<str>, _rooms: &[Grown]) {}

    fn accounts_changed(&self) {
        self.changes.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }
}

#[tokio::test]
async fn a_sign_out_that_nobody_waits_for_is_told_when_it_is_done() {
    let told = Arc::new(Told::default());
    let place = place_with(StoreOptions { observer: told.clone(), ..StoreOptions::default() }).await;
    place.store.create_session(&SESSION, place.author, 1, END).await.unwrap();
    let turn = place.store.gate.turn().await;
    let mut ending = place.store.end_session(&SESSION);
    assert!(poll!(&mut ending).is_pending());
    drop(ending);
    assert_eq!(told.changes.load(Ordering::Relaxed), 0, "the session still stands");
    drop(turn);
    timeout(Duration::from_secs(10), told.changed.notified()).await.unwrap();
    assert_eq!(place.store.session(&SESSION, 2, END).await.unwrap(), None);
}

#[tokio::test]
async fn a_session_is_recognised_while_nothing_can_be_written() {
    let place = place(Duration::from_secs(60)).await;
    place.store.create_session(&SESSION, place.author, 1, END).await.unwrap();
    let mut other = place.other().await;
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let asked = place.store.session(&SESSION, 2, LATER);
    assert!(timeout(Duration::from_secs(10), asked).await.unwrap().unwrap().is_some(), "while it is locked");
    lock.rollback().await.unwrap();
    let database = place.dir.path().join(FILE);
    std::fs::rename(&database, place.dir.path().join("away")).unwrap();
    let asked = place.store.session(&SESSION, 2, 2 * LATER).await.unwrap();
    assert!(asked.is_some(), "while it is gone");
}
