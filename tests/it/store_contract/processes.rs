//! Several stores on one database, and stores that come and go.

use super::world::*;
use pickmate::domain::{Access, Role, Seq};
use pickmate::server::store::{Foreign, Refusal, StoreError, StoreOptions};
use std::time::Duration;

/// Longer than anything here takes; reached only when what is waited for never happens.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn reopening_keeps_everything<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    let room = world.room("general", Access::Open, user).await;
    world.posts("general", user, "k", 20).await;
    let (epoch, log) = (world.store.epoch(), world.log(room).await);
    world.store.close().await;
    let again = world.another_process().await;
    assert_eq!(again.epoch(), epoch);
    assert_eq!(again.events_after(room, Seq::ZERO, 100).await.unwrap().events, log);
    assert_eq!(again.user_by_name("mina").await.unwrap().unwrap().id, user);
    let repeat = again.submit(post("general", user, "k-0", "hello")).await.unwrap().outcome().await.unwrap();
    assert_eq!((repeat.seq, repeat.repeated), (Some(Seq(2)), true));
    let other = E::empty().open(StoreOptions::default()).await;
    assert_ne!(other.epoch(), epoch, "another database is another history");
}

pub async fn after_close_commands_are_refused<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    let room = world.room("general", Access::Open, user).await;
    world.store.ready().await.unwrap();
    world.store.close().await;
    let refused = world.store.submit(post("general", user, "k", "hello")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(matches!(world.store.mark_read(room, user, Seq(1)).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(world.store.ready().await, Err(StoreError::Unavailable(_))));
    let late = world.store.create_user(account("late", Role::Member), NOW).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
}

pub async fn close_commits_what_is_queued<E: Engine>(world: World<E>) {
    let user = world.user("mina").await;
    let room = world.room("general", Access::Open, user).await;
    let mut pending = Vec::new();
    for n in 0..500 {
        pending.push(world.submit(post("general", user, &format!("k{n}"), "hello")).await);
    }
    world.store.close().await;
    for pending in pending {
        pending.outcome().await.unwrap();
    }
    let again = world.another_process().await;
    assert_eq!(again.heads(&[room]).await.unwrap(), [(room, Seq(501))]);
}

pub async fn a_commit_of_another_process_is_noticed<E: Engine>(world: World<E>) {
    let other = world.another_process().await;
    let mut foreign = world.store.foreign_writes();
    let mina = world.user("mina").await;
    world.room("general", Access::Open, mina).await;
    assert_eq!(foreign.take(), None);
    other.submit(post("general", mina, "k", "hello")).await.unwrap().outcome().await.unwrap();
    let written = tokio::time::timeout(PATIENCE, foreign.next()).await.unwrap();
    assert_eq!(written, Some(Foreign::Anything), "whoever tells the nodes nothing may have done anything");
}

pub async fn own_writes_are_not_foreign<E: Engine>(world: World<E>) {
    let mut foreign = world.store.foreign_writes();
    let user = world.user("mina").await;
    let room = world.room("general", Access::Open, user).await;
    // Long enough for the writer to look more than once.
    let until = tokio::time::Instant::now() + Duration::from_millis(700);
    let mut n = 0;
    while tokio::time::Instant::now() < until {
        world.post("general", user, &format!("k{n}"), "hello").await.unwrap();
        world.store.mark_read(room, user, Seq(n)).await.unwrap();
        world.store.set_locale(user, None).await.unwrap();
        n += 1;
    }
    assert_eq!(foreign.take(), None);
}

pub async fn two_processes_write_one_dense_log<E: Engine>(world: World<E>) {
    let other = world.another_process().await;
    let (a, b) = (world.user("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, a).await;
    let mut posts = tokio::task::JoinSet::new();
    for n in 0..200_usize {
        let (store, author) = if n.is_multiple_of(2) { (&world.store, a) } else { (&other, b) };
        let (store, command) = (store.clone(), post("general", author, &format!("k{n}"), "hello"));
        posts.spawn(async move { store.submit(command).await?.outcome().await });
    }
    for outcome in posts.join_all().await {
        outcome.unwrap();
    }
    let log = world.log(room).await;
    assert_dense(&log);
    assert_eq!(keys(&log).len(), 200);
    assert_eq!(other.events_after(room, Seq::ZERO, 1_000).await.unwrap().events, log);
    let reused = other.submit(post("general", a, "k0", "else")).await.unwrap().outcome().await;
    assert!(matches!(reused, Err(Refusal::KeyReused)), "a key is known to every process");
}

pub async fn many_processes_open_an_empty_directory<E: Engine>(_world: World<E>) {
    let engine = E::empty();
    let opened = futures_util::future::join_all((0..8).map(|_| engine.open(StoreOptions::default()))).await;
    let epochs: std::collections::BTreeSet<_> = opened.iter().map(|store| store.epoch()).collect();
    assert_eq!(epochs.len(), 1);
}
