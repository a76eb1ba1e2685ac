use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A start, a stop or a command of the operator that takes longer has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A process that does not outlive its owner.
pub struct Process(Child);

impl Process {
    pub fn start(command: &mut Command) -> Result<Process> {
        Ok(Process(command.kill_on_drop(true).spawn()?))
    }

    /// Whether it has ended by itself.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    pub fn pid(&self) -> Result<Pid> {
        let id = self.0.id().context("it does not run")?;
        Ok(Pid::from_raw(i32::try_from(id)?))
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(self.pid()?, signal)?)
    }

    /// Waits for its end after a signal.
    pub async fn end(&mut self) -> Result<ExitStatus> {
        Ok(timeout(PATIENCE, self.0.wait()).await.context("it does not end")??)
    }
}
