//! Whatever happened: the log is dense, and its pages and its events tell the same story.

use super::pages::rows_by_pages;
use super::world::*;
use pickmate::domain::{Access, RoomId, RoomName, Seq, UserId};
use pickmate::protocol::Event;
use pickmate::server::store::Command;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const ROOMS: [&str; 3] = ["one", "two", "three"];

/// One step of a history, by the numbers of its people and rooms.
#[derive(Clone, Debug)]
enum Step {
    Post { room: usize, author: usize, key: u8, body: u8 },
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
        2 => (room.clone(), user.clone(), access.clone())
            .prop_map(|(room, creator, access)| Step::Create { room, creator, access }),
        3 => (room.clone(), user.clone(), user.clone())
            .prop_map(|(room, member, actor)| Step::Add { room, member, actor }),
        2 => (room.clone(), user.clone()).prop_map(|(room, member)| Step::Leave { room, member }),
        1 => (room.clone(), user.clone(), 0..3_u8).prop_map(|(room, actor, name)| Step::Rename { room, actor, name }),
        1 => (room, user, access).prop_map(|(room, actor, access)| Step::SetAccess { room, actor, access }),
    ]
}

fn command(step: &Step, users: &[UserId]) -> Command {
    match *step {
        Step::Post { room, author, key, body } => {
            post(ROOMS[room], users[author], &format!("k{key}"), &format!("body {body}"))
        }
        Step::Create { room, creator, access } => {
            let name = RoomName::parse(ROOMS[room]).unwrap();
            Command::CreateRoom { slug: slug(ROOMS[room]), name, access, creator: Some(users[creator]) }
        }
        Step::Add { room, member, actor } => {
            Command::AddMember { room: slug(ROOMS[room]), member: users[member], actor: Some(users[actor]) }
        }
        Step::Leave { room, member } => Command::Leave { room: slug(ROOMS[room]), member: users[member] },
        Step::Rename { room, actor, name } => {
            let name = RoomName::parse(&format!("name {name}")).unwrap();
            Command::Rename { room: slug(ROOMS[room]), actor: users[actor], name }
        }
        Step::SetAccess { room, actor, access } => {
            Command::SetAccess { room: slug(ROOMS[room]), actor: users[actor], access }
        }
    }
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
    for step in &steps {
        pending.push(world.submit(command(step, &users)).await);
    }
    let mut rooms = std::collections::BTreeSet::new();
    for (step, pending) in steps.iter().zip(pending) {
        if let Ok(committed) = pending.outcome().await {
            rooms.insert(committed.room);
            // The same again gets the same ack, whatever happened in between.
            if let Step::Post { .. } = step {
                let again = world.run(command(step, &users)).await.unwrap();
                assert_eq!((again.seq, again.repeated), (committed.seq, true));
            }
        }
    }
    for room in rooms {
        let log = events_by_stretches(&world, room, limit).await;
        assert_dense(&log);
        assert_eq!(world.witness.events(room), log);
        let rows: Vec<_> = log.into_iter().filter(|event| event.kind.makes_row()).collect();
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
