//! Very many tasks through two workers that are killed again and again.

use super::{Chance, kill_again_and_again};
use crate::app::PATIENCE;
use crate::command::Machine;
use crate::postgres::Database;
use crate::tasks::Process;
use futures_util::stream::{StreamExt, iter};
use pickmate::server::queue::{Demo, Payload};
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How many tasks go through; `PICKMATE_KILLED_TASKS` says another number, in the place of both.
const KILLED_TASKS: usize = 1_000;
const KILLED_TASKS_ON_POSTGRES: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_tasks_ends_once_however_often_workers_are_killed() {
    each_ends_once(&Machine::new(), KILLED_TASKS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_tasks_ends_once_on_postgres_however_often_workers_are_killed() {
    let (database, mut machine) = (Database::new(), Machine::new());
    machine.set("PICKMATE_DATABASE", &database.url().await);
    each_ends_once(&machine, KILLED_TASKS_ON_POSTGRES).await;
    assert!(!machine.path("data/pickmate.sqlite3").exists(), "all of it is elsewhere");
}

async fn each_ends_once(machine: &Machine, count: usize) {
    const QUICK: &str = "--limit task_lease_ms=1000 --limit task_heartbeat_ms=200 --limit task_io=32";
    let count = std::env::var("PICKMATE_KILLED_TASKS").map_or(count, |count| count.parse().unwrap());
    machine.run("admin user create mina --owner --password-stdin", "secret-password\n");
    machine.run("admin room create general", "");
    let token = machine.run("admin token create mina", "").out.trim().to_owned();
    let serve = format!("serve --listen 127.0.0.1:0 --no-rate-limit --lanes none {QUICK}");
    let (_server, url) = Process::start(machine, &serve);
    let stop = CancellationToken::new();
    let _also_after_a_panic = stop.clone().drop_guard();
    let workers = Chance::new().two().map(|chance| {
        let (machine, stop) = (machine.clone(), stop.clone());
        tokio::task::spawn_blocking(move || kill_again_and_again(&machine, &format!("worker {QUICK}"), chance, &stop))
    });
    let client = Client::new();
    let ids = enqueue_many(&client, &url, &token, count).await;
    let ends = timeout(PATIENCE * 60, all_ends(&client, &url, &token, count)).await.expect("all end");
    stop.cancel();
    let kills: usize = futures_util::future::join_all(workers).await.into_iter().map(Result::unwrap).sum();
    assert!(kills > 2, "{kills} kills");
    assert_eq!(ends.len(), ids.len());
    for (id, ended) in &ends {
        assert!(ids.contains(id));
        assert_eq!(ended.len(), 1, "{id} ended {ended:?}");
    }
    let failed = ends.values().filter(|ended| ended[0].0 != "succeeded").count();
    let attempts = Demo::POLICY.attempts.into();
    assert!(ends.values().all(|ended| ended[0].1 <= attempts), "no more runs than attempts");
    println!("{count} tasks, {kills} kills of workers: {failed} lost their workers in all of their runs");
}

async fn enqueue_many(client: &Client, url: &str, token: &str, count: usize) -> BTreeSet<String> {
    let start = |_| async {
        let body = json!({"task": "demo", "room": "general", "args": {"seconds": 0}});
        let request = client.post(format!("{url}/api/v1/tasks")).bearer_auth(token).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    iter(0..count).map(start).buffer_unordered(32).collect().await
}

type Ends = BTreeMap<String, Vec<(String, u64)>>;

/// Reads the room's log until so many tasks have ended: the states in which each did, with its runs.
async fn all_ends(client: &Client, url: &str, token: &str, count: usize) -> Ends {
    let (mut after, mut cards, mut ends) = (0, BTreeMap::new(), Ends::new());
    while ends.len() < count {
        let url = format!("{url}/api/v1/rooms/general/events?after={after}&limit=1000");
        let page: Value = client.get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        for event in page["events"].as_array().unwrap() {
            after = event["seq"].as_u64().unwrap();
            let id = match event["kind"].as_str().unwrap() {
                "task" => {
                    cards.insert(after, event["id"].as_str().unwrap().to_owned());
                    continue;
                }
                "task_changed" => cards[&event["target"].as_u64().unwrap()].clone(),
                _ => continue,
            };
            let state = event["state"].as_str().unwrap();
            if matches!(state, "succeeded" | "failed" | "cancelled") {
                ends.entry(id).or_default().push((state.to_owned(), event["attempts"].as_u64().unwrap()));
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    ends
}
