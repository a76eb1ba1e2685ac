//! A data directory in an operator's hands: the real binary on it, stopped, killed and started, and
//! what is done to its files meanwhile.

mod archive;
mod beside;
mod epoch;
mod interrupted_move;
mod moving;
mod trouble;

use crate::app::{Live, PATIENCE};
use crate::command::Machine;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::protocol::ServerFrame;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::ops::Add;
use std::path::PathBuf;
use std::process::Child;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

/// A machine with an account, its token and the open room `general`.
pub struct Place {
    pub machine: Machine,
    pub token: String,
}

impl Place {
    pub fn new() -> Place {
        Place::on(Machine::new())
    }

    pub fn on(machine: Machine) -> Place {
        done(&machine, "admin user create mina --password-stdin --owner", "correct horse\n");
        done(&machine, "admin room create general", "");
        let token = done(&machine, "admin token create mina", "");
        Place { machine, token }
    }

    pub fn data(&self, file: &str) -> PathBuf {
        self.machine.path("data").join(file)
    }

    pub fn serve(&self) -> Server {
        Server::start(&self.machine, &self.token)
    }
}

/// What a command that must succeed printed.
pub fn done(machine: &Machine, arguments: &str, input: &str) -> String {
    let said = machine.run(arguments, input);
    assert_eq!(said.status, Some(0), "{arguments}: {}", said.err);
    said.out.trim().to_owned()
}

/// A server process. Killed when dropped.
pub struct Server {
    process: Child,
    pub url: String,
    token: String,
    client: Client,
}

impl Server {
    fn start(machine: &Machine, token: &str) -> Server {
        let mut process =
            machine.start("serve --listen 127.0.0.1:0 --no-rate-limit --limit ready_ms=1 --limit erase_after_ms=30000");
        // A log that nobody reads fills its pipe and then holds the server up.
        let mut log = process.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().strip_prefix("PickMate serves on ").unwrap_or_else(|| panic!("{first:?}")).to_owned();
        Server { process, url, token: token.to_owned(), client: Client::new() }
    }

    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        assert!(!self.process.wait().unwrap().success());
    }

    /// The live socket after `hello`.
    pub async fn live(&self) -> Live {
        self.live_as(&self.token).await
    }

    pub async fn live_as(&self, token: &str) -> Live {
        let mut request = self.url.replace("http://", "ws://").add("/live").into_client_request().unwrap();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        request.headers_mut().insert("authorization", bearer);
        let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
        let mut live = Live { socket };
        assert!(matches!(live.frame().await, ServerFrame::Hello { .. }));
        live
    }

    pub fn stop(mut self) {
        self.signal(Signal::SIGTERM);
        assert!(self.process.wait().unwrap().success());
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await.unwrap()
    }

    /// Status and answer of a post.
    pub async fn post(&self, key: &str, body: &str) -> (StatusCode, Value) {
        let url = format!("{}/api/v1/rooms/general/messages", self.url);
        let request = self.client.post(url).bearer_auth(&self.token).json(&json!({"key": key, "body": body}));
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// A post that must be taken; its seq.
    pub async fn posted(&self, key: &str) -> u64 {
        let (status, answer) = self.post(key, "text").await;
        assert!(status.is_success(), "{key}: {status} {answer}");
        answer["seq"].as_u64().unwrap()
    }

    /// Posts until one is refused, which must be for now; keys of the others.
    pub async fn post_until_refused(&self, name: &str, body: &str) -> Vec<String> {
        let mut taken = Vec::new();
        loop {
            let key = format!("{name}-{}", taken.len());
            let (status, answer) = self.post(&key, body).await;
            if status == StatusCode::SERVICE_UNAVAILABLE {
                assert_eq!(answer["code"], "unavailable", "{answer}");
                assert!(answer["retry_after_ms"].as_u64().is_some_and(|wait| wait > 0), "{answer}");
                return taken;
            }
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            taken.push(key);
        }
    }

    /// Waits until `/readyz` says this of the store, with the status that goes with it.
    pub async fn store_becomes(&self, word: &str) {
        let mut said = Value::Null;
        let asking = async {
            loop {
                let response = self.get("/readyz").await;
                let ready = response.status() == StatusCode::OK;
                said = response.json().await.unwrap();
                assert_eq!(ready, said["store"] == "ok", "{said}");
                if said["store"] == word {
                    return;
                }
            }
        };
        assert!(timeout(2 * PATIENCE, asking).await.is_ok(), "not {word}: {said}");
    }

    /// Part of the log, as the API serves it.
    pub async fn log(&self, query: &str) -> Value {
        self.get(&format!("/api/v1/rooms/general/events?limit=1000{query}")).await.json().await.unwrap()
    }

    pub async fn epoch(&self) -> String {
        self.log("").await["epoch"].as_str().unwrap().to_owned()
    }

    /// Keys of the posts in the log, after it was seen to be dense.
    pub async fn keys(&self) -> Vec<String> {
        let (mut keys, mut seq) = (Vec::new(), 0);
        loop {
            let page = self.log(&format!("&after={seq}")).await;
            for event in page["events"].as_array().unwrap_or_else(|| panic!("{page}")) {
                seq += 1;
                assert_eq!(event["seq"], seq);
                keys.extend(event["key"].as_str().map(str::to_owned));
            }
            if page["head"] == seq {
                return keys;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed leaves no process behind; after one that passed it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
