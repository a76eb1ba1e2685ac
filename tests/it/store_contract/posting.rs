use super::world::*;
use pickmate::domain::{Access, Key, Seq, UserId};
use pickmate::protocol::{Author, EventKind};
use pickmate::server::store::{Action, Fingerprint, Grown, Intent, Observer, Refusal, StoreOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

pub async fn a_thousand_parallel_posts_with_repeated_keys_are_dense<E: Engine>(world: World<E>) {
    let authors = [world.user("a").await, world.user("b").await];
    let room = world.room("general", Access::Open, authors[0]).await;
    let mut posts = tokio::task::JoinSet::new();
    for n in 0..1_000_usize {
        let (store, key) = (world.store.clone(), format!("k{}", n % 300));
        let command = post("general", authors[n % 2], &key, "same");
        posts.spawn(async move { (key, n % 2, store.submit(command).await.unwrap().outcome().await.unwrap()) });
    }
    let mut acks: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let mut first_times = 0;
    for (key, author, committed) in posts.join_all().await {
        acks.entry((author, key)).or_default().insert(committed.seq);
        first_times += usize::from(!committed.repeated);
    }
    let log = world.log(room).await;
    assert_dense(&log);
    // n % 300 keeps n's parity, so every key has one author.
    assert_eq!((acks.len(), first_times, keys(&log).len()), (300, 300, 300));
    assert_eq!(keys(&log).into_iter().collect::<BTreeSet<_>>().len(), 300);
    assert!(acks.values().all(|seqs| seqs.len() == 1));
}

pub async fn a_repeat_gets_the_first_ack_after_leaving<E: Engine>(world: World<E>) {
    let (creator, author) = (world.user("creator").await, world.user("author").await);
    let room = world.room("den", Access::Closed, creator).await;
    world.add("den", author, creator).await.unwrap();
    let first = world.post("den", author, "k", "hello").await.unwrap();
    assert!(!first.repeated);
    world.leave("den", author).await.unwrap();
    let again = world.post("den", author, "k", "hello").await.unwrap();
    assert_eq!((again.seq, again.repeated), (first.seq, true));
    assert!(matches!(world.post("den", author, "new", "hello").await, Err(Refusal::NotFound)));
    assert_eq!(keys(&world.log(room).await), ["k"]);
}

pub async fn a_key_with_another_body_is_refused<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    world.post("general", author, "k", "one").await.unwrap();
    assert!(matches!(world.post("general", author, "k", "two").await, Err(Refusal::KeyReused)));
    assert_eq!(keys(&world.log(room).await), ["k"]);
}

pub async fn a_known_post_is_found_by_key_and_text<E: Engine>(world: World<E>) {
    let (author, other) = (world.user("a").await, world.user("b").await);
    world.room("general", Access::Open, author).await;
    let seq = world.post("general", author, "k", "one\ntwo").await.unwrap().seq;
    let known = async |room, author, key: &str, body: &str| {
        let intent = Intent { actor: author, key: Key::parse(key).unwrap() };
        let print = Fingerprint::post(&intent.key, body, &[]);
        let known = world.store.known(Some(&slug(room)), &intent, &print).await?;
        Ok::<_, Refusal>(known.and_then(|committed| committed.seq))
    };
    assert_eq!(known("general", author, "k", "one\r\ntwo").await.unwrap(), seq);
    assert!(matches!(known("general", author, "k", "\0").await, Err(Refusal::KeyReused)));
    for (room, author, key) in [("general", author, "l"), ("general", other, "k"), ("nowhere", author, "k")] {
        assert_eq!(known(room, author, key, "one\ntwo").await.unwrap(), None);
    }
}

pub async fn a_key_is_free_in_another_room_and_for_another_author<E: Engine>(world: World<E>) {
    let (a, b) = (world.user("a").await, world.user("b").await);
    world.room("one", Access::Open, a).await;
    world.room("two", Access::Open, a).await;
    for (room, author) in [("one", a), ("two", a), ("one", b)] {
        assert!(!world.post(room, author, "k", "hello").await.unwrap().repeated);
    }
}

pub async fn a_closed_room_is_as_absent_to_strangers<E: Engine>(world: World<E>) {
    let (creator, stranger) = (world.user("creator").await, world.owner("stranger").await);
    let room = world.room("den", Access::Closed, creator).await;
    let head = world.log(room).await.len();
    for place in ["den", "nowhere"] {
        assert!(matches!(world.post(place, stranger, "k", "hello").await, Err(Refusal::NotFound)));
        assert!(matches!(world.join(place, stranger).await, Err(Refusal::NotFound)));
        assert!(matches!(world.add(place, creator, stranger).await, Err(Refusal::NotFound)));
        assert!(matches!(world.leave(place, stranger).await, Err(Refusal::NotFound)));
        assert!(matches!(world.rename(place, stranger, "mine").await, Err(Refusal::NotFound)));
        assert!(matches!(world.set_access(place, stranger, Access::Open).await, Err(Refusal::NotFound)));
        assert_eq!(world.store.room(&slug(place), stranger).await.unwrap(), None);
    }
    assert!(matches!(world.post("den", UserId(999), "k", "hello").await, Err(Refusal::NotFound)));
    assert_eq!(world.log(room).await.len(), head);
}

