use async_trait::async_trait;
use std::io;
use std::net::IpAddr;

/// Looks hosts up. What it says is checked, and the connection goes to what was checked: nobody asks again.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host, best first.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own way. A look-up that is given up goes on in a thread until the system ends it.
pub(super) struct System;

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}
