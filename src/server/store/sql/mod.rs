//! Statements that every engine takes, by noun: `$n` arguments, columns of integers, text and
//! bytes. What only one engine takes stands with that engine.

pub(super) mod accounts;
pub(super) mod files;
pub(super) mod log;
pub(super) mod previews;
pub(super) mod rooms;
pub(super) mod tasks;
pub(super) mod webhooks;
