//! The browser's run time. It compiles everywhere and is entered only from effects, event handlers
//! and the tasks they spawn; `timeline`, `outbox`, `backoff`, `heartbeat`, `ime` and `conversation`
//! are pure.

pub mod conversation;
pub mod ime;
pub mod room_session;
pub mod session;
pub mod zone;

mod backoff;
mod heartbeat;
mod outbox;
mod timeline;
