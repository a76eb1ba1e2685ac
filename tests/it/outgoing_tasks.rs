//! What the queue makes of links and webhooks on a running node, between the post and the other server.

use crate::app::{PATIENCE, Person, TestApp};
use crate::outgoing::peer::{Peer, page, path};
use pickmate::domain::{Access, Lane, RoomId, Seq, Slug, TaskList};
use pickmate::protocol::{DeliveryState, EventKind};
use pickmate::server::clock::now_ms;
use pickmate::server::config::Config;
use pickmate::server::queue;
use pickmate::server::store::{NewTask, NewWebhook, SigningSecret, Task, TaskFilter};
use reqwest::{Client, Method};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};

struct Place {
    app: TestApp,
    mina: Person,
    room: RoomId,
}

/// The loopback is reached, by previews and by webhooks.
fn reaching(config: &mut Config) {
    let here = vec!["127.0.0.1/32".parse().unwrap()];
    (config.preview_allow, config.outgoing_allow) = (here.clone(), here);
}

impl Place {
    async fn new(settle: impl FnOnce(&mut Config)) -> Place {
        let app = TestApp::spawn_with(settle).await;
        let mina = app.owner("mina").await;
        let slug = app.room("general", Access::Open, &mina).await;
        let room = app.store().room(&slug, mina.id).await.unwrap().unwrap().id;
        Place { app, mina, room }
    }

    /// As a program does; the seq.
    async fn says(&self, key: &str, body: &str) -> u64 {
        let path = "/api/v1/rooms/general/messages";
        self.ask(Method::POST, path, json!({"key": key, "body": body})).await
    }

    async fn ask(&self, method: Method, path: &str, body: serde_json::Value) -> u64 {
        let request = Client::new().request(method, self.app.url(path)).bearer_auth(&self.mina.token);
        let answer: serde_json::Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        answer["seq"].as_u64().unwrap_or_else(|| panic!("{answer}"))
    }

    /// Titles of the previews that the message shows.
    async fn titles(&self, seq: u64) -> Vec<String> {
        let page = self.app.store().events_after(self.room, Seq(seq - 1), 1).await.unwrap();
        let EventKind::Posted { previews, .. } = &page.events[0].kind else { panic!("no message") };
        previews.iter().flat_map(|shown| &shown.list).map(|preview| preview.title.clone()).collect()
    }

    async fn ended(&self) -> Vec<Task> {
        let filter = TaskFilter { list: TaskList::Ended, lane: Some(Lane::Io), now: now_ms(), limit: 100 };
        self.app.store().tasks(&filter).await.unwrap()
    }

    async fn hook(&self, url: String) -> i64 {
        let new = NewWebhook {
            room: self.room,
            maker: self.mina.id,
            url,
            secret: SigningSecret("s".into()),
            kinds: vec!["posted".into()],
            key: None,
        };
        self.app.store().create_webhook(new, 10, now_ms()).await.unwrap().unwrap()
    }
}

async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let wait = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE * 4, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn titled(request: &str) -> Vec<u8> {
    page(&format!("<title>{}</title>", path(request)))
}

#[tokio::test]
async fn links_of_a_message_are_shown_once_after_it_was_posted_and_after_each_edit() {
    let peer = Peer::saying(titled).await;
    let place = Place::new(reaching).await;
    let seq = place.says("k", &peer.url("/before")).await;
    until("a preview", async || place.titles(seq).await == ["/before"]).await;
    place.says("k", &peer.url("/before")).await;
    place.says("l", "no links").await;
    let edit = json!({"key": "e", "body": peer.url("/after")});
    place.ask(Method::PATCH, &format!("/api/v1/rooms/general/messages/{seq}"), edit).await;
    until("the other preview", async || place.titles(seq).await == ["/after"]).await;
    until("both tasks' ends", async || place.ended().await.len() == 2).await;
    assert!(place.ended().await.iter().all(|task| task.data.name == "preview" && task.data.attempts == 1));
    assert_eq!(peer.accepted(), 2);
}

#[tokio::test]
async fn a_page_in_trouble_is_asked_again_after_a_pause() {
    let asked = AtomicUsize::new(0);
    let peer = Peer::saying(move |request| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => b"HTTP/1.1 503 Down\r\ncontent-length: 0\r\n\r\n".to_vec(),
        _ => titled(request),
    })
    .await;
    let place = Place::new(reaching).await;
    let seq = place.says("k", &peer.url("/a")).await;
    until("a preview", async || place.titles(seq).await == ["/a"]).await;
    until("the task's end", async || place.ended().await.first().is_some_and(|task| task.data.attempts == 2)).await;
}