pub async fn posting_into_an_open_room_joins<E: Engine>(world: World<E>) {
    let (creator, guest) = (world.user("creator").await, world.user("guest").await);
    let room = world.room("general", Access::Open, creator).await;
    let ack = world.post("general", guest, "k", "안녕\nhi \"there\"").await.unwrap();
    let log = world.log(room).await;
    let member = Author { id: guest.0, name: "guest".into() };
    assert_eq!(log[1].kind, EventKind::Joined { member: member.clone() });
    let posted = EventKind::Posted {
        key: "k".into(),
        author: member,
        body: Some("안녕\nhi \"there\"".into()),
        rev: Some(Seq(3)),
        deleted: false,
        files: vec![],
        previews: None,
    };
    assert_eq!((log[2].seq, &log[2].kind), (Seq(3), &posted));
    assert_eq!(ack.seq, Some(Seq(3)));
    let view = world.store.room(&slug("general"), guest).await.unwrap().unwrap();
    assert!(view.summary.member);
}

pub async fn commands_of_one_caller_keep_their_order<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Closed, author).await;
    let other = world.user("b").await;
    let mut pending = vec![world.submit(post("general", other, "early", "not a member yet")).await];
    let add = by(author, "add", "general", Action::AddMember { member: other });
    pending.push(world.submit(add).await);
    for n in 0..50 {
        pending.push(world.submit(post("general", other, &format!("k{n}"), "hello")).await);
    }
    let mut outcomes = Vec::new();
    for pending in pending {
        outcomes.push(pending.outcome().await);
    }
    assert!(matches!(outcomes.remove(0), Err(Refusal::NotFound)));
    let seqs: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap().seq.unwrap().0).collect();
    assert_eq!(seqs, (2..=52).collect::<Vec<_>>());
    assert_dense(&world.log(room).await);
}

pub async fn a_refused_command_leaves_nothing_behind<E: Engine>(world: World<E>) {
    let (member, stranger) = (world.user("member").await, world.user("stranger").await);
    let room = world.room("den", Access::Closed, member).await;
    let good = world.submit(post("den", member, "a", "1")).await;
    let bad = world.submit(post("den", stranger, "b", "2")).await;
    let good_too = world.submit(post("den", member, "c", "3")).await;
    assert_eq!(good.outcome().await.unwrap().seq, Some(Seq(2)));
    assert!(matches!(bad.outcome().await, Err(Refusal::NotFound)));
    assert_eq!(good_too.outcome().await.unwrap().seq, Some(Seq(3)));
    // The key of a refused command is free.
    world.add("den", stranger, member).await.unwrap();
    assert!(!world.post("den", stranger, "b", "2").await.unwrap().repeated);
    assert_dense(&world.log(room).await);
}

pub async fn the_observer_hears_of_a_post_before_its_author<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    for n in 0..50 {
        let seq = world.post("general", author, &format!("k{n}"), "hello").await.unwrap().seq;
        assert_eq!(world.witness.events(room).last().map(|event| event.seq), seq);
    }
}

pub async fn the_observer_hears_every_room_densely<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let rooms = [world.room("one", Access::Open, author).await, world.room("two", Access::Open, author).await];
    let mut posts = tokio::task::JoinSet::new();
    for n in 0..200 {
        let store = world.store.clone();
        let command = post(["one", "two"][n % 2], author, &format!("k{n}"), "hello");
        posts.spawn(async move { store.submit(command).await.unwrap().outcome().await.unwrap() });
    }
    posts.join_all().await;
    for room in rooms {
        let told = world.witness.events(room);
        assert_dense(&told);
        assert_eq!(told, world.log(room).await, "what was told is what is read");
    }
}

pub async fn a_dropped_answer_does_not_take_the_post_back<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    drop(world.submit(post("general", author, "k", "hello")).await);
    assert!(world.post("general", author, "k", "hello").await.unwrap().repeated);
    assert_eq!(keys(&world.log(room).await), ["k"]);
}

/// Panics at the first commit it is told of.
#[derive(Default)]
struct Fragile(Mutex<bool>);

impl Observer for Fragile {
    fn grown(&self, _epoch: &Arc<str>, _rooms: &[Grown]) {
        let mut broken = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        assert!(std::mem::replace(&mut *broken, true), "the first time breaks it");
    }
}

pub async fn a_panicking_observer_does_not_stop_the_writer<E: Engine>(world: World<E>) {
    let author = world.user("a").await;
    let room = world.room("general", Access::Open, author).await;
    let options = StoreOptions { observer: Arc::new(Fragile::default()), ..StoreOptions::default() };
    let store = world.engine.open(options).await;
    for (n, key) in ["a", "b"].into_iter().enumerate() {
        let ack = store.submit(post("general", author, key, "hello")).await.unwrap().outcome().await.unwrap();
        assert_eq!(ack.seq, Some(Seq(n as u64 + 2)));
    }
    assert_dense(&world.log(room).await);
}
