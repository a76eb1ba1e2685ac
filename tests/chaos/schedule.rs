//! What goes wrong, and when: a list that only the seed decides.

use crate::dice::Dice;
use std::fmt;

/// How many of a hundred connections a fault hits.
pub type Share = u64;

#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Fault {
    /// One word for the table.
    pub fn name(&self) -> &'static str {
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds of calm before it.
    pub calm_ms: u64,
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(pub Vec<Step>);

/// What the clock may show too much or too little.
const JUMPS_S: [i64; 6] = [-172_800, -3_600, -7, 5, 3_600, 172_800];

impl Schedule {
    /// Every kind comes once before one comes again.
    pub fn of(seed: u64, faults: usize) -> Schedule {
        let mut dice = Dice::new(seed);
        let mut steps = Vec::with_capacity(faults);
        while steps.len() < faults {
            let mut deck = deck(&mut dice);
            dice.shuffle(&mut deck);
            steps.extend(deck.into_iter().map(|fault| Step { calm_ms: dice.between(100, 900), fault }));
        }
        steps.truncate(faults);
        Schedule(steps)
    }
}

fn deck(dice: &mut Dice) -> Vec<Fault> {
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

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| writeln!(f, "{:>5} ms  {:?}", step.calm_ms, step.fault))
    }
}
