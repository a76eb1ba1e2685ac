//! PickMate: a place where a group talks and decides, live, in one page.
//!
//! # The crate, room by room
//! - [`domain`]: nouns and rules; no I/O, no clock, no randomness.
//! - [`protocol`]: what crosses the wire: frames, events, error codes, page data.
//! - [`markdown`]: message source to a small tree that both sides render.
//! - [`i18n`]: the typed message catalogue, Korean and English.
//! - [`api`]: server functions, the request/response layer beside the socket.
//! - [`client`]: the browser's run time: timeline, outbox, connection, room session.
//! - [`ui`]: pages and components.
//! - `server`: everything native: store, writer, hub, socket, HTTP, tasks.
//!
//! # Invariants, stated as absences
//! 1. `domain` has no I/O, clock or randomness; callers pass `now` and keys in.
//! 2. No SQL outside `server::store`; no socket of a peer outside `server::ws` and `server::django`.
//! 3. Nothing but the store assigns a `seq`; nothing is ordered or paged by time.
//! 4. Nothing is published before its commit.
//! 5. Fan-out never awaits a peer.
//! 6. Applying an event twice changes nothing; a repeated key creates nothing.
//! 7. No use case is written twice: socket, HTTP and forms call the same `service` function.
//! 8. No command runs without being authorised itself; a room in a frame is a claim.
#![recursion_limit = "512"]

#[cfg(all(feature = "ssr", feature = "hydrate"))]
compile_error!("features `ssr` and `hydrate` exclude each other: one builds the server, the other the browser");

pub mod api;
pub mod client;
pub mod domain;
pub mod i18n;
pub mod markdown;
pub mod protocol;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod server;

/// Entry point of the browser build: takes over the server-rendered page.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(ui::App);
}
