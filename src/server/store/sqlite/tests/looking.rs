//! What is noticed of other programs, and of damage.

use super::super::super::{Budget, Fingerprint, Reason, Trouble};
use super::*;

const ALL: Budget = Budget { events: 10, bytes: usize::MAX };

#[tokio::test]
async fn a_connection_that_is_renewed_sees_foreign_writes_and_no_others() {
    let place = place(Duration::from_secs(5)).await;
    let mut turn = place.store.gate.turn().await;
    turn.foreign_write().await.unwrap();
    let locked = StoreError::Unavailable(Trouble::new(Reason::Locked, "by the test"));
    turn.remember(Some(&locked)).await;
    assert!(!turn.foreign_write().await.unwrap(), "nobody wrote");
    place.execute("UPDATE rooms SET name = 'Other'").await;
    turn.remember(Some(&locked)).await;
    assert!(turn.foreign_write().await.unwrap());
    turn.remember(None).await;
    assert!(!turn.foreign_write().await.unwrap());
}

#[tokio::test]
async fn damage_in_the_newest_events_or_in_the_keys_is_noticed() {
    for (table, version) in [("events", 1_001), ("keys", 1_002)] {
        let place = place(Duration::from_secs(5)).await;
        place.post("k").await.unwrap();
        // The writer would look at the file, and forget.
        let _turn = place.store.gate.turn().await;
        let broken = format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'broken' WHERE name = '{table}';
             PRAGMA schema_version = {version}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(broken)).execute(&mut place.other().await).await.unwrap();
        if table == "events" {
            assert!(place.store.tail(place.room, ALL).await.is_err());
        } else {
            let intent = Intent { actor: place.author, key: Key::parse("k").unwrap() };
            let print = Fingerprint::post(&intent.key, "hello", &[]);
            assert!(place.store.known(Some(&slug()), &intent, &print).await.is_err());
        }
        assert!(place.store.readers.met_damage(), "{table}");
    }
}
