//! Messages that are edited and deleted, wherever they are served.

use super::world::*;
use pickmate::domain::{Access, RoomId, Seq};
use pickmate::protocol::{Event, EventKind};
use pickmate::server::store::{Action, Refusal, Store};
use std::sync::Arc;

/// Body and `rev` of the message at `seq`, as a page, the API's list and the log serve it.
async fn served(store: &Arc<dyn Store>, room: RoomId, seq: Seq) -> (Option<String>, Option<Seq>) {
    let page = store.page(room, None, 100).await.unwrap();
    let messages = store.messages(room, None, 100).await.unwrap();
    let log = store.events_after(room, Seq::ZERO, 100).await.unwrap();
    let of = |events: Vec<Event>| {
        let event = events.into_iter().find(|event| event.seq == seq).unwrap();
        let EventKind::Posted { body, rev, deleted, .. } = event.kind else { panic!("no message at {seq}") };
        assert_eq!(deleted, body.is_none());
        (body, rev)
    };
    assert_eq!((page.head, messages.head), (log.head, log.head));
    let (page, messages, log) = (of(page.rows), of(messages.rows), of(log.events));
    assert_eq!((&page, &messages), (&log, &log));
    log
}

pub async fn an_edit_is_served_everywhere<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let seq = world.post("general", author, "k", "one").await.unwrap().seq.unwrap();
    assert_eq!(world.edit("general", author, seq, "two").await.unwrap().seq, Some(Seq(3)));
    assert_eq!(world.edit("general", author, seq, "three").await.unwrap().seq, Some(Seq(4)));
    assert_eq!(served(&world.store, room, seq).await, (Some("three".into()), Some(Seq(4))));
    let log = world.log(room).await;
    let edited = EventKind::Edited { target: seq, rev: Seq(4), body: Some("three".into()) };
    assert_eq!((&log[2].kind, &log[3].kind), (&edited, &edited), "bodies are those of now");
    assert_dense(&log);
    let told = world.witness.events(room);
    assert_eq!(told[2].kind, EventKind::Edited { target: seq, rev: Seq(3), body: Some("two".into()) });
}

pub async fn a_deletion_is_served_everywhere_and_final<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let seq = world.post("general", author, "k", "one").await.unwrap().seq.unwrap();
    world.edit("general", author, seq, "two").await.unwrap();
    assert_eq!(world.delete("general", author, seq).await.unwrap().seq, Some(Seq(4)));
    assert_eq!(served(&world.store, room, seq).await, (None, None));
    let log = world.log(room).await;
    assert!(matches!(log[2].kind, EventKind::Edited { body: None, .. }));
    assert_eq!(log[3].kind, EventKind::Deleted { target: seq });
    assert!(matches!(world.edit("general", author, seq, "three").await, Err(Refusal::Erased)));
    let again = world.delete("general", author, seq).await.unwrap();
    assert_eq!((again.seq, again.repeated), (Some(Seq(4)), false), "another intent, and nothing left to do");
    assert_eq!(world.log(room).await.len(), 4);
}

pub async fn the_body_that_is_there_makes_no_event<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let seq = world.post("general", author, "k", "one").await.unwrap().seq.unwrap();
    assert_eq!(world.edit("general", author, seq, "one").await.unwrap().seq, Some(seq));
    let edited = world.edit("general", author, seq, "two").await.unwrap().seq;
    assert_eq!(world.edit("general", author, seq, "two").await.unwrap().seq, edited);
    assert_eq!(world.log(room).await.len(), 3);
}

