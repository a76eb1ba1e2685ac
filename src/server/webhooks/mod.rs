//! Telling other programs of what happens in a room: one request for each event, signed, tried again while that may
//! help, with a record of how it went. `docs/webhooks.md` explains it to receivers.

mod attempt;
mod backlog;
mod sending;
mod signature;

pub use attempt::{Delivered, deliver};
pub use sending::deliver_due;
pub use signature::signature;
