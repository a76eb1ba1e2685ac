//! A room as a zip: for its members, whole, and within its bounds.

mod small_disk;

use crate::app::{Person, TestApp};
use crate::images::drawing::{encoded, photo};
use crate::tasks::Caller;
use image::ImageFormat;
use pickmate::domain::{Access, Slug};
use pickmate::server::clock::now_ms;
use pickmate::server::config::Config;
use pickmate::server::service::files::remove;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use std::io::{Cursor, Read};
use zip::ZipArchive;

struct Place {
    app: TestApp,
    room: Slug,
    mina: Person,
    joon: Person,
}

impl Place {
    /// A closed room of two.
    async fn with(settle: impl FnOnce(&mut Config)) -> Place {
        let app = TestApp::spawn_with(|config| {
            // The machine may be busy, and its disk full.
            config.limits.upload_answer_ms = 120_000;
            config.limits.spare_bytes = 1;
            settle(config);
        })
        .await;
        let (mina, joon) = (app.member("민아").await, app.member("준").await);
        let room = app.room("closed", Access::Closed, &mina).await;
        app.add(&room, &joon).await;
        Place { app, room, mina, joon }
    }

    fn caller(&self, person: &Person) -> Caller<'_> {
        Caller::new(&self.app, person)
    }

    async fn upload(&self, key: &str, name: &str, bytes: Vec<u8>) -> Value {
        let url = self.app.url(&format!("/api/v1/rooms/{}/files", self.room));
        let request = Client::new().post(url).query(&[("key", key), ("name", name)]).bearer_auth(&self.mina.token);
        request.body(bytes).send().await.unwrap().json::<Value>().await.unwrap()["id"].take()
    }

    async fn say(&self, key: &str, body: &str, files: &[&Value]) -> u64 {
        let path = format!("/api/v1/rooms/{}/messages", self.room);
        let body = json!({"key": key, "body": body, "files": files});
        let (status, answer) = self.caller(&self.mina).ask(Method::POST, &path, body).await;
        assert!(status.is_success(), "{answer}");
        answer["seq"].as_u64().unwrap()
    }

    async fn get(&self, person: &Person, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = Client::new().get(self.app.url(path)).bearer_auth(&person.token).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    async fn asks(&self, person: &Person, room: &Slug, key: &str) -> (StatusCode, Value) {
        let body = json!({"task": "export", "room": room, "key": key});
        self.caller(person).ask(Method::POST, "/api/v1/tasks", body).await
    }

    async fn export(&self, end: &str) -> Value {
        let caller = self.caller(&self.joon);
        let id = caller.start(json!({"task": "export", "room": "closed", "args": {"zone": "Asia/Seoul"}})).await;
        caller.becomes(&id, end).await
    }

    /// What lies in the folder of files, with what is under way.
    fn kept(&self) -> usize {
        let mut folders = vec![self.app.state().config.data.join("files")];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => count += 1,
                }
            }
        }
        count
    }
}

type Zip = ZipArchive<Cursor<Vec<u8>>>;

