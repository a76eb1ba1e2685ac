//! Webhooks and their deliveries, which come into being with the events that they tell of.

use super::world::{Engine, HOUR, NOW, World};
use pickmate::domain::{Access, RoomId, Seq, UserId};
use pickmate::protocol::{DeliveryState, DeliveryView};
use pickmate::server::store::{Attempt, End, Ending, Fares, NewWebhook, SigningSecret};

const ARRIVED: Ending = Ending { end: End::Delivered, status: Some(200), error: None };
const LATER: i64 = 4_000_000_000_000;

struct Told<E> {
    world: World<E>,
    author: UserId,
    room: RoomId,
    webhook: i64,
}

impl<E: Engine> Told<E> {
    async fn of(world: World<E>, kinds: &[&str]) -> Told<E> {
        let author = world.user("author").await;
        let room = world.room("general", Access::Open, author).await;
        let webhook = make(&world, room, kinds, 10).await.unwrap();
        Told { world, author, room, webhook }
    }

    async fn post(&self, key: &str) -> Seq {
        self.world.post("general", self.author, key, "hello").await.unwrap().seq.unwrap()
    }

    /// The newest first.
    async fn deliveries(&self) -> Vec<DeliveryView> {
        self.world.store.deliveries(self.room, self.webhook, 100).await.unwrap()
    }

    async fn seqs(&self) -> Vec<u64> {
        self.deliveries().await.iter().map(|delivery| delivery.seq.0).collect()
    }

    async fn begin(&self, delivery: i64, now: i64) -> Option<Attempt> {
        self.world.store.begin_attempt(delivery, now, now + HOUR).await.unwrap()
    }

    async fn end(&self, attempt: &Attempt, ending: Ending, fares: Fares, now: i64) {
        self.world.store.end_attempt(attempt, ending, fares, now).await.unwrap();
    }
}

async fn make<E: Engine>(world: &World<E>, room: RoomId, kinds: &[&str], limit: u32) -> Option<i64> {
    let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    let maker = world.owner(&format!("maker {}", rand::random::<u32>())).await;
    let new =
        NewWebhook { room, maker, url: "https://a.example/hook".into(), secret: SigningSecret("s".into()), kinds };
    world.store.create_webhook(new, limit, NOW).await.unwrap()
}

fn failing(end: End) -> Ending {
    Ending { end, status: Some(500), error: Some("status") }
}

pub async fn every_event_of_the_room_has_its_delivery<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let target = told.post("k").await;
    told.world.posts("general", told.author, "many", 3).await;
    told.world.edit("general", told.author, target, "edited").await.unwrap();
    told.world.rename("general", told.author, "renamed").await.unwrap();
    let other = told.world.room("other", Access::Open, told.author).await;
    told.world.post("other", told.author, "k", "not told").await.unwrap();
    // The first event was there before the webhook.
    assert_eq!(told.seqs().await, [7, 6, 5, 4, 3, 2]);
    assert!(told.world.store.deliveries(other, told.webhook, 9).await.unwrap().is_empty(), "of another room");
    let newest = told.deliveries().await.remove(0);
    assert_eq!((newest.state, newest.attempts, newest.due_at), (DeliveryState::Queued, 0, Some(newest.queued_at)));
}

pub async fn a_webhook_hears_of_the_kinds_it_names<E: Engine>(world: World<E>) {
    let told = Told::of(world, &["edited", "renamed"]).await;
    let target = told.post("k").await;
    told.world.edit("general", told.author, target, "edited").await.unwrap();
    told.world.delete("general", told.author, target).await.unwrap();
    told.world.rename("general", told.author, "renamed").await.unwrap();
    assert_eq!(told.seqs().await, [5, 3]);
    assert_eq!(told.world.store.webhooks(told.room).await.unwrap()[0].kinds, ["edited", "renamed"]);
}

pub async fn what_is_refused_or_repeated_is_not_told<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let stranger = told.world.user("stranger").await;
    let target = told.post("k").await;
    told.post("k").await;
    told.world.edit("general", stranger, target, "not mine").await.unwrap_err();
    assert_eq!(told.seqs().await, [2]);
}

pub async fn a_room_has_so_many_webhooks<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    assert!(make(&told.world, told.room, &[], 2).await.is_some());
    assert_eq!(make(&told.world, told.room, &[], 2).await, None);
    let store = &told.world.store;
    assert!(store.remove_webhook(told.room, told.webhook, NOW).await.unwrap());
    assert!(!store.remove_webhook(told.room, told.webhook, NOW).await.unwrap());
    assert!(make(&told.world, told.room, &[], 2).await.is_some());
    let other = told.world.room("other", Access::Open, told.author).await;
    let listed = store.webhooks(told.room).await.unwrap();
    assert_eq!((listed.len(), store.webhooks(other).await.unwrap().len()), (2, 0));
    assert!(!store.remove_webhook(other, listed[0].id, NOW).await.unwrap(), "of another room");
}

pub async fn of_many_who_try_one_makes_the_attempt<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let seq = told.post("k").await;
    let delivery = told.deliveries().await[0].id;
    assert_eq!(told.world.store.due_deliveries(told.webhook, LATER, 9).await.unwrap(), [delivery]);
    assert!(told.begin(delivery, NOW).await.is_none(), "not due yet");
    let both = told.world.another_process().await;
    let other = both.begin_attempt(delivery, LATER, LATER + HOUR);
    let (one, other) = tokio::join!(told.begin(delivery, LATER), other);
    let begun: Vec<Attempt> = [one, other.unwrap()].into_iter().flatten().collect();
    let [attempt] = &begun[..] else { panic!("{begun:?}") };
    assert_eq!((attempt.number, attempt.seq, attempt.slug.as_str()), (1, seq, "general"));
    assert_eq!((attempt.url.as_str(), attempt.secret.0.as_str()), ("https://a.example/hook", "s"));
    assert!(!format!("{attempt:?}").contains("\"s\""), "a secret is not printed");
    told.end(attempt, ARRIVED, Fares::Well, LATER + 1).await;
    let view = told.deliveries().await.remove(0);
    assert_eq!((view.state, view.status, view.finished_at), (DeliveryState::Delivered, Some(200), Some(LATER + 1)));
    assert!(told.begin(delivery, LATER + 9 * HOUR).await.is_none(), "it has arrived");
}

