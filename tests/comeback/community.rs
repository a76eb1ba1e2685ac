//! Who is there: rooms, people, and a session of its own for each socket. Made through the store
//! before the server starts: signing in thousands of times would measure password hashing.

use anyhow::{Context, Result};
use pickmate::domain::{Access, Role, RoomName, Slug, UserId, UserName};
use pickmate::server::clock::now_ms;
use pickmate::server::config::Limits;
use pickmate::server::secret::{hash_secret, new_secret};
use pickmate::server::store::sqlite::SqliteStore;
use pickmate::server::store::{Accounts, Action, Command, Log, NewUser, StoreOptions};
use std::collections::BTreeSet;
use std::path::Path;

/// How many of each.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub sockets: usize,
    pub rooms: usize,
    pub accounts: usize,
}

impl Size {
    /// One or two rooms, by number.
    pub fn rooms_of(self, socket: usize) -> BTreeSet<usize> {
        BTreeSet::from([socket % self.rooms, socket / self.rooms % self.rooms])
    }

    fn account_of(self, socket: usize) -> usize {
        socket % self.accounts
    }
}

pub struct Community {
    pub rooms: Vec<Slug>,
    /// A token of the one who writes in each room.
    pub tokens: Vec<String>,
    /// Value of the `Cookie` header of each socket.
    pub cookies: Vec<String>,
}

/// Long ago signed in: the session of each is prolonged when it is first used.
const AGE_MS: i64 = 2 * 60 * 60 * 1_000;

impl Community {
    pub async fn settle(data: &Path, size: Size) -> Result<Community> {
        let store = SqliteStore::open(data, StoreOptions::default()).await?;
        let mut community = Community { rooms: Vec::new(), tokens: Vec::new(), cookies: Vec::new() };
        for number in 0..size.rooms {
            community.add_room(&store, number).await?;
        }
        let mut people = Vec::with_capacity(size.accounts);
        for number in 0..size.accounts {
            people.push(account(&store, &format!("member{number}")).await?);
        }
        community.admit(&store, size, &people).await?;
        let now = now_ms();
        let end = now + i64::from(Limits::default().session_days) * 24 * 60 * 60 * 1_000 - AGE_MS;
        for socket in 0..size.sockets {
            let secret = new_secret()?;
            store.create_session(&hash_secret(&secret), people[size.account_of(socket)], now, end).await?;
            community.cookies.push(format!("pickmate_session={secret}"));
        }
        store.close().await;
        Ok(community)
    }

    /// Every second room is closed.
    async fn add_room(&mut self, store: &SqliteStore, number: usize) -> Result<()> {
        let (slug, secret) = (Slug::parse(&format!("room{number}"))?, new_secret()?);
        let writer = account(store, &format!("writer{number}")).await?;
        store.create_token(&hash_secret(&secret), writer, now_ms()).await?;
        let action =
            Action::CreateRoom { name: RoomName::parse(slug.as_str())?, access: access(number), creator: Some(writer) };
        store.submit(Command::by_operator(slug.clone(), action)).await?.outcome().await?;
        self.rooms.push(slug);
        self.tokens.push(secret);
        Ok(())
    }

    /// Everybody is a member of the closed rooms that they will follow.
    async fn admit(&self, store: &SqliteStore, size: Size, people: &[UserId]) -> Result<()> {
        let follow = |socket: usize| size.rooms_of(socket).into_iter().map(move |room| (room, size.account_of(socket)));
        let pairs: BTreeSet<_> = (0..size.sockets).flat_map(follow).collect();
        for (room, account) in pairs.into_iter().filter(|(room, _)| access(*room) == Access::Closed) {
            let add = Action::AddMember { member: people[account] };
            store.submit(Command::by_operator(self.rooms[room].clone(), add)).await?.outcome().await?;
        }
        Ok(())
    }
}

fn access(room: usize) -> Access {
    if room.is_multiple_of(2) { Access::Open } else { Access::Closed }
}

async fn account(store: &SqliteStore, name: &str) -> Result<UserId> {
    let password_hash = "nobody signs in with this".into();
    let new = NewUser { name: UserName::parse(name)?, password_hash, role: Role::Owner, locale: None };
    store.create_user(new, now_ms()).await?.context("the name is taken")
}
