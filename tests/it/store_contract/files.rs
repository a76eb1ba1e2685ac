//! Files that were uploaded, and messages that carry them.

use super::world::*;
use pickmate::domain::{Access, FileId, Key, Lane, RoomId, Seq, TaskId, UserId};
use pickmate::protocol::{Attached, Event, EventKind};
use pickmate::server::queue;
use pickmate::server::store::{
    Action, Command, FileState, NewFile, ReadyFile, Refusal, RunEnd, Store, StoredFile, TaskFailure, TaskWork,
    Thumbnail,
};
use std::sync::Arc;

fn id(number: u8) -> FileId {
    FileId::from_random([number; 16])
}

fn shown(number: u8) -> Attached {
    let (name, media_type) = (format!("사진 {number}.png"), "application/octet-stream".into());
    Attached { id: id(number), name, media_type, bytes: 1_000, width: None, height: None }
}

fn new(number: u8, room: RoomId, uploader: UserId) -> NewFile {
    let key = Key::parse(&format!("upload-{number}")).unwrap();
    NewFile { room, uploader, key, hash: [number; 32], shown: shown(number), expires_at: NOW + HOUR }
}

/// An image as it stands once it was made anew.
fn ready(number: u8) -> ReadyFile {
    let shown =
        Attached { media_type: "image/png".into(), bytes: 900, width: Some(30), height: Some(20), ..shown(number) };
    ReadyFile { shown, thumbnail: Some(Thumbnail { media_type: "image/jpeg".into(), bytes: 90 }), shared: false }
}

async fn put_ready<E: Engine>(world: &World<E>, number: u8, room: RoomId, uploader: UserId) -> Attached {
    world.store.put_file(new(number, room, uploader), NOW).await.unwrap();
    world.store.file_ready(&ready(number)).await.unwrap();
    ready(number).shown
}

fn carrying(body: &str, files: &[u8]) -> Action {
    let body = pickmate::domain::MessageBody::parse_caption(body, 100).unwrap();
    Action::Post { body, files: files.iter().map(|number| id(*number)).collect() }
}

fn carried(event: &Event) -> &[Attached] {
    match &event.kind {
        EventKind::Posted { files, .. } => files,
        other => panic!("no message: {other:?}"),
    }
}

pub async fn a_file_is_there_once_for_each_key<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let (room, other) =
        (world.room("general", Access::Open, mina).await, world.room("other", Access::Open, mina).await);
    let first = world.store.put_file(new(1, room, mina), NOW).await.unwrap();
    let expected = StoredFile {
        room,
        uploader: mina,
        hash: [1; 32],
        state: FileState::Uploaded,
        shown: shown(1),
        thumbnail: None,
    };
    assert_eq!(first, expected);
    assert_eq!(world.store.file(&id(1)).await.unwrap(), Some(expected.clone()));
    let again = NewFile { key: Key::parse("upload-1").unwrap(), ..new(2, room, mina) };
    assert_eq!(world.store.put_file(again.clone(), NOW).await.unwrap(), expected);
    assert_eq!(world.store.file(&id(2)).await.unwrap(), None);
    let elsewhere = NewFile { room: other, ..again };
    assert_eq!(world.store.put_file(elsewhere, NOW).await.unwrap().shown, shown(2));
}

pub async fn a_message_carries_its_files_wherever_it_is_served<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    let files = vec![put_ready(&world, 2, room, mina).await, put_ready(&world, 1, room, mina).await];
    let posted = world.run(by(mina, "k", "general", carrying("", &[2, 1]))).await.unwrap();
    assert_eq!(posted.seq, Some(Seq(2)));
    let log = world.log(room).await;
    assert_dense(&log);
    assert_eq!(carried(&log[1]), files);
    assert!(matches!(&log[1].kind, EventKind::Posted { body: Some(body), rev: Some(Seq(2)), .. } if body.is_empty()));
    assert_eq!(world.witness.events(room)[1], log[1]);
    for page in [world.store.page(room, None, 10).await, world.store.messages(room, None, 10).await] {
        assert_eq!(page.unwrap().rows.last(), Some(&log[1]));
    }
    assert_eq!(world.another_process().await.events_after(room, Seq(1), 10).await.unwrap().events, log[1..]);
    world.post("general", mina, "k2", "without").await.unwrap();
    assert!(carried(&world.log(room).await[2]).is_empty());
}

