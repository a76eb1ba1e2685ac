//! What goes wrong with one node.

use crate::dice::Dice;
use crate::schedule::{self, Length, Share};

#[derive(Clone, Debug)]
pub enum Fault {
    /// `kill -9`, then a start.
    Kill,
    /// SIGTERM, a clean end, then a start.
    Deploy,
    /// SIGSTOP, SIGCONT.
    Freeze { ms: u64 },
    /// Nothing more fits on the disk of the data.
    DiskFull { ms: u64 },
    /// Another process holds the database's write lock.
    Locked { ms: u64 },
    /// The machine's clock shows so many seconds more or less than it should.
    Clock { seconds: i64 },
    /// Connections are reset.
    Cut { share: Share },
    /// Connections die without a sign: bytes, FIN and RST are swallowed.
    HalfOpen { share: Share },
    /// The next bytes arrive half, then the connection ends.
    Truncate { share: Share },
    /// The next bytes arrive as others.
    Corrupt { share: Share },
    /// No bytes pass for a while.
    Stall { share: Share, ms: u64 },
    /// Few bytes pass for a while.
    Slow { share: Share, ms: u64 },
    /// Clients that break every rule.
    Hostile,
    /// `pickmate admin` writes into the same database.
    Neighbour,
    /// `pickmate backup` copies the database, and `pickmate restore` takes the copy.
    Backup,
}

/// What the clock may show too much or too little.
const JUMPS_S: [i64; 6] = [-172_800, -3_600, -7, 5, 3_600, 172_800];

impl schedule::Fault for Fault {
    fn deck(dice: &mut Dice, _: Length) -> Vec<Fault> {
        let share = |dice: &mut Dice| *dice.pick(&[30, 60, 100]);
        vec![
            Fault::Kill,
            Fault::Deploy,
            Fault::Freeze { ms: dice.between(300, 2_500) },
            Fault::DiskFull { ms: dice.between(300, 2_000) },
            Fault::Locked { ms: dice.between(200, 2_000) },
            Fault::Clock { seconds: *dice.pick(&JUMPS_S) },
            Fault::Cut { share: share(dice) },
            Fault::HalfOpen { share: share(dice) },
            Fault::Truncate { share: share(dice) },
            Fault::Corrupt { share: share(dice) },
            Fault::Stall { share: share(dice), ms: dice.between(300, 3_000) },
            Fault::Slow { share: share(dice), ms: dice.between(500, 4_000) },
            Fault::Hostile,
            Fault::Neighbour,
            Fault::Backup,
        ]
    }

    fn name(&self) -> &'static str {
        match self {
            Fault::Kill => "kill -9",
            Fault::Deploy => "deploy (SIGTERM)",
            Fault::Freeze { .. } => "freeze (SIGSTOP)",
            Fault::DiskFull { .. } => "disk full",
            Fault::Locked { .. } => "database locked",
            Fault::Clock { .. } => "clock jump",
            Fault::Cut { .. } => "connections cut",
            Fault::HalfOpen { .. } => "connections half-open",
            Fault::Truncate { .. } => "frames truncated",
            Fault::Corrupt { .. } => "frames corrupted",
            Fault::Stall { .. } => "network stalled",
            Fault::Slow { .. } => "network slow",
            Fault::Hostile => "hostile clients",
            Fault::Neighbour => "admin beside it",
            Fault::Backup => "backup beside it",
        }
    }
}
