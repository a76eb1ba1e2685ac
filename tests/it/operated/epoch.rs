use super::{Place, done};
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