pub async fn a_post_with_files_joins_and_reads_like_any_other<E: Engine>(world: World<E>) {
    let (mina, joon) = (world.user("mina").await, world.user("joon").await);
    let room = world.room("general", Access::Open, mina).await;
    put_ready(&world, 1, room, joon).await;
    let before = world.submit(post("general", joon, "k0", "before")).await;
    let with = world.submit(by(joon, "k1", "general", carrying("look", &[1]))).await;
    let after = world.submit(post("general", mina, "k2", "after")).await;
    for pending in [before, with, after] {
        pending.outcome().await.unwrap();
    }
    put_ready(&world, 2, room, joon).await;
    assert_dense(&world.log(room).await);
    assert_eq!(keys(&world.log(room).await), ["k0", "k1", "k2"]);
    let stranger = world.user("stranger").await;
    put_ready(&world, 3, room, stranger).await;
    let entered = world.run(by(stranger, "k", "general", carrying("", &[3]))).await.unwrap();
    let log = world.log(room).await;
    assert_eq!(entered.seq, Some(log.last().unwrap().seq));
    assert!(matches!(&log[log.len() - 2].kind, EventKind::Joined { member } if member.id == stranger.0));
    assert_eq!(world.unread("general", stranger).await, 0);
    assert_eq!(world.witness.events(room), log);
}

pub async fn only_ones_own_ready_files_of_the_room_are_carried<E: Engine>(world: World<E>) {
    let (mina, joon) = (world.user("mina").await, world.user("joon").await);
    let (room, other) =
        (world.room("general", Access::Open, mina).await, world.room("other", Access::Open, mina).await);
    put_ready(&world, 1, room, joon).await;
    put_ready(&world, 2, other, mina).await;
    world.store.put_file(new(3, room, mina), NOW).await.unwrap();
    world.store.put_file(new(4, room, mina), NOW).await.unwrap();
    world.store.file_refused(&id(4), "broken_image").await.unwrap();
    put_ready(&world, 5, room, mina).await;
    for number in [1, 2, 4, 9] {
        let refused = world.run(once(mina, "general", carrying("", &[5, number]))).await;
        assert!(matches!(refused, Err(Refusal::NoSuchFile)), "{number}: {refused:?}");
    }
    let early = world.run(by(mina, "k", "general", carrying("", &[3]))).await;
    assert!(matches!(early, Err(Refusal::FileNotReady)), "{early:?}");
    assert_eq!(world.log(room).await.len(), 1, "a refusal leaves nothing behind");
    world.store.file_ready(&ready(3)).await.unwrap();
    world.run(by(mina, "k", "general", carrying("", &[3, 5]))).await.unwrap();
    let closed = world.room("closed", Access::Closed, joon).await;
    put_ready(&world, 6, closed, mina).await;
    let absent = world.run(once(mina, "closed", carrying("", &[6]))).await;
    assert!(matches!(absent, Err(Refusal::NotFound)), "{absent:?}");
}

pub async fn a_file_is_carried_once<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    put_ready(&world, 1, room, mina).await;
    let mut posts = Vec::new();
    for _ in 0..5 {
        posts.push(world.submit(once(mina, "general", carrying("", &[1]))).await);
    }
    let mut done = 0;
    for post in posts {
        match post.outcome().await {
            Ok(_) => done += 1,
            Err(refusal) => assert!(matches!(refusal, Refusal::NoSuchFile), "{refusal:?}"),
        }
    }
    assert_eq!((done, world.log(room).await.len()), (1, 2));
}

pub async fn a_known_post_with_files_gets_its_first_ack<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    for number in [1, 2] {
        put_ready(&world, number, room, mina).await;
    }
    let command = by(mina, "k", "general", carrying("a", &[1]));
    let first = world.run(command.clone()).await.unwrap();
    let again = world.run(command).await.unwrap();
    assert_eq!((again.seq, again.repeated), (first.seq, true));
    for other in [carrying("a", &[2]), carrying("b", &[1]), Action::Post { body: text("a"), files: vec![] }] {
        let reused = world.run(by(mina, "k", "general", other)).await;
        assert!(matches!(reused, Err(Refusal::KeyReused)), "{reused:?}");
    }
    assert_eq!(world.log(room).await.len(), 2);
}

