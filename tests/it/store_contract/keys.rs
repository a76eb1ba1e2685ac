//! One intent, once. The nine cases are those that Zulip names for its own keys
//! (`docs/subsystems/idempotency.md` there), with this contract's answers: refusals store nothing,
//! another command with a known key is refused, and a repeat that comes at the same time waits for
//! the same answer instead of being refused.

use super::world::*;
use pickmate::domain::{Access, RoomName, Seq, UserId};
use pickmate::server::store::Grown;
use pickmate::server::store::{Action, Command, Committed, Observer, Refusal, Store, StoreError, StoreOptions};
use std::sync::Arc;

fn creating(name: &str, access: Access, creator: UserId) -> Action {
    Action::CreateRoom { name: RoomName::parse(name).unwrap(), access, creator: Some(creator) }
}

/// Every command there is, each fit to succeed after those before it in a room that `author` made
/// and `other` is not in yet: the room's log has one event, and the post gets seq 2.
fn everything(author: UserId, other: UserId) -> Vec<Command> {
    let actions = [
        Action::Post { body: text("one"), files: vec![] },
        editing(Seq(2), "two"),
        editing(Seq(2), "two"),
        Action::Delete { target: Seq(2) },
        Action::Delete { target: Seq(2) },
        Action::AddMember { member: other },
        Action::AddMember { member: other },
        renaming("Lunch"),
        renaming("Lunch"),
        Action::SetAccess { access: Access::Closed },
        Action::SetAccess { access: Access::Closed },
        Action::Leave,
    ];
    let in_room = actions.into_iter().enumerate().map(|(n, action)| by(author, &format!("k{n}"), "general", action));
    let making = by(author, "k0", "another", creating("Another", Access::Open, author));
    in_room.chain([making]).collect()
}

async fn run(store: &Arc<dyn Store>, command: Command) -> Result<Committed, Refusal> {
    store.submit(command).await?.outcome().await
}

