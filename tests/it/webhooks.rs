//! Webhooks from the event to the receiver's answer.

use crate::outgoing::peer::{Peer, page, redirect};
use crate::outgoing::{bounds, client, rules};
use crate::store_contract::world::{Engine, Postgres, Sqlite, World};
use pickmate::domain::{Access, Role, RoomId, Seq, UserId};
use pickmate::protocol::{DeliveryState, DeliveryView};
use pickmate::server::clock::now_ms;
use pickmate::server::config::Limits;
use pickmate::server::outgoing::{Bounds, Client};
use pickmate::server::store::{End, Ending, Fares, NewWebhook, SigningSecret};
use pickmate::server::webhooks::{Delivered, deliver, deliver_due, signature};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

struct Room<E> {
    world: World<E>,
    room: RoomId,
    author: UserId,
    webhook: i64,
    limits: Limits,
}

impl<E: Engine> Room<E> {
    async fn telling(url: String) -> Room<E> {
        let world: World<E> = World::new().await;
        let author = world.owner("민아").await;
        let room = world.room("general", Access::Open, author).await;
        let secret = SigningSecret("pmwh_s".into());
        let new = NewWebhook { room, maker: author, url, secret, kinds: Vec::new(), key: None };
        let webhook = world.store.create_webhook(new, 10, now_ms()).await.unwrap().unwrap();
        Room { world, room, author, webhook, limits: Limits::default() }
    }

    async fn post(&self, key: &str) -> Seq {
        self.world.post("general", self.author, key, "안녕").await.unwrap().seq.unwrap()
    }

    async fn newest(&self) -> DeliveryView {
        self.world.store.deliveries(self.room, self.webhook, 1).await.unwrap().remove(0)
    }

    /// A run of attempts; how many there were.
    async fn due(&self) -> usize {
        let run = (i64::MAX, &(|| false) as &(dyn Fn() -> bool + Sync));
        deliver_due(&*self.world.store, &client(), &self.limits, self.webhook, run).await.unwrap()
    }

    async fn deliver(&self, client: &Client) -> Delivered {
        let id = self.newest().await.id;
        deliver(&*self.world.store, client, &self.limits, id).await.unwrap()
    }
}

fn status(line: &'static str) -> impl Fn(&str) -> Vec<u8> {
    move |_| format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let line = request.lines().find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)));
    line.unwrap_or_else(|| panic!("no {name} in {request}")).1
}

async fn an_event_arrives_signed_and_once<E: Engine>() {
    let peer = Peer::saying(|_| page("thanks")).await;
    let room = Room::<E>::telling(peer.url("/hook?a=b")).await;
    let seq = room.post("k").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Arrived);
    assert_eq!(room.deliver(&client()).await, Delivered::NotDue);
    let requests = peer.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    let sent: Value = serde_json::from_str(body).unwrap();
    let event = serde_json::to_value(&room.world.log(room.room).await[seq.0 as usize - 1]).unwrap();
    assert_eq!((&sent["room"], &sent["event"]), (&Value::from("general"), &event));
    let signed = header(request, "x-pickmate-signature");
    let seconds: i64 = signed.split(['=', ',']).nth(1).unwrap().parse().unwrap();
    assert_eq!(signed, signature(&SigningSecret("pmwh_s".into()), seconds, body));
    assert!((now_ms() / 1_000 - seconds).abs() < 60);
    let view = room.newest().await;
    assert_eq!(header(request, "x-pickmate-delivery"), format!("{}-{}", room.world.store.epoch(), view.id));
    assert_eq!((view.state, view.status, view.attempts), (DeliveryState::Delivered, Some(200), 1));
}

async fn nothing_is_sent_once_its_maker_might_not_make_it<E: Engine>() {
    let peer = Peer::saying(|_| page("")).await;
    let room = Room::<E>::telling(peer.url("/")).await;
    let other = room.world.owner("다른 주인").await;
    let store = &room.world.store;
    store.set_role(room.author, Role::Member).await.unwrap();
    room.post("k1").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Failed);
    assert_eq!(room.newest().await.error.as_deref(), Some("not_allowed"));
    store.set_role(room.author, Role::Owner).await.unwrap();
    room.post("k2").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Arrived);
    room.world.post("general", other, "k3", "안녕").await.unwrap();
    room.world.leave("general", room.author).await.unwrap();
    room.world.set_access("general", other, Access::Closed).await.unwrap();
    assert_eq!(room.deliver(&client()).await, Delivered::Failed);
    assert_eq!(peer.requests().len(), 1);
}