pub async fn of_many_who_look_one_takes_the_webhook<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let (store, webhook) = (told.world.store.clone(), told.webhook);
    assert!(store.due_webhooks(LATER, 9).await.unwrap().is_empty(), "nothing is due");
    told.post("k").await;
    assert_eq!(store.due_webhooks(LATER, 9).await.unwrap(), [webhook]);
    let other = told.world.another_process().await;
    let (one, two) = tokio::join!(
        store.take_webhook(webhook, LATER, LATER + HOUR),
        other.take_webhook(webhook, LATER, LATER + 2 * HOUR)
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(one != two, "{one} {two}");
    assert!(store.due_webhooks(LATER, 9).await.unwrap().is_empty(), "somebody is at it");
    let until = if one { LATER + HOUR } else { LATER + 2 * HOUR };
    store.release_webhook(webhook, until - 1).await.unwrap();
    assert!(store.due_webhooks(LATER, 9).await.unwrap().is_empty(), "that was another one's");
    assert_eq!(store.due_webhooks(until, 9).await.unwrap(), [webhook], "it was not released in time");
    store.release_webhook(webhook, until).await.unwrap();
    assert_eq!(store.due_webhooks(LATER, 9).await.unwrap(), [webhook]);
}

pub async fn an_attempt_whose_end_is_unknown_is_made_again<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    told.post("k").await;
    let delivery = told.deliveries().await[0].id;
    let lost = told.begin(delivery, LATER).await.unwrap();
    assert!(told.begin(delivery, LATER + HOUR - 1).await.is_none());
    let again = told.begin(delivery, LATER + HOUR).await.unwrap();
    assert_eq!((lost.number, again.number), (1, 2));
    told.end(&lost, failing(End::Failed), Fares::AsBefore, LATER + HOUR).await;
    assert_eq!(told.deliveries().await[0].state, DeliveryState::Sending, "the first one's end comes too late");
    told.end(&again, failing(End::Retry { due_at: LATER + 2 * HOUR }), Fares::AsBefore, LATER + HOUR).await;
    let view = told.deliveries().await.remove(0);
    assert_eq!((view.state, view.due_at), (DeliveryState::Queued, Some(LATER + 2 * HOUR)));
    assert_eq!((view.attempts, view.status, view.error.as_deref()), (2, Some(500), Some("status")));
}

pub async fn a_webhook_that_fails_for_too_long_is_disabled_until_a_test_arrives<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let store = told.world.store.clone();
    let state = async || store.webhooks(told.room).await.unwrap().remove(0);
    told.post("k").await;
    told.post("l").await;
    let first = told.deliveries().await[1].id;
    let attempt = told.begin(first, LATER).await.unwrap();
    told.end(&attempt, failing(End::Retry { due_at: LATER }), Fares::Badly { disabled_if_since: LATER - 1 }, LATER)
        .await;
    assert_eq!((state().await.enabled, state().await.failing_since), (true, Some(LATER)));
    let attempt = told.begin(first, LATER).await.unwrap();
    told.end(&attempt, failing(End::Failed), Fares::Badly { disabled_if_since: LATER }, LATER + 1).await;
    assert_eq!((state().await.enabled, state().await.failing_since), (false, Some(LATER)));
    let log = told.deliveries().await;
    let errors: Vec<_> = log.iter().map(|view| (view.attempts, view.error.as_deref().unwrap())).collect();
    assert_eq!(errors, [(0, "webhook_disabled"), (0, "webhook_disabled"), (2, "status")]);
    told.post("m").await;
    assert_eq!(told.deliveries().await.len(), 3, "no more events");
    let test = store.add_test(told.room, told.webhook, LATER).await.unwrap().unwrap();
    let attempt = told.begin(test, LATER).await.unwrap();
    assert_eq!((attempt.seq, attempt.enabled), (Seq::ZERO, false));
    told.end(&attempt, ARRIVED, Fares::Again, LATER).await;
    assert_eq!((state().await.enabled, state().await.failing_since), (true, None));
    told.post("n").await;
    assert_eq!(told.deliveries().await.len(), 5);
}

pub async fn what_ended_long_ago_is_dropped<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let store = &told.world.store;
    for (key, ended) in [("k", LATER), ("l", LATER + 1)] {
        told.post(key).await;
        let attempt = told.begin(told.deliveries().await[0].id, LATER).await.unwrap();
        told.end(&attempt, ARRIVED, Fares::Well, ended).await;
    }
    told.post("m").await;
    store.purge_deliveries(LATER).await.unwrap();
    assert_eq!(told.seqs().await, [4, 3]);
    store.remove_webhook(told.room, told.webhook, LATER).await.unwrap();
    store.purge_deliveries(LATER + 1).await.unwrap();
    let waiting = store.due_deliveries(told.webhook, LATER, 9).await.unwrap();
    assert_eq!(waiting.len(), 1, "what waits is kept, and says that its webhook is gone");
    assert!(told.begin(waiting[0], LATER).await.unwrap().removed);
    assert_eq!(store.add_test(told.room, told.webhook, NOW).await.unwrap(), None);
}
