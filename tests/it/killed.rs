//! Tasks whose workers, or servers that work, are killed in the midst of them: each ends once, and does what it does
//! once.

mod later;
mod many;

use crate::app::{PATIENCE, Person, TestApp};
use crate::command::Machine;
use crate::images::drawing::{encoded, photo};
use crate::outgoing::peer::{Peer, page};
use crate::tasks::Process;
use image::ImageFormat;
use pickmate::domain::{Access, FileId, Role, RoomId, Seq, Slug, TaskId, TaskState};
use pickmate::protocol::{DeliveryState, EventKind};
use pickmate::server::clock::now_ms;
use pickmate::server::queue::{self, Demo, Export, Image, Payload, Preview, Primes, Retention, Say, Webhook};
use pickmate::server::store::postgres::Address;
use pickmate::server::store::{FileState, NewTask, NewWebhook, SigningSecret, Task};
use pickmate::server::tasks::TASKS;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use reqwest::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const QUICK: &str = "--limit task_lease_ms=1000 --limit task_heartbeat_ms=200";

/// What is said later, and said once.
const SAID: usize = 60;

/// Kinds whose workers are killed again and again, and those whose worker is killed while another server answers.
const AGAIN_AND_AGAIN: [&str; 6] = [Demo::NAME, Export::NAME, Image::NAME, Primes::NAME, Retention::NAME, Say::NAME];
const WHILE_SOMEBODY_ANSWERS: [&str; 2] = [Preview::NAME, Webhook::NAME];

/// From the kill to the effect.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn every_kind_of_task_loses_its_worker_here() {
    let killed: BTreeSet<&str> = AGAIN_AND_AGAIN.into_iter().chain(WHILE_SOMEBODY_ANSWERS).collect();
    assert_eq!(killed, TASKS.iter().map(|kind| kind.name).collect());
}

/// A node that runs nothing itself, and work of every kind for others.
struct Place {
    app: TestApp,
    room: Slug,
    mina: Person,
}

impl Place {
    async fn new() -> Place {
        Place::on(None).await
    }

    async fn on(database: Option<Address>) -> Place {
        let app = TestApp::spawn_with(|config| {
            config.database = database;
            config.lanes = Vec::new();
            config.limits.upload_answer_ms = 100;
            config.limits.task_lease_ms = 1_000;
        })
        .await;
        let mina = app.member("mina").await;
        let room = app.room("general", Access::Open, &mina).await;
        Place { app, room, mina }
    }

    /// What makes a process of this kind work on the same data.
    fn arguments(&self, program: &str) -> String {
        format!("{program} --data {}", self.app.state().config.data.display())
    }

    async fn upload(&self, number: usize) -> FileId {
        let url = self.app.url("/api/v1/rooms/general/files");
        let request = Client::new().post(url).query(&[("key", format!("u{number}")), ("name", "a.png".to_owned())]);
        let image = encoded(&photo(120, 90), ImageFormat::Png);
        let answer = request.bearer_auth(&self.mina.token).body(image).send().await.unwrap();
        FileId::parse(answer.json::<Value>().await.unwrap()["id"].as_str().unwrap()).unwrap()
    }

    async fn room_id(&self) -> RoomId {
        self.app.store().room_head(&self.room, self.mina.id).await.unwrap().unwrap().id
    }

    async fn enqueue(&self, tasks: Vec<NewTask>) -> Vec<TaskId> {
        let room = self.room_id().await;
        let from_mina = |task| NewTask { actor: Some(self.mina.id), room: Some(room), card: true, ..task };
        self.app.store().enqueue(tasks.into_iter().map(from_mina).collect()).await.unwrap()
    }

