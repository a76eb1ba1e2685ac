//! Requests to other people's servers: the pages of links and the receivers of webhooks. Whoever posts a link or
//! makes a webhook chooses where this machine connects to, so all of it goes through [`Client`]: an address is
//! checked after its name was looked up, and the connection goes to that very address; redirects are followed by
//! hand, each checked like the first; time and bytes are bounded. Proxies named by the environment are not used:
//! they would look names up anew, and reach what this machine may not.

mod address;
mod answer;
mod body;
mod client;
mod connect;
mod error;
mod resolve;
mod target;

pub use address::is_public;
pub use answer::Answer;
pub use client::{Bounds, Client, Outgoing};
pub use error::OutgoingError;
pub use resolve::Resolve;
pub use target::{Ports, Rules};
