//! A Redis (or Valkey) of a test's own, on a socket in a folder of its own, that can die, come back and
//! freeze.

use crate::app::PATIENCE;
use crate::redis_program::redis_program;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::server::channel_layer::redis::RedisAddress;
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

impl From<&RedisServer> for RedisAddress {
    fn from(server: &RedisServer) -> RedisAddress {
        server.address()
    }
}

fn run(folder: &TempDir) -> Child {
    spawn(folder, &["--port", "0", "--unixsocket", "redis.sock"])
}

/// A server that keeps nothing, with these arguments, in the folder.
pub fn spawn(folder: &TempDir, arguments: &[&str]) -> Child {
    let mut command = Command::new(redis_program());
    command.args(["--save", "", "--appendonly", "no"]).args(arguments);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
}
