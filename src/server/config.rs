//! Settings: flag beats environment beats `Leptos.toml` beats default. `docs/configuration.md`
//! has the table.

use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Settings of a running node, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    /// The data directory; the database is `pickmate.sqlite3` in it.
    pub data: PathBuf,
    /// Where people reach this installation, without a slash at the end. Decides links, the cookie's
    /// `Secure` and the allowed `Origin`; without it the request's `Host` does.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Lifts rate limits and per-user connection caps; for benchmarks.
    pub no_rate_limit: bool,
    pub limits: Limits,
}

/// Every limit, by name. Times in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of UTF-8 in a message.
    pub body_bytes: usize,
    /// Bytes of one client frame on the live socket.
    pub frame_bytes: usize,
    /// Bytes of one frame of the echo at `/ws/chat/`.
    pub echo_frame_bytes: usize,
    /// Bytes of an HTTP request body.
    pub request_bytes: usize,
    /// Rooms one connection may be joined to.
    pub rooms_per_connection: usize,
    pub connections_per_user: usize,
    pub connections_per_address: usize,
    /// Events a `join` may be behind before it is answered with `gap`.
    pub catch_up_events: u64,
    /// Bytes and frames waiting for one slow connection before its rooms fall behind.
    pub queue_bytes: usize,
    pub queue_frames: usize,
    /// A peer that takes nothing for so long is given up.
    pub write_timeout_ms: u64,
    /// The client should ping this often, and is given up when silent for `silence_ms`.
    pub ping_every_ms: u32,
    pub silence_ms: u64,
    /// Rows of one history page in the browser, and at most over HTTP.
    pub page_rows: u32,
    pub api_page_rows: u32,
    pub api_page_events: u32,
    /// Commands waiting for the writer, and how many one transaction takes.
    pub writer_queue: usize,
    pub writer_batch: usize,
    /// Posts a user may make: so many at once, and so many a minute after that.
    pub posts_burst: u32,
    pub posts_per_minute: u32,
    /// Sign-ins that may fail, per name and per address: at once, and a minute after that.
    pub sign_in_burst: u32,
    pub sign_in_per_minute: u32,
    /// Look-ups of one-time links per address: at once, and a minute after that.
    pub link_burst: u32,
    pub link_per_minute: u32,
    pub session_days: u32,
    pub reset_hours: u32,
    pub invite_max_days: u32,
    pub invite_max_uses: u32,
    /// From the signal to the exit, at most.
    pub shutdown_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body_bytes: crate::domain::MessageBody::MAX_BYTES,
            frame_bytes: 64 * 1024,
            echo_frame_bytes: 2 * 1024 * 1024,
            request_bytes: 128 * 1024,
            rooms_per_connection: 200,
            connections_per_user: 50,
            connections_per_address: 200,
            catch_up_events: 1_000,
            queue_bytes: 256 * 1024,
            queue_frames: 256,
            write_timeout_ms: 30_000,
            ping_every_ms: 8_000,
            silence_ms: 60_000,
            page_rows: 50,
            api_page_rows: 200,
            api_page_events: 1_000,
            writer_queue: 1_024,
            writer_batch: 256,
            posts_burst: 30,
            posts_per_minute: 120,
            sign_in_burst: 10,
            sign_in_per_minute: 5,
            link_burst: 30,
            link_per_minute: 30,
            session_days: 60,
            reset_hours: 24,
            invite_max_days: 90,
            invite_max_uses: 1_000,
            shutdown_ms: 10_000,
        }
    }
}
