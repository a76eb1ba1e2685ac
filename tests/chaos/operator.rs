//! The operator's commands beside the servers.

use crate::program::PATIENCE;
use anyhow::{Context, Result, ensure};
use std::process::Stdio;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

/// Of every account.
pub const PASSWORD: &str = "correct horse battery";

/// Runs the program on the data that the servers have.
pub trait Operator {
    /// One command, not yet begun.
    fn command(&self, verb: &[&str]) -> Command;

    /// Makes an account; extra flags may follow.
    async fn add_user(&self, name: &str, flags: &[&str]) -> Result<()> {
        let verb = [&["admin", "user", "create", name, "--password-stdin"], flags].concat();
        self.run(&verb, PASSWORD).await.map(drop)
    }

    /// Its output.
    async fn run(&self, verb: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(verb);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read it has closed the pipe.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        let output = timeout(PATIENCE, child.wait_with_output()).await.with_context(|| verb.join(" "))??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "pickmate {}: {}", verb.join(" "), said.trim());
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}