async fn what_was_deleted_meanwhile_is_not_told<E: Engine>() {
    let peer = Peer::saying(|_| page("")).await;
    let room = Room::<E>::telling(peer.url("/")).await;
    let target = room.post("k").await;
    let id = room.newest().await.id;
    room.world.delete("general", room.author, target).await.unwrap();
    deliver(&*room.world.store, &client(), &room.limits, id).await.unwrap();
    assert!(peer.requests()[0].contains(r#""deleted":true"#) && !peer.requests()[0].contains("안녕"));
}

async fn a_receiver_in_trouble_is_asked_again_with_the_same_delivery<E: Engine>() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let peer = Peer::saying(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => b"HTTP/1.1 503 Busy\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => page("thanks"),
    })
    .await;
    let room = Room::<E>::telling(peer.url("/")).await;
    room.post("k").await;
    let Delivered::Again { due_at } = room.deliver(&client()).await else { panic!("not to be tried again") };
    let wait = due_at - now_ms();
    assert!((50_000..=73_000).contains(&wait), "{wait}");
    let view = room.newest().await;
    assert_eq!((view.state, view.due_at, view.error.as_deref()), (DeliveryState::Queued, Some(due_at), Some("status")));
    assert_eq!(room.deliver(&client()).await, Delivered::NotDue);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(room.world.store.webhooks(room.room).await.unwrap()[0].failing_since.is_some());
    // The wait is over.
    let attempt = room.world.store.begin_attempt(view.id, due_at, due_at).await.unwrap().unwrap();
    assert_eq!((attempt.delivery, attempt.number), (view.id, 2));
}

async fn what_helps_no_more_is_given_up<E: Engine>() {
    for (line, expected) in [
        ("400 Bad", false),
        ("404 Gone", false),
        ("410 Gone", false),
        ("429 Slow", true),
        ("408 Late", true),
        ("500 Broken", true),
        ("304 Same", false),
    ] {
        let peer = Peer::saying(status(line)).await;
        let room = Room::<E>::telling(peer.url("/")).await;
        room.post("k").await;
        let again = matches!(room.deliver(&client()).await, Delivered::Again { .. });
        assert_eq!(again, expected, "{line}");
    }
    let peer = Peer::saying(|_| redirect("http://127.0.0.1:1/")).await;
    let room = Room::<E>::telling(peer.url("/")).await;
    room.post("k").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Failed);
    assert_eq!(room.newest().await.status, Some(302));
}

async fn the_rules_hold_when_it_is_sent_too<E: Engine>() {
    let peer = Peer::saying(|_| page("")).await;
    let room = Room::<E>::telling(peer.url("/")).await;
    room.post("k").await;
    let strict = Client::new(pickmate::server::outgoing::Rules { allow: Vec::new(), ..rules() }, bounds());
    assert_eq!(room.deliver(&strict).await, Delivered::Failed);
    assert_eq!((room.newest().await.error.as_deref(), peer.accepted()), (Some("address_refused"), 0));
}

async fn attempts_are_counted_and_end<E: Engine>() {
    let peer = Peer::saying(status("500 Broken")).await;
    let mut room = Room::<E>::telling(peer.url("/")).await;
    room.limits.webhook_attempts = 1;
    room.post("k").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Failed);
    let silent = Peer::behaving([127, 0, 0, 1].into(), |stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let room = Room::<E>::telling(silent.url("/")).await;
    room.post("k").await;
    let hasty = Client::new(rules(), Bounds { timeout: Duration::from_millis(200), ..bounds() });
    assert!(matches!(room.deliver(&hasty).await, Delivered::Again { .. }));
    assert_eq!(room.newest().await.error.as_deref(), Some("timeout"));
}

/// Its newest delivery has failed before anybody remembers.
async fn failing_since_ever<E: Engine>(room: &Room<E>) {
    let store = &room.world.store;
    let attempt = store.begin_attempt(room.newest().await.id, now_ms(), now_ms() - 1).await.unwrap().unwrap();
    let failed = Ending { end: End::Failed, status: None, error: Some("timeout") };
    let badly = Fares::Badly { disabled_if_since: 0, and_failures: 1 };
    assert!(!store.end_attempt(&attempt, failed, badly, 1).await.unwrap());
}

