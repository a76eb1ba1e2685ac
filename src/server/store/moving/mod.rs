//! A community moves from a SQLite data directory to a Postgres database, with everything that clients
//! know of it: ids, seqs, the epoch, keys, sessions.
//!
//! The source is held all the time: nobody writes to it. It is read and digested from end to end before
//! the first row is copied, also when an interrupted move goes on, so that one move has one state of it.
//! Rows are copied in the order of their primary keys, some thousand in a transaction, so that the number
//! of rows in a table tells where to go on. In the end the target is read and digested in its turn. Until
//! that has shown the same, the table `moving` keeps every node from serving the target.

mod table;

pub use table::{Digest, Digesting, HasNul, Kind, Line, TABLES, Table};

use super::postgres::Address;
use super::postgres::moving::{Begun, Standing, Target};
use super::sqlite::moving::{EnterError, Source};
use super::{StoreError, StoreOptions};
use futures_util::TryStreamExt;
use sha2::Digest as _;
use std::path::{Path, PathBuf};

/// Rows between two words about progress.
const TELL_EVERY: u64 = 1_000;

/// Why nothing, or not everything, was moved; one sentence for the operator. Targets are named as they may be shown.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error("{} is neither a data directory nor the pickmate.sqlite3 of one", .0.display())]
    NoSource(PathBuf),
    #[error("{table} of the source has a text with the character U+0000, which Postgres cannot hold")]
    Nul { table: &'static str },
    #[error("another `pickmate migrate` works on {0}")]
    UnderWay(String),
    #[error("a server or a command works on {0}: stop it first")]
    Served(String),
    #[error("{0} holds another community: make an empty database for this one")]
    Occupied(String),
    #[error("{0} holds this community already: it was moved there, or somebody copied it")]
    AlreadyThere(String),
    #[error("{0} holds a part of another community, whose move was interrupted: make an empty database for this one")]
    OthersPart(String),
    #[error("{} is not what it was when its move to {target} was begun: --start-over copies it from the beginning", .source_dir.display())]
    Changed { source_dir: PathBuf, target: String },
    #[error("the move to {0} was begun by another version of PickMate: --start-over copies from the beginning")]
    OtherVersion(String),
    #[error("{0} does not hold what the source holds; it stays closed, and --start-over copies from the beginning")]
    Differs(String, Vec<Compared>),
    #[error(transparent)]
    Enter(#[from] EnterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for MoveError {
    fn from(error: sqlx::Error) -> MoveError {
        MoveError::Store(error.into())
    }
}

pub struct NewMove<'a> {
    /// A data directory, or the database in it.
    pub from: &'a Path,
    pub to: &'a Address,
    pub remains: Remains,
}

/// What to do with what an interrupted move left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    GoOn,
    StartOver,
}

/// A table as it is on both sides.
#[derive(Clone, Debug)]
pub struct Compared {
    pub table: &'static str,
    pub source: Digest,
    pub target: Digest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The source is read and digested.
    Reading,
    Copying,
    /// The target is read and digested.
    Verifying,
}

/// How far a step is, in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub step: Step,
    pub table: &'static str,
    pub rows: u64,
    pub of: u64,
    /// Of all tables.
    pub all_rows: u64,
    pub all_of: u64,
}

/// Told of progress, every thousand rows or so.
pub type Show<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Moves the community: returns when the target holds, verified, what the source holds, and may be
/// served. Ended at any point, by whatever, it goes on where it was when it is called again.
pub async fn move_community(
    new: NewMove<'_>,
    options: &StoreOptions,
    show: Show<'_>,
) -> Result<Vec<Compared>, MoveError> {
    let mut source = Source::hold(new.from, options).await?;
    let mut target = Target::reach(new.to, options).await?;
    let moved = carry_over(&mut source, &mut target, new.remains, show).await;
    source.release().await;
    target.close().await;
    moved
}

