//! A cluster's connection: one to each of its servers, behind one handle. A channel belongs to a slot and a slot
//! to a primary, which alone carries it. The client underneath follows slots and servers by itself, without a word of
//! what was missed meanwhile; so whatever makes it do that ends the connection here.

use super::super::inbox::locked;
use super::RedisAddress;
use super::transport::{Gone, Word};
use futures_util::future::try_join_all;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo, Slot};
use redis::{Pipeline, PushInfo, PushKind, Value, from_redis_value};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

#[derive(Clone)]
pub struct Cluster {
    connection: ClusterConnection,
    slots: Arc<Vec<Slots>>,
    leaving: Leaving,
}

/// Consecutive slots, and the id of the primary that has them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slots {
    first: i64,
    last: i64,
    primary: String,
}

/// How often each channel is being unsubscribed from: a server also does that by itself, when a slot moves.
type Leaving = Arc<Mutex<HashMap<String, usize>>>;

/// What the servers say unasked.
pub struct Pushes {
    pushes: UnboundedReceiver<PushInfo>,
    leaving: Leaving,
}

impl Cluster {
    /// Fails unless all primaries are there and agree on who has which slot.
    pub async fn connect(address: &RedisAddress) -> Result<(Cluster, Pushes), Gone> {
        let (push_sender, pushes) = unbounded_channel();
        let mut connection = address.cluster_client(push_sender)?.get_async_connection().await?;
        let slots = Arc::new(agreed_slots(&mut connection).await?);
        let leaving = Leaving::default();
        let pushes = Pushes { pushes, leaving: Arc::clone(&leaving) };
        Ok((Cluster { connection, slots, leaving }, pushes))
    }

    /// All primaries answer, and say of the slots what they said at the beginning. One that others have replaced
    /// without its knowing is found out by it.
    pub async fn check(&mut self) -> Result<(), Gone> {
        let slots = agreed_slots(&mut self.connection).await?;
        if slots == *self.slots { Ok(()) } else { Err(Gone::Unsettled) }
    }

    /// Returns when the primaries have taken all of them. Those on one channel keep their order.
    pub async fn publish(&self, words: Vec<Word>) -> Result<(), Gone> {
        let mut by_slot: HashMap<Slot, Pipeline> = HashMap::new();
        for Word { channel, payload } in words {
            let commands = by_slot.entry(Slot::for_key(&channel)).or_default();
            commands.cmd("SPUBLISH").arg(channel).arg(&payload[..]).ignore();
        }
        let published = by_slot.into_values().map(|commands| {
            let mut connection = self.connection.clone();
            async move { commands.query_async::<()>(&mut connection).await }
        });
        try_join_all(published).await?;
        Ok(())
    }

    /// Returns when the primaries have confirmed all of them.
    pub async fn subscribe(&self, channels: &[String]) -> Result<(), Gone> {
        let mut by_slot: HashMap<Slot, Vec<&String>> = HashMap::new();
        for channel in channels {
            by_slot.entry(Slot::for_key(channel)).or_default().push(channel);
        }
        let subscribed = by_slot.into_values().map(|channels| {
            let mut connection = self.connection.clone();
            async move { connection.ssubscribe(channels).await }
        });
        try_join_all(subscribed).await?;
        Ok(())
    }

    pub async fn unsubscribe(&mut self, channel: String) -> Result<(), Gone> {
        *locked(&self.leaving).entry(channel.clone()).or_default() += 1;
        Ok(self.connection.sunsubscribe(channel).await?)
    }
}

impl Pushes {
    /// The next message. Ends with whatever makes it doubtful that all are heard.
    pub async fn next(&mut self) -> Result<Word, Gone> {
        loop {
            let PushInfo { kind, data } = self.pushes.recv().await.ok_or(Gone::Ended)?;
            match (kind, <[Value; 2]>::try_from(data)) {
                (PushKind::Disconnection, _) => return Err(Gone::Ended),
                (PushKind::SMessage, Ok([channel, Value::BulkString(payload)])) => {
                    return Ok(Word { channel: text(channel)?, payload: payload.into() });
                }
                (PushKind::SUnsubscribe, Ok([channel, _])) => self.left(&text(channel)?)?,
                _ => {}
            }
        }
    }

    /// The server hears nothing of the channel any more, as it was told to.
    fn left(&self, channel: &str) -> Result<(), Gone> {
        let mut leaving = locked(&self.leaving);
        let times = leaving.get_mut(channel).ok_or(Gone::Unsettled)?;
        *times -= 1;
        if *times == 0 {
            leaving.remove(channel);
        }
        Ok(())
    }
}

fn text(value: Value) -> Result<String, Gone> {
    from_redis_value(value).map_err(|error| Gone::Failed(error.into()))
}

/// Which primary has which slots, if all of them answer and say the same.
async fn agreed_slots(connection: &mut ClusterConnection) -> Result<Vec<Slots>, Gone> {
    let mut command = redis::cmd("CLUSTER");
    command.arg("SLOTS");
    let primaries = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
    let Value::Map(answers) = connection.route_command(command, primaries).await? else { return Err(Gone::Unsettled) };
    let told: Option<Vec<_>> = answers.iter().map(|(_, answer)| slots(answer)).collect();
    let mut told = told.ok_or(Gone::Unsettled)?.into_iter();
    let agreed = told.next().ok_or(Gone::Unsettled)?;
    let primaries: HashSet<_> = agreed.iter().map(|slots| &slots.primary).collect();
    // A primary that is not connected to is left out of the answers.
    if told.len() + 1 == primaries.len() && told.all(|other| other == agreed) {
        Ok(agreed)
    } else {
        Err(Gone::Unsettled)
    }
}

/// An answer to `CLUSTER SLOTS`, without the replicas, which come and go.
fn slots(answer: &Value) -> Option<Vec<Slots>> {
    let Value::Array(ranges) = answer else { return None };
    let range = |range: &Value| {
        let Value::Array(parts) = range else { return None };
        let [Value::Int(first), Value::Int(last), Value::Array(primary), ..] = &parts[..] else { return None };
        let Value::BulkString(id) = primary.get(2)? else { return None };
        Some(Slots { first: *first, last: *last, primary: String::from_utf8_lossy(id).into_owned() })
    };
    ranges.iter().map(range).collect()
}
