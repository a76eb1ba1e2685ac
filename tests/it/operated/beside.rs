//! Several processes on one data directory, under load: nothing is missed, nothing stale.

use super::{Place, Server, done};
use crate::app::Live;
use futures_util::future::join_all;
use pickmate::domain::{Key, Slug, UserId};
use pickmate::protocol::ServerFrame;
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Action, Command, Intent, Log, StoreOptions};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const POSTS: usize = 200;

/// Follows `general` from its begin on: keys of the posts in the order of their seqs, which are seen to
/// be dense, until there are as many posts.
async fn follow(mut live: Live, posts: usize) -> Vec<String> {
    live.send_json(json!({"type": "join", "room": "general", "after": 0})).await;
    let (mut keys, mut seq) = (Vec::new(), 0);
    while keys.len() < posts {
        if let ServerFrame::Events { list, .. } = live.frame().await {
            for event in list {
                seq += 1;
                assert_eq!(event.seq.0, seq, "dense, in order, once");
                let event = serde_json::to_value(&event).unwrap();
                keys.extend(event["key"].as_str().map(str::to_owned));
            }
        }
    }
    keys
}

async fn post_all(server: &Server, name: &str) {
    for n in 0..POSTS {
        server.posted(&format!("{name}-{n}")).await;
    }
}

#[tokio::test]
async fn followers_of_every_process_see_what_all_of_them_write() {
    let place = Place::new();
    let (one, other) = (place.serve(), place.serve());
    let mut followers = Vec::new();
    for server in [&one, &one, &other, &other] {
        followers.push(follow(server.live().await, 4 * POSTS));
    }
    let posting = [(&one, "a"), (&other, "b"), (&one, "c"), (&other, "d")].map(|(server, name)| post_all(server, name));
    let (_, seen) = tokio::join!(join_all(posting), join_all(followers));
    assert_eq!(BTreeSet::from_iter(&seen[0]).len(), 4 * POSTS, "each once");
    assert!(seen.iter().all(|keys| *keys == seen[0]), "all in one order");
    assert_eq!(other.keys().await, seen[0]);
    assert_eq!(one.epoch().await, other.epoch().await);
}

#[tokio::test]
async fn what_the_operator_does_meanwhile_is_in_its_place() {
    let place = Place::new();
    let server = place.serve();
    let follower = follow(server.live().await, POSTS);
    let mut people = Vec::new();
    for name in ["ada", "bo", "cem"] {
        done(&place.machine, &format!("admin user create {name} --password-stdin"), "correct horse\n");
        people.push(place.machine.start(&format!("admin room add general {name}")));
    }
    let ((), keys) = tokio::join!(post_all(&server, "k"), follower);
    assert!(people.into_iter().all(|mut command| command.wait().unwrap().success()));
    let server = place.serve();
    assert_eq!(server.keys().await, keys, "and the joining of three between them");
    assert_eq!(server.log("").await["head"], POSTS + 4);
}

#[tokio::test]
async fn a_right_that_another_process_takes_away_ends_within_a_second() {
    let place = Place::new();
    done(&place.machine, "admin user create jun --password-stdin", "correct horse\n");
    let token = done(&place.machine, "admin token create jun", "");
    done(&place.machine, "admin room create secret --closed", "");
    done(&place.machine, "admin room add secret jun", "");
    let server = place.serve();
    let mut jun = server.live_as(&token).await;
    jun.send_json(json!({"type": "join", "room": "secret"})).await;
    assert!(matches!(jun.frame().await, ServerFrame::Joined { .. }));

    let beside = SqliteStore::open(&place.machine.path("data"), StoreOptions::default()).await.unwrap();
    let intent = Intent { actor: UserId(2), key: Key::parse("leave").unwrap() };
    let leave = Command::new(intent, Slug::parse("secret").unwrap(), Action::Leave);
    beside.submit(leave).await.unwrap().outcome().await.unwrap();
    let taken = Instant::now();
    while !matches!(jun.frame().await, ServerFrame::Revoked { room } if room == "secret") {}
    assert!(taken.elapsed() < Duration::from_secs(1), "{:?}", taken.elapsed());
    jun.send_json(json!({"type": "post", "room": "secret", "key": "k", "body": "still here?"})).await;
    loop {
        match jun.frame().await {
            ServerFrame::Refused(refused) => return assert_eq!(refused.code.as_str(), "not_found"),
            ServerFrame::RoomsChanged => {}
            other => panic!("{other:?}"),
        }
    }
}