async fn carry_over(
    source: &mut Source,
    target: &mut Target,
    remains: Remains,
    show: Show<'_>,
) -> Result<Vec<Compared>, MoveError> {
    let database_id = source.database_id().await?;
    let standing = target.standing().await?;
    // What is refused is refused before the source is read from end to end.
    admit(target.address(), &standing, &database_id)?;
    let counts = source.counts().await?;
    let digests = digest_source(source, &mut Telling::new(Step::Reading, &counts, show)).await?;
    let begun = Begun { database_id, source: fingerprint(&digests) };
    match (standing, remains) {
        (Standing::Part { begun: before, schema_is_ours }, Remains::GoOn) => {
            if before != begun {
                return Err(MoveError::Changed {
                    source_dir: source.dir().to_owned(),
                    target: target.address().to_string(),
                });
            }
            if !schema_is_ours {
                return Err(MoveError::OtherVersion(target.address().to_string()));
            }
        }
        _ => target.begin(&begun).await?,
    }
    copy(source, target, &mut Telling::new(Step::Copying, &counts, show)).await?;
    verify(source, target, digests, &mut Telling::new(Step::Verifying, &counts, show)).await
}

/// Whether the source may be copied to a target that stands so.
fn admit(target: &Address, standing: &Standing, database_id: &str) -> Result<(), MoveError> {
    match standing {
        Standing::Empty => Ok(()),
        Standing::Part { begun, .. } if begun.database_id == database_id => Ok(()),
        Standing::Part { .. } => Err(MoveError::OthersPart(target.to_string())),
        Standing::Whole { database_id: theirs } if theirs == database_id => {
            Err(MoveError::AlreadyThere(target.to_string()))
        }
        Standing::Whole { .. } => Err(MoveError::Occupied(target.to_string())),
    }
}

async fn digest_source(source: &mut Source, telling: &mut Telling<'_>) -> Result<Vec<Digest>, MoveError> {
    let mut digests = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut digesting = Digesting::default();
        let mut lines = source.lines(table, 0);
        while let Some(line) = lines.try_next().await? {
            digesting.add(&line);
            telling.rows(table, digesting.rows());
        }
        telling.end(digesting.rows());
        digests.push(digesting.end());
    }
    Ok(digests)
}

/// One value that stands for the whole state of the source.
fn fingerprint(digests: &[Digest]) -> String {
    let mut all = sha2::Sha256::new();
    for (table, digest) in TABLES.iter().zip(digests) {
        all.update(format!("{} {}\n", table.name, digest.rows));
        all.update(digest.hash);
    }
    data_encoding::HEXLOWER.encode(&all.finalize())
}

async fn copy(source: &mut Source, target: &mut Target, telling: &mut Telling<'_>) -> Result<(), MoveError> {
    for table in TABLES {
        let mut there = target.count(table).await?;
        let mut lines = source.lines(table, there);
        loop {
            telling.rows(table, there);
            match target.take(table, &mut lines).await? {
                0 => break,
                taken => there += taken,
            }
        }
        telling.end(there);
    }
    Ok(())
}

/// Opens the target to nodes if it holds what the source holds.
async fn verify(
    source: &mut Source,
    target: &mut Target,
    digests: Vec<Digest>,
    telling: &mut Telling<'_>,
) -> Result<Vec<Compared>, MoveError> {
    let sequences = source.sequences().await?;
    let mut verification = target.verify().await?;
    let mut compared = Vec::with_capacity(TABLES.len());
    for (table, source) in TABLES.iter().zip(digests) {
        let target = verification.digest(table, |rows| telling.rows(table, rows)).await?;
        telling.end(target.rows);
        compared.push(Compared { table: table.name, source, target });
    }
    if compared.iter().any(|table| table.source != table.target) {
        drop(verification);
        return Err(MoveError::Differs(target.address().to_string(), compared));
    }
    verification.open(&sequences).await?;
    Ok(compared)
}

/// Tells of progress, with what the tables before have.
struct Telling<'a> {
    step: Step,
    counts: &'a [u64],
    show: Show<'a>,
    table: usize,
    before: u64,
    told: u64,
}

impl<'a> Telling<'a> {
    fn new(step: Step, counts: &'a [u64], show: Show<'a>) -> Telling<'a> {
        Telling { step, counts, show, table: 0, before: 0, told: 0 }
    }

    fn rows(&mut self, table: &Table, rows: u64) {
        if rows < self.told + TELL_EVERY {
            return;
        }
        self.told = rows;
        let (of, all_of) = (self.counts.get(self.table).copied().unwrap_or(rows), self.counts.iter().sum());
        let all_rows = self.before + rows;
        (self.show)(Progress { step: self.step, table: table.name, rows, of, all_rows, all_of });
    }

    fn end(&mut self, rows: u64) {
        self.before += rows;
        self.table += 1;
        self.told = 0;
    }
}
