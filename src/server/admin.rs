//! `pickmate admin`: what the operator of the machine may do without an account. Works on the
//! store itself, also while servers run on the same data.

use super::auth::hash_password;
use super::clock::now_ms;
use super::config::Config;
use super::secret::{hash_secret, new_secret};
use super::service::resets;
use super::store::{self, Action, Command, NewUser, Refusal, Sessions, Store, StoreOptions, User};
use crate::domain::{Access, Password, Role, RoomName, Slug, UserId, UserName};
use anyhow::{Context, bail};
use std::io::{BufRead, Write};
use std::sync::Arc;

#[derive(Debug, clap::Subcommand)]
pub enum AdminCommand {
    /// Accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Bearer tokens for scripts
    #[command(subcommand)]
    Token(TokenCommand),
    /// Rooms
    #[command(subcommand)]
    Room(RoomCommand),
    /// The history that clients know, after a Postgres database was put back from a copy
    #[command(subcommand)]
    Epoch(EpochCommand),
}

#[derive(Debug, clap::Subcommand)]
pub enum UserCommand {
    /// Make an account and print its id
    Create(NewAccount),
    /// Print a one-time link by which the account gets a new password
    Reset { name: String },
}

#[derive(Debug, clap::Args)]
pub struct NewAccount {
    name: String,
    /// Read the password from the first line of stdin
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Make the account an owner
    #[arg(long)]
    owner: bool,
}

#[derive(Debug, clap::Subcommand)]
pub enum TokenCommand {
    /// Make a bearer token for an account and print it, this once
    Create { name: String },
}

#[derive(Debug, clap::Subcommand)]
pub enum RoomCommand {
    /// Make a room; the oldest owner is its creator and first member
    Create(NewRoom),
    /// Make an account a member of a room
    Add { slug: String, name: String },
}

#[derive(Debug, clap::Subcommand)]
pub enum EpochCommand {
    /// Give the history another name and print it: browsers and programs find out and load afresh
    ///
    /// Sessions, one-time links and invites of the copy are ended, as `pickmate restore` does.
    Renew {
        /// Let people stay signed in who were when the copy was made, also those who have signed out since
        #[arg(long)]
        keep_sessions: bool,
    },
}

#[derive(Debug, clap::Args)]
pub struct NewRoom {
    /// The room's address: lower-case letters and digits with single hyphens
    slug: String,
    /// The name that people see [default: the address]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Let only members see the room
    #[arg(long)]
    closed: bool,
}

/// Carries the command out. What scripts read goes to `output`, a password comes from `input`; an
/// error is one sentence.
pub async fn run(
    command: AdminCommand,
    config: &Config,
    input: impl BufRead,
    output: impl Write,
) -> anyhow::Result<()> {
    let options = StoreOptions::new(&config.limits, Arc::new(()));
    let store = store::open(config, options).await?;
    let done = carry_out(command, &*store, config, input).await;
    store.close().await;
    print(done?, output).context("the answer cannot be printed")
}

fn print(answer: Option<String>, mut output: impl Write) -> std::io::Result<()> {
    if let Some(answer) = answer {
        writeln!(output, "{answer}")?;
    }
    output.flush()
}

/// The answer, if there is one.
async fn carry_out(
    command: AdminCommand,
    store: &dyn Store,
    config: &Config,
    input: impl BufRead,
) -> anyhow::Result<Option<String>> {
    match command {
        AdminCommand::User(UserCommand::Create(new)) => create_user(store, new, input).await.map(Some),
        AdminCommand::User(UserCommand::Reset { name }) => {
            let user = account(store, &name).await?;
            Ok(Some(resets::create_as_operator(store, config, user.id).await?))
        }
        AdminCommand::Token(TokenCommand::Create { name }) => create_token(store, &name).await.map(Some),
        AdminCommand::Room(RoomCommand::Create(new)) => create_room(store, new).await.map(|()| None),
        AdminCommand::Room(RoomCommand::Add { slug, name }) => add_member(store, &slug, &name).await.map(|()| None),
        AdminCommand::Epoch(EpochCommand::Renew { keep_sessions }) => {
            let sessions = if keep_sessions { Sessions::Keep } else { Sessions::End };
            renew_epoch(store, sessions).await.map(Some)
        }
    }
}

async fn renew_epoch(store: &dyn Store, sessions: Sessions) -> anyhow::Result<String> {
    let renewed = store.begin_history(sessions, now_ms()).await?;
    renewed.context("a SQLite database gets a new epoch by `pickmate restore`")
}

async fn create_user(store: &dyn Store, new: NewAccount, input: impl BufRead) -> anyhow::Result<String> {
    let name = UserName::parse(&new.name)?;
    let password_hash = hash_password(&read_password(input)?)?;
    let role = if new.owner { Role::Owner } else { Role::Member };
    let user = NewUser { name, password_hash, role, locale: None };
    let id = store.create_user(user, now_ms()).await?;
    let id = id.with_context(|| format!("the name `{}` is taken", new.name))?;
    Ok(id.0.to_string())
}

/// The first line, without its end.
fn read_password(mut input: impl BufRead) -> anyhow::Result<Password> {
    let mut line = String::new();
    input.read_line(&mut line).context("the password cannot be read from stdin")?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    Ok(Password::parse(line.strip_suffix('\r').unwrap_or(line))?)
}

async fn create_token(store: &dyn Store, name: &str) -> anyhow::Result<String> {
    let user = account(store, name).await?;
    let token = new_secret()?;
    store.create_token(&hash_secret(&token), user.id, now_ms()).await?;
    Ok(token)
}

async fn create_room(store: &dyn Store, new: NewRoom) -> anyhow::Result<()> {
    let slug = Slug::parse(&new.slug)?;
    let name = RoomName::parse(new.name.as_deref().unwrap_or(&new.slug))?;
    let access = if new.closed { Access::Closed } else { Access::Open };
    let creator = creator(store).await?;
    submit(store, Command::by_operator(slug, Action::CreateRoom { name, access, creator })).await
}

/// The oldest owner, else the oldest account; `None` before there is any.
async fn creator(store: &dyn Store) -> anyhow::Result<Option<UserId>> {
    let people = store.people().await?;
    let oldest = people.iter().min_by_key(|person| (person.role != Role::Owner, person.created_at, person.id));
    Ok(oldest.map(|person| UserId(person.id)))
}

async fn add_member(store: &dyn Store, room: &str, name: &str) -> anyhow::Result<()> {
    let slug = Slug::parse(room)?;
    let member = account(store, name).await?.id;
    submit(store, Command::by_operator(slug, Action::AddMember { member })).await
}

async fn submit(store: &dyn Store, command: Command) -> anyhow::Result<()> {
    let room = command.room.clone();
    match store.submit(command).await?.outcome().await {
        Ok(_) => Ok(()),
        Err(Refusal::NotFound) => bail!("there is no room `{room}`"),
        Err(Refusal::SlugTaken) => bail!("there already is a room `{room}`"),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn account(store: &dyn Store, name: &str) -> anyhow::Result<User> {
    store.user_by_name(name).await?.with_context(|| format!("there is no account `{name}`"))
}
