//! Requests to servers that mean harm, or are broken.

mod bodies;
mod encrypted;
pub mod peer;
mod rebinding;
mod redirects;

use peer::{Peer, page};
use pickmate::server::outgoing::{Answer, Bounds, Client, OutgoingError, Ports, Resolve, Rules};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Long enough for a busy machine, short enough to be waited for.
pub const PATIENCE: Duration = Duration::from_secs(5);

pub fn bounds() -> Bounds {
    Bounds { timeout: PATIENCE, body_bytes: 100_000, redirects: 5 }
}

/// Reaches this one address of the loopback, at any port.
pub fn rules() -> Rules {
    Rules { allow: vec!["127.0.0.1/32".parse().unwrap()], refuse: Vec::new(), ports: Ports::Any }
}

pub fn client() -> Client {
    Client::new(rules(), bounds())
}

async fn get(client: &Client, url: &str) -> Result<Answer, OutgoingError> {
    client.get(url, "text/html").await
}

async fn failure(client: &Client, url: &str) -> OutgoingError {
    get(client, url).await.expect_err(url)
}

/// Gives each look-up the next answer, the last one forever.
struct Lookups {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: Mutex<Vec<String>>,
}

impl Lookups {
    fn of<const N: usize>(answers: [&[[u8; 4]]; N]) -> Arc<Lookups> {
        let addresses = |answer: &[[u8; 4]]| answer.iter().map(|bytes| IpAddr::from(*bytes)).collect();
        let answers = answers.into_iter().map(addresses).collect();
        Arc::new(Lookups { answers: Mutex::new(answers), asked: Mutex::new(Vec::new()) })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait::async_trait]
impl Resolve for Lookups {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        answer.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

#[tokio::test]
async fn a_page_is_asked_for_without_saying_more_than_needed() {
    let peer = Peer::saying(|_| page("hello")).await;
    let answer = get(&client(), &peer.url("/a?b=c#d")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_slice(), answer.cut), (200, &b"hello"[..], false));
    let request = peer.requests().remove(0).to_lowercase();
    let head: Vec<&str> =
        request.lines().map_while(|line| line.split(':').next()).filter(|line| !line.is_empty()).collect();
    assert_eq!(head, ["get /a?b=c http/1.1", "accept", "accept-encoding", "host", "user-agent", "connection"]);
    assert!(request.contains(&format!("host: {}\r\n", peer.address)));
}

#[tokio::test]
async fn this_machine_is_refused_before_anybody_connects() {
    let peer = Peer::saying(|_| page("secret")).await;
    let client = Client::new(Rules { allow: Vec::new(), refuse: Vec::new(), ports: Ports::Any }, bounds());
    let port = peer.address.port();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        assert_eq!(failure(&client, &format!("http://{host}:{port}/")).await, OutgoingError::AddressRefused, "{host}");
    }
    assert_eq!(failure(&client, &format!("http://2130706433:{port}/")).await, OutgoingError::OddAddress);
    assert_eq!(peer.accepted(), 0);
}

#[tokio::test]
async fn a_preview_asks_at_the_ports_of_the_web_only() {
    let peer = Peer::saying(|_| page("a service")).await;
    let strict = Rules { allow: Vec::new(), refuse: Vec::new(), ports: Ports::Web };
    let client = Client::new(strict.clone(), bounds());
    assert_eq!(failure(&client, &peer.url("/")).await, OutgoingError::PortRefused);
    assert_eq!(peer.accepted(), 0);
    let named = Rules { ports: Ports::Web, ..rules() };
    assert!(get(&Client::new(named.clone(), bounds()), &peer.url("/")).await.is_ok(), "the operator named it");
    let (public, beside) = ("93.184.216.34".parse().unwrap(), "127.0.0.2".parse().unwrap());
    for rules in [strict, named] {
        assert_eq!([80, 443, 8080].map(|port| rules.allows(public, port)), [true, true, false]);
        assert!(!rules.allows(beside, 80));
    }
}

