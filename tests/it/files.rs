//! Files from the upload to whoever may have them, over HTTP.

mod disk;
mod given_up;

use crate::app::{PATIENCE, Person, TestApp};
use crate::images::drawing::{encoded, jpeg, photo, png};
use image::{GenericImageView, ImageFormat};
use pickmate::domain::{Access, FileId, Slug};
use pickmate::server::clock::now_ms;
use pickmate::server::config::Config;
use pickmate::server::files::{Address, Name, Part};
use pickmate::server::service::files::{ProcessError, Workplace, process, remove};
use pickmate::server::store::FileState;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

struct Place {
    app: TestApp,
    room: Slug,
    mina: Person,
    joon: Person,
    stranger: Person,
}

impl Place {
    async fn new() -> Place {
        Place::with(|_| {}).await
    }

    /// A closed room of two.
    async fn with(settle: impl FnOnce(&mut Config)) -> Place {
        let app = TestApp::spawn_with(|config| {
            // The machine may be busy, and its disk full.
            config.limits.upload_answer_ms = 120_000;
            config.limits.spare_bytes = 1;
            settle(config);
        })
        .await;
        let (mina, joon, stranger) = (app.member("민아").await, app.member("준").await, app.member("낯선").await);
        let room = app.room("closed", Access::Closed, &mina).await;
        app.add(&room, &joon).await;
        Place { app, room, mina, joon, stranger }
    }

