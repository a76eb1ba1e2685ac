//! The connection that speaks: hands over what the outbox has, together what has gathered, and what was
//! missed once Redis takes it again.

use super::super::{Group, Notice};
use super::backoff::Backoff;
use super::outbox::{Batch, Missed};
use super::subscriber::Gone;
use super::wire::Sender;
use super::{ANSWER_WITHIN, CONNECT_WITHIN, PING_EVERY, Shared};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Pipeline};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::{sleep, timeout};

/// Speaks until it is dropped.
pub async fn run(shared: Arc<Shared>, sender: Sender) {
    let mut backoff = Backoff::default();
    // One that is not there from the start is told of once, too.
    let mut first = true;
    loop {
        let Err((gone, under_way)) = speak(&shared, &sender, &mut backoff).await;
        let was_connected = shared.change(|state| state.speaks = false).speaks;
        let untold = shared.outbox.close(under_way);
        shared.metrics.dropped.inc_by(untold as u64);
        let wait = backoff.next();
        if was_connected || std::mem::take(&mut first) {
            tracing::warn!(redis = %shared.address, %gone, untold, "other nodes are not told; connecting again");
        } else {
            tracing::debug!(redis = %shared.address, %gone, "other nodes are still not told");
        }
        sleep(wait).await;
    }
}

/// One connection, from its beginning to its end. The error has what may not have been handed over.
async fn speak(shared: &Shared, sender: &Sender, backoff: &mut Backoff) -> Result<Infallible, (Gone, Option<Batch>)> {
    let mut connection = connect(shared).await.map_err(|gone| (gone, None))?;
    shared.outbox.open();
    shared.change(|state| state.speaks = true);
    tracing::info!(redis = %shared.address, "other nodes are told");
    loop {
        let batch = tokio::select! {
            batch = shared.outbox.next() => Some(batch),
            () = shared.doubt.notified() => None,
            () = sleep(PING_EVERY) => None,
        };
        let sent = send(&mut connection, packed(sender, batch.as_ref())).await;
        sent.map_err(|gone| (gone, batch.clone()))?;
        backoff.reset();
        if let Some(Batch::Notices(notices)) = batch {
            shared.metrics.published.inc_by(notices.len() as u64);
        }
    }
}

async fn connect(shared: &Shared) -> Result<MultiplexedConnection, Gone> {
    let client = shared.address.client()?;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT_WITHIN)).set_response_timeout(None);
    let connection = timeout(CONNECT_WITHIN, client.get_multiplexed_async_connection_with_config(&config)).await;
    let mut connection = connection.map_err(|_| Gone::Silent(CONNECT_WITHIN))??;
    send(&mut connection, packed_ping()).await?;
    Ok(connection)
}

async fn send(connection: &mut MultiplexedConnection, commands: Pipeline) -> Result<(), Gone> {
    let answers = timeout(ANSWER_WITHIN, commands.query_async::<()>(connection)).await;
    Ok(answers.map_err(|_| Gone::Silent(ANSWER_WITHIN))??)
}

fn packed(sender: &Sender, batch: Option<&Batch>) -> Pipeline {
    let mut commands = Pipeline::new();
    let mut publish = |group: Group, message: Vec<u8>| {
        commands.publish(sender.channel(group), message).ignore();
    };
    match batch {
        None => return packed_ping(),
        Some(Batch::Missed(Missed { more: true, .. })) => publish(Group::Everyone, sender.encode_lost()),
        Some(Batch::Missed(Missed { rooms, .. })) => {
            let notices = rooms.iter().map(|room| Notice::Unread { room: *room });
            notices.for_each(|notice| publish_all(sender, &notice, &mut publish));
        }
        Some(Batch::Notices(notices)) => {
            notices.iter().for_each(|notice| publish_all(sender, notice, &mut publish));
        }
    }
    commands
}

fn publish_all(sender: &Sender, notice: &Notice, publish: &mut impl FnMut(Group, Vec<u8>)) {
    sender.encode(notice).into_iter().for_each(|message| publish(notice.group(), message));
}

fn packed_ping() -> Pipeline {
    let mut commands = Pipeline::new();
    commands.cmd("PING").ignore();
    commands
}