pub async fn what_a_pruned_message_carried_is_out_of_reach_before_it_is_swept<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    put_ready(&world, 1, room, mina).await;
    world.run(by(mina, "k", "general", carrying("a", &[1]))).await.unwrap();
    world.post("general", mina, "l", "the last is kept").await.unwrap();
    assert!(world.store.file_for(&id(1), mina).await.unwrap().is_some());
    world.run(Command::by_operator(slug("general"), Action::Prune { before: i64::MAX })).await.unwrap();
    assert_eq!(world.store.file_for(&id(1), mina).await.unwrap(), None);
}

pub async fn an_edit_leaves_the_files_and_a_deletion_takes_them<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    let file = put_ready(&world, 1, room, mina).await;
    let seq = world.run(by(mina, "k", "general", carrying("a", &[1]))).await.unwrap().seq.unwrap();
    world.edit("general", mina, seq, "b").await.unwrap();
    let log = world.log(room).await;
    assert_eq!(carried(&log[1]), [file]);
    assert!(matches!(&log[1].kind, EventKind::Posted { body: Some(body), .. } if body == "b"));
    assert!(world.store.file_for(&id(1), mina).await.unwrap().is_some());
    assert_eq!(world.store.remove_files(NOW + 1_000 * HOUR).await.unwrap(), []);
    world.delete("general", mina, seq).await.unwrap();
    let log = world.log(room).await;
    assert!(carried(&log[1]).is_empty());
    assert_eq!(world.store.file_for(&id(1), mina).await.unwrap(), None);
    assert_eq!(world.store.remove_files(NOW).await.unwrap(), [id(1)]);
}

pub async fn what_became_of_a_file_is_decided_once<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    for number in [1, 2] {
        world.store.put_file(new(number, room, mina), NOW).await.unwrap();
    }
    world.store.file_ready(&ready(1)).await.unwrap();
    world.store.file_refused(&id(1), "broken_image").await.unwrap();
    let file = world.store.file(&id(1)).await.unwrap().unwrap();
    assert_eq!((file.state, file.shown, file.thumbnail), (FileState::Ready, ready(1).shown, ready(1).thumbnail));
    world.store.file_refused(&id(2), "broken_image").await.unwrap();
    world.store.file_ready(&ready(2)).await.unwrap();
    let file = world.store.file(&id(2)).await.unwrap().unwrap();
    assert_eq!((file.state, file.shown), (FileState::Refused("broken_image".into()), shown(2)));
}

async fn wanted(store: &Arc<dyn Store>, number: u8) -> TaskId {
    store.enqueue(vec![queue::image(&id(number))]).await.unwrap().remove(0)
}

async fn fails(store: &Arc<dyn Store>) {
    let task = store.claim("w", vec![(Lane::Cpu, 1)], 60_000).await.unwrap().remove(0);
    let failure = TaskFailure { code: "unavailable".into(), message: "five times".into() };
    store.work(TaskWork::End(task.run(), RunEnd::Failed(failure))).await.unwrap();
}

pub async fn a_file_is_refused_while_its_task_has_failed<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    let (store, other) = (&world.store, world.another_process().await);
    store.put_file(new(1, room, mina), NOW).await.unwrap();
    store.put_file(new(2, room, mina), NOW).await.unwrap();
    let state = async || store.file(&id(1)).await.unwrap().unwrap().state;
    let task = wanted(store, 1).await;
    assert_eq!((wanted(&other, 1).await, state().await), (task.clone(), FileState::Uploaded), "one task");
    fails(store).await;
    assert!(state().await.is_given_up());
    let refused = world.run(by(mina, "k", "general", carrying("", &[1]))).await;
    assert!(matches!(refused, Err(Refusal::NoSuchFile)), "{refused:?}");
    assert_eq!(store.file(&id(2)).await.unwrap().unwrap().state, FileState::Uploaded, "another file is not touched");
    other.work(TaskWork::Again(task.clone())).await.unwrap();
    assert_eq!(state().await, FileState::Uploaded, "an owner runs it again");
    other.work(TaskWork::Cancel(task.clone())).await.unwrap();
    assert!(state().await.is_given_up());
    assert_eq!((wanted(store, 1).await, state().await), (task, FileState::Uploaded), "its uploader tries again");
    store.file_ready(&ready(1)).await.unwrap();
    world.run(by(mina, "k2", "general", carrying("", &[1]))).await.unwrap();
}

