//! A Redis (or Valkey) of a test's own.

use std::env::{split_paths, var_os};
use std::ffi::OsString;

/// The program: `PICKMATE_REDIS_SERVER`, else `redis-server` or `valkey-server`.
pub fn redis_program() -> OsString {
    let paths = var_os("PATH").unwrap_or_default();
    let installed = |name: &str| split_paths(&paths).any(|folder| folder.join(name).is_file());
    var_os("PICKMATE_REDIS_SERVER").unwrap_or_else(|| {
        let found = ["redis-server", "valkey-server"].into_iter().find(|name| installed(name));
        found
            .expect("these tests need a Redis: run scripts/install-redis.sh, or name a server in PICKMATE_REDIS_SERVER")
            .into()
    })
}
