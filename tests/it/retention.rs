//! What a room keeps no longer: said by those who may, and gone by the task of the night, with its files.

use crate::app::{PATIENCE, Person, TestApp};
use leptos::server_fn::axum::server_fn_paths;
use pickmate::domain::{Access, RoomId, Seq, Slug, TaskId, TaskState};
use pickmate::protocol::{ErrorCode, Event, EventKind};
use pickmate::server::clock::now_ms;
use pickmate::server::queue::{self, Retention};
use pickmate::server::service::Actor;
use pickmate::server::service::files::remove;
use pickmate::server::service::rooms::{At, MOST_KEPT_DAYS, set_retention};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

struct Place {
    app: TestApp,
    room: Slug,
    mina: Person,
    jun: Person,
}

impl Place {
    /// A closed room that mina made and jun is in.
    async fn new() -> Place {
        let app = TestApp::spawn_with(|config| {
            // The machine may be busy, and its disk full.
            config.limits.upload_answer_ms = 120_000;
            config.limits.spare_bytes = 1;
        })
        .await;
        let (mina, jun) = (app.member("mina").await, app.member("jun").await);
        let room = app.room("den", Access::Closed, &mina).await;
        app.add(&room, &jun).await;
        Place { app, room, mina, jun }
    }

    /// As the room's dialog asks for it.
    async fn keeps(&self, person: &Person, key: &str, days: Option<i64>) -> (StatusCode, Value) {
        let function = server_fn_paths().find(|(path, _)| path.starts_with("/api/set_room_retention"));
        let url = self.app.url(function.expect("a function").0);
        let request = Client::new().post(url).header("cookie", &person.cookie).header("origin", self.app.url(""));
        let answer = request.json(&json!({"key": key, "slug": self.room, "days": days})).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn id(&self) -> RoomId {
        self.app.store().room_head(&self.room, self.mina.id).await.unwrap().unwrap().id
    }

    async fn log(&self) -> Vec<Event> {
        self.app.store().events_after(self.id().await, Seq::ZERO, 1_000).await.unwrap().events
    }

    async fn keep_days(&self) -> Option<u32> {
        self.app.store().room(&self.room, self.mina.id).await.unwrap().unwrap().summary.keep_days
    }

    /// Everything that has happened so far, so many days ago.
    async fn ages(&self, days: i64) {
        let database = self.app.state().config.data.join("pickmate.sqlite3");
        let mut other = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
        let age = sqlx::query("UPDATE events SET at = at - $1").bind(days * DAY_MS);
        assert!(age.execute(&mut other).await.unwrap().rows_affected() > 0);
    }

    /// A message with a file.
    async fn post_with_file(&self, key: &str) -> Value {
        let url = self.app.url("/api/v1/rooms/den/files");
        let request = Client::new().post(url).query(&[("key", key), ("name", "a.txt")]).bearer_auth(&self.mina.token);
        let file: Value = request.body(key.to_owned()).send().await.unwrap().json().await.unwrap();
        let body = json!({"key": key, "body": key, "files": [&file["id"]]});
        let request = Client::new().post(self.app.url("/api/v1/rooms/den/messages")).bearer_auth(&self.mina.token);
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        file["id"].clone()
    }

    async fn handed_out(&self, file: &Value) -> StatusCode {
        let url = self.app.url(&format!("/files/{}", file.as_str().unwrap()));
        Client::new().get(url).bearer_auth(&self.mina.token).send().await.unwrap().status()
    }

    /// Whether the bytes of a file are anywhere.
    fn has_bytes_of(&self, file: &Value) -> bool {
        let mut folders = vec![self.app.state().config.data.join("files")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                if entry.path().to_string_lossy().contains(file.as_str().unwrap()) {
                    return true;
                }
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                }
            }
        }
        false
    }

    async fn ends(&self, id: &TaskId) -> TaskState {
        let ended = async {
            loop {
                let task = self.app.store().task(id).await.unwrap().unwrap();
                if task.state.is_final() {
                    return task.state;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ended).await.expect("it ends")
    }
}

fn pruned(log: &[Event]) -> usize {
    log.iter().filter(|event| matches!(event.kind, EventKind::Pruned { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_old_goes_with_its_files_by_one_event() {
    let place = Place::new().await;
    let old = place.post_with_file("old").await;
    for number in 0..50 {
        place.app.post(&place.room, &place.mina, &format!("k{number}"), "old").await;
    }
    place.ages(2).await;
    let new = place.post_with_file("new").await;
    let kept = place.log().await.last().unwrap().clone();
    assert_eq!(place.keeps(&place.mina, "a", Some(1)).await.0, StatusCode::OK);
    // The change has the task run; this is the one of the night.
    let told = async {
        while pruned(&place.log().await) == 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, told).await.expect("soon");
    let tonight = place.app.store().enqueue(vec![queue::task(&Retention {})]).await.unwrap().remove(0);
    assert_eq!(place.ends(&tonight).await, TaskState::Succeeded);
    let log = place.log().await;
    assert_eq!((log[0].seq, &log[0].kind), (kept.seq, &kept.kind), "what is young stays");
    assert_eq!((log.len(), pruned(&log)), (3, 1), "one event for all, whatever runs again: {log:?}");
    assert_eq!((place.handed_out(&old).await, place.handed_out(&new).await), (StatusCode::NOT_FOUND, StatusCode::OK));
    assert!(place.has_bytes_of(&old), "they are looked for on the right disk");
    remove(&**place.app.store(), &place.app.state().files, now_ms()).await.unwrap();
    assert_eq!((place.has_bytes_of(&old), place.has_bytes_of(&new)), (false, true));
    let messages = place.app.store().messages(place.id().await, None, 100).await.unwrap();
    assert_eq!(messages.rows.len(), 1);
}

#[tokio::test]
async fn how_long_a_room_keeps_is_said_by_its_creator_and_owners() {
    let place = Place::new().await;
    let (owner, stranger) = (place.app.owner("owner").await, place.app.member("stranger").await);
    let code = |(status, answer): (StatusCode, Value)| (status.as_u16(), answer["code"].as_str().map(str::to_owned));
    assert_eq!(code(place.keeps(&place.jun, "a", Some(7)).await), (403, Some("forbidden".into())));
    assert_eq!(code(place.keeps(&stranger, "a", Some(7)).await), (404, Some("not_found".into())));
    for days in [0, i64::from(MOST_KEPT_DAYS) + 1] {
        assert_eq!(code(place.keeps(&place.mina, "a", Some(days)).await), (400, Some("bad_request".into())), "{days}");
    }
    assert_eq!(place.keep_days().await, None);
    assert_eq!(place.keeps(&place.mina, "b", Some(i64::from(MOST_KEPT_DAYS))).await.0, StatusCode::OK);
    assert_eq!(place.keep_days().await, Some(MOST_KEPT_DAYS));
    place.app.set_access(&place.room, &place.mina, Access::Open).await;
    assert_eq!(place.keeps(&owner, "c", Some(7)).await.0, StatusCode::OK);
    assert_eq!(place.keep_days().await, Some(7));
    assert_eq!(place.keeps(&place.mina, "d", None).await.0, StatusCode::OK);
    assert_eq!(place.keep_days().await, None);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_changes_nothing_more() {
    let place = Place::new().await;
    let state = place.app.state();
    let actor = async |person: &Person| Actor::of(state.store.user(person.id).await.unwrap().unwrap());
    let (mina, jun) = (actor(&place.mina).await, actor(&place.jun).await);
    let at = |key| At { room: "den", key };
    for _ in 0..2 {
        set_retention(state, &mina, at("a"), Some(7)).await.unwrap();
    }
    let said =
        place.log().await.iter().filter(|event| matches!(event.kind, EventKind::RetentionChanged { .. })).count();
    assert_eq!(said, 1);
    let refused = async |actor, key, days| set_retention(state, actor, at(key), days).await.unwrap_err().code();
    assert_eq!(refused(&mina, "a", Some(8)).await, ErrorCode::KeyReused);
    assert_eq!(refused(&mina, "b", Some(0)).await, ErrorCode::BadRequest);
    assert_eq!(refused(&jun, "b", Some(8)).await, ErrorCode::Forbidden);
    assert_eq!(place.keep_days().await, Some(7));
}
