//! What people meet in: the programs that serve them, and what can go wrong with those.

use crate::client::Client;
use crate::operator::Operator;
use crate::people::{Accounts, Cast};
use crate::plant::Plant;
use crate::schedule::Fault;
use anyhow::Result;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub trait Stage: Sized {
    type Fault: Fault;

    /// Bugs that the oracle has to see here.
    const PLANTS: &[Plant];

    /// Posts and faults of a run without arguments: each fault once, at least.
    const SHORT: (usize, usize);

    /// What a fault takes with the calm around it, roughly.
    const FAULT_TIME: Duration;

    /// Who takes part.
    const CAST: Cast;

    /// Everything runs when it returns, and leaves its words in the folder.
    async fn start(folder: &Path) -> Result<Self>;

    /// Where people knock.
    fn door(&self) -> SocketAddr;

    /// The way in for the oracle, past everything that makes the network bad.
    fn inside(&self) -> SocketAddr;

    fn operator(&self) -> &impl Operator;

    /// Takes notice of the room, and of the account of those who break rules.
    fn meet(&mut self, stranger: Client);

    /// Returns when it is over, or goes on by itself beside the next ones.
    async fn carry_out(&mut self, fault: &Self::Fault) -> Result<()>;

    /// Fails when a program ended by itself.
    fn stands(&mut self) -> Result<()>;

    /// What the stage promises beside the log, tried once; what was measured.
    async fn trials(&mut self, accounts: &Accounts, folder: &Path) -> Result<String>;

    /// Accounts that faults put into the room.
    fn guests(&self) -> BTreeSet<String>;

    /// What else came of the faults, for people.
    fn remarks(&self) -> String;
}
