//! Tasks as programs and people meet them: started, watched, cancelled, run by whichever worker there is.

use crate::app::{PATIENCE, Person, TestApp};
use crate::command::Machine;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::domain::{Access, TaskState};
use pickmate::protocol::{Event, EventKind, ServerFrame};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// A program with somebody's token.
pub struct Caller<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Caller<'a> {
    pub fn new(app: &'a TestApp, person: &Person) -> Caller<'a> {
        Caller { app, token: person.token.clone() }
    }

    pub async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = Client::new().request(method, self.app.url(path)).bearer_auth(&self.token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    pub async fn start(&self, body: Value) -> String {
        let (status, answer) = self.ask(Method::POST, "/api/v1/tasks", body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }

    pub async fn task(&self, id: &str) -> Value {
        let (status, task) = self.ask(Method::GET, &format!("/api/v1/tasks/{id}"), Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{task}");
        task
    }

    pub async fn becomes(&self, id: &str, state: &str) -> Value {
        let wait = async {
            loop {
                let task = self.task(id).await;
                if task["state"] == state {
                    return task;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE * 3, wait).await.unwrap_or_else(|_| panic!("never {state}"))
    }
}

#[tokio::test]
async fn the_notes_task_moves_and_ends_in_the_room() {
    let app = TestApp::spawn().await;
    let (mina, jun) = (app.owner("mina").await, app.member("jun").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.add(&room, &jun).await;
    let mut live = app.live(&jun).await;
    live.join(&room, 0).await;
    let caller = Caller::new(&app, &mina);
    let id = caller.start(json!({"task": "demo", "room": "general"})).await;
    let (mut states, mut progress) = (Vec::new(), Vec::new());
    while states.last() != Some(&TaskState::Succeeded) {
        match live.frame().await {
            ServerFrame::Events { list, .. } => {
                states.extend(list.iter().filter_map(|Event { kind, .. }| match kind {
                    EventKind::Task { status, .. } | EventKind::TaskChanged { status, .. } => Some(status.state),
                    _ => None,
                }));
            }
            ServerFrame::Progress { task, progress: now, .. } => {
                assert_eq!(task.as_str(), id);
                progress.push((now.current, now.total));
            }
            _ => {}
        }
    }
    assert_eq!(states, [TaskState::Queued, TaskState::Running, TaskState::Succeeded]);
    progress.dedup();
    let each_second: Vec<_> = (0..5).map(|second| (second, Some(5))).collect();
    assert_eq!(progress, each_second);
    let task = caller.task(&id).await;
    assert_eq!((&task["result"], &task["attempts"], &task["lane"]), (&json!("작업 완료"), &json!(1), &json!("io")));
}

#[tokio::test]
async fn who_may_not_start_or_see_a_task_is_told_so() {
    let app = TestApp::spawn().await;
    let (mina, jun) = (app.owner("mina").await, app.member("jun").await);
    app.room("den", Access::Closed, &mina).await;
    let (owner, member) = (Caller::new(&app, &mina), Caller::new(&app, &jun));
    let start = |body: Value| member.ask(Method::POST, "/api/v1/tasks", body);
    let code = |(status, answer): (StatusCode, Value)| (status.as_u16(), answer["code"].as_str().unwrap().to_owned());
    assert_eq!(code(start(json!({"task": "demo"})).await), (403, "forbidden".into()));
    assert_eq!(code(start(json!({"task": "demo", "room": "den"})).await), (404, "not_found".into()));
    assert_eq!(code(start(json!({"task": "dig"})).await), (404, "not_found".into()));
    let id = owner.start(json!({"task": "demo", "room": "den", "args": {"seconds": 0}})).await;
    let path = format!("/api/v1/tasks/{id}");
    assert_eq!(code(member.ask(Method::GET, &path, Value::Null).await), (404, "not_found".into()));
    app.add(&pickmate::domain::Slug::parse("den").unwrap(), &jun).await;
    assert_eq!(member.task(&id).await["id"], id.as_str());
    assert_eq!(code(member.ask(Method::DELETE, &path, Value::Null).await), (403, "forbidden".into()));
    let wrong = json!({"task": "demo", "args": {"seconds": "soon"}});
    assert_eq!(code(owner.ask(Method::POST, "/api/v1/tasks", wrong).await), (400, "bad_request".into()));
    let large = json!({"task": "demo", "args": {"note": "x".repeat(20_000)}});
    assert_eq!(code(owner.ask(Method::POST, "/api/v1/tasks", large).await), (413, "too_large".into()));
}

#[tokio::test]
async fn a_running_task_is_cancelled_and_runs_again_when_asked() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let caller = Caller::new(&app, &mina);
    let id = caller.start(json!({"task": "demo", "args": {"seconds": 200}})).await;
    caller.becomes(&id, "running").await;
    let path = format!("/api/v1/tasks/{id}");
    let begun = Instant::now();
    assert_eq!(caller.ask(Method::DELETE, &path, Value::Null).await.0, StatusCode::ACCEPTED);
    caller.becomes(&id, "cancelled").await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(caller.ask(Method::POST, &format!("{path}/retry"), Value::Null).await.0, StatusCode::ACCEPTED);
    assert_eq!(caller.becomes(&id, "running").await["attempts"], 2);
    caller.ask(Method::DELETE, &path, Value::Null).await;
    caller.becomes(&id, "cancelled").await;
}

#[tokio::test]
async fn a_repeat_with_the_same_key_starts_nothing_more() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let caller = Caller::new(&app, &mina);
    let body = || json!({"task": "demo", "key": "k1", "args": {"seconds": 0}});
    assert_eq!(caller.start(body()).await, caller.start(body()).await);
    let other = json!({"task": "demo", "key": "k1", "args": {"seconds": 1}});
    let (status, answer) = caller.ask(Method::POST, "/api/v1/tasks", other).await;
    assert_eq!((status, &answer["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
}

#[tokio::test]
async fn a_watcher_hears_of_each_state_until_the_end() {
    let app = TestApp::spawn().await;
    let mina = app.owner("mina").await;
    let caller = Caller::new(&app, &mina);
    let id = caller.start(json!({"task": "demo", "args": {"seconds": 2}})).await;
    let request = Client::new().get(app.url(&format!("/api/v1/tasks/{id}/events"))).bearer_auth(&mina.token);
    let text = timeout(PATIENCE, async { request.send().await.unwrap().text().await.unwrap() }).await.unwrap();
    let told =
        text.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str(data).unwrap());
    let told: Vec<Value> = told.collect();
    assert_eq!(told.last().unwrap()["state"], "succeeded");
    assert!(told.len() >= 2, "{told:?}");
    let moved = |task: &Value| (&task["state"], &task["progress"]["total"]) == (&json!("running"), &json!(2));
    assert!(told.iter().any(moved), "it is told how far it is: {told:?}");
}

/// A process that works on tasks or serves.
pub struct Process(Child);

impl Process {
    /// Returns once it is at work, with the address where it serves.
    pub fn start(machine: &Machine, arguments: &str) -> (Process, String) {
        let mut process = machine.start(arguments);
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().strip_prefix("PickMate serves on ").unwrap_or_default().to_owned();
        assert!(!first.is_empty());
        (Process(process), url)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        let _gone = kill(pid, Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_task_outlives_its_worker() {
    const QUICK: &str = "--limit task_lease_ms=1500 --limit task_heartbeat_ms=300";
    let machine = Machine::new();
    machine.run("admin user create mina --owner --password-stdin", "secret-password\n");
    let token = machine.run("admin token create mina", "").out.trim().to_owned();
    let (_server, url) = Process::start(&machine, &format!("serve --listen 127.0.0.1:0 --lanes none {QUICK}"));
    let client = Client::new();
    let body = json!({"task": "demo", "args": {"seconds": 3}});
    let start = client.post(format!("{url}/api/v1/tasks")).bearer_auth(&token).json(&body).send().await.unwrap();
    let id = start.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned();
    let task = async || {
        let request = client.get(format!("{url}/api/v1/tasks/{id}")).bearer_auth(&token);
        request.send().await.unwrap().json::<Value>().await.unwrap()
    };
    let becomes = async |state: &str| {
        let wait = async {
            while task().await["state"] != state {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE * 3, wait).await.unwrap_or_else(|_| panic!("never {state}"));
    };
    assert_eq!(task().await["state"], "queued", "nobody works");
    let (first, _) = Process::start(&machine, &format!("worker {QUICK}"));
    becomes("running").await;
    drop(first);
    let (_second, _) = Process::start(&machine, &format!("worker --lanes io {QUICK}"));
    becomes("succeeded").await;
    assert_eq!(task().await["attempts"], 2);
}
