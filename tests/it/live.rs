//! The live socket over real connections.

mod changing;
mod ending;
mod following;
mod posting;
mod typing;

use crate::app::Live;
use pickmate::protocol::{Refused, ServerFrame};

async fn refused(live: &mut Live) -> Refused {
    match live.frame().await {
        ServerFrame::Refused(refused) => refused,
        other => panic!("not refused: {other:?}"),
    }
}
