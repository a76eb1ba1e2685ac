//! The command line. Values are checked by `config`, which tells a wrong one alike wherever it stands.

use super::admin::AdminCommand;
use super::config::{Flags, LIMIT};
use std::path::{Path, PathBuf};

/// A place where a group talks and decides, live.
#[derive(Debug, clap::Parser)]
#[command(name = "pickmate", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// Without a verb the node serves, as `cargo leptos watch` starts it.
    pub fn command(self) -> Command {
        self.command.unwrap_or_else(|| Command::Serve(Serve::default()))
    }
}

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Serve until SIGINT or SIGTERM
    ///
    /// Each option is an environment variable too (--public-url: PICKMATE_PUBLIC_URL) and a key of the
    /// settings file. docs/configuration.md explains all of them.
    Serve(Serve),
    /// Run tasks for an installation, without serving it, until SIGINT or SIGTERM
    ///
    /// Takes the options of `serve`; those about connections mean nothing here. A server runs tasks by itself
    /// unless it is told `--lanes none`.
    Worker(Serve),
    /// Manage accounts and rooms, also while a server runs on the same data
    Admin(Admin),
    /// Copy the database into one file, also while a server runs
    ///
    /// The copy is of one moment, verified, and readable by its owner only. docs/operating.md says what it
    /// holds.
    Backup(Backup),
    /// Put a backup in the place of the database, while nothing runs on the data
    ///
    /// The backup is verified first. The database that was there is kept beside the new one. Browsers and
    /// programs find out and load afresh. One-time links and invites of the backup are ended.
    Restore(Restore),
    /// Move the community from a SQLite data directory to a Postgres database, while nothing runs on either
    ///
    /// Clients go on afterwards as if nothing had happened. Interrupted, it goes on where it was when it is
    /// run again; until it has verified everything, nothing serves the database. The directory stays as it is.
    Migrate(Migrate),
    /// What the program starts itself for heavy work: `server::compute`
    #[command(hide = true)]
    Compute(Compute),
}

/// Where the data is, for the verbs beside `serve`.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Directory of the database [default: data]
    #[arg(long, value_name = "DIRECTORY", global = true)]
    data: Option<String>,
    /// Postgres database in the place of the directory's, such as postgres://pickmate@localhost/pickmate
    #[arg(long, value_name = "URL", global = true)]
    database: Option<String>,
    /// Settings file [default: Leptos.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl Place {
    pub fn flags(&self) -> Flags {
        Flags::default().with("data", self.data.clone()).with("database", self.database.clone())
    }

    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

#[derive(Debug, Default, clap::Args)]
pub struct Serve {
    /// Address to serve on [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Directory of the database, made when missing [default: data]
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<String>,
    /// Postgres database in the place of the directory's, such as postgres://pickmate@localhost/pickmate
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// S3-compatible store of uploaded files, such as s3+https://KEY:SECRET@s3.example.org/BUCKET
    ///
    /// Without it they are in the data directory. The secret is better kept in the environment or the settings file.
    #[arg(long, value_name = "URL")]
    files: Option<String>,
    /// Redis that connects several nodes, such as redis://127.0.0.1:6379
    ///
    /// A password is better kept in the environment or the settings file: flags are seen by everybody on the machine.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Where people reach this installation, such as https://chat.example.org
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Proxy, or network of proxies, whose X-Forwarded-For is believed; may be repeated
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<String>,
    /// Private network that webhooks may reach, such as 10.0.0.0/8; may be repeated
    #[arg(long, value_name = "CIDR")]
    outgoing_allow: Vec<String>,
    /// Private network that link previews may reach, such as 10.0.0.0/8; may be repeated
    #[arg(long, value_name = "CIDR")]
    preview_allow: Vec<String>,
    /// Network that webhooks and link previews must not reach, such as 203.0.113.0/24; may be repeated
    #[arg(long, value_name = "CIDR")]
    outgoing_refuse: Vec<String>,
    /// Whether links show what they lead to: true or false [default: true]
    #[arg(long, value_name = "SWITCH")]
    previews: Option<String>,
    /// Lift rate limits and connection caps, for benchmarks
    #[arg(long)]
    no_rate_limit: bool,
    /// How log lines on stderr look: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Which tasks this process runs: `none`, or some of io,blocking,cpu [default: io,blocking,cpu]
    #[arg(long, value_name = "LANES")]
    lanes: Option<String>,
    /// Change a limit; may be repeated
    #[arg(long, value_name = "NAME=NUMBER")]
    limit: Vec<String>,
    /// Settings file [default: Leptos.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl Serve {
    pub fn flags(&self) -> Flags {
        Flags::default()
            .with("listen", self.listen.clone())
            .with("data", self.data.clone())
            .with("database", self.database.clone())
            .with("files", self.files.clone())
            .with("redis", self.redis.clone())
            .with("public-url", self.public_url.clone())
            .with("trusted-proxy", self.trusted_proxy.clone())
            .with("outgoing-allow", self.outgoing_allow.clone())
            .with("preview-allow", self.preview_allow.clone())
            .with("outgoing-refuse", self.outgoing_refuse.clone())
            .with("previews", self.previews.clone())
            .with("no-rate-limit", self.no_rate_limit.then(|| "true".to_owned()))
            .with("log-format", self.log_format.clone())
            .with("lanes", self.lanes.clone())
            .with(LIMIT, self.limit.clone())
    }
}