fn text(zip: &mut Zip, name: &str) -> String {
    let mut text = String::new();
    zip.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_room_is_exported_whole_for_its_members() {
    let place = Place::with(|_| {}).await;
    let image = place.upload("u1", "바다.png", encoded(&photo(64, 48), ImageFormat::Png)).await;
    let notes = place.upload("u2", "notes <1>?.txt", b"as they are".to_vec()).await;
    place.say("k1", "안녕 <b>https://example.org/a?b=c</b>", &[&image, &notes]).await;
    let gone = place.say("k2", "to be deleted", &[]).await;
    let path = format!("/api/v1/rooms/closed/messages/{gone}?key=d");
    let (status, answer) = place.caller(&place.mina).ask(Method::DELETE, &path, Value::Null).await;
    assert!(status.is_success(), "{answer}");
    let task = place.export("succeeded").await;
    let link = task["result"]["link"].as_str().unwrap();
    assert!(task["result"]["text"].as_str().unwrap().ends_with(".zip"));
    for (person, expected) in [(&place.mina, StatusCode::OK), (&place.joon, StatusCode::OK)] {
        assert_eq!(place.get(person, link).await.0, expected);
    }
    let stranger = place.app.member("낯선").await;
    assert_eq!(place.get(&stranger, link).await.0, StatusCode::NOT_FOUND);
    let mut zip = ZipArchive::new(Cursor::new(place.get(&place.mina, link).await.1)).unwrap();
    let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    let file = |id: &Value, name: &str| format!("files/{}/{name}", id.as_str().unwrap());
    let (photo, notes) = (file(&image, "바다.png"), file(&notes, "notes _1__.txt"));
    for name in ["index.html", "page-0001.html", "style.css", "room.json", &photo, &notes] {
        assert!(names.iter().any(|other| other == name), "{name} of {names:?}");
    }
    assert_eq!(text(&mut zip, &notes), "as they are");
    let page = text(&mut zip, "page-0001.html");
    assert!(page.contains("안녕 &lt;b&gt;<a href=\"https://example.org/a?b=c\""), "{page}");
    assert!(page.contains("width=\"64\"") && page.contains("notes%20_1__.txt"), "{page}");
    assert!(!page.contains("to be deleted") && !page.contains("<script"), "{page}");
    let log: Value = serde_json::from_str(&text(&mut zip, "room.json")).unwrap();
    assert_eq!((&log["format"], &log["room"]["slug"]), (&json!("pickmate-room-1"), &json!("closed")));
    let (_, events) = place.get(&place.mina, "/api/v1/rooms/closed/events?after=0").await;
    let mut events = serde_json::from_slice::<Value>(&events).unwrap()["events"].take();
    let exported = log["events"].as_array().unwrap();
    events.as_array_mut().unwrap().truncate(exported.len());
    assert_eq!(log["head"], exported.len());
    // The card of the export itself stood as it was while it ran.
    assert_eq!(exported[..exported.len() - 2], events.as_array().unwrap()[..exported.len() - 2]);
}

#[tokio::test]
async fn only_members_export_a_room() {
    let place = Place::with(|_| {}).await;
    let owner = place.app.owner("owner").await;
    let open = place.app.room("open", Access::Open, &place.mina).await;
    for (room, expected) in [(&place.room, "not_found"), (&open, "forbidden")] {
        let body = json!({"task": "export", "room": room});
        let (_, answer) = place.caller(&owner).ask(Method::POST, "/api/v1/tasks", body).await;
        assert_eq!(answer["code"], expected);
    }
}

#[tokio::test]
async fn an_export_goes_when_its_time_is_over() {
    let place = Place::with(|config| config.limits.export_hours = 2).await;
    let link = place.export("succeeded").await["result"]["link"].as_str().unwrap().to_owned();
    let state = place.app.state();
    let at = |hours: i64| now_ms() + hours * 60 * 60 * 1_000;
    remove(&*state.store, &state.files, at(1)).await.unwrap();
    assert_eq!(place.get(&place.joon, &link).await.0, StatusCode::OK);
    remove(&*state.store, &state.files, at(3)).await.unwrap();
    assert_eq!((place.get(&place.joon, &link).await.0, place.kept()), (StatusCode::NOT_FOUND, 0));
}

#[tokio::test]
async fn an_export_beyond_its_bounds_fails_clearly_and_leaves_nothing() {
    let place = Place::with(|config| config.limits.export_bytes = 200_000).await;
    let noise = rand::random_iter().take(300_000).collect();
    let file = place.upload("u", "noise.zip", noise).await;
    place.say("k", "large", &[&file]).await;
    let task = place.export("failed").await;
    assert_eq!((&task["error"]["code"], &task["attempts"]), (&json!("too_large"), &json!(1)));
    assert_eq!(place.kept(), 1, "the uploaded file");
    place.say("k2", "the room goes on", &[]).await;
}

#[tokio::test]
async fn an_export_leaves_room_on_the_disk() {
    let place = Place::with(|config| config.limits.spare_bytes = 1 << 40).await;
    let task = place.export("failed").await;
    assert_eq!((&task["error"]["code"], &task["attempts"]), (&json!("disk_full"), &json!(1)));
    assert_eq!(place.kept(), 0);
    place.say("k", "the room goes on", &[]).await;
}

#[tokio::test]
async fn a_member_has_few_exports_under_way_and_a_room_one() {
    // Nobody works, so that all of them stay.
    let place = Place::with(|config| config.lanes = Vec::new()).await;
    let owner = place.app.owner("owner").await;
    let mut rooms = Vec::new();
    for slug in ["one", "two", "three"] {
        rooms.push(place.app.room(slug, Access::Open, &place.mina).await);
    }
    let (mina, joon) = (&place.mina, &place.joon);
    let (status, first) = place.asks(mina, &rooms[0], "a").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    let (status, second) = place.asks(mina, &rooms[1], "b").await;
    assert_eq!(status, StatusCode::ACCEPTED, "{second}");
    let refused = (StatusCode::TOO_MANY_REQUESTS, json!("too_many_exports"));
    let code = |(status, mut answer): (StatusCode, Value)| (status, answer["code"].take());
    assert_eq!(code(place.asks(mina, &rooms[2], "c").await), refused);
    assert_eq!(place.asks(mina, &rooms[0], "a").await, (StatusCode::ACCEPTED, first.clone()), "a repeat is none more");
    place.app.add(&rooms[0], joon).await;
    assert_eq!(code(place.asks(joon, &rooms[0], "d").await), refused, "the room is being exported");
    assert_eq!(place.asks(joon, &place.room, "e").await.0, StatusCode::ACCEPTED, "another member, another room");
    let path = format!("/api/v1/tasks/{}", first["id"].as_str().unwrap());
    let ended = place.caller(mina).ask(Method::DELETE, &path, Value::Null).await;
    assert_eq!(ended.0, StatusCode::ACCEPTED);
    assert_eq!(place.asks(mina, &rooms[2], "f").await.0, StatusCode::ACCEPTED, "one has ended");
    let again = place.caller(&owner).ask(Method::POST, &format!("{path}/retry"), Value::Null).await;
    assert_eq!(code(again), refused, "running one again is one more");
    let path = format!("/api/v1/tasks/{}/retry", second["id"].as_str().unwrap());
    let (status, task) = place.caller(mina).ask(Method::POST, &path, Value::Null).await;
    assert_eq!((status, &task["state"]), (StatusCode::ACCEPTED, &json!("queued")), "one under way stays as it is");
}

#[tokio::test]
async fn exports_that_are_asked_for_at_once_are_counted_one_after_the_other() {
    let place = Place::with(|config| config.lanes = Vec::new()).await;
    let mut rooms = Vec::new();
    for number in 0..6 {
        rooms.push(place.app.room(&format!("r{number}"), Access::Open, &place.mina).await);
    }
    let asked = rooms.iter().map(|room| place.asks(&place.mina, room, room.as_str()));
    let answers = futures_util::future::join_all(asked).await;
    let begun = answers.iter().filter(|(status, _)| *status == StatusCode::ACCEPTED).count();
    assert_eq!(begun, 2, "{answers:?}");
}
