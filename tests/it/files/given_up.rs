//! Images whose task was interrupted, or has failed for good.

use super::Place;
use crate::app::PATIENCE;
use crate::images::drawing::{jpeg, photo, png};
use pickmate::domain::{FileId, Key, Lane, TaskId, TaskState};
use pickmate::protocol::Attached;
use pickmate::server::clock::now_ms;
use pickmate::server::files::{Name, Part};
use pickmate::server::queue::Image;
use pickmate::server::service::files::{ProcessError, Workplace, enqueue_left, process, remove};
use pickmate::server::store::{FileState, NewFile, RunEnd, TaskFailure, TaskWork, UNKNOWN_TYPE};
use pickmate::server::tasks::{TASKS, Worker};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// An image whose task has no attempt left, and the task.
async fn given_up(place: &Place, image: &[u8]) -> (FileId, TaskId) {
    let upload = async { place.upload(&place.mina, "u", "a.png", image.to_vec()).await };
    let store = place.app.store();
    let fail = async {
        loop {
            let Some(task) = store.claim("w", vec![(Lane::Cpu, 1)], 60_000).await.unwrap().pop() else {
                sleep(Duration::from_millis(5)).await;
                continue;
            };
            let failure = TaskFailure { code: "unavailable".into(), message: "five times".into() };
            store.work(TaskWork::End(task.run(), RunEnd::Failed(failure))).await.unwrap();
            return task;
        }
    };
    let ((status, error), task) = tokio::join!(upload, fail);
    assert_eq!((status, &error["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("image_failed")), "{error}");
    let Image { file } = serde_json::from_str(&task.data.args).unwrap();
    (file, task.id)
}

async fn makes_images(place: &Place) -> (CancellationToken, JoinHandle<()>) {
    let stop = CancellationToken::new();
    let worker = Worker::new(place.app.state().clone(), TASKS, vec![(Lane::Cpu, 1)]);
    (stop.clone(), tokio::spawn(worker.run(stop)))
}

#[tokio::test]
async fn an_image_whose_task_failed_is_refused_and_can_be_sent_again() {
    let place = Place::with(|config| config.lanes = Vec::new()).await;
    let image = png(&photo(50, 20));
    let (id, task) = given_up(&place, &image).await;
    let told = place.get(&place.mina, &format!("/api/v1/files/{}", id.as_str())).await.json::<Value>().await.unwrap();
    assert_eq!((&told["state"], &told["code"]), (&json!("refused"), &json!("image_failed")));
    let (status, error) = place.post(&place.mina, "k", &[&told["id"]]).await;
    assert_eq!((status, &error["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("no_such_file")));
    let not_wanted = process(&Workplace::of(place.app.state()), &id).await;
    assert!(matches!(not_wanted, Err(ProcessError::GivenUp)), "{not_wanted:?}");
    let (stop, worker) = makes_images(&place).await;
    let (status, file) = place.upload(&place.mina, "u", "a.png", image).await;
    assert_eq!((status, &file["state"], &file["id"]), (StatusCode::OK, &json!("ready"), &told["id"]), "{file}");
    assert_eq!(place.post(&place.mina, "k", &[&file["id"]]).await.0, StatusCode::CREATED);
    place.keeps(2).await;
    // The file is ready a moment before its task has ended; a worker that stops waits for that.
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(place.app.store().task(&task).await.unwrap().unwrap().state, TaskState::Succeeded, "the same task");
}

#[tokio::test]
async fn an_owner_who_runs_the_task_of_an_image_again_brings_it_back() {
    let place = Place::with(|config| config.lanes = Vec::new()).await;
    let (owner, (id, task)) = (place.app.owner("owner").await, given_up(&place, &png(&photo(50, 20))).await);
    let retry = place.app.url(&format!("/api/v1/tasks/{task}/retry"));
    let (stop, worker) = makes_images(&place).await;
    let again = async || Client::new().post(&retry).bearer_auth(&owner.token).send().await.unwrap().status();
    assert_eq!(again().await, StatusCode::ACCEPTED);
    let ready = async {
        while place.app.store().file(&id).await.unwrap().unwrap().state != FileState::Ready {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ready).await.expect("it is made anew");
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn the_task_of_an_image_that_has_gone_says_so() {
    let place = Place::with(|config| config.lanes = Vec::new()).await;
    let (_, task) = given_up(&place, &png(&photo(50, 20))).await;
    let tomorrow = now_ms() + 25 * 60 * 60 * 1_000;
    remove(&**place.app.store(), &place.app.state().files, tomorrow).await.unwrap();
    let (stop, worker) = makes_images(&place).await;
    place.app.store().work(TaskWork::Again(task.clone())).await.unwrap();
    let ended = async {
        loop {
            let task = place.app.store().task(&task).await.unwrap().unwrap();
            if task.state == TaskState::Failed {
                return task.data.error.unwrap().code;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, ended).await.expect("it ends"), "no_such_file");
    stop.cancel();
    worker.await.unwrap();
}

/// Whoever made it anew was killed after it was ready and before what it came as was gone.
pub async fn the_source_goes_on_the_repeat(place: &Place) {
    let (_, image) = place.upload(&place.mina, "u9", "a.jpg", jpeg(&photo(50, 20))).await;
    let (_, text) = place.upload(&place.mina, "u8", "a.txt", b"one".to_vec()).await;
    let files = &place.app.state().files;
    let source = |file: &Value| Name::new(file["id"].as_str().unwrap(), Part::Source);
    let workshop = files.workshop().unwrap();
    let left = workshop.path().join("left");
    std::fs::write(&left, b"as it came, with EXIF").unwrap();
    files.put(&source(&image), &left).await.unwrap();
    for file in [&image, &text] {
        process(&Workplace::of(place.app.state()), &FileId::parse(file["id"].as_str().unwrap()).unwrap())
            .await
            .unwrap();
    }
    assert!(files.get(&source(&image)).await.unwrap().is_none(), "with all that its camera wrote into it");
    assert!(files.get(&source(&text)).await.unwrap().is_some(), "what is no image is kept as it came");
    let whole = place.get(&place.mina, &format!("/files/{}", image["id"].as_str().unwrap())).await;
    assert_eq!(whole.status(), StatusCode::OK);
}

#[tokio::test]
async fn what_an_image_came_as_does_not_outlive_an_interrupted_run() {
    the_source_goes_on_the_repeat(&Place::new().await).await;
}

/// Whoever took them in was killed after their bytes were kept, and before anybody was asked to make them ready.
#[tokio::test]
async fn an_image_that_was_left_without_a_task_gets_one() {
    let place = Place::with(|config| config.lanes = Vec::new()).await;
    let (store, files) = (place.app.store(), &place.app.state().files);
    let room = store.room(&place.room, place.mina.id).await.unwrap().unwrap().id;
    let bytes = [Some(png(&photo(50, 20))), Some(b"plain".to_vec()), None];
    for (number, bytes) in (1_u8..).zip(bytes) {
        let id = FileId::from_random([number; 16]);
        let shown = Attached {
            id: id.clone(),
            name: "a".into(),
            media_type: UNKNOWN_TYPE.into(),
            bytes: 3,
            width: None,
            height: None,
        };
        let key = Key::parse(&format!("k{number}")).unwrap();
        let expires_at = now_ms() + 60_000;
        let new = NewFile { room, uploader: place.mina.id, key, hash: [number; 32], shown, expires_at };
        store.put_file(new, now_ms()).await.unwrap();
        let workshop = files.workshop().unwrap();
        if let Some(bytes) = bytes {
            std::fs::write(workshop.path().join("left"), bytes).unwrap();
            files.put(&Name::new(id.as_str(), Part::Source), &workshop.path().join("left")).await.unwrap();
        }
    }
    let tasks = async || store.claim("w", vec![(Lane::Cpu, 10)], 60_000).await.unwrap();
    enqueue_left(&**store, files, now_ms() - 60_000).await.unwrap();
    assert!(tasks().await.is_empty(), "its upload may be under way");
    for _ in 0..2 {
        enqueue_left(&**store, files, now_ms() + 1).await.unwrap();
    }
    let found: Vec<Image> = tasks().await.iter().map(|task| serde_json::from_str(&task.data.args).unwrap()).collect();
    assert_eq!(found.into_iter().map(|image| image.file).collect::<Vec<_>>(), [FileId::from_random([1; 16])]);
}
