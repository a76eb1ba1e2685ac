use async_trait::async_trait;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Looks hosts up. What it says is checked, and the connection goes to what was checked: nobody asks again.
#[async_trait]
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of a host, best first.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Look-ups at a time: each holds a thread, of which passwords and tasks need some too.
const AT_ONCE: usize = 32;

/// The system's own way. A look-up that is given up goes on in its thread until the system ends it, and counts.
pub(super) struct System(Arc<Semaphore>);

impl System {
    pub fn new() -> System {
        System(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

#[async_trait]
impl Resolve for System {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)?;
        let host = host.to_owned();
        let look_up = move || {
            let _place = place;
            Ok((host.as_str(), 0).to_socket_addrs()?.map(|address| address.ip()).collect())
        };
        spawn_blocking(look_up).await.map_err(io::Error::other)?
    }
}
