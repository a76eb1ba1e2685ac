//! Messages that are said later: once, by their author, and only while that one is a member.

use crate::app::{PATIENCE, Person, TestApp};
use crate::postgres::Database;
use pickmate::domain::{Access, Slug, TaskList, TaskState};
use pickmate::protocol::{ErrorCode, EventKind};
use pickmate::server::clock::now_ms;
use pickmate::server::error::AppError;
use pickmate::server::queue::{self, Payload, Say};
use pickmate::server::service::schedule::{self, NewScheduled};
use pickmate::server::service::{Actor, tasks};
use pickmate::server::store::postgres::Address;
use pickmate::server::store::{NewTask, Task, TaskFilter, TaskWork};
use std::time::Duration;
use tokio::time::{sleep, timeout};

async fn actor(app: &TestApp, person: &Person) -> Actor {
    Actor::of(app.store().user(person.id).await.unwrap().unwrap())
}

fn at<'a>(room: &'a Slug, key: &'a str, at: i64) -> NewScheduled<'a> {
    NewScheduled { room: room.as_str(), key, body: "물 주기", at: Some(at), repeat: None, zone: "Asia/Seoul" }
}

fn code(answer: Result<i64, AppError>) -> ErrorCode {
    answer.unwrap_err().code()
}

/// What was said in the room, by whom.
async fn said(app: &TestApp, room: &Slug, person: &Person) -> Vec<(i64, String)> {
    let id = app.store().room_head(room, person.id).await.unwrap().unwrap().id;
    let page = app.store().messages(id, None, 100).await.unwrap();
    let posts = page.rows.into_iter().map(|row| match row.kind {
        EventKind::Posted { author, body, .. } => (author.id, body.unwrap()),
        other => panic!("{other:?}"),
    });
    posts.collect()
}

