//! Presence in Redis, or Valkey: a hash for each node with a field for each room, which expires as a whole, and
//! a set of the nodes. One command says it again for all of a node's people, however many they are. All keys
//! have one hash tag, so in a cluster they are on one of its nodes, which is found by the redirection that the others answer.

use super::{People, Presence, Unreachable};
use crate::domain::{RoomId, UserId};
use crate::server::channel_layer::redis::{ANSWER_WITHIN, CONNECT_WITHIN, RedisAddress};
use async_trait::async_trait;
use rand::Rng;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, FromRedisValue, Pipeline, RedisError, ServerErrorKind};
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// The field that every node's hash has: one with nobody is there too.
const ALIVE: &str = "alive";

/// The set of nodes is forgotten so long after the last one was there, in milliseconds.
const NODES_EXPIRY_MS: i64 = 24 * 60 * 60 * 1_000;

/// One node's end.
pub struct RedisPresence {
    address: RedisAddress,
    expiry: Duration,
    node: String,
    /// What the keys begin with, from `open` on.
    prefix: OnceLock<String>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    connection: Option<MultiplexedConnection>,
    /// The node of a cluster that has the keys.
    host: Option<(String, u16)>,
}

impl RedisPresence {
    /// What this node says is forgotten after `expiry`.
    pub fn new(address: RedisAddress, expiry: Duration) -> RedisPresence {
        let node = format!("{:016x}", rand::rng().random::<u64>());
        RedisPresence { address, expiry, node, prefix: OnceLock::new(), line: Mutex::default() }
    }

    /// Begins, for the nodes on this database. Before that nothing can be reached.
    pub fn open(&self, database_id: Arc<str>) {
        // Once; later calls change nothing.
        let _ = self.prefix.set(format!("pickmate:{{{database_id}}}:presence"));
    }

    fn prefix(&self) -> Result<&str, Unreachable> {
        self.prefix.get().map(String::as_str).ok_or_else(|| Unreachable("not open yet".into()))
    }

    /// This node's own.
    fn key(&self, prefix: &str) -> String {
        format!("{prefix}:node:{}", self.node)
    }

    /// Answers whether anything was left of what this node said: to be asked before something is said, which makes the
    /// key anew.
    fn prolong(&self, commands: &mut Pipeline, prefix: &str) {
        commands.cmd("PEXPIRE").arg(self.key(prefix)).arg(self.expiry_ms());
    }

    fn set(&self, commands: &mut Pipeline, prefix: &str, rooms: &[(RoomId, People)]) {
        let key = self.key(prefix);
        commands.cmd("HSET").arg(&key).arg(ALIVE).arg(1);
        for (room, people) in rooms.iter().filter(|(_, people)| !people.is_empty()) {
            commands.arg(room.0).arg(encoded(people));
        }
        commands.ignore();
        commands.cmd("PEXPIRE").arg(&key).arg(self.expiry_ms()).ignore();
        self.enlist(commands, prefix);
    }

    /// Another node may have taken this one for gone.
    fn enlist(&self, commands: &mut Pipeline, prefix: &str) {
        let nodes = format!("{prefix}:nodes");
        commands.cmd("SADD").arg(&nodes).arg(&self.node).ignore();
        commands.cmd("PEXPIRE").arg(&nodes).arg(NODES_EXPIRY_MS).ignore();
    }

    fn expiry_ms(&self) -> i64 {
        i64::try_from(self.expiry.as_millis()).unwrap_or(i64::MAX)
    }

    /// Answers of the commands, over the connection that there is or a new one. A redirection is followed once.
    async fn ask<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, Unreachable> {
        let mut line = self.line.lock().await;
        match self.ask_on(&mut line, commands).await {
            Err(Gone::Failed(error)) if let Some(host) = redirected(&error) => {
                *line = Line { connection: None, host: Some(host) };
                self.ask_on(&mut line, commands).await
            }
            answers => answers,
        }
        .map_err(|gone| {
            *line = Line::default();
            Unreachable(gone.to_string())
        })
    }

    async fn ask_on<T: FromRedisValue>(&self, line: &mut Line, commands: &Pipeline) -> Result<T, Gone> {
        let mut connection = match line.connection.take() {
            Some(connection) => connection,
            None => self.connect(line.host.as_ref()).await?,
        };
        let answers = timeout(ANSWER_WITHIN, commands.query_async(&mut connection)).await;
        let answers = answers.map_err(|_| Gone::Silent(ANSWER_WITHIN))??;
        line.connection = Some(connection);
        Ok(answers)
    }

    async fn connect(&self, host: Option<&(String, u16)>) -> Result<MultiplexedConnection, Gone> {
        let client = self.address.client_at(host)?;
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(None);
        let connection = timeout(CONNECT_WITHIN, client.get_multiplexed_async_connection_with_config(&config)).await;
        Ok(connection.map_err(|_| Gone::Silent(CONNECT_WITHIN))??)
    }

