//! Messages that are to be said later, by several nodes and workers of which some die: each is said once.

use super::{Chance, Place, QUICK, SAID, SERVE, many};
use crate::app::PATIENCE;
use crate::command::Machine;
use crate::postgres::Database;
use crate::tasks::Process;
use pickmate::domain::{Slug, TaskState};
use pickmate::server::clock::now_ms;
use pickmate::server::queue::{Payload, Say};
use pickmate::server::service::Actor;
use pickmate::server::service::schedule::{self, NewScheduled};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{sleep, timeout};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_and_two_workers_say_a_message_once() {
    let place = Place::new().await;
    let data = place.app.state().config.data.display().to_string();
    let machine = Machine::new();
    let _workers = [(); 2].map(|()| Process::start(&machine, &format!("worker --data {data}")));
    let serve = format!("serve --listen 127.0.0.1:0 --data {data}");
    let _nodes = [(); 2].map(|()| Process::start(&machine, &serve));
    let say = |number| Say { room: Slug::parse("general").unwrap(), body: format!("said {number}") };
    let ids = place.enqueue(many(SAID, say)).await;
    for id in &ids {
        let task = timeout(PATIENCE * 3, place.end(id)).await.expect("it ends");
        assert_eq!(task.state, TaskState::Succeeded);
    }
    let expected: BTreeMap<_, _> = (0..SAID).map(|number| (format!("said {number}"), 1)).collect();
    assert_eq!(place.said().await, expected);
}

/// How many are scheduled, so long from the first to the last: the kills are somewhere between.
const SCHEDULED: i64 = 20;
const SPREAD_MS: i64 = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_scheduled_is_said_once_whoever_dies_when_it_is_due() {
    is_said_once(Place::new().await, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_scheduled_is_said_once_on_postgres_whoever_dies_when_it_is_due() {
    let database = Database::new();
    let place = Place::on(Some(database.address().await)).await;
    is_said_once(place, &format!(" --database {}", database.url().await)).await;
}

async fn is_said_once(mut place: Place, database: &str) {
    let (machine, mut chance) = (Machine::new(), Chance::new());
    let start =
        |program: &str| Process::start(&machine, &(place.arguments(&format!("{program} {QUICK}")) + database)).0;
    let [(node, _other_node), (worker, _other_worker)] =
        [SERVE, "worker"].map(|program| (start(program), start(program)));
    let mina = Actor::of(place.app.store().user(place.mina.id).await.unwrap().unwrap());
    let first = now_ms() + 1_500;
    for number in 0..SCHEDULED {
        let (key, body) = (format!("k{number}"), format!("said {number}"));
        let at = Some(first + number * SPREAD_MS / SCHEDULED);
        let new = NewScheduled { room: "general", key: &key, body: &body, at, repeat: None, zone: "UTC" };
        schedule::add(place.app.state(), &mina, new).await.unwrap();
    }
    let waiting = place.app.store().waiting_tasks(Say::NAME, mina.id).await.unwrap();
    assert_eq!(waiting.len(), usize::try_from(SCHEDULED).unwrap(), "none is due yet");
    let kill = async |victim: Process, after: Duration| {
        sleep(Duration::from_millis(u64::try_from(first - now_ms()).unwrap_or(0)) + after).await;
        drop(victim);
    };
    let (one, other) = (chance.ms(0..=900), chance.ms(0..=900));
    tokio::join!(kill(node, one), kill(worker, other));
    for task in &waiting {
        let task = timeout(PATIENCE * 3, place.end(&task.id)).await.expect("it ends");
        assert_eq!((task.state, now_ms() >= task.run_at), (TaskState::Succeeded, true));
    }
    let expected: BTreeMap<_, _> = (0..SCHEDULED).map(|number| (format!("said {number}"), 1)).collect();
    assert_eq!(place.said().await, expected);
    place.app.stop().await;
}