/// Case 1: a success.
pub async fn every_repeat_gets_the_first_ack_and_does_nothing<E: Engine>(world: World<E>) {
    let (author, other) = (world.owner("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, author).await;
    let mut acks = Vec::new();
    for command in everything(author, other) {
        let first = world.run(command.clone()).await.unwrap();
        assert!(!first.repeated, "{command:?}");
        acks.push((command, first));
    }
    let log = world.log(room).await;
    let kinds = ["joined", "posted", "edited", "deleted", "joined", "renamed", "access_changed", "left"];
    let told: Vec<_> = log.iter().map(|event| serde_json::to_value(event).unwrap()["kind"].clone()).collect();
    assert_eq!(told, kinds);
    for (command, first) in acks {
        let again = world.run(command.clone()).await.unwrap();
        assert_eq!(again, Committed { repeated: true, ..first.clone() }, "{command:?}");
        let intent = command.intent.as_ref().unwrap();
        let known = world.store.known(command.scope(), intent, &command.fingerprint().unwrap()).await.unwrap();
        assert_eq!(known, Some(Committed { repeated: true, ..first }), "{command:?}");
    }
    assert_eq!(world.log(room).await, log);
    assert_eq!(
        world.store.rooms(author).await.unwrap().len(),
        1,
        "the room it left is closed, the other was made once"
    );
}

/// Cases 2 and 3: a refusal, before or in the work, stores nothing; the key is good for another try
/// and for something else.
pub async fn a_refusal_does_not_use_its_key<E: Engine>(world: World<E>) {
    let (creator, author) = (world.user("creator").await, world.user("author").await);
    world.room("den", Access::Closed, creator).await;
    let hello = post("den", author, "k", "hello");
    assert!(matches!(world.run(hello.clone()).await, Err(Refusal::NotFound)));
    world.add("den", author, creator).await.unwrap();
    for action in [editing(Seq(1), "x"), Action::Delete { target: Seq(9) }, renaming("Mine")] {
        let refused = world.run(by(author, "k", "den", action)).await;
        assert!(matches!(refused, Err(Refusal::NotFound | Refusal::Forbidden)));
    }
    assert!(!world.run(hello).await.unwrap().repeated);
    let taken = by(author, "l", "den", creating("Den", Access::Open, author));
    assert!(matches!(world.run(taken).await, Err(Refusal::SlugTaken)));
    assert!(!world.run(by(author, "l", "den-2", creating("Den", Access::Open, author))).await.unwrap().repeated);
}

struct Fragile;

impl Observer for Fragile {
    fn grown(&self, _epoch: &Arc<str>, _rooms: &[Grown]) {
        panic!("after the commit");
    }
}

/// Case 4: something fails after the work.
pub async fn a_failure_after_the_commit_keeps_the_key<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    world.room("general", Access::Open, author).await;
    let options = StoreOptions { observer: Arc::new(Fragile), ..StoreOptions::default() };
    let store = world.engine.open(options).await;
    let first = run(&store, post("general", author, "k", "hello")).await.unwrap();
    let again = world.post("general", author, "k", "hello").await.unwrap();
    assert_eq!(again, Committed { repeated: true, ..first });
}

/// Case 5: a key for two things.
pub async fn a_key_is_not_good_for_anything_else<E: Engine>(world: World<E>) {
    let (author, other) = (world.owner("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, author).await;
    let commands = everything(author, other);
    for command in &commands {
        world.run(command.clone()).await.unwrap();
    }
    let head = world.log(room).await.len();
    for used in &commands {
        for meant in &commands {
            let (key, same_scope) = (used.intent.clone(), used.scope().is_some() == meant.scope().is_some());
            let reused = Command { intent: key, ..meant.clone() };
            if same_scope && reused.fingerprint() != used.fingerprint() {
                let refused = world.run(reused.clone()).await;
                assert!(matches!(refused, Err(Refusal::KeyReused)), "{reused:?} {refused:?}");
            }
        }
    }
    for other_arguments in [
        post("general", author, "k0", "two"),
        by(author, "k1", "general", editing(Seq(3), "two")),
        by(author, "k0", "fresh", creating("Another", Access::Closed, author)),
        by(author, "k0", "fresh", creating("Fresh", Access::Open, author)),
    ] {
        assert!(matches!(world.run(other_arguments).await, Err(Refusal::KeyReused)));
    }
    assert_eq!(world.log(room).await.len(), head);
}

/// Case 6: the rules change between the first time and the repeat.
pub async fn a_repeat_is_answered_whatever_has_become_of_its_author<E: Engine>(world: World<E>) {
    let (creator, author) = (world.user("creator").await, world.user("author").await);
    world.room("den", Access::Closed, creator).await;
    world.add("den", author, creator).await.unwrap();
    let commands = [
        post("den", author, "a", "one"),
        by(author, "b", "den", editing(Seq(3), "two")),
        by(author, "c", "den", Action::Delete { target: Seq(3) }),
        by(author, "d", "den", Action::Leave),
    ];
    let mut acks = Vec::new();
    for command in &commands {
        acks.push(world.run(command.clone()).await.unwrap());
    }
    for (command, first) in commands.into_iter().zip(acks) {
        assert_eq!(world.run(command).await.unwrap(), Committed { repeated: true, ..first });
    }
    assert!(matches!(world.post("den", author, "new", "one").await, Err(Refusal::NotFound)));
    // And the other way round: what was refused is done once it may be.
    world.add("den", author, creator).await.unwrap();
    assert!(!world.post("den", author, "new", "one").await.unwrap().repeated);
}

/// Case 7: the store fails before the work is done.
pub async fn what_was_not_committed_is_done_by_the_repeat<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    world.store.close().await;
    let refused = run(&world.store, post("general", author, "k", "hello")).await;
    assert!(matches!(refused, Err(Refusal::Store(StoreError::Unavailable(_)))));
    let again = world.another_process().await;
    assert!(!run(&again, post("general", author, "k", "hello")).await.unwrap().repeated);
    assert_eq!(keys(&again.events_after(room, Seq::ZERO, 10).await.unwrap().events), ["k"]);
}

/// Case 8: the work is done and its answer never arrives.
pub async fn a_lost_answer_is_given_again_also_after_a_restart<E: Engine>(world: World<E>) {
    let (author, other) = (world.owner("a").await, world.user("b").await);
    let room = world.room("general", Access::Open, author).await;
    let commands = everything(author, other);
    for command in &commands {
        drop(world.submit(command.clone()).await);
    }
    world.store.close().await;
    let again = world.another_process().await;
    let log = again.events_after(room, Seq::ZERO, 100).await.unwrap().events;
    for command in commands {
        assert!(run(&again, command).await.unwrap().repeated);
    }
    assert_eq!(again.events_after(room, Seq::ZERO, 100).await.unwrap().events, log);
}

/// Case 9: the same at the same time, from more than one process.
pub async fn the_same_at_once_happens_once<E: Engine>(world: World<E>) {
    let (author, other_process) = (world.owner("a").await, world.another_process().await);
    let room = world.room("general", Access::Open, author).await;
    let target = world.post("general", author, "target", "one").await.unwrap().seq.unwrap();
    for command in [
        post("general", author, "a", "hello"),
        by(author, "b", "general", editing(target, "two")),
        by(author, "c", "general", renaming("Lunch")),
        by(author, "d", "general", Action::Delete { target }),
        by(author, "e", "made", creating("Made", Access::Open, author)),
    ] {
        let mut same = tokio::task::JoinSet::new();
        for n in 0..20_usize {
            let store = if n.is_multiple_of(2) { &world.store } else { &other_process };
            let (store, command) = (store.clone(), command.clone());
            same.spawn(async move { run(&store, command).await.unwrap() });
        }
        let acks = same.join_all().await;
        assert_eq!(acks.iter().filter(|ack| !ack.repeated).count(), 1, "{command:?}");
        assert!(acks.iter().all(|ack| (ack.room, ack.seq) == (acks[0].room, acks[0].seq)), "{command:?}");
    }
    assert_eq!(world.log(room).await.len(), 6);
    assert_eq!(world.store.rooms(author).await.unwrap().len(), 2);
}

pub async fn a_room_is_found_by_its_key_under_another_address<E: Engine>(world: World<E>) {
    let (author, other) = (world.user("a").await, world.user("b").await);
    let made = world.run(by(author, "k", "lunch-2", creating("Lunch", Access::Open, author))).await.unwrap();
    // A retry begins with the first address again.
    let again = world.run(by(author, "k", "lunch", creating("Lunch", Access::Open, author))).await.unwrap();
    assert_eq!(again, Committed { repeated: true, ..made });
    assert_eq!(again.slug, slug("lunch-2"));
    let theirs = world.run(by(other, "k", "lunch", creating("Lunch", Access::Open, other))).await.unwrap();
    assert!(!theirs.repeated, "a key is its actor's own");
    let stolen = by(author, "l", "dinner", creating("Dinner", Access::Open, other));
    assert!(matches!(world.run(stolen).await, Err(Refusal::Forbidden)), "nobody makes rooms for others");
}
