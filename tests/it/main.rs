//! One binary for all integration tests.

// Clippy's `allow-unwrap-in-tests` knows `#[test]` functions, not what they call.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod admin;
mod app;
mod bad_input;
mod channel_layer_contract;
mod command;
mod config;
mod crowd;
mod deploy;
mod django;
mod docs;
mod edge;
mod exporting;
mod files;
mod files_contract;
mod forms;
mod http_api;
mod hub;
mod images;
mod killed;
mod live;
mod node;
mod one_database;
mod operated;
mod outgoing;
mod outgoing_tasks;
mod pages;
mod poison;
mod postgres;
mod presence;
mod presence_contract;
mod presence_waits;
mod previews;
mod rate_limits;
mod redis_cluster;
mod redis_cluster_layer;
mod redis_layer;
mod redis_presence;
#[path = "../program/redis.rs"]
mod redis_program;
mod redis_server;
mod regressions;
mod retention;
mod scheduled;
mod several_nodes;
mod site;
mod store_contract;
mod tasks;
mod visitor;
mod webhooks;
mod workers;
