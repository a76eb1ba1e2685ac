//! Webhooks and their deliveries, which come into being with the events that they tell of.

use super::world::{Engine, HOUR, NOW, World};
use pickmate::domain::{Access, Key, RoomId, Seq, UserId};
use pickmate::protocol::{DeliveryState, DeliveryView};
use pickmate::server::store::{Attempt, End, Ending, Fares, MadeBefore, NewWebhook, SigningSecret};

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
    world.store.create_webhook(NewWebhook { kinds, ..new_webhook(room, maker) }, limit, NOW).await.unwrap()
}

fn new_webhook(room: RoomId, maker: UserId) -> NewWebhook {
    let (url, secret) = ("https://a.example/hook".into(), SigningSecret("s".into()));
    NewWebhook { room, maker, url, secret, kinds: Vec::new(), key: None }
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

pub async fn with_one_key_one_webhook_is_made<E: Engine>(world: World<E>) {
    let maker = world.owner("maker").await;
    let room = world.room("general", Access::Open, maker).await;
    let other_room = world.room("other", Access::Open, maker).await;
    let key = Key::parse("k").unwrap();
    let new = || NewWebhook { key: Some(key.clone()), ..new_webhook(room, maker) };
    let other = world.another_process().await;
    let (one, two) = tokio::join!(world.store.create_webhook(new(), 10, NOW), other.create_webhook(new(), 10, NOW));
    let made: Vec<i64> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    let [webhook] = made[..] else { panic!("{made:?}") };
    let known = async |room, maker| world.store.made_webhook(room, maker, &key).await.unwrap();
    let made = |secret| MadeBefore { id: webhook, created_at: NOW, secret };
    assert_eq!(known(room, maker).await, Some(made(Some(SigningSecret("s".into())))));
    assert_eq!((known(other_room, maker).await, known(room, UserId(99)).await), (None, None));
    let elsewhere = NewWebhook { room: other_room, ..new() };
    assert!(world.store.create_webhook(elsewhere, 10, NOW).await.unwrap().is_some());
    assert!(world.store.remove_webhook(room, webhook, NOW).await.unwrap());
    assert_eq!(known(room, maker).await, Some(made(None)), "a form that is sent again does not bring it back");
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
    let badly = Fares::Badly { disabled_if_since: i64::MAX, and_failures: 1 };
    told.end(&lost, failing(End::Failed), badly, LATER + HOUR).await;
    assert_eq!(told.deliveries().await[0].state, DeliveryState::Sending, "the first one's end comes too late");
    let webhook = told.world.store.webhooks(told.room).await.unwrap().remove(0);
    assert_eq!((webhook.enabled, webhook.failing_since), (true, None), "and says nothing of the webhook");
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
    // Too short a time, then too few attempts.
    for badly in [(LATER - 1, 1), (LATER, 3), (LATER, 3)] {
        assert!(state().await.enabled);
        let badly = Fares::Badly { disabled_if_since: badly.0, and_failures: badly.1 };
        let attempt = told.begin(first, LATER).await.unwrap();
        told.end(&attempt, failing(End::Retry { due_at: LATER }), badly, LATER).await;
        assert_eq!(state().await.failing_since, Some(LATER));
    }
    assert_eq!((state().await.enabled, state().await.disabled_code.as_deref()), (false, Some("failing_too_long")));
    let note = told.deliveries().await.remove(0);
    assert_eq!((note.seq, note.attempts, note.error.as_deref()), (Seq(3), 0, Some("failing_too_long")));
    while store.give_up_deliveries(told.webhook, LATER).await.unwrap() {}
    let log = told.deliveries().await;
    let errors: Vec<_> = log.iter().map(|view| (view.attempts, view.error.as_deref().unwrap())).collect();
    assert_eq!(errors, [(0, "failing_too_long"), (0, "webhook_disabled"), (3, "webhook_disabled")]);
    told.post("m").await;
    assert_eq!(told.deliveries().await.len(), 3, "no more events");
    let test = store.add_test(told.room, told.webhook, LATER).await.unwrap().unwrap();
    let attempt = told.begin(test, LATER).await.unwrap();
    assert_eq!((attempt.seq, attempt.enabled), (Seq::ZERO, false));
    told.end(&attempt, ARRIVED, Fares::Again, LATER).await;
    assert_eq!((state().await.enabled, state().await.failing_since), (true, None));
    assert_eq!(state().await.disabled_code, None);
    told.post("n").await;
    assert_eq!(told.deliveries().await.len(), 5);
    // The failures of before the test count no more.
    let attempt = told.begin(told.deliveries().await[0].id, LATER).await.unwrap();
    let badly = Fares::Badly { disabled_if_since: LATER, and_failures: 2 };
    told.end(&attempt, failing(End::Failed), badly, LATER).await;
    assert!(state().await.enabled);
}

pub async fn what_waits_for_a_webhook_without_events_fails_but_for_what_is_being_sent<E: Engine>(world: World<E>) {
    let told = Told::of(world, &[]).await;
    let (store, webhook) = (told.world.store.clone(), told.webhook);
    told.world.posts("general", told.author, "many", 1_201).await;
    assert!(!store.give_up_deliveries(webhook, LATER).await.unwrap(), "it gets events");
    let backlog = store.backlog(webhook).await.unwrap().unwrap();
    assert_eq!((backlog.enabled, backlog.waiting), (true, 1_201));
    assert_eq!(store.backlog(webhook + 1).await.unwrap(), None);
    let newest = told.deliveries().await[0].id;
    let sending = told.begin(newest, LATER).await.unwrap();
    let test = store.add_test(told.room, webhook, LATER).await.unwrap().unwrap();
    assert!(store.disable_full_webhook(webhook, LATER).await.unwrap());
    assert!(!store.disable_full_webhook(webhook, LATER).await.unwrap(), "once");
    let mut steps = 0;
    while store.give_up_deliveries(webhook, LATER).await.unwrap() {
        steps += 1;
    }
    assert_eq!(steps, 3, "so many at once that nobody waits for long");
    assert_eq!(store.due_deliveries(webhook, LATER, 9).await.unwrap(), [test]);
    let [note, waiting_test, sent, given_up] = &told.deliveries().await[..4] else { panic!() };
    assert_eq!((note.error.as_deref(), waiting_test.state), (Some("backlog_full"), DeliveryState::Queued));
    assert_eq!((sent.id, sent.state), (newest, DeliveryState::Sending));
    assert_eq!((given_up.state, given_up.error.as_deref()), (DeliveryState::Failed, Some("webhook_disabled")));
    told.end(&sending, ARRIVED, Fares::Well, LATER).await;
    assert_eq!(store.webhooks(told.room).await.unwrap()[0].disabled_code.as_deref(), Some("backlog_full"));
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
    assert!(!store.purge_deliveries(LATER).await.unwrap(), "there was one");
    assert_eq!(told.seqs().await, [4, 3]);
    store.remove_webhook(told.room, told.webhook, LATER).await.unwrap();
    store.purge_deliveries(LATER + 1).await.unwrap();
    let waiting = store.due_deliveries(told.webhook, LATER, 9).await.unwrap();
    assert_eq!(waiting.len(), 1, "what waits is kept, and says that its webhook is gone");
    assert!(told.begin(waiting[0], LATER).await.unwrap().removed);
    assert_eq!(store.add_test(told.room, told.webhook, NOW).await.unwrap(), None);
}
