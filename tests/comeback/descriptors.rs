//! A socket is an open file on both sides, and the server inherits the limit.

use anyhow::{Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What a process opens beside its sockets.
const OTHERS: u64 = 200;

/// Raises the soft limit as far as so many sockets need.
pub fn allow(sockets: usize) -> Result<()> {
    let needed = sockets as u64 + OTHERS;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        hard >= needed,
        "{sockets} sockets need {needed} open files, and the hard limit is {hard}: raise it (`ulimit -Hn`) or pass fewer --sockets"
    );
    Ok(setrlimit(Resource::RLIMIT_NOFILE, soft.max(needed), hard)?)
}
