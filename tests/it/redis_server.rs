//! A Redis (or Valkey) of a test's own, on a socket in a folder of its own, that can die, come back and
//! freeze. The program is `PICKMATE_REDIS_SERVER`, else `redis-server` or `valkey-server`.

use crate::app::PATIENCE;
use crate::channel_layer_contract::until_async;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::server::channel_layer::redis::RedisAddress;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

pub struct RedisServer {
    folder: TempDir,
    process: Child,
}

impl RedisServer {
    pub fn start() -> RedisServer {
        let folder = TempDir::new().unwrap();
        let process = run(&folder);
        let server = RedisServer { folder, process };
        server.wait_until_it_listens();
        server
    }

    pub fn address(&self) -> RedisAddress {
        RedisAddress::parse(&self.url()).unwrap()
    }

    pub fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        std::fs::remove_file(self.socket()).unwrap();
        self.process = run(&self.folder);
        self.wait_until_it_listens();
    }

    /// It keeps its connections and answers nothing, until it is [thawed](RedisServer::thaw).
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Carries out a command, its words separated by blanks.
    pub async fn command(&self, words: &str) {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let (verb, arguments) = words.split_once(' ').unwrap();
        redis::cmd(verb)
            .arg(arguments.split(' ').collect::<Vec<_>>())
            .query_async::<()>(&mut connection)
            .await
            .unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn wait_until_it_listens(&self) {
        let begun = Instant::now();
        while UnixStream::connect(self.socket()).is_err() {
            assert!(begun.elapsed() < PATIENCE, "Redis does not listen");
            std::thread::yield_now();
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two servers that share the keys, on ports of this machine.
pub struct Cluster {
    servers: Vec<(u16, Child)>,
    _folders: Vec<TempDir>,
}

impl Cluster {
    pub async fn start() -> Cluster {
        let folders: Vec<_> = (0..2).map(|_| TempDir::new().unwrap()).collect();
        let servers = folders.iter().map(|folder| {
            let port = free_port();
            let port_words = port.to_string();
            let words = ["--port", &port_words, "--bind", "127.0.0.1", "--cluster-enabled", "yes", "--save", ""];
            (port, spawn(folder, &words))
        });
        let cluster = Cluster { servers: servers.collect(), _folders: folders };
        let [first, second] = cluster.ports();
        for (port, slots) in [(first, "0 8191"), (second, "8192 16383")] {
            let words = format!("CLUSTER ADDSLOTSRANGE {slots}");
            until_async(async || ask(port, &words).await.is_some()).await;
        }
        ask(first, &format!("CLUSTER MEET 127.0.0.1 {second}")).await.unwrap();
        for port in [first, second] {
            until_async(async || ask(port, "CLUSTER INFO").await.is_some_and(|info| info.contains("cluster_state:ok")))
                .await;
        }
        cluster
    }

    pub fn addresses(&self) -> [RedisAddress; 2] {
        self.ports().map(|port| RedisAddress::parse(&format!("redis://127.0.0.1:{port}")).unwrap())
    }

    fn ports(&self) -> [u16; 2] {
        [self.servers[0].0, self.servers[1].0]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (_, process) in &mut self.servers {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The answer, in words; `None` when nobody answers, or with a refusal.
async fn ask(port: u16, words: &str) -> Option<String> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.ok()?;
    let mut words = words.split(' ');
    let mut command = redis::cmd(words.next()?);
    command.arg(words.collect::<Vec<_>>());
    command.query_async(&mut connection).await.ok()
}

/// One whose bus, ten thousand above, is a port too.
fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..50_000);
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 10_000) {
            return port;
        }
    }
}

fn run(folder: &TempDir) -> Child {
    spawn(folder, &["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "no"])
}

fn spawn(folder: &TempDir, words: &[&str]) -> Child {
    let named = std::env::var("PICKMATE_REDIS_SERVER").ok().into_iter();
    for program in named.chain(["redis-server".to_owned(), "valkey-server".to_owned()]) {
        let mut command = Command::new(&program);
        command.args(words);
        let quiet = command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        if let Ok(process) = quiet.spawn() {
            return process;
        }
    }
    panic!("these tests need a Redis: run scripts/install-redis.sh, or name a server in PICKMATE_REDIS_SERVER");
}