async fn a_webhook_that_failed_for_too_long_gets_events_again_after_a_test<E: Engine>() {
    let healthy = Arc::new(AtomicUsize::new(0));
    let state = Arc::clone(&healthy);
    let peer = Peer::saying(move |_| match state.load(Ordering::SeqCst) {
        0 => b"HTTP/1.1 404 Gone\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => page("thanks"),
    })
    .await;
    let mut room = Room::<E>::telling(peer.url("/")).await;
    room.limits.webhook_failing_attempts = 3;
    let store = &room.world.store;
    room.post("k").await;
    failing_since_ever(&room).await;
    room.post("l").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Failed);
    assert!(store.webhooks(room.room).await.unwrap()[0].enabled, "twice, days apart");
    room.post("m").await;
    assert_eq!(room.deliver(&client()).await, Delivered::Disabled);
    assert!(!store.webhooks(room.room).await.unwrap()[0].enabled);
    healthy.store(1, Ordering::SeqCst);
    store.add_test(room.room, room.webhook, now_ms()).await.unwrap().unwrap();
    assert_eq!(room.due().await, 1);
    assert!(store.webhooks(room.room).await.unwrap()[0].enabled);
    assert!(peer.requests().last().unwrap().contains(r#""kind":"test""#));
}

async fn a_webhook_for_which_too_much_waits_gets_events_again_after_a_test<E: Engine>() {
    let healthy = Arc::new(AtomicUsize::new(0));
    let state = Arc::clone(&healthy);
    let peer = Peer::saying(move |request| match state.load(Ordering::SeqCst) {
        0 => status("503 Busy")(request),
        _ => page("thanks"),
    })
    .await;
    let mut room = Room::<E>::telling(peer.url("/")).await;
    room.limits.webhook_backlog = 3;
    let store = &room.world.store;
    for key in ["k", "l", "m"] {
        room.post(key).await;
    }
    let webhook = async || store.webhooks(room.room).await.unwrap().remove(0);
    assert_eq!((room.due().await, webhook().await.enabled), (3, true), "as many as may wait");
    room.post("n").await;
    assert_eq!((room.due().await, peer.requests().len()), (1, 4), "one too many, and it gets no less");
    assert_eq!((webhook().await.enabled, webhook().await.disabled_code.as_deref()), (false, Some("backlog_full")));
    let log = store.deliveries(room.room, room.webhook, 9).await.unwrap();
    let errors: Vec<_> = log.iter().map(|view| view.error.as_deref()).collect();
    let off = Some("webhook_disabled");
    assert_eq!(errors, [Some("backlog_full"), off, off, off, off], "nothing is dropped without a word");
    healthy.store(1, Ordering::SeqCst);
    room.post("r").await;
    store.add_test(room.room, room.webhook, now_ms()).await.unwrap().unwrap();
    assert_eq!((room.due().await, webhook().await.enabled), (1, true));
    room.post("s").await;
    assert_eq!((room.due().await, peer.requests().len()), (1, 6));
}

async fn what_came_together_while_nobody_sent_is_sent<E: Engine>() {
    let peer = Peer::saying(|_| page("thanks")).await;
    let mut room = Room::<E>::telling(peer.url("/")).await;
    room.limits.webhook_backlog = 3;
    room.world.posts("general", room.author, "many", 20).await;
    assert_eq!((room.due().await, peer.requests().len()), (20, 20));
    assert!(room.world.store.webhooks(room.room).await.unwrap()[0].enabled);
}

async fn what_waits_for_a_webhook_that_an_attempt_disabled_fails_in_the_same_run<E: Engine>() {
    let peer = Peer::saying(status("503 Busy")).await;
    let mut room = Room::<E>::telling(peer.url("/")).await;
    room.limits.webhook_failing_attempts = 1;
    room.post("k").await;
    failing_since_ever(&room).await;
    for key in ["l", "m"] {
        room.post(key).await;
    }
    room.due().await;
    let log = room.world.store.deliveries(room.room, room.webhook, 9).await.unwrap();
    assert!(log.iter().all(|view| view.state == DeliveryState::Failed), "{log:?}");
}

macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test::<super::Sqlite>().await; })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() { super::$test::<super::Postgres>().await; })*
        }
    };
}

on_both! {
    an_event_arrives_signed_and_once
    nothing_is_sent_once_its_maker_might_not_make_it
    what_was_deleted_meanwhile_is_not_told
    a_receiver_in_trouble_is_asked_again_with_the_same_delivery
    what_helps_no_more_is_given_up
    the_rules_hold_when_it_is_sent_too
    attempts_are_counted_and_end
    a_webhook_that_failed_for_too_long_gets_events_again_after_a_test
    a_webhook_for_which_too_much_waits_gets_events_again_after_a_test
    what_came_together_while_nobody_sent_is_sent
    what_waits_for_a_webhook_that_an_attempt_disabled_fails_in_the_same_run
}