#[derive(Debug, clap::Args)]
pub struct Admin {
    #[command(flatten)]
    pub place: Place,
    #[command(subcommand)]
    pub command: AdminCommand,
}

#[derive(Debug, clap::Args)]
pub struct Backup {
    #[command(flatten)]
    pub place: Place,
    /// Replace FILE if it exists
    #[arg(long)]
    pub overwrite: bool,
    /// Where the copy goes
    pub file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Restore {
    #[command(flatten)]
    pub place: Place,
    /// Let people stay signed in who were when the backup was made, also those who have signed out since
    #[arg(long)]
    pub keep_sessions: bool,
    /// A file made by `pickmate backup`
    pub file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct Migrate {
    /// Data directory to move from, as sqlite:PATH [default: the directory of the settings]
    #[arg(long, value_name = "SQLITE")]
    pub from: Option<String>,
    /// Empty database to move to, as postgres://USER@HOST/DATABASE [default: the database of the settings]
    ///
    /// A password is better kept in PICKMATE_DATABASE, PGPASSWORD or the settings file: flags are seen by
    /// everybody on the machine.
    #[arg(long, value_name = "POSTGRES")]
    pub to: Option<String>,
    /// Copy from the beginning, whatever an interrupted run left
    #[arg(long)]
    pub start_over: bool,
    /// Settings file [default: Leptos.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct Compute {
    pub name: String,
    #[arg(long)]
    pub memory_bytes: u64,
    #[arg(long)]
    pub file_bytes: u64,
    #[arg(long)]
    pub cpu_seconds: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::{Layers, SETTINGS};
    use clap::{CommandFactory, Parser};
    use std::collections::BTreeSet;

    #[test]
    fn every_setting_is_a_flag_and_every_flag_a_setting() {
        let command = <Cli as CommandFactory>::command();
        let serve = command.find_subcommand("serve").unwrap();
        let flags: BTreeSet<_> = serve.get_arguments().filter_map(clap::Arg::get_long).collect();
        let settings: BTreeSet<_> = SETTINGS.into_iter().chain([LIMIT, "config"]).collect();
        assert_eq!(flags, settings);
    }

    #[test]
    fn every_flag_reaches_its_setting() {
        for name in SETTINGS.into_iter().chain([LIMIT]) {
            let flag = format!("--{name}");
            let line = match name {
                "no-rate-limit" => vec!["pickmate", "serve", &flag],
                _ => vec!["pickmate", "serve", &flag, "given"],
            };
            let Command::Serve(serve) = Cli::parse_from(line).command() else { panic!("{name}") };
            let layers = Layers { flags: &serve.flags(), environment: &|_| None, file: None };
            let said = layers.all(name).unwrap().pop().unwrap();
            assert_eq!(said.source, flag);
        }
    }

    #[test]
    fn admin_takes_its_options_before_and_after_its_verbs() {
        for line in ["pickmate admin --data d token create mina", "pickmate admin token create mina --data d"] {
            let Command::Admin(admin) = Cli::parse_from(line.split(' ')).command() else { panic!("{line}") };
            assert_eq!(admin.place.data.as_deref(), Some("d"), "{line}");
        }
    }

    #[test]
    fn a_password_on_the_command_line_is_not_taken() {
        let refused = Cli::try_parse_from("pickmate admin user create mina".split(' '));
        assert!(refused.unwrap_err().to_string().contains("--password-stdin"));
    }
}
