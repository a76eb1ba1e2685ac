//! One binary for all integration tests.

// Clippy's `allow-unwrap-in-tests` knows `#[test]` functions, not what they call.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod admin;
mod app;
mod command;
mod config;
mod live;
mod store_contract;
