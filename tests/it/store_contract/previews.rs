//! What links of messages lead to, as the log and pages of it tell.

use super::world::{Engine, NOW, World, editing, once, slug};
use pickmate::domain::{Access, RoomId, Seq, UserId};
use pickmate::protocol::{EventKind, Preview, Previews};
use pickmate::server::store::{Action, Command, Committed, NotedFor, PageNote, Refusal};

fn list(title: &str) -> Vec<Preview> {
    vec![Preview { url: "https://a.example/".into(), title: title.into(), ..Preview::default() }]
}

fn showing(target: Seq, rev: Seq, title: &str) -> Command {
    Command::by_operator(slug("general"), Action::Preview { target, rev, list: list(title) })
}

async fn post<E: Engine>(world: &World<E>, author: UserId, key: &str) -> Seq {
    world.post("general", author, key, "https://a.example/").await.unwrap().seq.unwrap()
}

async fn show<E: Engine>(world: &World<E>, target: Seq, rev: Seq, title: &str) -> Option<Seq> {
    world.run(showing(target, rev, title)).await.unwrap().seq
}

async fn shown<E: Engine>(world: &World<E>, room: RoomId, target: Seq) -> Option<Previews> {
    let page = world.store.page(room, None, 100).await.unwrap();
    let row = page.rows.into_iter().find(|row| row.seq == target).unwrap();
    let EventKind::Posted { previews, .. } = row.kind else { panic!("no message at {target}") };
    previews
}

pub async fn previews_are_an_event_and_part_of_their_message<E: Engine>(world: World<E>) {
    let author = world.user("author").await;
    let room = world.room("general", Access::Open, author).await;
    let target = post(&world, author, "k").await;
    let seq = show(&world, target, target, "A").await.unwrap();
    assert_eq!(seq, target.next());
    let log = world.log(room).await;
    let event = log.last().unwrap();
    assert_eq!((event.seq, &event.kind), (seq, &EventKind::Preview { target, rev: Some(seq), list: list("A") }));
    assert_eq!(shown(&world, room, target).await, Some(Previews { rev: seq, list: list("A") }));
    assert_eq!(world.witness.events(room).last(), log.last(), "the writer told what is read");
}

pub async fn previews_of_one_body_come_once<E: Engine>(world: World<E>) {
    let author = world.user("author").await;
    let room = world.room("general", Access::Open, author).await;
    let target = post(&world, author, "k").await;
    let all: Vec<_> = [(); 8].map(|()| world.submit(showing(target, target, "A"))).into_iter().collect();
    let mut seqs = Vec::new();
    for pending in all {
        seqs.extend(pending.await.outcome().await.unwrap().seq);
    }
    assert_eq!(seqs, [target.next()]);
    assert_eq!(show(&world, target, target, "B").await, None);
    assert_eq!(show(&world, Seq(99), Seq(99), "B").await, None, "no such message");
    assert_eq!(world.log(room).await.len() as u64, target.0 + 1);
    let absent = Action::Preview { target, rev: target, list: list("A") };
    assert!(matches!(world.run(Command::by_operator(slug("absent"), absent)).await, Err(Refusal::NotFound)));
}

pub async fn an_edit_leaves_no_previews_and_may_have_its_own<E: Engine>(world: World<E>) {
    let author = world.user("author").await;
    let room = world.room("general", Access::Open, author).await;
    let target = post(&world, author, "k").await;
    let first = show(&world, target, target, "A").await.unwrap();
    let edited = world.edit("general", author, target, "https://b.example/").await.unwrap().seq.unwrap();
    assert_eq!(shown(&world, room, target).await, None);
    let log = world.log(room).await;
    let at = |seq: Seq| &log[seq.0 as usize - 1].kind;
    assert_eq!(at(first), &EventKind::Preview { target, rev: None, list: vec![] });
    assert_eq!(show(&world, target, target, "of the body before").await, None);
    let second = show(&world, target, edited, "B").await.unwrap();
    assert_eq!(shown(&world, room, target).await, Some(Previews { rev: second, list: list("B") }));
    assert_eq!(world.log(room).await[first.0 as usize - 1].kind, world.log(room).await[second.0 as usize - 1].kind);
}

