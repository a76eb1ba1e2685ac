use super::world::*;
use pickmate::client::timeline::{Applied, Timeline};
use pickmate::domain::{Access, Seq, Slug, UserId};
use pickmate::protocol::EventKind;
use pickmate::server::store::{Action, Command, Refusal};

const FUTURE: i64 = i64::MAX;

fn prune(before: i64) -> Command {
    Command::by_operator(slug("den"), Action::Prune { before })
}

async fn sweep<E: Engine>(world: &World<E>) -> u32 {
    let mut times = 0;
    while world.run(Command::by_operator(slug("den"), Action::Sweep)).await.unwrap().seq.is_some() {
        times += 1;
    }
    times
}

fn keeping(actor: UserId, days: Option<u32>) -> Command {
    once(actor, "den", Action::SetRetention { days })
}

pub async fn what_is_pruned_is_one_event_and_nowhere_else<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    world.posts("den", mina, "old", 1_200).await;
    let before = world.store.page(room, None, 300).await.unwrap();
    let head = before.head;
    assert_eq!(world.run(prune(0)).await.unwrap().seq, None, "nothing is so old");
    let pruned = world.run(prune(FUTURE)).await.unwrap().seq.unwrap();
    assert_eq!(pruned, head.next());
    let log = world.store.events_after(room, Seq::ZERO, 1_000).await.unwrap();
    assert_eq!((log.first, log.head), (head, pruned));
    let kinds: Vec<_> = log.events.iter().map(|event| &event.kind).collect();
    assert!(matches!(kinds[..], [EventKind::Posted { .. }, EventKind::Pruned { up_to: Seq(1_200) }]), "{kinds:?}");
    // Who has followed so far ends where a page does that is read now.
    let mut timeline = Timeline::from_page(before);
    assert_eq!(timeline.apply(&log.events[1..]), Applied::Changed);
    let now = Timeline::from_page(world.store.page(room, None, 300).await.unwrap());
    assert_eq!(timeline.rows().collect::<Vec<_>>(), now.rows().collect::<Vec<_>>());
    assert_eq!((timeline.head(), timeline.has_older()), (now.head(), now.has_older()));
    assert_eq!(sweep(&world).await, 3);
    assert_eq!(world.store.events_after(room, Seq::ZERO, 1_000).await.unwrap(), log);
    // Its key is as free as if it had never been.
    let again = world.post("den", mina, "old-0", "hello").await.unwrap();
    assert!(!again.repeated);
    let last = world.post("den", mina, "old-1199", "hello").await.unwrap();
    assert!(last.repeated, "the last one was kept");
}

pub async fn only_what_is_old_enough_goes_and_a_log_keeps_its_last_event<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    world.post("den", mina, "k1", "안녕").await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let now = world.post("den", mina, "k2", "또").await.unwrap().seq.unwrap();
    let at = world.log(room).await.last().unwrap().at;
    assert!(world.run(prune(at)).await.unwrap().seq.is_some());
    assert_eq!(world.store.events_after(room, Seq::ZERO, 10).await.unwrap().first, now);
    assert_eq!(world.run(prune(at)).await.unwrap().seq, None, "once is enough");
    let mina_speaks = once(mina, "den", Action::Prune { before: FUTURE });
    assert!(matches!(world.run(mina_speaks).await, Err(Refusal::Forbidden)));
}

pub async fn an_edit_of_what_is_pruned_is_served_without_its_message<E: Engine>(world: World<E>) {
    let mina = world.user("mina").await;
    let room = world.room("den", Access::Closed, mina).await;
    let target = world.post("den", mina, "k", "안녕").await.unwrap().seq.unwrap();
    let rev = world.edit("den", mina, target, "또").await.unwrap().seq.unwrap();
    assert!(world.run(prune(FUTURE)).await.unwrap().seq.is_some());
    let log = world.store.events_after(room, Seq::ZERO, 10).await.unwrap();
    assert_eq!(log.first, rev, "a log keeps its last event");
    assert!(matches!(world.edit("den", mina, target, "그리고").await, Err(Refusal::NotFound)), "before it is swept");
    assert_eq!(log.events[0].kind, EventKind::Edited { target, rev, body: None });
    assert_eq!(sweep(&world).await, 1);
    assert_eq!(world.store.events_after(room, Seq::ZERO, 10).await.unwrap(), log);
}

pub async fn a_room_says_how_long_it_keeps<E: Engine>(world: World<E>) {
    let (mina, jun) = (world.user("mina").await, world.user("jun").await);
    let room = world.room("den", Access::Open, mina).await;
    world.join("den", jun).await.unwrap();
    assert!(matches!(world.run(keeping(jun, Some(7))).await, Err(Refusal::Forbidden)));
    assert!(world.run(keeping(mina, Some(7))).await.unwrap().seq.is_some());
    assert_eq!(world.run(keeping(mina, Some(7))).await.unwrap().seq, None);
    assert!(matches!(world.log(room).await.last().unwrap().kind, EventKind::RetentionChanged { days: Some(7), .. }));
    let view = world.store.room(&slug("den"), jun).await.unwrap().unwrap();
    assert_eq!(view.summary.keep_days, Some(7));
    let kept: Vec<(Slug, Option<u32>)> = world.store.pruned_rooms().await.unwrap();
    assert_eq!(kept, [(slug("den"), Some(7))]);
    assert!(world.run(keeping(mina, None)).await.unwrap().seq.is_some());
    assert!(world.store.pruned_rooms().await.unwrap().is_empty());
}
