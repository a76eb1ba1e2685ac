//! Whatever is sent to do harm is worked on, and ends, while people talk as if it were not there.

use crate::app::{PATIENCE, Person, TestApp};
use crate::images::drawing::png;
use crate::images::poison::bomb;
use crate::outgoing::peer::{Peer, path, redirect};
use image::{DynamicImage, GrayImage};
use pickmate::domain::{Access, Slug};
use pickmate::protocol::ServerFrame;
use reqwest::Client;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

/// Sends a page without an end, a part each time so much has passed; how often somebody had enough of it, and the
/// parts that were sent at most.
async fn endless(pause: Duration) -> (Peer, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    const PART: usize = 16 * 1024;
    let (given_up, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (given, sent_most) = (Arc::clone(&given_up), Arc::clone(&most));
    let peer = Peer::behaving([127, 0, 0, 1].into(), move |mut stream, _| {
        let (given, sent_most) = (Arc::clone(&given), Arc::clone(&sent_most));
        async move {
            let mut next = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<!doctype html><style>".to_vec();
            for part in 0.. {
                sent_most.fetch_max(part, Ordering::SeqCst);
                if stream.write_all(&next).await.is_err() {
                    break;
                }
                next = vec![b'a'; PART];
                sleep(pause).await;
            }
            given.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    (peer, given_up, most)
}

async fn upload(app: &TestApp, person: &Person, key: &str, bytes: Vec<u8>) -> Value {
    let url = app.url("/api/v1/rooms/general/files");
    let request = Client::new().post(url).query(&[("key", key), ("name", "a.png")]).bearer_auth(&person.token);
    request.body(bytes).send().await.unwrap().json().await.unwrap()
}

/// Talks until `enough`, one message after the other's ack; how many, and the longest wait for an ack.
async fn talk(app: &TestApp, room: &Slug, person: &Person, enough: impl Future<Output = ()>) -> (u64, Duration) {
    let mut live = app.live(person).await;
    let head = live.join(room, 0).await;
    live.seqs_until(head).await;
    let (mut said, mut last, mut longest) = (0, 0, Duration::ZERO);
    tokio::pin!(enough);
    while timeout(Duration::from_millis(20), &mut enough).await.is_err() {
        let (asked, key) = (Instant::now(), format!("talk-{said}"));
        live.send_json(json!({"type": "post", "room": room, "key": key, "body": key})).await;
        let seq = loop {
            match live.frame().await {
                ServerFrame::Ack { key: acked, seq } => {
                    assert_eq!(acked, key);
                    break seq.0;
                }
                ServerFrame::Refused(refused) => panic!("{refused:?}"),
                _ => {}
            }
        };
        assert!(seq > last, "{seq} after {last}");
        (said, last, longest) = (said + 1, seq, longest.max(asked.elapsed()));
    }
    (said, longest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_talk_on_while_a_bomb_endless_pages_and_a_loop_are_worked_on() {
    let app = TestApp::spawn_with(|config| {
        config.preview_allow = vec!["127.0.0.1/32".parse().unwrap()];
        config.no_rate_limit = true;
        config.limits.upload_answer_ms = 120_000;
        config.limits.spare_bytes = 1;
        config.limits.outgoing_timeout_ms = 2_000;
    })
    .await;
    let (mallory, mina) = (app.member("mallory").await, app.member("mina").await);
    let room = app.room("general", Access::Open, &mallory).await;
    app.add(&room, &mina).await;
    let (flood, flood_ended, flood_parts) = endless(Duration::ZERO).await;
    let (drip, drip_ended, _) = endless(Duration::from_millis(50)).await;
    let turns = Peer::saying(|request| redirect(&format!("{}a", path(request)))).await;
    // One that says that it is huge, and one that is.
    let large = png(&DynamicImage::from(GrayImage::new(8_000, 8_000)));
    let links = [&flood, &drip, &turns].map(|peer| peer.url("/")).join(" ");
    let url = app.url("/api/v1/rooms/general/messages");
    let links = Client::new().post(url).json(&json!({"key": "links", "body": links})).bearer_auth(&mallory.token);
    assert!(links.send().await.unwrap().status().is_success());
    let bombs =
        async { tokio::join!(upload(&app, &mallory, "u1", bomb(60_000, 60_000)), upload(&app, &mallory, "u2", large)) };
    let worked_on = async {
        let (huge, _large) = bombs.await;
        assert_eq!(huge["code"], "too_many_pixels", "{huge}");
        let all_ended = async {
            while [&flood_ended, &drip_ended].iter().any(|ended| ended.load(Ordering::SeqCst) == 0)
                || turns.accepted() < 1 + app.state().config.limits.outgoing_redirects as usize
            {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, all_ended).await.expect("each is given up");
    };
    let (said, longest) = timeout(PATIENCE * 12, talk(&app, &room, &mina, worked_on)).await.expect("it ends");
    println!("{said} messages meanwhile, acked within {longest:?}");
    assert!(said > 20, "{said}");
    let sent = flood_parts.load(Ordering::SeqCst) * 16 * 1024;
    assert!(sent < 16 * app.state().config.limits.outgoing_body_bytes, "{sent} bytes were taken of a page");
}
