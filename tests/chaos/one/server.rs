//! The server on its small disk with its wrong clock.

use super::machine::{Clock, Disk};
use crate::operator::Operator;
use crate::people::LIMITS;
use crate::program::Program;
use anyhow::Result;
use std::path::{Path, PathBuf};
use tokio::process::Command;

pub struct Server {
    pub program: Program,
    pub disk: Disk,
    pub clock: Clock,
    folder: PathBuf,
}

impl Server {
    /// Prepares the machine; nothing runs yet.
    pub fn new(folder: &Path) -> Result<Server> {
        Ok(Server {
            program: Program::new(folder)?,
            disk: Disk::mount(folder)?,
            clock: Clock::build(folder)?,
            folder: folder.to_owned(),
        })
    }

    /// Returns when posts are taken.
    pub async fn start(&mut self) -> Result<()> {
        let listen = self.program.addr.to_string();
        let serve = self.command(&["serve", "--listen", &listen]);
        self.program.start(serve).await
    }

    /// Makes a backup while the server runs, and a community of its own out of it.
    pub async fn back_up(&self) -> Result<()> {
        let (file, data) = (self.folder.join("backup"), self.folder.join("restored"));
        let (file, data) = (file.to_string_lossy(), data.to_string_lossy());
        self.run(&["backup", "--overwrite", &file], "").await?;
        self.run(&["restore", "--data", &data, &file], "").await?;
        Ok(std::fs::remove_dir_all(&*data)?)
    }
}

impl Operator for Server {
    fn command(&self, verb: &[&str]) -> Command {
        let mut command = self.program.command(verb);
        command.env("PICKMATE_DATA", &self.disk.data).env("PICKMATE_LIMIT", LIMITS).envs(self.clock.environment());
        command
    }
}
