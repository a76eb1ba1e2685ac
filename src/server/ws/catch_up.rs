//! From the log to a connection that is behind: after joining, resuming, a full queue or a lost
//! notice alike.

use crate::domain::Seq;
use crate::protocol::ServerFrame;
use crate::server::channel_layer::Growth;
use crate::server::encode;
use crate::server::hub::queue::Behind;
use crate::server::state::AppState;
use crate::server::store::{Budget, StoreError};
use bytes::Bytes;

/// Events read from the store at a time; their bytes are bounded like those of the queue. Both bound
/// what one slow connection holds in memory.
const STEP: u32 = 200;

/// The next frames for a connection that is behind, and where they take its cursor.
#[derive(Debug)]
pub struct Step {
    pub frames: Vec<Bytes>,
    pub to: Seq,
    pub head: Seq,
}

/// Reads the next part of the log, or answers `gap` when too much is missing to be worth sending.
pub async fn step(state: &AppState, behind: &Behind) -> Result<Step, StoreError> {
    if behind.head.0 - behind.at.0 > state.config.limits.catch_up_events {
        return Ok(gap(behind, behind.head));
    }
    let budget = Budget { events: STEP, bytes: state.config.limits.queue_bytes };
    let page = state.store.events_within(behind.room, behind.at, budget).await?;
    let dense = page.events.first().is_some_and(|event| event.seq == behind.at.next());
    if !dense {
        // Pruned, or not there although the head said so: only a fresh page can be right.
        return Ok(gap(behind, page.head));
    }
    let to = page.events.last().map_or(behind.at, |event| event.seq);
    let events = page.events.iter().map(encode::event).collect();
    let growth = Growth {
        room: behind.room,
        slug: behind.slug.clone(),
        epoch: state.store.epoch(),
        first: behind.at.next(),
        events,
    };
    let frames = encode::events(&growth).into_iter().map(|frame| frame.bytes).collect();
    Ok(Step { frames, to, head: page.head })
}

fn gap(behind: &Behind, head: Seq) -> Step {
    let frame = ServerFrame::Gap { room: behind.slug.to_string(), head };
    Step { frames: vec![encode::frame(&frame)], to: head, head }
}
