//! The way of every changing command into the store. A key is looked up before the rules of texts
//! and the rate limits, so that a repeat gets its first ack also when it comes too fast or no
//! longer fits the rules; before membership it is looked up in the committing transaction.

use super::Actor;
use crate::domain::{Key, Seq, Slug};
use crate::server::error::AppError;
use crate::server::state::AppState;
use crate::server::store::{Command, Committed, Fingerprint, Intent, Pending};

/// A durable command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    pub seq: Seq,
    /// The key had been used for the same command before.
    pub repeated: bool,
}

/// A command on its way to the disk, or one that was there before. Dropping it does not take the
/// command back.
pub enum PendingAck {
    Underway(Pending),
    Known(Committed),
}

impl PendingAck {
    /// Returns when the command is durable, with the seq that its ack tells. `NotFound`,
    /// `Forbidden`, `KeyReused`, `Gap`, `Erased`, `Unavailable`.
    pub async fn outcome(self) -> Result<Acked, AppError> {
        let Committed { seq, repeated, .. } = self.committed().await?;
        let seq = seq.ok_or_else(|| AppError::Internal("a command without a seq".into()))?;
        Ok(Acked { seq, repeated })
    }

    pub(super) async fn committed(self) -> Result<Committed, AppError> {
        match self {
            PendingAck::Underway(pending) => Ok(pending.outcome().await?),
            PendingAck::Known(committed) => Ok(committed),
        }
    }
}

/// `BadKey`.
pub(super) fn intent(actor: &Actor, key: &str) -> Result<Intent, AppError> {
    Ok(Intent { actor: actor.id, key: Key::parse(key)? })
}

/// Puts the command in the writer's queue if it is `allowed`.
pub(super) async fn submit(
    state: &AppState,
    command: Command,
    allowed: Result<(), AppError>,
) -> Result<PendingAck, AppError> {
    match (allowed, &command.intent, command.fingerprint()) {
        (Err(refusal), Some(intent), Some(print)) => {
            repeat(state, Sent { room: command.scope(), intent, print }, refusal).await
        }
        (Err(refusal), ..) => Err(refusal),
        (Ok(()), ..) => Ok(PendingAck::Underway(state.store.submit(command).await?)),
    }
}

/// A command as it was sent, fit to be carried out or not.
pub(super) struct Sent<'a> {
    /// `None`: outside of rooms.
    pub room: Option<&'a Slug>,
    pub intent: &'a Intent,
    pub print: Fingerprint,
}

/// The first ack of what was accepted earlier and would now meet `refusal`; else that.
pub(super) async fn repeat(state: &AppState, sent: Sent<'_>, refusal: AppError) -> Result<PendingAck, AppError> {
    let known = state.store.known(sent.room, sent.intent, &sent.print).await?;
    known.map(PendingAck::Known).ok_or(refusal)
}