pub async fn a_deletion_leaves_no_previews<E: Engine>(world: World<E>) {
    let author = world.user("author").await;
    let room = world.room("general", Access::Open, author).await;
    let target = post(&world, author, "k").await;
    let seq = show(&world, target, target, "A").await.unwrap();
    world.delete("general", author, target).await.unwrap();
    assert_eq!(shown(&world, room, target).await, None);
    let log = world.log(room).await;
    assert_eq!(log[seq.0 as usize - 1].kind, EventKind::Preview { target, rev: None, list: vec![] });
    assert_eq!(show(&world, target, target, "B").await, None);
    assert_eq!(world.store.linking(room, target).await.unwrap(), None);
}

pub async fn what_is_pruned_has_no_previews_even_before_it_is_swept<E: Engine>(world: World<E>) {
    let author = world.user("author").await;
    let room = world.room("general", Access::Open, author).await;
    let (shown, late) = (post(&world, author, "k").await, post(&world, author, "l").await);
    let seq = show(&world, shown, shown, "A").await.unwrap();
    let prune = Command::by_operator(slug("general"), Action::Prune { before: i64::MAX });
    assert!(world.run(prune).await.unwrap().seq.is_some());
    let log = world.store.events_after(room, Seq::ZERO, 10).await.unwrap();
    assert_eq!(log.first, seq, "a log keeps its last event");
    assert_eq!(log.events[0].kind, EventKind::Preview { target: shown, rev: None, list: vec![] });
    assert_eq!(world.store.linking(room, late).await.unwrap(), None);
    assert_eq!(show(&world, late, late, "B").await, None);
    let sweep = Command::by_operator(slug("general"), Action::Sweep);
    while world.run(sweep.clone()).await.unwrap().seq.is_some() {}
    assert_eq!(world.store.events_after(room, Seq::ZERO, 10).await.unwrap(), log);
}

pub async fn accounts_show_no_previews_of_their_own<E: Engine>(world: World<E>) {
    let owner = world.owner("owner").await;
    world.room("general", Access::Open, owner).await;
    let target = post(&world, owner, "k").await;
    let refused: Result<Committed, Refusal> =
        world.run(once(owner, "general", Action::Preview { target, rev: target, list: list("A") })).await;
    assert!(matches!(refused, Err(Refusal::Forbidden)));
}

pub async fn a_message_tells_what_is_to_be_shown<E: Engine>(world: World<E>) {
    let author = world.user("author").await;
    let room = world.room("general", Access::Open, author).await;
    let target = post(&world, author, "k").await;
    let linking = async || world.store.linking(room, target).await.unwrap().unwrap();
    let found = linking().await;
    assert_eq!(
        (found.room, found.body.as_str(), found.rev, found.previewed),
        (slug("general"), "https://a.example/", target, false)
    );
    show(&world, target, target, "A").await;
    assert!(linking().await.previewed);
    world.run(once(author, "general", editing(target, "b"))).await.unwrap();
    assert_eq!((linking().await.body.as_str(), linking().await.previewed), ("b", false));
    assert_eq!(world.store.linking(room, Seq(1)).await.unwrap(), None, "no message");
}

pub async fn what_a_page_said_is_known_until_it_expires<E: Engine>(world: World<E>) {
    let hash = [7; 32];
    let shows = PageNote::Shows { title: "제목".into(), description: "".into(), site: "S".into() };
    let failed = PageNote::Failed("timeout".into());
    let noted = |fetched_at| NotedFor { fetched_at, expires_at: fetched_at + 10 };
    assert_eq!(world.store.page_note(&hash, NOW).await.unwrap(), None);
    world.store.put_page_note(&hash, &failed, noted(NOW)).await.unwrap();
    assert_eq!(world.store.page_note(&hash, NOW).await.unwrap(), Some(failed));
    world.store.put_page_note(&hash, &shows, noted(NOW + 1)).await.unwrap();
    assert_eq!(world.store.page_note(&hash, NOW + 10).await.unwrap(), Some(shows));
    assert_eq!(world.store.page_note(&hash, NOW + 11).await.unwrap(), None);
    assert_eq!(world.store.page_note(&[8; 32], NOW).await.unwrap(), None);
}
