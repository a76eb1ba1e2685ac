//! What the hub knows of sockets.

use std::io::{self, IoSlice};

/// The writing end of a peer's socket, as far as the hub needs to know it.
pub trait Wire: Send + Sync + 'static {
    /// Takes as many of the bytes as the system has space for, without waiting; `WouldBlock` when
    /// that is none. Any other error means that the peer is gone.
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;
}
