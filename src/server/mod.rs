//! Everything native. Arrows of dependency: `router` → `http`, `forms`, `ws`, `django` → `service`
//! → `store`, `channel_layer`; `ws` → `hub` → `cache`, `presence` → `store`.

pub mod admin;
pub mod archive;
pub mod assets;
pub mod auth;
pub mod body_limit;
pub mod cache;
pub mod channel_layer;
pub mod cli;
pub mod clock;
pub mod config;
pub mod django;
pub mod encode;
pub mod error;
pub mod first_page;
pub mod forms;
pub mod functions;
pub mod health;
pub mod http;
pub mod hub;
pub mod limits;
pub mod listener;
pub mod metrics;
pub mod node;
pub mod pages;
pub mod presence;
pub mod request_log;
pub mod router;
pub mod secret;
pub mod security;
pub mod service;
pub mod state;
pub mod store;
pub mod stylesheet;
pub mod telemetry;
pub mod ws;
