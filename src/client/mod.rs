//! The browser's run time. It compiles everywhere and is entered only from effects, event handlers
//! and the tasks they spawn. Pure: `timeline`, `outbox`, `backoff`, `heartbeat`, `conversation`,
//! `company`, `room_list`, `read_position`,
//! `task_progress`, `ime`.

pub mod backoff;
pub mod conversation;
pub mod draft;
pub mod ime;
pub mod remind;
pub mod room_session;
pub mod scroll;
pub mod session;
pub mod slash;
pub mod timeline;
pub mod uploads;
pub mod zone;

mod browser;
mod company;
mod connection;
mod heartbeat;
mod keeping;
pub mod outbox;
mod read_position;
mod room_list;
mod subscriptions;
mod task_progress;

pub use browser::{is_visible, now_ms, random_key, sleep_ms, utc_offset_min_at, zone_name};