#[tokio::test]
async fn what_the_operator_refuses_is_not_reached_whoever_allows_it() {
    let peer = Peer::saying(|_| page("")).await;
    let refusing = |networks: &[&str]| Rules {
        allow: vec!["127.0.0.0/8".parse().unwrap(), "::/0".parse().unwrap()],
        refuse: networks.iter().map(|network| network.parse().unwrap()).collect(),
        ports: Ports::Any,
    };
    let strict = Client::new(refusing(&["127.0.0.0/30"]), bounds());
    assert_eq!(failure(&strict, &peer.url("/")).await, OutgoingError::AddressRefused);
    assert_eq!(strict.check(&peer.url("/")), Err(OutgoingError::AddressRefused));
    let looked_up = Client::resolving(refusing(&["127.0.0.0/30"]), bounds(), Lookups::of([&[[127, 0, 0, 1]]]));
    let port = peer.address.port();
    assert_eq!(failure(&looked_up, &format!("http://peer.example:{port}/")).await, OutgoingError::AddressRefused);
    assert_eq!(peer.accepted(), 0);
    let elsewhere = Client::new(refusing(&["127.0.0.4/30"]), bounds());
    assert!(get(&elsewhere, &peer.url("/")).await.is_ok());
    let rules = refusing(&["93.184.216.0/24", "2606:4700::/32"]);
    for (address, allowed) in [
        ("93.184.216.34", false),
        ("::ffff:93.184.216.34", false),
        ("93.184.217.34", true),
        ("2606:4700::1111", false),
        ("2a00:1450:4001::200e", true),
    ] {
        assert_eq!(rules.allows(address.parse().unwrap(), 443), allowed, "{address}");
    }
}

#[tokio::test]
async fn nobody_there_has_a_code_of_its_own() {
    let client = client();
    // Bound, so that nobody else takes the port, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let url = format!("http://{}/", socket.local_addr().unwrap());
    assert_eq!(failure(&client, &url).await, OutgoingError::Unreachable);
    assert_eq!(failure(&client, "http://no-such-host.invalid/").await, OutgoingError::Unresolved);
}

#[tokio::test]
async fn a_host_that_says_nothing_is_given_up_in_time() {
    let peer = Peer::behaving(Ipv4Addr::LOCALHOST.into(), |stream: TcpStream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let client = Client::new(rules(), Bounds { timeout: Duration::from_millis(300), ..bounds() });
    let begun = Instant::now();
    assert_eq!(failure(&client, &peer.url("/")).await, OutgoingError::Timeout);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn what_is_no_http_is_a_broken_answer() {
    let many_headers = || (0..200).map(|n| format!("x-{n}: a\r\n")).collect::<String>();
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n".to_owned(),
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "a".repeat(200_000)),
        format!("HTTP/1.1 200 OK\r\n{}\r\n", many_headers()),
    ] {
        let shown: String = answer.chars().take(40).collect();
        let peer = Peer::saying(move |_| answer.clone().into_bytes()).await;
        assert_eq!(failure(&client(), &peer.url("/")).await, OutgoingError::BadAnswer, "{shown}");
    }
}

#[tokio::test]
async fn what_is_posted_arrives_and_its_answer_is_not_read() {
    let peer = Peer::saying(|_| b"HTTP/1.1 202 Accepted\r\ncontent-length: 999999\r\n\r\nnot all".to_vec()).await;
    let headers = [("x-pickmate-delivery".parse().unwrap(), "7".parse().unwrap())].into_iter().collect();
    let answer = client().post(&peer.url("/hook"), headers, r#"{"a":1}"#.to_owned()).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
    let request = peer.requests().remove(0);
    assert!(request.starts_with("POST /hook HTTP/1.1\r\n") && request.ends_with("\r\n\r\n{\"a\":1}"), "{request}");
    assert!(request.contains("x-pickmate-delivery: 7\r\n") && request.contains("content-type: application/json\r\n"));
}