pub async fn only_the_author_changes_a_message_and_only_as_a_member<E: Engine>(world: World<E>) {
    let (creator, author) = (world.owner("creator").await, world.user("author").await);
    for (address, access) in [("general", Access::Open), ("den", Access::Closed)] {
        let room = world.room(address, access, creator).await;
        world.add(address, author, creator).await.unwrap();
        let seq = world.post(address, author, "k", "one").await.unwrap().seq.unwrap();
        assert!(matches!(world.edit(address, creator, seq, "x").await, Err(Refusal::Forbidden)), "not even an owner");
        assert!(matches!(world.delete(address, creator, seq).await, Err(Refusal::Forbidden)));
        for nothing in [Seq(1), Seq(99), Seq(u64::MAX)] {
            assert!(matches!(world.edit(address, author, nothing, "x").await, Err(Refusal::NotFound)));
            assert!(matches!(world.delete(address, author, nothing).await, Err(Refusal::NotFound)));
        }
        world.leave(address, author).await.unwrap();
        let refused = [world.edit(address, author, seq, "x").await, world.delete(address, author, seq).await];
        for refused in refused {
            match access {
                Access::Open => assert!(matches!(refused, Err(Refusal::Forbidden)), "{refused:?}"),
                Access::Closed => assert!(matches!(refused, Err(Refusal::NotFound)), "{refused:?}"),
            }
        }
        assert_eq!(served(&world.store, room, seq).await, (Some("one".into()), Some(seq)));
    }
}

pub async fn a_deleted_message_is_not_unread_and_an_edited_one_not_again<E: Engine>(world: World<E>) {
    let (author, reader) = (world.user("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, author).await;
    world.join("general", reader).await.unwrap();
    let first = world.post("general", author, "k", "one").await.unwrap().seq.unwrap();
    world.store.mark_read(room, reader, first).await.unwrap();
    world.edit("general", author, first, "two").await.unwrap();
    assert_eq!(world.unread("general", reader).await, 0);
    let second = world.post("general", author, "l", "one").await.unwrap().seq.unwrap();
    assert_eq!(world.unread("general", reader).await, 1);
    world.edit("general", author, second, "two").await.unwrap();
    assert_eq!(world.unread("general", reader).await, 1);
    world.delete("general", author, second).await.unwrap();
    assert_eq!(world.unread("general", reader).await, 0);
}

pub async fn a_change_of_a_message_of_another_history_is_refused<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let seq = world.post("general", author, "k", "one").await.unwrap().seq.unwrap();
    for action in [editing(seq, "two"), Action::Delete { target: seq }] {
        let refused = world.run(by(author, "old", "general", action).in_epoch(Some("former"))).await;
        assert!(matches!(refused, Err(Refusal::Gap)), "{refused:?}");
    }
    assert_eq!(served(&world.store, room, seq).await.0, Some("one".into()));
    let epoch = world.store.epoch();
    let edit = || by(author, "new", "general", editing(seq, "two"));
    let edited = world.run(edit().in_epoch(Some(&epoch))).await.unwrap();
    let repeated = world.run(edit().in_epoch(Some("former"))).await.unwrap();
    assert_eq!((repeated.seq, repeated.repeated), (edited.seq, true), "the key comes first");
}

pub async fn changes_by_another_process_are_honoured<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let other = world.another_process().await;
    let seq = world.post("general", author, "k", "one").await.unwrap().seq.unwrap();
    let run = async |action| other.submit(by(author, "theirs", "general", action)).await?.outcome().await;
    run(editing(seq, "two")).await.unwrap();
    assert_eq!(served(&world.store, room, seq).await, (Some("two".into()), Some(Seq(3))));
    let reused = world.run(by(author, "theirs", "general", Action::Delete { target: seq })).await;
    assert!(matches!(reused, Err(Refusal::KeyReused)));
    assert!(world.run(by(author, "theirs", "general", editing(seq, "two"))).await.unwrap().repeated);
    other.submit(by(author, "gone", "general", Action::Delete { target: seq })).await.unwrap().outcome().await.unwrap();
    assert_eq!(served(&world.store, room, seq).await, (None, None));
    assert!(matches!(world.edit("general", author, seq, "three").await, Err(Refusal::Erased)));
}
