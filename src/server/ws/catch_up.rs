//! From the log to a connection that is behind: after joining, resuming, a full queue or a lost
//! notice alike.

use crate::domain::Seq;
use crate::protocol::ServerFrame;
use crate::server::cache::ring::{RoomLog, Wanted};
use crate::server::encode::{self, EventsFrame};
use crate::server::hub::queue::Behind;
use crate::server::state::AppState;
use crate::server::store::StoreError;
use bytes::Bytes;
use std::sync::Arc;

/// The next frames for a connection that is behind, and where the log stands.
#[derive(Debug)]
pub struct Step {
    pub frames: Frames,
    pub head: Seq,
}

/// Events are shared with all who are sent the same, and held until they are written.
#[derive(Debug)]
pub enum Frames {
    Events(Arc<[EventsFrame]>),
    Gap(Bytes),
}

/// Reads the next part of the log, or answers `gap` when too much is missing to be worth sending.
pub async fn step(state: &AppState, behind: &Behind) -> Result<Step, StoreError> {
    if behind.head.0 - behind.at.0 > state.config.limits.catch_up_events {
        return Ok(gap(behind, behind.head));
    }
    let log = RoomLog { room: behind.room, slug: behind.slug.clone() };
    let wanted = Wanted { log, after: behind.at, head: behind.head };
    let stretch = state.cache.logs.after(&state.store, &wanted).await?;
    if stretch.frames.is_empty() {
        // Pruned, or not there although the head said so: only a fresh page can be right.
        return Ok(gap(behind, stretch.head));
    }
    Ok(Step { frames: Frames::Events(stretch.frames), head: stretch.head })
}

fn gap(behind: &Behind, head: Seq) -> Step {
    let frame = ServerFrame::Gap { room: behind.slug.to_string(), head };
    Step { frames: Frames::Gap(encode::frame(&frame)), head }
}
