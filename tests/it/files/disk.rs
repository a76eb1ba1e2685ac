//! What is left of the disk.

use super::Place;
use pickmate::domain::{FileId, Key};
use pickmate::protocol::Attached;
use pickmate::server::clock::now_ms;
use pickmate::server::store::{NewFile, ReadyFile};
use reqwest::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};
use std::path::PathBuf;

#[tokio::test]
async fn an_upload_leaves_room_on_the_disk() {
    let place = Place::with(|config| config.limits.spare_bytes = 1 << 40).await;
    let (status, error) = place.upload(&place.mina, "u", "a.txt", b"one".to_vec()).await;
    assert_eq!((status, &error["code"]), (StatusCode::INSUFFICIENT_STORAGE, &json!("disk_full")));
    assert!(error["retry_after_ms"].is_number(), "{error}");
    assert_eq!(place.kept(), Vec::<PathBuf>::new());
    assert_eq!(place.post(&place.mina, "k", &[]).await.1["code"], "body_empty", "the room goes on");
}

#[tokio::test]
async fn what_is_kept_already_needs_no_room_on_the_disk() {
    let place = Place::with(|config| config.limits.spare_bytes = 1 << 40).await;
    let uploader = place.mina.id;
    let room = place.app.store().room(&place.room, uploader).await.unwrap().unwrap().id;
    let id = FileId::from_random([7; 16]);
    let shown = Attached {
        id: id.clone(),
        name: "a.txt".into(),
        media_type: "text/plain".into(),
        bytes: 3,
        width: None,
        height: None,
    };
    let (key, hash) = (Key::parse("u").unwrap(), Sha256::digest(b"one").into());
    let new = NewFile { room, uploader, key, hash, shown: shown.clone(), expires_at: now_ms() + 60_000 };
    place.app.store().put_file(new, now_ms()).await.unwrap();
    place.app.store().file_ready(&ReadyFile { shown, thumbnail: None, shared: false }).await.unwrap();
    let (status, file) = place.upload(&place.mina, "u", "a.txt", b"one".to_vec()).await;
    assert_eq!((status, &file["id"]), (StatusCode::OK, &json!(id.as_str())), "{file}");
    let (status, error) = place.upload(&place.mina, "u", "a.txt", b"two".to_vec()).await;
    assert_eq!((status, &error["code"]), (StatusCode::CONFLICT, &json!("key_reused")));
    assert_eq!(place.kept(), Vec::<PathBuf>::new());
}
