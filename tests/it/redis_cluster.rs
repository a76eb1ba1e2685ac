//! A cluster of three Redis (or Valkey) of a test's own, without replicas, on free ports of the loopback address. Each of
//! its primaries can die, come back and freeze, and slots can be moved.

use crate::app::PATIENCE;
use crate::redis_server::spawn;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pickmate::server::channel_layer::redis::RedisAddress;
use redis::cluster_routing::Slot;
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Slots of a cluster.
const SLOTS: u16 = 16_384;

/// Of which the third primary has the rest.
const THIRD: u16 = SLOTS / 3;

pub struct RedisCluster {
    primaries: Vec<Primary>,
}

struct Primary {
    folder: TempDir,
    process: Child,
    port: u16,
    bus_port: u16,
    id: String,
}

impl RedisCluster {
    pub fn start() -> RedisCluster {
        let cluster = RedisCluster { primaries: (0..3).map(|_| Primary::start()).collect() };
        for (index, primary) in cluster.primaries.iter().enumerate() {
            let first = THIRD * index as u16;
            let last = if index == 2 { SLOTS - 1 } else { first + THIRD - 1 };
            primary.command(&format!("CLUSTER SET-CONFIG-EPOCH {}", index + 1));
            primary.command(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            if index > 0 {
                let meet = format!("CLUSTER MEET 127.0.0.1 {} {}", primary.port, primary.bus_port);
                cluster.primaries[0].command(&meet);
            }
        }
        cluster.wait_until_whole();
        cluster
    }

    /// By a name, which none of its servers calls itself.
    pub fn address(&self) -> RedisAddress {
        self.address_of("")
    }

    /// With credentials such as `me:password@`.
    pub fn address_of(&self, credentials: &str) -> RedisAddress {
        RedisAddress::parse(&format!("redis://{credentials}localhost:{}", self.primaries[0].port)).unwrap()
    }

    /// Of one of its primaries.
    pub fn address_at(&self, primary: usize) -> RedisAddress {
        RedisAddress::parse(&format!("redis://127.0.0.1:{}", self.primaries[primary].port)).unwrap()
    }

    /// The number of the primary that had the channel's slot at the beginning.
    pub fn owner(channel: &str) -> usize {
        usize::from((slot(channel) / THIRD).min(2))
    }

    /// Carries out a command on every primary, its words separated by blanks.
    pub fn everywhere(&self, words: &str) -> Vec<redis::Value> {
        self.primaries.iter().map(|primary| primary.command(words)).collect()
    }

    pub fn command(&self, primary: usize, words: &str) -> redis::Value {
        self.primaries[primary].command(words)
    }

    pub fn kill(&mut self, primary: usize) {
        let process = &mut self.primaries[primary].process;
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub fn start_again(&mut self, primary: usize) {
        let primary = &mut self.primaries[primary];
        primary.process = run(&primary.folder, primary.port, primary.bus_port);
        assert!(primary.listens(), "it starts on the port that it had");
    }

    /// It keeps its connections and answers nothing, until it is [thawed](RedisCluster::thaw).
    pub fn freeze(&self, primary: usize) {
        self.primaries[primary].signal(Signal::SIGSTOP);
    }

    pub fn thaw(&self, primary: usize) {
        self.primaries[primary].signal(Signal::SIGCONT);
    }

    /// Gives the channel's slot to another primary.
    pub fn move_slot(&self, channel: &str, from: usize, to: usize) {
        let (slot, old, new) = (slot(channel), &self.primaries[from], &self.primaries[to]);
        new.command(&format!("CLUSTER SETSLOT {slot} IMPORTING {}", old.id));
        old.command(&format!("CLUSTER SETSLOT {slot} MIGRATING {}", new.id));
        let moved = format!("CLUSTER SETSLOT {slot} NODE {}", new.id);
        new.command(&moved);
        old.command(&moved);
        self.everywhere(&moved);
    }

    /// The second primary takes the last slot for the first one's, until it hears of the third again.
    pub fn mislead(&self) {
        self.command(1, &format!("CLUSTER SETSLOT {} NODE {}", SLOTS - 1, self.primaries[0].id));
    }

    fn wait_until_whole(&self) {
        let begun = Instant::now();
        let whole = |info: &redis::Value| {
            let info: String = redis::from_redis_value(info.clone()).unwrap();
            ["cluster_state:ok", "cluster_slots_ok:16384", "cluster_size:3"].iter().all(|line| info.contains(line))
        };
        while !self.everywhere("CLUSTER INFO").iter().all(whole) {
            assert!(begun.elapsed() < PATIENCE, "the cluster is not whole");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl From<&RedisCluster> for RedisAddress {
    fn from(cluster: &RedisCluster) -> RedisAddress {
        cluster.address()
    }
}

impl Primary {
    fn start() -> Primary {
        loop {
            let folder = TempDir::new().unwrap();
            let [port, bus_port] = free_ports();
            let process = run(&folder, port, bus_port);
            let mut primary = Primary { folder, process, port, bus_port, id: String::new() };
            // Somebody else may have taken a port that was free a moment ago.
            if primary.listens() {
                primary.id = redis::from_redis_value(primary.command("CLUSTER MYID")).unwrap();
                return primary;
            }
        }
    }

    /// `false`: it ended instead.
    fn listens(&mut self) -> bool {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < PATIENCE, "Redis does not listen");
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            std::thread::yield_now();
        }
        self.process.try_wait().unwrap().is_none()
    }

    fn command(&self, words: &str) -> redis::Value {
        let client = redis::Client::open(("127.0.0.1", self.port)).unwrap();
        let mut connection = client.get_connection().unwrap();
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>()).query(&mut connection).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.process.id()).unwrap()), signal).unwrap();
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &TempDir, port: u16, bus_port: u16) -> Child {
    let (port, bus_port) = (port.to_string(), bus_port.to_string());
    spawn(
        folder,
        &[
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--cluster-port",
            &bus_port,
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-require-full-coverage",
            "no",
        ],
    )
}

fn free_ports() -> [u16; 2] {
    let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

fn slot(channel: &str) -> u16 {
    (0..SLOTS).find(|number| Slot::new(*number) == Some(Slot::for_key(channel))).unwrap()
}
