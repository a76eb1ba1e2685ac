use super::{Place, done};
use crate::postgres::Database;
use pickmate::domain::UserId;
use pickmate::server::store::postgres::PostgresStore;
use pickmate::server::store::{Accounts, NewInvite, StoreOptions};
use reqwest::StatusCode;

const DATABASE: &str = "pickmate.sqlite3";
const HEADS: &str = "heads";

/// Posts once on a server of its own; the epoch it told. Stopped so that one file has everything.
async fn one_post(place: &Place, key: &str) -> String {
    let server = place.serve();
    server.posted(key).await;
    let epoch = server.epoch().await;
    server.stop();
    epoch
}

#[tokio::test]
async fn an_epoch_outlives_stops_kills_and_the_operator() {
    let place = Place::new();
    let epoch = one_post(&place, "first").await;
    for round in 0..5 {
        let server = place.serve();
        assert_eq!(server.epoch().await, epoch, "round {round}");
        for n in 0..20 {
            server.posted(&format!("k{round}-{n}")).await;
        }
        done(&place.machine, &format!("admin room create room-{round}"), "");
        match round % 2 {
            0 => server.kill(),
            _ => server.stop(),
        }
        done(&place.machine, &format!("admin user create jun-{round} --password-stdin"), "correct horse\n");
        done(&place.machine, &format!("admin room add room-{round} jun-{round}"), "");
    }
    let server = place.serve();
    assert_eq!(server.epoch().await, epoch);
    assert_eq!(server.keys().await.len(), 101);
}

#[tokio::test]
async fn a_database_copied_back_is_another_history() {
    let place = Place::new();
    let epoch = one_post(&place, "kept").await;
    std::fs::copy(place.data(DATABASE), place.machine.path("copy")).unwrap();
    one_post(&place, "lost").await;
    std::fs::copy(place.machine.path("copy"), place.data(DATABASE)).unwrap();

    let server = place.serve();
    let now = server.epoch().await;
    assert_ne!(now, epoch);
    assert_eq!(server.posted("other").await, 3, "the seq of what was lost");
    let gap = server.get(&format!("/api/v1/rooms/general/events?after=2&epoch={epoch}")).await;
    assert_eq!(gap.status(), StatusCode::GONE);
    assert_eq!(server.log(&format!("&after=2&epoch={now}")).await["events"][0]["key"], "other");
    server.kill();
    assert_eq!(place.serve().epoch().await, now, "once is enough");
}

#[tokio::test]
async fn a_directory_without_its_heads_gets_a_new_epoch() {
    let place = Place::new();
    let epoch = one_post(&place, "first").await;
    std::fs::remove_file(place.data(HEADS)).unwrap();
    let second = one_post(&place, "second").await;
    assert_ne!(second, epoch);
    std::fs::write(place.data(HEADS), "not a record").unwrap();
    let third = one_post(&place, "third").await;
    assert_ne!(third, second);
    assert_eq!(one_post(&place, "fourth").await, third);
}

#[tokio::test]
async fn a_command_beside_the_server_is_put_down_too() {
    let place = Place::new();
    let epoch = one_post(&place, "kept").await;
    std::fs::copy(place.data(DATABASE), place.machine.path("copy")).unwrap();
    // Only the operator's command makes the log longer.
    done(&place.machine, "admin user create jun --password-stdin", "correct horse\n");
    done(&place.machine, "admin room add general jun", "");
    std::fs::copy(place.machine.path("copy"), place.data(DATABASE)).unwrap();
    assert_ne!(place.serve().epoch().await, epoch);
}

#[tokio::test]
async fn a_postgres_database_that_was_put_back_gets_a_new_epoch_by_a_command() {
    let (mut place, database) = (Place::new(), Database::new());
    let refused = place.machine.run("admin epoch renew", "");
    assert_eq!(refused.err, "pickmate: a SQLite database gets a new epoch by `pickmate restore`\n");
    place.machine.set("PICKMATE_DATABASE", &database.url().await);
    let place = Place::on(place.machine);
    let store = PostgresStore::open(&database.address().await, StoreOptions::default()).await.unwrap();
    let (session, reset, invite, far) = ([1; 32], [2; 32], [3; 32], i64::MAX);
    store.create_session(&session, UserId(1), 1, far).await.unwrap();
    store.create_reset(&reset, UserId(1), far).await.unwrap();
    let new = NewInvite { secret_hash: invite, created_by: UserId(1), expires_at: far, max_uses: 9 };
    store.create_invite(new, 1).await.unwrap();

    let server = place.serve();
    server.posted("k").await;
    let before = server.epoch().await;
    let mut follower = server.live().await;
    let kept = done(&place.machine, "admin epoch renew --keep-sessions", "");
    assert_ne!(kept, before);
    assert_eq!(follower.close_code().await, 1012, "a node that runs lets its clients go");
    assert_eq!((server.epoch().await, server.keys().await), (kept.clone(), vec!["k".to_owned()]));
    assert_eq!(store.standing_sessions(&[session], 2).await.unwrap().len(), 1);
    assert!(store.reset(&reset, 2).await.unwrap().is_none() && store.invite(&invite, 2).await.unwrap().is_none());

    let gone = server.get(&format!("/api/v1/rooms/general/events?after=1&epoch={before}")).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert_ne!(done(&place.machine, "admin epoch renew", ""), kept);
    assert_eq!(store.standing_sessions(&[session], 2).await.unwrap(), [] as [[u8; 32]; 0]);
    server.posted("with-the-token").await;
}
