//! The connection that speaks: hands over what the outbox has, together what has gathered, and what was
//! missed once Redis takes it again.

use super::super::{Group, Notice};
use super::backoff::Backoff;
use super::outbox::{Batch, Missed};
use super::transport::{Gone, Voice, Word};
use super::wire::Sender;
use super::{ANSWER_WITHIN, PING_EVERY, Shared};
use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

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
    let mut voice = Voice::connect(&shared.address).await.map_err(|gone| (gone, None))?;
    shared.outbox.open();
    shared.change(|state| state.speaks = true);
    tracing::info!(redis = %shared.address, "other nodes are told");
    let mut checks = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let batch = tokio::select! {
            batch = shared.outbox.next() => Some(batch),
            () = shared.doubt.notified() => None,
            _ = checks.tick() => None,
        };
        match batch {
            None => check(&mut voice).await?,
            Some(batch) => say(shared, &mut voice, sender, batch).await?,
        }
        backoff.reset();
    }
}

async fn check(voice: &mut Voice) -> Result<(), (Gone, Option<Batch>)> {
    let answer = timeout(ANSWER_WITHIN, voice.check()).await;
    let unheard = || Batch::Missed(Missed { rooms: HashSet::new(), more: true });
    let failed = |gone| (gone, voice.may_speak_to_nobody().then(unheard));
    answer.unwrap_or(Err(Gone::Silent(ANSWER_WITHIN))).map_err(failed)
}

async fn say(shared: &Shared, voice: &mut Voice, sender: &Sender, batch: Batch) -> Result<(), (Gone, Option<Batch>)> {
    match timeout(ANSWER_WITHIN, voice.say(words(sender, &batch))).await {
        Ok(Ok(())) => {}
        Ok(Err(gone)) => return Err((gone, Some(batch))),
        Err(_) => return Err((Gone::Silent(ANSWER_WITHIN), Some(batch))),
    }
    if let Batch::Notices(notices) = batch {
        shared.metrics.published.inc_by(notices.len() as u64);
    }
    Ok(())
}

fn words(sender: &Sender, batch: &Batch) -> Vec<Word> {
    match batch {
        Batch::Missed(Missed { more: true, .. }) => {
            vec![Word { channel: sender.channel(Group::Everyone), payload: sender.encode_lost().into() }]
        }
        Batch::Missed(Missed { rooms, .. }) => {
            rooms.iter().flat_map(|room| words_of(sender, &Notice::Unread { room: *room })).collect()
        }
        Batch::Notices(notices) => notices.iter().flat_map(|notice| words_of(sender, notice)).collect(),
    }
}

fn words_of(sender: &Sender, notice: &Notice) -> impl Iterator<Item = Word> + use<> {
    let channel = sender.channel(notice.group());
    sender.encode(notice).into_iter().map(move |message| Word { channel: channel.clone(), payload: message.into() })
}