    async fn end(&self, id: &TaskId) -> Task {
        loop {
            let task = self.app.store().task(id).await.unwrap().unwrap();
            if task.state.is_final() {
                return task;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What was said, each by how often.
    async fn said(&self) -> BTreeMap<String, usize> {
        let room = self.room_id().await;
        let mut said = BTreeMap::new();
        for row in self.app.store().messages(room, None, 300).await.unwrap().rows {
            let EventKind::Posted { body: Some(body), .. } = row.kind else { panic!("no message") };
            *said.entry(body).or_default() += 1;
        }
        said
    }
}

fn many<P: Payload>(count: usize, payload: impl Fn(usize) -> P) -> Vec<NewTask> {
    (0..count).map(|number| queue::task(&payload(number))).collect()
}

/// Runs what the lanes hold, as `worker` does.
const SERVE: &str = "serve --listen 127.0.0.1:0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_kind_of_task_loses_its_worker_is_run_again_and_acts_once() {
    is_run_again_and_acts_once("worker").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_kind_of_task_loses_its_server_is_run_again_and_acts_once() {
    is_run_again_and_acts_once(SERVE).await;
}

async fn is_run_again_and_acts_once(program: &str) {
    let place = Place::new().await;
    let mut files = Vec::new();
    for number in 0..6 {
        files.push(place.upload(number).await);
    }
    let say = |number| Say { room: Slug::parse("general").unwrap(), body: format!("said {number}") };
    let kinds = [
        many(SAID, say),
        many(4, |_| Demo { seconds: Some(1) }),
        many(4, |_| Export { zone: String::new() }),
        many(2, |_| Primes { below: 300_000 }),
        many(2, |_| Retention {}),
    ];
    let ids = place.enqueue(kinds.concat()).await;
    let (machine, stop) = (Machine::new(), CancellationToken::new());
    let _also_after_a_panic = stop.clone().drop_guard();
    let arguments = place.arguments(&format!("{program} {QUICK}"));
    let victims = Chance::new().two().map(|chance| {
        let (machine, stop, arguments) = (machine.clone(), stop.clone(), arguments.clone());
        tokio::task::spawn_blocking(move || kill_again_and_again(&machine, &arguments, chance, &stop))
    });
    let all_end = async {
        let mut ends = Vec::new();
        for id in &ids {
            ends.push(place.end(id).await);
        }
        for file in &files {
            while place.app.store().file(file).await.unwrap().unwrap().state != FileState::Ready {
                sleep(Duration::from_millis(50)).await;
            }
        }
        ends
    };
    let ends = timeout(PATIENCE * 30, all_end).await.expect("all end");
    stop.cancel();
    let kills: usize = futures_util::future::join_all(victims).await.into_iter().map(Result::unwrap).sum();
    assert!(kills > 2, "{kills} kills");
    let names: BTreeSet<&str> = ends.iter().map(|task| task.data.name.as_str()).chain([Image::NAME]).collect();
    assert_eq!(names, AGAIN_AND_AGAIN.into());
    let mut links = BTreeSet::new();
    for task in &ends {
        let (name, data) = (&task.data.name, &task.data);
        assert!(data.attempts <= data.max_attempts, "{name}: {data:?}");
        match task.state {
            TaskState::Succeeded if name == Export::NAME => {
                let result: Value = serde_json::from_str(data.result.as_ref().unwrap()).unwrap();
                assert!(links.insert(result["link"].as_str().unwrap().to_owned()), "one archive for each export");
            }
            TaskState::Succeeded => {}
            _ => assert_eq!(
                data.error.as_ref().map(|error| error.code.as_str()),
                Some("worker_lost"),
                "{name}: {data:?}"
            ),
        }
    }
    let expected: BTreeMap<_, _> = (0..SAID).map(|number| (format!("said {number}"), 1)).collect();
    assert_eq!(place.said().await, expected, "each once");
    let again = ends.iter().filter(|task| task.data.attempts > 1).count();
    assert!(again > 0, "some were killed in the midst of it");
    println!("{} tasks and {} images, {kills} kills: {again} were run again", ends.len(), files.len());
}

/// Hears the first requests out and never answers them, `held` at most; then answers at once.
async fn holding(held: usize) -> Peer {
    let asked = AtomicUsize::new(0);
    Peer::behaving([127, 0, 0, 1].into(), move |mut stream, _| {
        let hold = asked.fetch_add(1, Ordering::SeqCst) < held;
        async move {
            if hold {
                std::future::pending::<()>().await;
            }
            let _gone = stream.write_all(&page("<title>there</title>")).await;
            let _gone = stream.shutdown().await;
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_other_servers_are_asked_is_asked_again_soon_and_acts_once() {
    is_asked_again_soon_and_acts_once("worker").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_asked_others_is_asked_again_soon_and_acts_once() {
    is_asked_again_soon_and_acts_once(SERVE).await;
}

async fn is_asked_again_soon_and_acts_once(program: &str) {
    const POSTS: usize = 4;
    let place = Place::new().await;
    let (linked, told) = (holding(1).await, holding(POSTS).await);
    let (store, room) = (place.app.store().clone(), place.room_id().await);
    let target = Seq(place.app.post(&place.room, &place.mina, "link", &linked.url("/")).await);
    store.set_role(place.mina.id, Role::Owner).await.unwrap();
    let (secret, kinds) = (SigningSecret("s".into()), vec!["posted".into()]);
    let new = NewWebhook { room, maker: place.mina.id, url: told.url("/"), secret, kinds, key: None };
    let webhook = store.create_webhook(new, 1, now_ms()).await.unwrap().unwrap();
    for number in 0..POSTS {
        place.app.post(&place.room, &place.mina, &format!("k{number}"), "hello").await;
    }
    let preview = place.enqueue(vec![queue::task(&Preview { target: Some(target) })]).await.remove(0);
    let reaching = "--preview-allow 127.0.0.1 --outgoing-allow 127.0.0.1 --limit outgoing_timeout_ms=4000";
    let (machine, arguments) = (Machine::new(), place.arguments(&format!("{program} {QUICK} {reaching}")));
    let (first, _) = Process::start(&machine, &arguments);
    let asked = async || {
        while linked.requests().is_empty() || told.requests().len() < POSTS {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, asked()).await.expect("both are asked");
    drop(first);
    let killed = Instant::now();
    let _others = [(); 2].map(|()| Process::start(&machine, &arguments));
    let log = async || store.deliveries(room, webhook, 100).await.unwrap();
    let all_there = async {
        place.end(&preview).await;
        while !log().await.iter().all(|delivery| delivery.state == DeliveryState::Delivered) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, all_there).await.expect("soon after the kill");
    println!("{:?} after the kill", killed.elapsed());
    let task = place.end(&preview).await;
    assert_eq!((task.data.name.as_str(), task.state, task.data.attempts), (Preview::NAME, TaskState::Succeeded, 2));
    let events = store.events_after(room, Seq::ZERO, 1_000).await.unwrap().events;
    let shown = events.iter().filter(|event| matches!(event.kind, EventKind::Preview { .. })).count();
    assert_eq!((shown, linked.accepted()), (1, 2));
    let deliveries = log().await;
    assert!(deliveries.iter().all(|delivery| delivery.attempts == 2), "{deliveries:?}");
    let mut heard: BTreeMap<String, usize> = BTreeMap::new();
    for request in told.requests() {
        let id = request.lines().find_map(|line| line.strip_prefix("x-pickmate-delivery: ")).unwrap();
        *heard.entry(id.to_owned()).or_default() += 1;
    }
    assert_eq!(heard.into_values().collect::<Vec<_>>(), [2; POSTS], "the repeat has the same name");
}

/// When processes are killed. The seed is printed; with `PICKMATE_KILL_SEED` the delays are those of that one again.
struct Chance(StdRng);

impl Chance {
    fn new() -> Chance {
        let seed = std::env::var("PICKMATE_KILL_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().unwrap());
        println!("PICKMATE_KILL_SEED={seed}");
        Chance(StdRng::seed_from_u64(seed))
    }

    /// For two who kill at the same time.
    fn two(mut self) -> [Chance; 2] {
        [(); 2].map(|()| Chance(StdRng::from_rng(&mut self.0)))
    }

    fn ms(&mut self, range: RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.0.random_range(range))
    }
}

/// Begins a process and kills it some time after it is at work, until `stop`; how often.
fn kill_again_and_again(machine: &Machine, arguments: &str, mut chance: Chance, stop: &CancellationToken) -> usize {
    let mut kills = 0;
    while !stop.is_cancelled() {
        let (victim, _) = Process::start(machine, arguments);
        // Now and then long enough for the longest task, so that all work is done some day.
        std::thread::sleep(chance.ms(200..=3_500));
        drop(victim);
        kills += 1;
    }
    kills
}
