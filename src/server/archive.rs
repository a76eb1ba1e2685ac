//! What `pickmate backup` and `pickmate restore` do and say. Progress goes to stderr.

use super::cli::{Backup, Restore};
use super::clock::now_ms;
use super::config::Config;
use super::store::sqlite::archive::{self, Contents, Existing, NewBackup, NewRestore, Progress};
use super::store::{Sessions, StoreOptions};
use anyhow::{Context, bail};
use std::io::{Write, stderr};

/// Makes the file and prints what it holds.
pub async fn backup(command: &Backup, config: &Config, output: impl Write) -> anyhow::Result<()> {
    require_a_file(config)?;
    let existing = if command.overwrite { Existing::Replace } else { Existing::Refuse };
    let new = NewBackup { dir: &config.data, file: &command.file, existing };
    let contents = archive::backup(new, &StoreOptions::default(), &tell).await?;
    print(output, &format!("{}: {}", command.file.display(), in_words(&contents)))
}

/// Puts the file in place and prints what it held and where the former database is.
pub async fn restore(command: &Restore, config: &Config, output: impl Write) -> anyhow::Result<()> {
    require_a_file(config)?;
    let sessions = if command.keep_sessions { Sessions::Keep } else { Sessions::End };
    let new = NewRestore { dir: &config.data, file: &command.file, sessions, now: now_ms() };
    let restored = archive::restore(new, &StoreOptions::default(), &tell).await?;
    let mut said = format!("restored {}, new epoch {}", in_words(&restored.contents), restored.epoch);
    if let Some(before) = restored.before {
        said += &format!("\nthe database before it is {}", before.display());
    }
    print(output, &said)
}

fn require_a_file(config: &Config) -> anyhow::Result<()> {
    match &config.database {
        Some(address) => bail!("{address} is a Postgres database: docs/operating.md tells how it is backed up"),
        None => Ok(()),
    }
}

fn in_words(contents: &Contents) -> String {
    let Contents { rooms, events, accounts, bytes, .. } = contents;
    format!("{rooms} rooms, {events} events, {accounts} accounts, {bytes} bytes")
}

fn print(mut output: impl Write, line: &str) -> anyhow::Result<()> {
    writeln!(output, "{line}").and_then(|()| output.flush()).context("the answer cannot be printed")
}

fn tell(progress: Progress) {
    let line = match progress {
        Progress::Copied { bytes, of } => format!("copied {} of about {} MiB", bytes >> 20, of >> 20),
        Progress::Verifying => "verifying".to_owned(),
    };
    // The work goes on when nobody reads how far it is.
    let _ = writeln!(stderr(), "pickmate: {line}");
}