async fn ended(app: &TestApp, list: TaskList) -> Task {
    let filter = TaskFilter { list, lane: None, now: now_ms(), limit: 10 };
    let wait = async {
        loop {
            if let Some(task) = app.store().tasks(&filter).await.unwrap().into_iter().next() {
                return task;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE * 3, wait).await.expect("it ends")
}

#[tokio::test]
async fn it_is_said_once_however_often_it_is_run() {
    let app = TestApp::spawn().await;
    let mina = app.member("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let actor = actor(&app, &mina).await;
    let soon = now_ms() + 1_000;
    for _ in 0..2 {
        assert_eq!(schedule::add(app.state(), &actor, at(&room, "k", soon)).await.unwrap(), soon);
    }
    assert_eq!(schedule::list(app.state(), &actor, "general").await.unwrap().len(), 1, "the key counts");
    let task = ended(&app, TaskList::Ended).await;
    assert_eq!(task.state, TaskState::Succeeded);
    assert!(task.data.started_at.unwrap() >= soon, "not before its time");
    assert_eq!(said(&app, &room, &mina).await, [(mina.id.0, "물 주기".to_owned())]);
    // As after a crash between the post and the end of the run.
    let again = pickmate::server::store::NewTask {
        id: task.id.clone(),
        name: task.data.name.clone(),
        lane: task.lane,
        args: task.data.args.clone(),
        actor: task.data.actor,
        room: task.room,
        card: false,
        priority: 0,
        run_at: None,
        max_attempts: 1,
        unique: None,
        repeat: None,
    };
    app.store().work(TaskWork::Enqueue(vec![again])).await.unwrap();
    let wait = async {
        while app.store().task(&task.id).await.unwrap().unwrap().data.started_at == task.data.started_at {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE * 3, wait).await.expect("it runs again");
    ended(&app, TaskList::Ended).await;
    assert_eq!(said(&app, &room, &mina).await.len(), 1);
}

#[tokio::test]
async fn whoever_left_says_nothing_and_does_not_come_back() {
    let app = TestApp::spawn().await;
    let (mina, jun) = (app.member("mina").await, app.member("jun").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.add(&room, &jun).await;
    let actor = actor(&app, &jun).await;
    schedule::add(app.state(), &actor, at(&room, "k", now_ms() + 500)).await.unwrap();
    app.leave(&room, &jun).await;
    let task = ended(&app, TaskList::Failed).await;
    assert_eq!(task.data.error.unwrap().code, "not_a_member");
    assert_eq!(task.data.attempts, 1, "for good");
    assert_eq!(said(&app, &room, &mina).await, []);
    assert!(schedule::list(app.state(), &actor, "general").await.unwrap().is_empty());
    assert_eq!(code(schedule::add(app.state(), &actor, at(&room, "l", now_ms() + 500)).await), ErrorCode::Forbidden);
}

/// As if its time had come, with nothing else of it changed.
async fn comes_due(app: &TestApp, waiting: &Task) {
    let again = NewTask {
        id: waiting.id.clone(),
        actor: waiting.data.actor,
        room: waiting.room,
        repeat: waiting.data.repeat.clone(),
        ..queue::task(&serde_json::from_str::<Say>(&waiting.data.args).unwrap())
    };
    app.store().work(TaskWork::Enqueue(vec![again])).await.unwrap();
}

/// The one that waits of what somebody wants said.
async fn waiting(app: &TestApp, actor: &Actor) -> Option<Task> {
    let mut waiting = app.store().waiting_tasks(Say::NAME, actor.id).await.unwrap();
    assert!(waiting.len() < 2, "{waiting:?}");
    waiting.pop()
}

async fn a_repeat_is_said_each_time_and_ends_once_its_author_left(database: Option<Address>) {
    let app = TestApp::spawn_with(|config| config.database = database).await;
    let (mina, jun) = (app.member("mina").await, app.member("jun").await);
    let room = app.room("general", Access::Open, &mina).await;
    app.add(&room, &jun).await;
    let actor = actor(&app, &jun).await;
    // Never while this test runs, unless it is made to.
    let yearly = NewScheduled { repeat: Some("0 0 29 2 *"), ..at(&room, "r", now_ms() + 3_600_000) };
    schedule::add(app.state(), &actor, yearly).await.unwrap();
    let mut times = Vec::new();
    for posts in 1..=2 {
        let due = waiting(&app, &actor).await.expect("one waits");
        times.push(due.id.clone());
        comes_due(&app, &due).await;
        let wait = async {
            while said(&app, &room, &mina).await.len() < posts || !over(&app, &due).await {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE * 3, wait).await.expect("it is said");
    }
    assert_ne!(times[0], times[1]);
    app.leave(&room, &jun).await;
    let due = waiting(&app, &actor).await.expect("one waits");
    comes_due(&app, &due).await;
    let wait = async {
        while !over(&app, &due).await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE * 3, wait).await.expect("it ends");
    let task = app.store().task(&due.id).await.unwrap().unwrap();
    assert_eq!((task.state, task.data.error.unwrap().code.as_str()), (TaskState::Failed, "not_a_member"));
    assert_eq!(waiting(&app, &actor).await, None, "the series is over");
    assert_eq!(said(&app, &room, &mina).await.len(), 2);
}

async fn over(app: &TestApp, task: &Task) -> bool {
    app.store().task(&task.id).await.unwrap().unwrap().state.is_final()
}

#[tokio::test]
async fn a_repeat_is_said_each_time_and_ends_once_its_author_left_sqlite() {
    a_repeat_is_said_each_time_and_ends_once_its_author_left(None).await;
}

#[tokio::test]
async fn a_repeat_is_said_each_time_and_ends_once_its_author_left_postgres() {
    let database = Database::new();
    a_repeat_is_said_each_time_and_ends_once_its_author_left(Some(database.address().await)).await;
}

#[tokio::test]
async fn it_is_listed_and_cancelled_by_its_author_alone() {
    let app = TestApp::spawn().await;
    let (mina, jun) = (app.member("mina").await, app.member("jun").await);
    let (room, other) = (app.room("a", Access::Open, &mina).await, app.room("b", Access::Open, &mina).await);
    app.add(&room, &jun).await;
    let (mina, jun) = (actor(&app, &mina).await, actor(&app, &jun).await);
    let (state, hour) = (app.state(), now_ms() + 3_600_000);
    let repeating = NewScheduled { repeat: Some("0 9 * * 1-5"), at: None, ..at(&room, "r", 0) };
    let first = schedule::add(state, &mina, repeating).await.unwrap();
    schedule::add(state, &mina, at(&room, "k", hour)).await.unwrap();
    schedule::add(state, &mina, at(&other, "k2", hour)).await.unwrap();
    let mut listed = schedule::list(state, &mina, "a").await.unwrap();
    listed.sort_by_key(|one| one.repeat.is_some());
    assert_eq!((listed.len(), listed[0].at, listed[1].at), (2, hour, first));
    assert_eq!(listed[1].repeat.as_deref(), Some("0 9 * * 1-5"));
    assert!(schedule::list(state, &jun, "a").await.unwrap().is_empty());
    let id = listed[1].id.as_str();
    assert_eq!(tasks::cancel(state, &jun, id).await.unwrap_err().code(), ErrorCode::NotFound);
    tasks::cancel(state, &mina, id).await.unwrap();
    assert_eq!(schedule::list(state, &mina, "a").await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_said_then_is_refused() {
    let app = TestApp::spawn_with(|config| config.limits.scheduled_per_user = 2).await;
    let mina = app.member("mina").await;
    let room = app.room("general", Access::Open, &mina).await;
    let actor = actor(&app, &mina).await;
    let (state, now) = (app.state(), now_ms());
    let hour = now + 3_600_000;
    for wrong in [now - 60_000, now + 400 * 24 * 3_600_000] {
        assert_eq!(code(schedule::add(state, &actor, at(&room, "k", wrong)).await), ErrorCode::BadTime);
    }
    let never = NewScheduled { repeat: Some("0 0 31 2 *"), at: None, ..at(&room, "k", 0) };
    assert_eq!(code(schedule::add(state, &actor, never).await), ErrorCode::BadTime);
    for (cron, zone) in [("* * * *", "UTC"), ("0 9 * * *", "Asia/Pyeongyang")] {
        let wrong = NewScheduled { repeat: Some(cron), zone, ..at(&room, "k", hour) };
        assert_eq!(code(schedule::add(state, &actor, wrong).await), ErrorCode::BadRequest, "{cron} {zone}");
    }
    let empty = NewScheduled { body: " ", ..at(&room, "k", hour) };
    assert_eq!(code(schedule::add(state, &actor, empty).await), ErrorCode::BodyEmpty);
    for key in ["one", "two"] {
        schedule::add(state, &actor, at(&room, key, hour)).await.unwrap();
    }
    assert_eq!(code(schedule::add(state, &actor, at(&room, "three", hour)).await), ErrorCode::TooManyScheduled);
    schedule::add(state, &actor, at(&room, "two", hour)).await.expect("it is there already");
}