    /// The other nodes that there are. Those of whom nothing is left are taken out of the set.
    async fn others(&self, prefix: &str) -> Result<Vec<String>, Unreachable> {
        let mut commands = Pipeline::new();
        commands.cmd("SMEMBERS").arg(format!("{prefix}:nodes"));
        let (nodes,): (HashSet<String>,) = self.ask(&commands).await?;
        let mut others: Vec<_> = nodes.into_iter().filter(|node| *node != self.node).collect();
        others.sort_unstable();
        if others.is_empty() {
            return Ok(others);
        }
        let mut commands = Pipeline::new();
        for node in &others {
            commands.cmd("EXISTS").arg(format!("{prefix}:node:{node}"));
        }
        let there: Vec<bool> = self.ask(&commands).await?;
        let (there, gone): (Vec<_>, Vec<_>) = others.into_iter().zip(there).partition(|(_, there)| *there);
        if !gone.is_empty() {
            let mut commands = Pipeline::new();
            let gone: Vec<_> = gone.into_iter().map(|(node, _)| node).collect();
            commands.cmd("SREM").arg(format!("{prefix}:nodes")).arg(gone).ignore();
            self.ask::<()>(&commands).await?;
        }
        Ok(there.into_iter().map(|(node, _)| node).collect())
    }
}

/// Why Redis was given up. Says nothing of its address.
#[derive(Debug, thiserror::Error)]
enum Gone {
    #[error("{0}")]
    Failed(#[from] RedisError),
    #[error("no answer within {} ms", .0.as_millis())]
    Silent(Duration),
}

/// Where the keys are, if not where they were asked for.
fn redirected(error: &RedisError) -> Option<(String, u16)> {
    let errors = error.clone().into_server_errors()?;
    let moved = errors.iter().map(|(_, error)| error).find(|error| error.kind() == Some(ServerErrorKind::Moved))?;
    // The number of the slot, and the address.
    let (host, port) = moved.details()?.split_whitespace().nth(1)?.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

#[async_trait]
impl Presence for RedisPresence {
    async fn say(&self, rooms: &[(RoomId, People)]) -> Result<bool, Unreachable> {
        let prefix = self.prefix()?;
        let mut commands = Pipeline::new();
        self.prolong(&mut commands, prefix);
        let empty: Vec<_> = rooms.iter().filter(|(_, people)| people.is_empty()).map(|(room, _)| room.0).collect();
        if !empty.is_empty() {
            commands.cmd("HDEL").arg(self.key(prefix)).arg(empty).ignore();
        }
        self.set(&mut commands, prefix, rooms);
        let (known,): (bool,) = self.ask(&commands).await?;
        Ok(known)
    }

    async fn restate(&self, all: &[(RoomId, People)]) -> Result<(), Unreachable> {
        let prefix = self.prefix()?;
        let mut commands = Pipeline::new();
        // At once, so that nobody finds nothing.
        commands.atomic();
        commands.cmd("DEL").arg(self.key(prefix)).ignore();
        self.set(&mut commands, prefix, all);
        self.ask(&commands).await
    }

    async fn renew(&self) -> Result<bool, Unreachable> {
        let prefix = self.prefix()?;
        let mut commands = Pipeline::new();
        self.prolong(&mut commands, prefix);
        self.enlist(&mut commands, prefix);
        let (known,): (bool,) = self.ask(&commands).await?;
        Ok(known)
    }

    async fn elsewhere(&self, rooms: &[RoomId]) -> Result<Vec<People>, Unreachable> {
        let prefix = self.prefix()?;
        let mut all = vec![People::new(); rooms.len()];
        let others = self.others(prefix).await?;
        if others.is_empty() || rooms.is_empty() {
            return Ok(all);
        }
        let fields: Vec<_> = rooms.iter().map(|room| room.0).collect();
        let mut commands = Pipeline::new();
        for node in others {
            commands.cmd("HMGET").arg(format!("{prefix}:node:{node}")).arg(&fields);
        }
        let said: Vec<Vec<Option<Vec<u8>>>> = self.ask(&commands).await?;
        for of_node in said {
            for (people, said) in all.iter_mut().zip(of_node) {
                people.extend(said.into_iter().flat_map(|said| decoded(&said)));
            }
        }
        Ok(all)
    }
}

fn encoded(people: &People) -> Vec<u8> {
    let list: Vec<(i64, &str)> = people.iter().map(|(user, name)| (user.0, &**name)).collect();
    // Numbers and strings: nothing that could fail.
    serde_json::to_vec(&list).unwrap_or_default()
}

/// Nobody, of what this program would not have written.
fn decoded(said: &[u8]) -> Vec<(UserId, Arc<str>)> {
    let list: Vec<(i64, String)> = serde_json::from_slice(said).unwrap_or_default();
    list.into_iter().map(|(user, name)| (UserId(user), name.into())).collect()
}
