//! Read positions on their way to the store. Of what one reader says of one room the first is carried out at once,
//! and of what follows within `read_mark_every_ms` only the furthest, when that is over: whoever reads along in a
//! busy room costs the store no more than that.

use super::Actor;
use super::rooms::claimed;
use crate::domain::{Seq, Slug, UserId};
use crate::protocol::ErrorCode;
use crate::server::channel_layer::Notice;
use crate::server::error::AppError;
use crate::server::state::AppState;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

/// The positions that a node was told of and waits with.
pub struct Readings {
    every: Duration,
    readers: Mutex<HashMap<UserId, HashMap<Slug, Reading>>>,
}

/// One reader in one room.
#[derive(Default)]
struct Reading {
    /// The furthest that was said since the last one was carried out.
    waits: Option<Seq>,
    hurry: Arc<Notify>,
}

/// Moves the actor's read position forward and tells the actor's connections that it moved. Returns once that is
/// done, or will be within `read_mark_every_ms`, also if nobody waits for it any more. `NotFound`.
pub async fn mark_read(state: &AppState, actor: &Actor, room: &str, seq: Seq) -> Result<(), AppError> {
    let slug = claimed(room)?;
    let Some(hurry) = state.readings.begin(actor.id, &slug, seq) else { return Ok(()) };
    let (answer, first) = oneshot::channel();
    let one = One { state: state.clone(), user: actor.id, slug, hurry };
    state.sockets.spawn(one.follow(seq, answer));
    // A task is not dropped before it is done, but when the node ends without a stop.
    first.await.unwrap_or_else(|_| Err(AppError::refused(ErrorCode::Unavailable)))
}

impl Readings {
    pub fn new(every: Duration) -> Readings {
        Readings { every, readers: Mutex::default() }
    }

    /// `None`: it waits, with what was said before. Else it is to be carried out now.
    fn begin(&self, user: UserId, slug: &Slug, seq: Seq) -> Option<Arc<Notify>> {
        let mut readers = self.readers();
        let rooms = readers.entry(user).or_default();
        if let Some(reading) = rooms.get_mut(slug) {
            reading.waits = reading.waits.max(Some(seq));
            return None;
        }
        Some(Arc::clone(&rooms.entry(slug.clone()).or_default().hurry))
    }

    /// What has been waiting. Without it the reader is forgotten, and the next word is carried out at once.
    fn take(&self, user: UserId, slug: &Slug) -> Option<Seq> {
        let mut readers = self.readers();
        let rooms = readers.get_mut(&user)?;
        let waits = rooms.get_mut(slug)?.waits.take();
        if waits.is_none() {
            rooms.remove(slug);
            if rooms.is_empty() {
                readers.remove(&user);
            }
        }
        waits
    }

    /// It could not be carried out, and waits again.
    fn put_back(&self, user: UserId, slug: &Slug, seq: Seq) {
        if let Some(reading) = self.readers().get_mut(&user).and_then(|rooms| rooms.get_mut(slug)) {
            reading.waits = reading.waits.max(Some(seq));
        }
    }

    /// One of the reader's connections has ended: whoever looks next, on another page, is shown what was read.
    pub fn hurry(&self, user: UserId) {
        if let Some(rooms) = self.readers().get(&user) {
            rooms.values().for_each(|reading| reading.hurry.notify_one());
        }
    }

    fn readers(&self) -> MutexGuard<'_, HashMap<UserId, HashMap<Slug, Reading>>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Carries out what one reader says of one room.
struct One {
    state: AppState,
    user: UserId,
    slug: Slug,
    hurry: Arc<Notify>,
}

impl One {
    async fn follow(self, first: Seq, answer: oneshot::Sender<Result<(), AppError>>) {
        // Nobody may be waiting any more.
        let _gone = answer.send(self.move_to(first).await);
        loop {
            tokio::select! {
                () = sleep(self.state.readings.every) => {}
                () = self.hurry.notified() => {}
                () = self.state.shutdown.cancelled() => {}
            }
            let Some(seq) = self.state.readings.take(self.user, &self.slug) else { return };
            if let Err(error) = self.move_to(seq).await {
                error.log();
                if error.code() == ErrorCode::Unavailable && !self.state.shutdown.is_cancelled() {
                    self.state.readings.put_back(self.user, &self.slug, seq);
                }
            }
        }
    }

    async fn move_to(&self, seq: Seq) -> Result<(), AppError> {
        let place = self.state.store.read_place(&self.slug, self.user).await?;
        let place = place.ok_or_else(|| AppError::refused(ErrorCode::NotFound))?;
        let seq = seq.min(place.head);
        if place.read.is_some_and(|read| read < seq) {
            self.state.store.mark_read(place.room, self.user, seq).await?;
            self.state.layer.publish(Notice::Read { user: self.user, room: self.slug.clone(), seq });
        }
        Ok(())
    }
}
