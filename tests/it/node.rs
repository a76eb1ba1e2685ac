//! The server as a process: what a stop, a crash and a second node on the same data cost.

use crate::app::PATIENCE;
use crate::command::Machine;
use futures_util::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What a stop may take.
const SHUTDOWN_MS: u64 = 4_000;

/// A server process with one account and one room.
struct Server {
    process: Child,
    url: String,
    token: String,
    client: Client,
}

impl Server {
    fn start(machine: &Machine, token: &str) -> Server {
        let limit = format!("--limit shutdown_ms={SHUTDOWN_MS}");
        let mut process = machine.start(&format!("serve --listen 127.0.0.1:0 --no-rate-limit {limit}"));
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().strip_prefix("PickMate serves on ").unwrap_or_else(|| panic!("{first:?}")).to_owned();
        Server { process, url, token: token.to_owned(), client: Client::new() }
    }

    /// Status of a post over HTTP; `None` when the connection failed.
    async fn post(&self, key: &str) -> Option<StatusCode> {
        let url = format!("{}/api/v1/rooms/general/messages", self.url);
        let request = self.client.post(url).bearer_auth(&self.token).json(&json!({"key": key, "body": "text"}));
        request.send().await.ok().map(|response| response.status())
    }

    /// Keys of all posts, and the dense seqs of all events.
    async fn log(&self) -> (BTreeSet<String>, Vec<u64>) {
        let (mut keys, mut seqs) = (BTreeSet::new(), Vec::new());
        loop {
            let after = seqs.last().copied().unwrap_or(0);
            let url = format!("{}/api/v1/rooms/general/events?after={after}&limit=1000", self.url);
            let page: Value = self.client.get(url).bearer_auth(&self.token).send().await.unwrap().json().await.unwrap();
            for event in page["events"].as_array().unwrap() {
                seqs.push(event["seq"].as_u64().unwrap());
                keys.extend(event["key"].as_str().map(str::to_owned));
            }
            if seqs.last().copied() == page["head"].as_u64() {
                return (keys, seqs);
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no process behind; after one that passed it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A machine with an account and an open room; its bearer token.
fn prepared() -> (Machine, String) {
    let machine = Machine::new();
    let done = |arguments: &str, input: &str| {
        let said = machine.run(arguments, input);
        assert_eq!(said.status, Some(0), "{arguments}: {}", said.err);
        said.out.trim().to_owned()
    };
    done("admin user create mina --password-stdin --owner", "correct horse\n");
    done("admin room create general", "");
    let token = done("admin token create mina", "");
    (machine, token)
}

#[tokio::test]
async fn a_stop_loses_no_accepted_post() {
    let (machine, token) = prepared();
    let mut server = Server::start(&machine, &token);
    let accepted = AtomicUsize::new(0);
    let poster = async |poster: usize| {
        let mut keys = Vec::new();
        for number in 0.. {
            let key = format!("k{poster}-{number}");
            if server.post(&key).await != Some(StatusCode::CREATED) {
                break;
            }
            accepted.fetch_add(1, Ordering::Relaxed);
            keys.push(key);
            if accepted.load(Ordering::Relaxed) == 50 {
                server.signal(Signal::SIGTERM);
            }
        }
        keys
    };
    let keys: BTreeSet<String> = join_all((0..8).map(poster)).await.into_iter().flatten().collect();
    assert!(keys.len() >= 50, "{}", keys.len());
    assert!(server.process.wait().unwrap().success());

    let server = Server::start(&machine, &token);
    let (found, seqs) = server.log().await;
    assert!(found.is_superset(&keys), "lost: {:?}", keys.difference(&found).collect::<Vec<_>>());
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_post_is_there_after_a_crash_right_after_its_ack() {
    let (machine, token) = prepared();
    for round in 0..3 {
        let mut server = Server::start(&machine, &token);
        assert_eq!(server.post(&format!("k{round}")).await, Some(StatusCode::CREATED));
        server.signal(Signal::SIGKILL);
        assert!(!server.process.wait().unwrap().success());
    }
    let server = Server::start(&machine, &token);
    let (found, seqs) = server.log().await;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["k0", "k1", "k2"]);
    assert_eq!(seqs, [1, 2, 3, 4]);
    assert_eq!(server.post("k1").await, Some(StatusCode::OK), "the key is still known");
}

#[tokio::test]
async fn a_thousand_posts_with_repeated_keys_are_one_event_a_key() {
    let (machine, token) = prepared();
    let server = Arc::new(Server::start(&machine, &token));
    let posts = (0..1_000).map(|number| {
        let server = Arc::clone(&server);
        tokio::spawn(async move { server.post(&format!("k{}", number % 250)).await })
    });
    let statuses: Vec<_> = join_all(posts).await.into_iter().map(|post| post.unwrap().unwrap()).collect();
    let created = statuses.iter().filter(|status| **status == StatusCode::CREATED).count();
    let repeated = statuses.iter().filter(|status| **status == StatusCode::OK).count();
    assert_eq!((created, repeated), (250, 750));
    let (keys, seqs) = server.log().await;
    assert_eq!((keys.len(), seqs), (250, (1..=251).collect()));
}

/// A request that the server has begun to read and will wait for.
fn hang(server: &Server) -> TcpStream {
    let mut connection = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    // The answer to the first request shows that the connection is being served.
    let head = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nPOST /sign-in HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n";
    connection.write_all(head.as_bytes()).unwrap();
    let mut line = String::new();
    BufReader::new(connection.try_clone().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    connection
}

#[test]
fn a_request_that_hangs_does_not_hold_a_stop_for_ever() {
    let (machine, token) = prepared();
    let mut server = Server::start(&machine, &token);
    let _hanging = hang(&server);
    let begun = Instant::now();
    server.signal(Signal::SIGINT);
    assert!(server.process.wait().unwrap().success());
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[test]
fn a_second_signal_ends_the_wait() {
    let (machine, token) = prepared();
    let mut server = Server::start(&machine, &token);
    let _hanging = hang(&server);
    let begun = Instant::now();
    // Signals that come together are one, so a person presses until it ends.
    while server.process.try_wait().unwrap().is_none() {
        server.signal(Signal::SIGTERM);
        std::thread::yield_now();
    }
    assert!(!server.process.wait().unwrap().success());
    assert!(begun.elapsed() < Duration::from_millis(SHUTDOWN_MS / 2), "waited: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_running_server_knows_at_once_what_the_operator_made() {
    let (machine, token) = prepared();
    let server = Server::start(&machine, &token);
    assert_eq!(machine.run("admin user create joon --password-stdin", "correct horse\n").status, Some(0));
    let token = machine.run("admin token create joon", "").out.trim().to_owned();
    assert_eq!(machine.run("admin room create secret --closed", "").status, Some(0));
    let url = format!("{}/api/v1/rooms/secret/messages", server.url);
    let status = async || server.client.get(&url).bearer_auth(&token).send().await.unwrap().status();
    assert_eq!(status().await, StatusCode::NOT_FOUND);
    assert_eq!(machine.run("admin room add secret joon", "").status, Some(0));
    assert_eq!(status().await, StatusCode::OK);
}
