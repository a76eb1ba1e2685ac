//! The connection that hears: it subscribes to what this node wants, and is made anew when it breaks or
//! Redis does not answer.

use super::super::Group;
use super::super::inbox::locked;
use super::backoff::Backoff;
use super::transport::{Ear, Gone, Word, Words};
use super::wire::{Heard, Sender};
use super::{ANSWER_WITHIN, PING_EVERY, Shared};
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Channels that one command subscribes to.
const CHANNELS: usize = 1_000;

/// A connection that hears, for those who change what is subscribed.
#[derive(Clone)]
pub struct Link {
    ear: Ear,
    sender: Sender,
    /// Groups that Redis has confirmed to one who subscribed: more of them need not ask.
    confirmed: Arc<Mutex<HashSet<Group>>>,
    /// Cancelled when the connection is of no use any more.
    broken: CancellationToken,
}

impl Link {
    /// Returns when the node hears what is published to the group, or is cut off.
    pub async fn subscribe(shared: &Shared, group: Group) {
        let link = locked(&shared.link).clone();
        if let Some(mut link) = link.filter(|link| !locked(&link.confirmed).contains(&group)) {
            let channel = link.sender.channel(group);
            let done = link.broken.run_until_cancelled(link.ear.subscribe(&[channel])).await;
            if link.check(done) {
                locked(&link.confirmed).insert(group);
            }
        }
    }

    pub async fn unsubscribe(shared: &Shared, group: Group) {
        let link = locked(&shared.link).clone();
        if let Some(mut link) = link {
            locked(&link.confirmed).remove(&group);
            let channel = link.sender.channel(group);
            let done = link.broken.run_until_cancelled(link.ear.unsubscribe(channel)).await;
            link.check(done);
        }
    }

    /// Whether Redis has confirmed it. What it refuses once it may not refuse to the next connection; until then
    /// the node is cut off.
    fn check(&self, done: Option<Result<(), Gone>>) -> bool {
        if let Some(Err(gone)) = &done {
            tracing::warn!(%gone, "a subscription failed");
            self.broken.cancel();
        }
        matches!(done, Some(Ok(())))
    }
}

/// Hears until it is dropped.
pub async fn run(shared: Arc<Shared>, sender: Sender) {
    let mut backoff = Backoff::default();
    // One that is not there from the start is told of once, too.
    let mut first = true;
    loop {
        let Err(gone) = hear(&shared, &sender, &mut backoff).await;
        let was_connected = shared.change(|state| state.hears = false).hears;
        shared.doubt.notify_one();
        if let Some(link) = locked(&shared.link).take() {
            link.broken.cancel();
        }
        let wait = backoff.next();
        if was_connected || std::mem::take(&mut first) {
            tracing::warn!(redis = %shared.address, %gone, "other nodes are not heard; connecting again");
        } else {
            tracing::debug!(redis = %shared.address, %gone, "other nodes are still not heard");
        }
        sleep(wait).await;
    }
}

/// One connection, from its beginning to its end.
async fn hear(shared: &Shared, sender: &Sender, backoff: &mut Backoff) -> Result<Infallible, Gone> {
    let (mut ear, words) = Ear::connect(&shared.address).await?;
    let broken = CancellationToken::new();
    let (confirmed, sender_too) = (Arc::default(), sender.clone());
    let link = Link { ear: ear.clone(), sender: sender_too, confirmed, broken: broken.clone() };
    // Before all groups are read: who subscribes from here on does it on this connection. One who unsubscribes
    // just now may be subscribed again, to a channel whose notices the inbox does not want.
    *locked(&shared.link) = Some(link);
    let heard = AtomicBool::new(false);
    let end = async {
        subscribe_all(shared, sender, &mut ear).await?;
        backoff.reset();
        shared.change(|state| state.hears = true);
        // After everything is subscribed, so that what was missed before is found by the comparison and what
        // comes later is heard.
        shared.may_have_missed();
        tracing::info!(redis = %shared.address, "other nodes are heard");
        watch(ear, &heard).await
    };
    tokio::select! {
        gone = end => gone,
        gone = listen(shared, sender, words, &heard) => gone,
        () = broken.cancelled() => Err(Gone::Ended),
    }
}

async fn subscribe_all(shared: &Shared, sender: &Sender, ear: &mut Ear) -> Result<(), Gone> {
    let groups = shared.inbox.groups().into_iter().chain([Group::Everyone]);
    let channels: Vec<_> = groups.map(|group| sender.channel(group)).collect();
    for channels in channels.chunks(CHANNELS) {
        timeout(ANSWER_WITHIN, ear.subscribe(channels)).await.map_err(|_| Gone::Silent(ANSWER_WITHIN))??;
    }
    Ok(())
}

async fn listen(shared: &Shared, sender: &Sender, mut words: Words, heard: &AtomicBool) -> Result<Infallible, Gone> {
    loop {
        let Word { channel, payload } = words.next().await?;
        heard.store(true, Ordering::Relaxed);
        match sender.hear(&channel, payload) {
            Heard::Notice(notice) => {
                if !shared.inbox.offer(&notice) {
                    shared.metrics.lost.inc();
                }
            }
            Heard::Lost => shared.may_have_missed(),
            Heard::Nothing => {}
        }
    }
}

/// Returns when Redis is silent, or in doubt. An answer may stand behind many messages: a server that still sends those
/// lives.
async fn watch(mut ear: Ear, heard: &AtomicBool) -> Result<Infallible, Gone> {
    loop {
        sleep(PING_EVERY).await;
        heard.store(false, Ordering::Relaxed);
        match timeout(ANSWER_WITHIN, ear.check()).await {
            Ok(answer) => answer?,
            Err(_) if ear.lives_by_a_word() && heard.load(Ordering::Relaxed) => {}
            Err(_) => return Err(Gone::Silent(ANSWER_WITHIN)),
        }
    }
}
