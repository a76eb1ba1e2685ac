//! `deploy/`: the very `nginx.conf` in front of two real nodes that share a Postgres and a Redis. Its other
//! files are looked at by `scripts/check-deploy.sh`.

use crate::app::{Live, PATIENCE};
use crate::command::Machine;
use crate::operated::done;
use crate::postgres::Database;
use crate::redis_server::RedisServer;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::protocol::ServerFrame;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;

const CONF: &str = include_str!("../../deploy/nginx.conf");
const FILES: [&str; 4] = [
    include_str!("../../deploy/Dockerfile"),
    include_str!("../../deploy/compose.yml"),
    include_str!("../../deploy/env.example"),
    include_str!("../../deploy/pickmate.service"),
];

fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// nginx with the configuration, at another address, without TLS, and with its files in a folder.
struct Proxy {
    process: Child,
    addr: SocketAddr,
    _folder: TempDir,
}

impl Proxy {
    fn start(nodes: [SocketAddr; 2]) -> Proxy {
        let (folder, addr) = (TempDir::new().unwrap(), free());
        let place = folder.path().display();
        let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary: String = kinds.iter().map(|kind| format!("{kind}_temp_path {place}/{kind};\n")).collect();
        let replaced = [
            ("node-1:3000", nodes[0].to_string()),
            ("node-2:3000", nodes[1].to_string()),
            ("listen 443 ssl http2 default_server;", format!("listen {addr};")),
            ("listen 80 default_server;", format!("listen {};", free())),
            ("pid /run/nginx.pid;", format!("pid {place}/pid;")),
            ("http {\n", format!("http {{\n{temporary}")),
        ];
        let without_tls: String =
            CONF.lines().filter(|line| !line.trim().starts_with("ssl_")).collect::<Vec<_>>().join("\n");
        let conf = replaced.iter().fold(without_tls, |conf, (from, to)| {
            assert_eq!(conf.matches(from).count(), 1, "{from}");
            conf.replace(from, to)
        });
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, conf).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new("nginx")
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            // A master that is root would give its workers another account, which cannot come into the folder.
            .args(["-e", "stderr", "-g", "daemon off; user root;", "-c"])
            .arg(&file)
            .arg("-p")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("these tests need nginx: run scripts/install-nginx.sh");
        let mut proxy = Proxy { process, addr, _folder: folder };
        let begun = Instant::now();
        while std::net::TcpStream::connect(addr).is_err() {
            let said = || std::fs::read_to_string(proxy._folder.path().join("log")).unwrap();
            assert!(proxy.process.try_wait().unwrap().is_none() && begun.elapsed() < PATIENCE, "{}", said());
        }
        proxy
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    async fn socket(&self, path: &str, token: &str) -> Live {
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        let bearer = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
        request.headers_mut().insert("authorization", bearer);
        Live { socket: tokio_tungstenite::connect_async(request).await.unwrap().0 }
    }

    /// A follower of `general` from its begin on.
    async fn follower(&self, token: &str) -> Live {
        let mut live = self.socket("/live", token).await;
        assert!(matches!(live.frame().await, ServerFrame::Hello { .. }));
        live.send_json(json!({"type": "join", "room": "general", "after": 0})).await;
        assert!(matches!(live.frame().await, ServerFrame::Joined { .. }));
        live
    }

