//! A node's two connections, whatever the server is: a single one, whose plain channels carry the notices, or a
//! cluster, whose sharded ones do. Which of them it is is found out with each connection.

use super::cluster::{Cluster, Pushes};
use super::{CONNECT_WITHIN, RedisAddress};
use bytes::Bytes;
use futures_util::StreamExt;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Pipeline, RedisError, Value};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::timeout;

/// Why a connection was given up. Says nothing of its address.
#[derive(Debug, thiserror::Error)]
pub enum Gone {
    #[error("{0}")]
    Failed(#[from] RedisError),
    #[error("the connection ended")]
    Ended,
    #[error("no answer within {} ms", .0.as_millis())]
    Silent(Duration),
    #[error("the cluster is not whole, or its slots move")]
    Unsettled,
}

/// A message on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub channel: String,
    pub payload: Bytes,
}

/// The connection that speaks.
pub enum Voice {
    Single(MultiplexedConnection),
    Cluster(Cluster),
}

/// The connection that hears, for those who change what is subscribed. A clone is the same connection.
#[derive(Clone)]
pub enum Ear {
    Single(PubSubSink),
    Cluster(Cluster),
}

/// What a connection hears.
pub enum Words {
    Single(PubSubStream),
    Cluster(Pushes),
}

impl Voice {
    /// Takes [`CONNECT_WITHIN`] at most.
    pub async fn connect(address: &RedisAddress) -> Result<Voice, Gone> {
        in_time(async {
            Ok(match Server::find(address).await? {
                Server::Single(connection) => Voice::Single(connection),
                Server::Cluster => Voice::Cluster(Cluster::connect(address).await?.0),
            })
        })
        .await
    }

    /// Returns when the server has taken all of them. Those on one channel keep their order.
    pub async fn say(&mut self, words: Vec<Word>) -> Result<(), Gone> {
        match self {
            Voice::Single(connection) => {
                let mut commands = Pipeline::with_capacity(words.len());
                for Word { channel, payload } in words {
                    commands.cmd("PUBLISH").arg(channel).arg(&payload[..]).ignore();
                }
                Ok(commands.query_async(connection).await?)
            }
            Voice::Cluster(cluster) => cluster.publish(words).await,
        }
    }

    /// Returns when all of the server has answered.
    pub async fn check(&mut self) -> Result<(), Gone> {
        match self {
            Voice::Single(connection) => Ok(redis::cmd("PING").query_async(connection).await?),
            Voice::Cluster(cluster) => cluster.check().await,
        }
    }

    /// Whether what the server took may yet have reached nobody, should a check fail: a primary that the others have
    /// replaced without its knowing still takes notices.
    pub fn may_speak_to_nobody(&self) -> bool {
        matches!(self, Voice::Cluster(_))
    }
}

impl Ear {
    /// Takes [`CONNECT_WITHIN`] at most.
    pub async fn connect(address: &RedisAddress) -> Result<(Ear, Words), Gone> {
        in_time(async {
            Ok(match Server::find(address).await? {
                Server::Single(_) => {
                    let (sink, stream) = address.client()?.get_async_pubsub().await?.split();
                    (Ear::Single(sink), Words::Single(stream))
                }
                Server::Cluster => {
                    let (cluster, pushes) = Cluster::connect(address).await?;
                    (Ear::Cluster(cluster), Words::Cluster(pushes))
                }
            })
        })
        .await
    }

    /// Returns when the server has confirmed all of them.
    pub async fn subscribe(&mut self, channels: &[String]) -> Result<(), Gone> {
        match self {
            Ear::Single(sink) => Ok(sink.subscribe(channels).await?),
            Ear::Cluster(cluster) => cluster.subscribe(channels).await,
        }
    }

    pub async fn unsubscribe(&mut self, channel: String) -> Result<(), Gone> {
        match self {
            Ear::Single(sink) => Ok(sink.unsubscribe(channel).await?),
            Ear::Cluster(cluster) => cluster.unsubscribe(channel).await,
        }
    }

    /// Returns when all of the server has answered.
    pub async fn check(&mut self) -> Result<(), Gone> {
        match self {
            Ear::Single(sink) => Ok(sink.ping::<Value>().await.map(drop)?),
            Ear::Cluster(cluster) => cluster.check().await,
        }
    }

    /// Whether a message proves that the server lives: a cluster's other primaries may be silent.
    pub fn lives_by_a_word(&self) -> bool {
        matches!(self, Ear::Single(_))
    }
}

impl Words {
    /// The next message. One caller at a time.
    pub async fn next(&mut self) -> Result<Word, Gone> {
        match self {
            Words::Single(stream) => {
                let message = stream.next().await.ok_or(Gone::Ended)?;
                let channel = message.get_channel_name().to_owned();
                Ok(Word { channel, payload: Bytes::copy_from_slice(message.get_payload_bytes()) })
            }
            Words::Cluster(pushes) => pushes.next().await,
        }
    }
}

/// What stands at an address.
enum Server {
    Single(MultiplexedConnection),
    Cluster,
}

impl Server {
    async fn find(address: &RedisAddress) -> Result<Server, Gone> {
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(None);
        let mut connection = address.client()?.get_multiplexed_async_connection_with_config(&config).await?;
        // The one command that tells it and that no access list can refuse.
        let told: HashMap<String, Value> = redis::cmd("HELLO").query_async(&mut connection).await?;
        let is_cluster = match told.get("mode") {
            Some(Value::BulkString(mode)) => mode == b"cluster",
            Some(Value::SimpleString(mode)) => mode == "cluster",
            _ => false,
        };
        Ok(if is_cluster { Server::Cluster } else { Server::Single(connection) })
    }
}

async fn in_time<T>(connecting: impl Future<Output = Result<T, Gone>>) -> Result<T, Gone> {
    timeout(CONNECT_WITHIN, connecting).await.map_err(|_| Gone::Silent(CONNECT_WITHIN))?
}