#[tokio::test]
async fn a_link_to_this_machine_is_asked_by_nobody() {
    let peer = Peer::saying(titled).await;
    let place = Place::new(|_| {}).await;
    let seq = place.says("k", &format!("{} http://127.0.0.1/ http://localhost/", peer.url("/"))).await;
    until("the task's end", async || place.ended().await.len() == 1).await;
    assert_eq!((place.titles(seq).await, peer.accepted()), (vec![], 0));
    assert_eq!(place.ended().await[0].data.attempts, 1, "what is refused is refused again");
}

#[tokio::test]
async fn with_previews_off_nothing_is_enqueued_or_fetched() {
    let peer = Peer::saying(titled).await;
    let place = Place::new(|config| {
        reaching(config);
        config.previews = false;
    })
    .await;
    let seq = place.says("k", &peer.url("/a")).await;
    let edit = json!({"key": "e", "body": peer.url("/b")});
    place.ask(Method::PATCH, &format!("/api/v1/rooms/general/messages/{seq}"), edit).await;
    assert!(
        place
            .app
            .store()
            .task_counts(now_ms())
            .await
            .unwrap()
            .iter()
            .all(|count| count.lane != Lane::Io || count.list == TaskList::Scheduled)
    );
    // One of before, or of a node with other settings.
    let task = NewTask { room: Some(place.room), ..queue::task(&queue::Preview { target: Some(Seq(seq)) }) };
    let id = place.app.store().enqueue(vec![task]).await.unwrap().remove(0);
    until("its end", async || place.app.store().task(&id).await.unwrap().is_none_or(|task| task.state.is_final()))
        .await;
    assert_eq!((place.titles(seq).await, peer.accepted()), (vec![], 0));
}

#[tokio::test]
async fn two_nodes_send_each_event_to_its_webhook_once() {
    let peer = Peer::saying(|_| page("thanks")).await;
    let place = Place::new(reaching).await;
    let other = place.app.another_node().await;
    let webhook = place.hook(peer.url("/")).await;
    let last = place.says("first", "안녕").await;
    until("the first", async || peer.accepted() == 1).await;
    for index in 0..20 {
        place.app.post(&Slug::parse("general").unwrap(), &place.mina, &format!("k{index}"), "안녕").await;
    }
    let log = async || place.app.store().deliveries(place.room, webhook, 100).await.unwrap();
    let arrived = async || log().await.iter().all(|delivery| delivery.state == DeliveryState::Delivered);
    until("all deliveries", arrived).await;
    let seqs: BTreeSet<u64> = log().await.iter().map(|delivery| delivery.seq.0).collect();
    assert_eq!(seqs, (last..=last + 20).collect());
    let id = |request: &String| {
        request.lines().find_map(|line| line.strip_prefix("x-pickmate-delivery: ").map(str::to_owned))
    };
    let ids: BTreeSet<String> = peer.requests().iter().map(|request| id(request).unwrap()).collect();
    assert_eq!((ids.len(), peer.accepted()), (21, 21));
    let tasks = place.ended().await.into_iter().filter(|task| task.data.name == "webhook");
    let running = TaskFilter { list: TaskList::Running, lane: Some(Lane::Io), now: now_ms(), limit: 9 };
    let running = place.app.store().tasks(&running).await.unwrap();
    assert_eq!(tasks.chain(running).count(), 1, "one task for it, however often it is told something");
    until("free again", async || place.app.store().take_webhook(webhook, now_ms(), now_ms()).await.unwrap()).await;
    drop(other);
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_up_nobody_else() {
    let silent = Peer::behaving([127, 0, 0, 1].into(), |stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let peer = Peer::saying(|_| page("thanks")).await;
    let place = Place::new(|config| {
        reaching(config);
        config.limits.outgoing_timeout_ms = 60_000;
    })
    .await;
    place.hook(silent.url("/")).await;
    place.hook(peer.url("/")).await;
    for key in ["k", "l", "m"] {
        place.says(key, "안녕").await;
    }
    until("the other's three", async || peer.accepted() == 3).await;
}
