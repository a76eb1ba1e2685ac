//! The server that is deployed, and what it says of itself.

use crate::program::Program;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub struct Server {
    pub program: Program,
    pub data: PathBuf,
}

impl Server {
    /// Nothing runs yet.
    pub fn new(folder: &Path) -> Result<Server> {
        Ok(Server { program: Program::new(folder)?, data: folder.join("data") })
    }

    /// Returns when posts are taken.
    pub async fn start(&mut self) -> Result<()> {
        let listen = self.program.addr.to_string();
        let mut serve = self.program.command(&["serve", "--no-rate-limit", "--listen", &listen]);
        serve.env("PICKMATE_DATA", &self.data);
        self.program.start(serve).await
    }

    /// Waits for its end, which has to be a good one.
    pub async fn end(&mut self) -> Result<()> {
        let status = self.program.end().await?;
        ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }

    pub async fn numbers(&self) -> Result<Numbers> {
        let text = self.program.get("/metrics").await?.text().await?;
        let number = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(Numbers(text.lines().filter(|line| !line.starts_with('#')).filter_map(number).collect()))
    }
}

/// What `/metrics` says of one process.
pub struct Numbers(BTreeMap<String, u64>);

impl Numbers {
    /// Resident memory.
    pub fn bytes(&self) -> u64 {
        self.of("pickmate_resident_bytes")
    }

    /// Reads of the store, whatever for.
    pub fn reads(&self) -> u64 {
        self.of("pickmate_store_reads_total")
    }

    /// Those made for the live sockets, by what was read.
    pub fn reads_for_sockets(&self) -> BTreeMap<&str, u64> {
        self.0
            .iter()
            .filter_map(|(name, count)| {
                let labels = name.strip_prefix("pickmate_cache_reads_total{what=\"")?;
                Some((labels.strip_suffix("\"}")?, *count))
            })
            .collect()
    }

    fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}