    /// Posts until it is acked, as a client does: again with the same key. How many tries it took.
    async fn post(&self, client: &Client, token: &str, key: &str) -> u32 {
        let begun = Instant::now();
        for tries in 1.. {
            let post = client.post(self.url("/api/v1/rooms/general/messages")).bearer_auth(token);
            let answer = post.json(&json!({"key": key, "body": "text"})).send().await.unwrap();
            match answer.status() {
                StatusCode::CREATED | StatusCode::OK => return tries,
                StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {}
                other => panic!("{key}: {other}"),
            }
            assert!(begun.elapsed() < PATIENCE, "{key} is not taken");
        }
        unreachable!("it is tried for ever")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Its workers go with it, which they do not when it is killed.
        let _ = kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// A process at an address that stays. Killed when dropped.
struct Node {
    process: Child,
    addr: SocketAddr,
}

impl Node {
    fn start(machine: &Machine, addr: SocketAddr) -> Node {
        let limits = "--limit posts_burst=1000000 --limit link_burst=2 --limit link_per_minute=1";
        let mut process = machine.start(&format!("serve --listen {addr} {limits}"));
        let mut log = process.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let mut first = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(first.starts_with("PickMate serves on "), "{first:?}");
        Node { process, addr }
    }

    fn restart(&mut self, machine: &Machine) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), Signal::SIGTERM).unwrap();
        assert!(self.process.wait().unwrap().success());
        *self = Node::start(machine, self.addr);
    }

    /// What `/metrics` says.
    async fn counted(&self, name: &str) -> u64 {
        let text = reqwest::get(format!("http://{}/metrics", self.addr)).await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What `deploy/compose.yml` puts together.
struct Site {
    proxy: Proxy,
    nodes: [Node; 2],
    /// The second one is of another version.
    machines: [Machine; 2],
    token: String,
    _redis: RedisServer,
    _database: Database,
}

impl Site {
    async fn start() -> Site {
        let (redis, database, mut machine) = (RedisServer::start(), Database::new(), Machine::new());
        machine.set("PICKMATE_DATABASE", &database.url().await);
        machine.set("PICKMATE_REDIS", &redis.url());
        machine.set("PICKMATE_TRUSTED_PROXY", "127.0.0.1");
        done(&machine, "admin user create mina --password-stdin --owner", "correct horse\n");
        done(&machine, "admin room create general", "");
        let token = done(&machine, "admin token create mina", "");
        let mut other = Machine::new();
        machine.variables().for_each(|(name, value)| other.set(name, value));
        std::fs::write(other.path("target/site/pkg/newer.js"), "").unwrap();
        let nodes = [Node::start(&machine, free()), Node::start(&other, free())];
        let proxy = Proxy::start([nodes[0].addr, nodes[1].addr]);
        Site { proxy, nodes, machines: [machine, other], token, _redis: redis, _database: database }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_joins_two_nodes() {
    let site = Site::start().await;
    let Site { proxy, nodes, token, .. } = &site;
    let mut followers = Vec::new();
    for _ in 0..4 {
        followers.push(proxy.follower(token).await);
    }
    for node in nodes {
        assert_eq!(node.counted("pickmate_live_connections").await, 2, "the node with fewer gets the next one");
    }
    let client = Client::new();
    for n in 0..10 {
        proxy.post(&client, token, &format!("k{n}")).await;
    }
    for follower in &mut followers {
        assert_eq!(follower.seqs_until(11).await, (1..=11).collect::<Vec<_>>());
    }

    let mut chat = proxy.socket("/ws/chat/", token).await;
    let greeting: Value = serde_json::from_str(&chat.text().await).unwrap();
    assert_eq!(greeting, json!({"message": "연결 성공"}));
    let at = async |path| client.get(proxy.url(path)).send().await.unwrap().status();
    for _ in 0..4 {
        assert_eq!(at("/pkg/newer.js").await, StatusCode::OK, "whichever node is asked first");
    }
    assert_eq!((at("/metrics").await, at("/readyz").await), (StatusCode::NOT_FOUND, StatusCode::OK));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_counts_the_address_of_the_client_whatever_it_claims() {
    let site = Site::start().await;
    let from = |last| {
        let local = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        Client::builder().local_address(local).build().unwrap()
    };
    let ask = async |client: &Client, claim: String| {
        let look = client.get(site.proxy.url("/join/nothing")).header("x-forwarded-for", claim);
        look.send().await.unwrap().status()
    };
    let (one, other) = (from(2), from(3));
    let mut statuses = Vec::new();
    for n in 0..6 {
        statuses.push(ask(&one, format!("203.0.113.{n}")).await);
    }
    // Two at once; on each node, until it has heard of what the other one let through.
    let refused = statuses.iter().filter(|status| **status == StatusCode::TOO_MANY_REQUESTS).count();
    assert!((2..=4).contains(&refused), "{statuses:?}");
    assert_ne!(ask(&other, "127.0.0.2".into()).await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_are_upgraded_one_by_one_while_people_post() {
    let Site { proxy, mut nodes, machines, token, _redis, _database } = Site::start().await;
    let upgrade = tokio::spawn(async move {
        for (node, machine) in nodes.iter_mut().zip(&machines) {
            tokio::task::block_in_place(|| node.restart(machine));
            // The proxy leaves it out for fail_timeout; without the other one meanwhile there would be none.
            while node.counted("pickmate_posts_total").await == 0 {}
        }
        nodes
    });
    let client = Client::new();
    let (mut posted, mut tries) = (0, 0);
    while !upgrade.is_finished() {
        tries += proxy.post(&client, &token, &format!("k{posted}")).await;
        posted += 1;
    }
    let _nodes = upgrade.await.unwrap();
    assert!(posted > 0 && tries < posted + 20, "{tries} tries for {posted} posts");
    let mut follower = proxy.follower(&token).await;
    let mut keys = Vec::new();
    while keys.len() < posted as usize {
        if let ServerFrame::Events { list, .. } = follower.frame().await {
            keys.extend(
                list.iter().filter_map(|event| serde_json::to_value(event).unwrap()["key"].as_str().map(str::to_owned)),
            );
        }
    }
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "a post is there twice");
}

#[test]
fn every_variable_that_is_set_is_one_of_the_program() {
    let help = done(&Machine::new(), "serve --help", "");
    let flags: BTreeSet<&str> = help.split_whitespace().filter_map(|word| word.strip_prefix("--")).collect();
    let mut found = 0;
    for file in FILES {
        for rest in file.split("PICKMATE_").skip(1) {
            let name = rest.split(|c: char| c != '_' && !c.is_ascii_uppercase()).next().unwrap();
            let flag = name.to_lowercase().replace('_', "-");
            assert!(flags.contains(flag.as_str()), "PICKMATE_{name}");
            found += 1;
        }
    }
    assert!(found > 5);
}
