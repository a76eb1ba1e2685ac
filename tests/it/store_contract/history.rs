//! Whatever happened: the log is dense, and its pages and its events tell the same story.

use super::pages::rows_by_pages;
use super::world::*;
use pickmate::domain::{Access, RoomId, RoomName, Seq, UserId};
use pickmate::protocol::{Event, EventKind};
use pickmate::server::store::{Action, Command, Committed};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};

const ROOMS: [&str; 3] = ["one", "two", "three"];

/// One step of a history, by the numbers of its people and rooms.
#[derive(Clone, Debug)]
enum Step {
    Post { room: usize, author: usize, key: u8, body: u8 },
    Edit { room: usize, author: usize, target: u64, body: u8 },
    Delete { room: usize, author: usize, target: u64 },
    Create { room: usize, creator: usize, access: Access },
    Add { room: usize, member: usize, actor: usize },
    Leave { room: usize, member: usize },
    Rename { room: usize, actor: usize, name: u8 },
    SetAccess { room: usize, actor: usize, access: Access },
}

fn step() -> impl Strategy<Value = Step> {
    let access = prop_oneof![Just(Access::Open), Just(Access::Closed)];
    let (room, user) = (0..ROOMS.len(), 0..3_usize);
    prop_oneof![
        8 => (room.clone(), user.clone(), 0..12_u8, 0..2_u8)
            .prop_map(|(room, author, key, body)| Step::Post { room, author, key, body }),
        4 => (room.clone(), user.clone(), 1..12_u64, 0..3_u8)
            .prop_map(|(room, author, target, body)| Step::Edit { room, author, target, body }),
        2 => (room.clone(), user.clone(), 1..12_u64)
            .prop_map(|(room, author, target)| Step::Delete { room, author, target }),
        2 => (room.clone(), user.clone(), access.clone())
            .prop_map(|(room, creator, access)| Step::Create { room, creator, access }),
        3 => (room.clone(), user.clone(), user.clone())
            .prop_map(|(room, member, actor)| Step::Add { room, member, actor }),
        2 => (room.clone(), user.clone()).prop_map(|(room, member)| Step::Leave { room, member }),
        1 => (room.clone(), user.clone(), 0..3_u8).prop_map(|(room, actor, name)| Step::Rename { room, actor, name }),
        1 => (room, user, access).prop_map(|(room, actor, access)| Step::SetAccess { room, actor, access }),
    ]
}

fn command(number: usize, step: &Step, users: &[UserId]) -> Command {
    let key = format!("step-{number}");
    match *step {
        Step::Post { room, author, key, body } => {
            post(ROOMS[room], users[author], &format!("k{key}"), &format!("body {body}"))
        }
        Step::Edit { room, author, target, body } => {
            by(users[author], &key, ROOMS[room], editing(Seq(target), &format!("body {body}")))
        }
        Step::Delete { room, author, target } => {
            by(users[author], &key, ROOMS[room], Action::Delete { target: Seq(target) })
        }
        Step::Create { room, creator, access } => {
            let name = RoomName::parse(ROOMS[room]).unwrap();
            let action = Action::CreateRoom { name, access, creator: Some(users[creator]) };
            by(users[creator], &key, ROOMS[room], action)
        }
        Step::Add { room, member, actor } => {
            by(users[actor], &key, ROOMS[room], Action::AddMember { member: users[member] })
        }
        Step::Leave { room, member } => by(users[member], &key, ROOMS[room], Action::Leave),
        Step::Rename { room, actor, name } => by(users[actor], &key, ROOMS[room], renaming(&format!("name {name}"))),
        Step::SetAccess { room, actor, access } => by(users[actor], &key, ROOMS[room], Action::SetAccess { access }),
    }
}

/// The rows that events make, whenever each of them was served.
fn fold(events: &[Event]) -> Vec<Event> {
    let mut rows = BTreeMap::new();
    for event in events {
        let (target, newer) = match &event.kind {
            EventKind::Edited { target, rev, body: Some(body) } => (target, Some((*rev, body.clone()))),
            EventKind::Edited { target, .. } | EventKind::Deleted { target } => (target, None),
            _ => {
                rows.insert(event.seq, event.clone());
                continue;
            }
        };
        let row: &mut Event = rows.get_mut(target).unwrap();
        let EventKind::Posted { body, rev, deleted, .. } = &mut row.kind else { panic!("{target} is no message") };
        match newer {
            None => (*body, *rev, *deleted) = (None, None, true),
            Some((newer, text)) if rev.is_some_and(|rev| rev < newer) => (*body, *rev) = (Some(text), Some(newer)),
            Some(_) => {}
        }
    }
    rows.into_values().collect()
}

/// The events of a room, fetched in stretches.
async fn events_by_stretches<E: Engine>(world: &World<E>, room: RoomId, limit: u32) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(Seq::ZERO, |event| event.seq);
        let stretch = world.store.events_after(room, after, limit).await.unwrap();
        if stretch.events.is_empty() {
            assert_eq!(after, stretch.head);
            return events;
        }
        events.extend(stretch.events);
    }
}

async fn live_through<E: Engine>(steps: Vec<Step>, limit: u32) {
    let world = World::<E>::new().await;
    let users = [world.owner("a").await, world.user("b").await, world.user("c").await];
    let mut pending = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        pending.push(world.submit(command(number, step, &users)).await);
    }
    let mut rooms = BTreeSet::new();
    for (number, (step, pending)) in steps.iter().zip(pending).enumerate() {
        if let Ok(committed) = pending.outcome().await {
            rooms.insert(committed.room);
            // The same again gets the same ack, whatever happened in between.
            let again = world.run(command(number, step, &users)).await.unwrap();
            assert_eq!(again, Committed { repeated: true, ..committed });
        }
    }
    for room in rooms {
        let log = events_by_stretches(&world, room, limit).await;
        assert_dense(&log);
        let rows = fold(&log);
        let told = world.witness.events(room);
        assert_eq!((seqs(&told), fold(&told)), (seqs(&log), rows.clone()));
        assert_eq!(rows_by_pages(&world, room, limit).await, rows);
    }
}

pub async fn pages_and_events_tell_the_same_story<E: Engine>(_world: World<E>) {
    let handle = tokio::runtime::Handle::current();
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let histories = (prop::collection::vec(step(), 1..60), 1..9_u32);
    tokio::task::block_in_place(|| {
        let outcome = runner.run(&histories, |(steps, limit)| {
            handle.block_on(live_through::<E>(steps, limit));
            Ok(())
        });
        outcome.unwrap();
    });
}
