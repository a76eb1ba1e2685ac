//! Images whose task was interrupted, or has failed for good.

use super::Place;
use crate::app::PATIENCE;
use crate::images::drawing::{jpeg, photo, png};
use pickmate::domain::{FileId, Lane, TaskId, TaskState};
use pickmate::server::clock::now_ms;
use pickmate::server::files::{Name, Part};
use pickmate::server::queue::Image;
use pickmate::server::service::files::{ProcessError, Workplace, process, remove};
use pickmate::server::store::{FileState, RunEnd, TaskFailure, TaskWork};
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
    assert_eq!(place.app.store().task(&task).await.unwrap().unwrap().state, TaskState::Succeeded, "the same task");
    assert_eq!(place.post(&place.mina, "k", &[&file["id"]]).await.0, StatusCode::CREATED);
    place.keeps(2).await;
    stop.cancel();
    worker.await.unwrap();
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