    async fn upload(&self, person: &Person, key: &str, name: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        let url = self.app.url(&format!("/api/v1/rooms/{}/files", self.room));
        let request = Client::new().post(url).query(&[("key", key), ("name", name)]).bearer_auth(&person.token);
        let answer = request.header(CONTENT_TYPE, "text/html; charset=utf-8").body(bytes).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn post(&self, person: &Person, key: &str, files: &[&Value]) -> (StatusCode, Value) {
        let url = self.app.url(&format!("/api/v1/rooms/{}/messages", self.room));
        let body = json!({"key": key, "body": "", "files": files});
        let answer = Client::new().post(url).bearer_auth(&person.token).json(&body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn get(&self, person: &Person, path: &str) -> Response {
        Client::new().get(self.app.url(path)).bearer_auth(&person.token).send().await.unwrap()
    }

    async fn events(&self) -> Value {
        let path = format!("/api/v1/rooms/{}/events?after=0", self.room);
        self.get(&self.mina, &path).await.json::<Value>().await.unwrap()["events"].take()
    }

    /// An answer may come before the last of what it tells of is cleared away.
    async fn keeps(&self, count: usize) {
        let settled = async {
            while self.kept().len() != count {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let settled = tokio::time::timeout(PATIENCE, settled).await;
        assert!(settled.is_ok(), "{count} are to be kept: {:?}", self.kept());
    }

    /// Files below the folder of files, whatever they are.
    fn kept(&self) -> Vec<PathBuf> {
        let root = self.app.state().config.data.join("files");
        let folders = std::fs::read_dir(root).unwrap().map(|folder| folder.unwrap().path());
        folders.flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path())).collect()
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn an_image_goes_from_its_uploader_to_the_members_and_to_nobody_else() {
    let place = Place::new().await;
    let (status, file) =
        place.upload(&place.mina, "u1", "../가족 사진.webp", encoded(&photo(900, 300), ImageFormat::WebP)).await;
    assert_eq!((status, &file["state"]), (StatusCode::CREATED, &json!("ready")), "{file}");
    assert_eq!((&file["name"], &file["type"]), (&json!("가족 사진.jpg"), &json!("image/jpeg")));
    let path = format!("/files/{}", file["id"].as_str().unwrap());
    assert_eq!(place.get(&place.joon, &path).await.status(), StatusCode::NOT_FOUND, "no message carries it");
    let (status, ack) = place.post(&place.mina, "k1", &[&file["id"]]).await;
    assert_eq!(status, StatusCode::CREATED, "{ack}");
    let event = place.events().await.as_array().unwrap().last().unwrap().clone();
    let expected = json!([{"id": file["id"], "name": "가족 사진.jpg", "type": "image/jpeg", "bytes": file["bytes"],
        "width": 900, "height": 300}]);
    assert_eq!((&event["seq"], &event["files"], &event["body"]), (&ack["seq"], &expected, &json!("")));
    for person in [&place.mina, &place.joon] {
        let whole = place.get(person, &path).await.bytes().await.unwrap();
        assert_eq!(json!(whole.len()), file["bytes"]);
        assert_eq!(image::load_from_memory(&whole).unwrap().dimensions(), (900, 300));
        let small = place.get(person, &format!("{path}/thumb")).await.bytes().await.unwrap();
        assert_eq!(image::load_from_memory(&small).unwrap().width(), 640);
    }
    for path in [path.clone(), format!("{path}/thumb"), format!("/api/v1{path}")] {
        assert_eq!(place.get(&place.stranger, &path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(reqwest::get(place.app.url(&path)).await.unwrap().status(), StatusCode::NOT_FOUND);
    place.app.leave(&place.room, &place.joon).await;
    assert_eq!(place.get(&place.joon, &path).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_file_is_handed_out_so_that_nothing_in_it_does_anything() {
    let place = Place::new().await;
    let page = b"<script>alert(document.cookie)</script>".to_vec();
    let (_, html) = place.upload(&place.mina, "u1", "a \"b\".html", page.clone()).await;
    let (_, image) = place.upload(&place.mina, "u2", "a.png", png(&photo(20, 20))).await;
    assert_eq!((&html["state"], &html["type"]), (&json!("ready"), &json!("text/html")));
    for (file, kind, ending) in [(&html, "attachment", "html"), (&image, "inline", "png")] {
        let answer = place.get(&place.mina, &format!("/files/{}", file["id"].as_str().unwrap())).await;
        let headers = answer.headers().clone();
        assert_eq!(header(&headers, "x-content-type-options"), "nosniff");
        assert_eq!(header(&headers, "content-security-policy"), "default-src 'none'; sandbox");
        assert_eq!(header(&headers, "cache-control"), "private, no-cache");
        assert!(header(&headers, "content-disposition").starts_with(&format!("{kind}; filename*=UTF-8''a")));
        assert!(header(&headers, "content-disposition").ends_with(&format!("%2E{ending}")), "{headers:?}");
        assert_eq!(header(&headers, "content-type"), file["type"]);
        assert_eq!(header(&headers, "content-encoding"), "");
    }
    let html = place.get(&place.mina, &format!("/files/{}", html["id"].as_str().unwrap())).await;
    assert_eq!(html.bytes().await.unwrap(), page);
}

#[tokio::test]
async fn who_has_a_file_already_is_not_sent_it_again() {
    let place = Place::new().await;
    let (_, file) = place.upload(&place.mina, "u1", "a.png", png(&photo(20, 20))).await;
    let url = place.app.url(&format!("/files/{}", file["id"].as_str().unwrap()));
    let tag =
        header(place.get(&place.mina, &format!("/files/{}", file["id"].as_str().unwrap())).await.headers(), "etag")
            .to_owned();
    let ask = |person: &Person| Client::new().get(&url).bearer_auth(&person.token).header("if-none-match", &tag).send();
    assert_eq!(ask(&place.mina).await.unwrap().status(), StatusCode::NOT_MODIFIED);
    assert_eq!(ask(&place.stranger).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_same_upload_again_is_the_same_file() {
    let place = Place::new().await;
    let (first, file) = place.upload(&place.mina, "u1", "a.txt", b"one".to_vec()).await;
    let (again, same) = place.upload(&place.mina, "u1", "a.txt", b"one".to_vec()).await;
    assert_eq!((first, again), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(file, same);
    let (status, error) = place.upload(&place.mina, "u1", "a.txt", b"two".to_vec()).await;
    assert_eq!((status, &error["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
    place.keeps(1).await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_refused_with_its_reason() {
    let place =
        Place::with(|config| (config.limits.upload_bytes, config.limits.image_pixels) = (200_000, 10_000)).await;
    let broken = png(&photo(40, 40))[..200].to_vec();
    let refusals = [
        (vec![0; 200_001], StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        (png(&photo(101, 100)), StatusCode::UNPROCESSABLE_ENTITY, "too_many_pixels"),
        (broken, StatusCode::UNPROCESSABLE_ENTITY, "broken_image"),
    ];
    for (number, (bytes, status, code)) in refusals.into_iter().enumerate() {
        for _ in 0..2 {
            let (answered, error) = place.upload(&place.mina, &format!("u{number}"), "a.png", bytes.clone()).await;
            assert_eq!((answered, &error["code"]), (status, &json!(code)));
        }
    }
    place.keeps(0).await;
    let (status, _) = place.upload(&place.stranger, "u", "a.png", png(&photo(4, 4))).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, error) = place.upload(&place.mina, "no key", "a.png", png(&photo(4, 4))).await;
    assert_eq!((status, &error["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_key")));
}

#[tokio::test]
async fn a_post_names_files_that_it_may_carry() {
    let place = Place::with(|config| config.limits.message_files = 2).await;
    let (_, file) = place.upload(&place.mina, "u1", "a.txt", b"one".to_vec()).await;
    let (nobody, odd) = (json!("0".repeat(32)), json!("../etc"));
    let refusals: [(&Person, &[&Value], &str); 5] = [
        (&place.joon, &[&file["id"]], "no_such_file"),
        (&place.mina, &[&nobody], "no_such_file"),
        (&place.mina, &[&odd], "no_such_file"),
        (&place.mina, &[&file["id"], &file["id"]], "no_such_file"),
        (&place.mina, &[&file["id"], &nobody, &odd], "too_many_files"),
    ];
    for (person, files, code) in refusals {
        let (status, error) = place.post(person, "k", files).await;
        assert_eq!((status, &error["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!(code)));
    }
    let (status, error) = place.post(&place.mina, "k", &[]).await;
    assert_eq!((status, &error["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("body_empty")));
    assert_eq!(place.post(&place.mina, "k", &[&file["id"]]).await.0, StatusCode::CREATED);
    assert_eq!(place.post(&place.mina, "k", &[&file["id"]]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn files_are_posted_over_the_socket_too() {
    let place = Place::new().await;
    let (_, file) = place.upload(&place.mina, "u1", "a.txt", b"one".to_vec()).await;
    let mut live = place.app.live(&place.joon).await;
    live.join(&place.room, 2).await;
    let mut writer = place.app.live(&place.mina).await;
    let post = json!({"type": "post", "room": place.room, "key": "k", "body": "보세요", "files": [file["id"]]});
    writer.send_json(post).await;
    let text = live.text().await;
    let frame: Value = serde_json::from_str(&text).unwrap();
    let event = if frame["type"] == "events" { frame } else { serde_json::from_str(&live.text().await).unwrap() };
    assert_eq!(event["list"][0]["files"][0]["name"], "a.txt", "{event}");
}

#[tokio::test]
async fn a_cookie_uploads_only_from_its_own_pages() {
    let place = Place::new().await;
    let url = place.app.url(&format!("/api/v1/rooms/{}/files?key=u&name=a.txt", place.room));
    let send = |origin: Option<String>| {
        let request = Client::new().post(&url).header("cookie", &place.mina.cookie).body("one");
        origin.into_iter().fold(request, |request, origin| request.header("origin", origin)).send()
    };
    assert_eq!(send(None).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(send(Some("https://evil.example".into())).await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(send(Some(place.app.url(""))).await.unwrap().status(), StatusCode::CREATED);
}

#[tokio::test]
async fn uploads_are_limited_by_account() {
    let place = Place::with(|config| (config.limits.uploads_burst, config.limits.uploads_per_minute) = (2, 1)).await;
    for (key, expected) in
        [("a", StatusCode::CREATED), ("b", StatusCode::CREATED), ("c", StatusCode::TOO_MANY_REQUESTS)]
    {
        assert_eq!(place.upload(&place.mina, key, "a.txt", b"one".to_vec()).await.0, expected, "{key}");
    }
    assert_eq!(place.upload(&place.joon, "a", "a.txt", b"one".to_vec()).await.0, StatusCode::CREATED);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let place = Place::new().await;
    let mut peer = TcpStream::connect(place.app.addr()).await.unwrap();
    let head = format!(
        "POST /api/v1/rooms/closed/files?key=u HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: 100000\r\n\r\n",
        place.mina.token
    );
    peer.write_all(head.as_bytes()).await.unwrap();
    peer.write_all(&[1; 50_000]).await.unwrap();
    let until = async |some: bool| {
        while place.kept().is_empty() == some {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, until(true)).await.expect("it arrives in a workshop");
    drop(peer);
    tokio::time::timeout(PATIENCE, until(false)).await.expect("the workshop is cleared");
    assert_eq!(place.upload(&place.mina, "u", "a", b"one".to_vec()).await.0, StatusCode::CREATED, "its key is free");
}

#[tokio::test]
async fn an_upload_that_says_how_large_it_is_is_refused_before_it_comes() {
    let place = Place::with(|config| config.limits.upload_bytes = u64::MAX).await;
    let mut peer = TcpStream::connect(place.app.addr()).await.unwrap();
    let head = format!(
        "POST /api/v1/rooms/closed/files?key=u HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        place.mina.token,
        1_u64 << 50
    );
    peer.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, peer.read_exact(&mut answer)).await.expect("an answer").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 507");
}

#[tokio::test]
async fn the_bytes_of_what_nobody_may_have_are_removed() {
    let place = Place::new().await;
    let (_, loose) = place.upload(&place.mina, "u1", "a.jpg", jpeg(&photo(20, 20))).await;
    let (_, file) = place.upload(&place.mina, "u2", "b.jpg", jpeg(&photo(20, 20))).await;
    let (_, ack) = place.post(&place.mina, "k", &[&file["id"]]).await;
    // Two images and their thumbnails.
    place.keeps(4).await;
    let (store, files) = (place.app.store(), &place.app.state().files);
    remove(&**store, files, now_ms()).await.unwrap();
    assert_eq!(place.kept().len(), 4);
    let url = place.app.url(&format!("/api/v1/rooms/closed/messages/{}?key=d", ack["seq"]));
    let deleted = Client::new().delete(url).bearer_auth(&place.mina.token).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::OK);
    let path = format!("/files/{}", file["id"].as_str().unwrap());
    assert_eq!(place.get(&place.mina, &path).await.status(), StatusCode::NOT_FOUND, "at once");
    remove(&**store, files, now_ms()).await.unwrap();
    assert_eq!(place.kept().len(), 2);
    let tomorrow = now_ms() + 25 * 60 * 60 * 1_000;
    remove(&**store, files, tomorrow).await.unwrap();
    assert_eq!(place.kept(), Vec::<PathBuf>::new());
    let loose = FileId::parse(loose["id"].as_str().unwrap()).unwrap();
    assert_eq!(store.file(&loose).await.unwrap(), None);
}

#[tokio::test]
async fn an_image_may_be_made_anew_again_at_any_moment() {
    // Nobody waits, so that the file is caught before it is ready.
    let place = Place::with(|config| config.program = Some("no/such/program".into())).await;
    let short = place.app.url("/api/v1/rooms/closed/files?key=u&name=a.png");
    let request = Client::new().post(short).bearer_auth(&place.mina.token).body(png(&photo(50, 20)));
    let uploading = tokio::spawn(request.send());
    let found = async {
        loop {
            let sources: Vec<_> =
                place.kept().into_iter().filter(|path| path.extension().is_some_and(|end| end == "source")).collect();
            match sources.first() {
                Some(path) => return FileId::parse(path.file_stem().unwrap().to_str().unwrap()).unwrap(),
                None => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    let id = tokio::time::timeout(PATIENCE, found).await.expect("its source is kept");
    let mut place_of_work = Workplace::of(place.app.state());
    let unavailable = process(&place_of_work, &id).await;
    assert!(matches!(unavailable, Err(ProcessError::Compute(_))), "{unavailable:?}");
    let file = place.app.store().file(&id).await.unwrap().unwrap();
    assert_eq!(file.state, FileState::Uploaded, "nothing is decided");
    let program = env!("CARGO_BIN_EXE_pickmate").into();
    place_of_work.computer = pickmate::server::compute::Computer::with_program(program, 2);
    let (one, two) = tokio::join!(process(&place_of_work, &id), process(&place_of_work, &id));
    one.or(two).unwrap();
    process(&place_of_work, &id).await.unwrap();
    let answer: Value = uploading.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!((&answer["state"], &answer["width"]), (&json!("ready"), &json!(50)), "{answer}");
    let whole = place.get(&place.mina, &format!("/files/{}", id.as_str())).await.bytes().await.unwrap();
    assert_eq!(image::load_from_memory(&whole).unwrap().dimensions(), (50, 20));
    let source = place.app.state().files.get(&Name::new(id.as_str(), Part::Source)).await.unwrap();
    assert!(source.is_none());
}

#[tokio::test]
async fn files_live_in_a_store_that_speaks_s3() {
    let address =
        std::env::var("PICKMATE_TEST_S3").expect("this test needs a store: run scripts/with-s3.sh cargo test");
    let place = Place::with(|config| config.files = Some(Address::parse(&address).unwrap())).await;
    let (_, image) = place.upload(&place.mina, "u1", "a.png", png(&photo(50, 20))).await;
    let (_, text) = place.upload(&place.mina, "u2", "a.txt", b"one".to_vec()).await;
    assert_eq!((&image["state"], &text["state"]), (&json!("ready"), &json!("ready")), "{image} {text}");
    let path = format!("/files/{}", image["id"].as_str().unwrap());
    let whole = place.get(&place.mina, &path).await.bytes().await.unwrap();
    assert_eq!(image::load_from_memory(&whole).unwrap().dimensions(), (50, 20));
    let text = place.get(&place.mina, &format!("/files/{}", text["id"].as_str().unwrap())).await;
    assert_eq!(text.bytes().await.unwrap(), b"one".as_slice());
    given_up::the_source_goes_on_the_repeat(&place).await;
    let tomorrow = now_ms() + 25 * 60 * 60 * 1_000;
    remove(&**place.app.store(), &place.app.state().files, tomorrow).await.unwrap();
    let gone = Name::new(image["id"].as_str().unwrap(), Part::Image);
    assert!(place.app.state().files.get(&gone).await.unwrap().is_none());
}