pub async fn a_file_that_is_there_does_not_follow_its_task<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    let store = &world.store;
    for number in [1, 2] {
        store.put_file(new(number, room, mina), NOW).await.unwrap();
    }
    let state = async |number| store.file(&id(number)).await.unwrap().unwrap().state;
    let tasks = [wanted(store, 1).await, wanted(store, 2).await];
    store.file_ready(&ready(1)).await.unwrap();
    store.file_refused(&id(2), "broken_image").await.unwrap();
    // Their runs ended before they could tell.
    for task in &tasks {
        store.work(TaskWork::Cancel(task.clone())).await.unwrap();
        store.work(TaskWork::Again(task.clone())).await.unwrap();
    }
    assert_eq!((state(1).await, state(2).await), (FileState::Ready, FileState::Refused("broken_image".into())));
}

pub async fn a_file_is_for_those_who_may_read_its_message<E: Engine>(world: World<E>) {
    let (mina, joon, stranger) = (world.user("mina").await, world.user("joon").await, world.user("stranger").await);
    let room = world.room("closed", Access::Closed, mina).await;
    world.add("closed", joon, mina).await.unwrap();
    put_ready(&world, 1, room, mina).await;
    let seen = async || {
        let mut seen = Vec::new();
        for user in [mina, joon, stranger] {
            seen.push(world.store.file_for(&id(1), user).await.unwrap().is_some());
        }
        seen
    };
    assert_eq!(seen().await, [true, false, false], "before a message carries it, it is its uploader's");
    world.run(once(mina, "closed", carrying("", &[1]))).await.unwrap();
    assert_eq!(seen().await, [true, true, false]);
    world.leave("closed", joon).await.unwrap();
    assert_eq!(seen().await, [true, false, false]);
    world.set_access("closed", mina, Access::Open).await.unwrap();
    assert_eq!(seen().await, [true, true, true]);
}

pub async fn a_shared_file_is_for_those_who_may_read_the_room_until_it_expires<E: Engine>(world: World<E>) {
    let (mina, joon, stranger) = (world.user("mina").await, world.user("joon").await, world.user("stranger").await);
    let room = world.room("closed", Access::Closed, mina).await;
    world.add("closed", joon, mina).await.unwrap();
    world.store.put_file(new(1, room, mina), NOW).await.unwrap();
    assert_eq!(world.store.file_for(&id(1), joon).await.unwrap(), None);
    world.store.file_ready(&ReadyFile { shared: true, ..ready(1) }).await.unwrap();
    let state = |file: Option<StoredFile>| file.map(|file| file.state);
    assert_eq!(state(world.store.file_for(&id(1), joon).await.unwrap()), Some(FileState::Shared));
    assert_eq!(state(world.store.file_for(&id(1), mina).await.unwrap()), Some(FileState::Shared));
    assert_eq!(world.store.file_for(&id(1), stranger).await.unwrap(), None);
    let carried = world.run(by(mina, "k", "closed", carrying("a", &[1]))).await;
    assert!(matches!(carried, Err(Refusal::NoSuchFile)), "{carried:?}");
    assert_eq!(world.store.remove_files(NOW + 1_000 * HOUR).await.unwrap(), [id(1)]);
    assert_eq!(world.store.file_for(&id(1), joon).await.unwrap(), None);
}

pub async fn files_that_nothing_carries_go_in_the_end<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("general", Access::Open, mina).await;
    for number in [1, 2] {
        put_ready(&world, number, room, mina).await;
    }
    world.store.put_file(new(3, room, mina), NOW).await.unwrap();
    world.run(once(mina, "general", carrying("", &[2]))).await.unwrap();
    assert_eq!(world.store.remove_files(NOW + HOUR - 1).await.unwrap(), []);
    let mut removed = world.store.remove_files(NOW + HOUR).await.unwrap();
    removed.sort();
    assert_eq!(removed, [id(1), id(3)]);
    assert_eq!(world.store.file_for(&id(1), mina).await.unwrap(), None);
    let late = world.run(once(mina, "general", carrying("", &[1]))).await;
    assert!(matches!(late, Err(Refusal::NoSuchFile)), "{late:?}");
    world.store.file_ready(&ready(3)).await.unwrap();
    assert_eq!(world.store.file(&id(3)).await.unwrap().unwrap().state, FileState::Removed);
    assert_eq!(world.store.remove_files(NOW + HOUR).await.unwrap().len(), 2, "told of until they are forgotten");
    world.store.forget_files(&[id(1), id(2), id(3)]).await.unwrap();
    assert_eq!(world.store.remove_files(NOW + HOUR).await.unwrap(), []);
    assert!(world.store.file(&id(2)).await.unwrap().is_some(), "what is carried stays");
}
