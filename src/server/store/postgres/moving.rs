//! A community on its way into this database. The table `moving` is there from before the first row until
//! all are verified, and keeps nodes and commands out. What there is to move stands in `store/moving/`.

use super::super::moving::{Digest, Digesting, MoveError, Table};
use super::super::sqlite::moving::Sequences;
use super::super::{Reason, StoreError, StoreOptions, Trouble};
use super::Address;
use super::error::{open_error, silent};
use super::lock::Lock;
use super::migrate;
use crate::server::clock::now_ms;
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres, Transaction};
use std::time::Duration;
use tokio::time::timeout;

/// What one transaction takes, at most: so much is copied again after an interruption.
const BATCH_ROWS: u64 = 5_000;
const BATCH_BYTES: usize = 8 << 20;
/// What is sent at once.
const PART_BYTES: usize = 256 << 10;

const IS_MOVING: &str = "SELECT to_regclass('moving') IS NOT NULL";
const HAS_TABLES: &str = "SELECT to_regclass('meta') IS NOT NULL AND to_regclass('rooms') IS NOT NULL";
const BEGUN: &str = "SELECT database_id, source FROM moving";
const DATABASE_ID: &str = "SELECT value FROM meta WHERE name = 'database_id'";
const INHABITED: &str = "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM rooms)";

/// Nodes and commands, which tell their name when they connect.
const AT_WORK: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'pickmate'";

const CREATE_MOVING: &str = "CREATE TABLE IF NOT EXISTS moving
    (database_id TEXT NOT NULL, source TEXT NOT NULL, begun_at BIGINT NOT NULL)";
/// All of what a first start or a move that is given up left.
const EMPTY: &str = "TRUNCATE moving, writes, meta, users, sessions, tokens, invites, resets, rooms, memberships,
    events, keys, bodies, messages, files, tasks, previews, webhooks, deliveries";
const PUT_MOVING: &str = "INSERT INTO moving (database_id, source, begun_at) VALUES ($1, $2, $3)";

/// One state for all that is compared.
const VERIFY: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ";
/// Plans are good from the first query on.
const ANALYZE: &str =
    "ANALYZE meta, users, sessions, tokens, invites, resets, rooms, memberships, events, keys, bodies, messages, files,
    tasks, previews, webhooks, deliveries";
const SET_SEQUENCE: &str =
    "SELECT setval(CASE $1 WHEN 'bodies' THEN 'body_ids' ELSE pg_get_serial_sequence($1, 'id') END,
    greatest($2, 1), $2 > 0)";
const DROP_MOVING: &str = "DROP TABLE moving";

/// The state of which source is moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    pub database_id: String,
    /// Another value for every other state of the source.
    pub source: String,
}

/// What the target holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody and nothing; perhaps the tables for it.
    Empty,
    /// What an interrupted move left.
    Part {
        begun: Begun,
        schema_is_ours: bool,
    },
    Whole {
        database_id: String,
    },
}

pub struct Target {
    connection: PgConnection,
    address: Address,
}

impl Target {
    /// Connects, and keeps other moves out. One that was killed is waited for as long as for a lock.
    pub async fn reach(address: &Address, options: &StoreOptions) -> Result<Target, MoveError> {
        let patience = options.busy_timeout + Duration::from_secs(1);
        let connect = address.options().application_name("pickmate migrate").options(settings(options));
        let connected = timeout(patience, connect.disable_statement_logging().connect()).await.map_err(|_| silent())?;
        let mut connection = connected.map_err(|error| open_error(address, error))?;
        match Lock::Moving.hold(&mut connection).await {
            Ok(()) => Ok(Target { connection, address: address.clone() }),
            Err(error) if super::error::reason_of_answer(&error) == Some(Reason::Locked) => {
                Err(MoveError::UnderWay(address.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    pub async fn standing(&mut self) -> Result<Standing, StoreError> {
        standing(&mut self.connection).await
    }

    /// Makes the target empty, with its tables and closed to nodes, unless somebody lives in it.
    pub async fn begin(&mut self, begun: &Begun) -> Result<(), MoveError> {
        let mut tx = self.connection.begin().await?;
        Lock::Schema.take(&mut tx).await?;
        if let Standing::Whole { .. } = standing(&mut tx).await? {
            return Err(MoveError::Occupied(self.address.to_string()));
        }
        let (at_work,): (i64,) = sqlx::query_as(AT_WORK).fetch_one(&mut *tx).await?;
        if at_work > 0 {
            return Err(MoveError::Served(self.address.to_string()));
        }
        migrate::bring_up_to_date(&mut tx, &self.address).await?;
        sqlx::raw_sql(CREATE_MOVING).execute(&mut *tx).await?;
        sqlx::raw_sql(EMPTY).execute(&mut *tx).await?;
        let put = sqlx::query(PUT_MOVING).bind(&begun.database_id).bind(&begun.source).bind(now_ms());
        put.execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Rows of a table.
    pub async fn count(&mut self, table: &Table) -> Result<u64, StoreError> {
        let (rows,): (i64,) = sqlx::query_as(table.count).fetch_one(&mut self.connection).await?;
        Ok(rows.unsigned_abs())
    }

    /// Takes some of the lines in a transaction of their own; how many.
    pub async fn take(
        &mut self,
        table: &Table,
        lines: &mut BoxStream<'_, Result<Vec<u8>, MoveError>>,
    ) -> Result<u64, MoveError> {
        // One statement is one transaction.
        let mut copy = self.connection.copy_in_raw(table.take).await?;
        let (mut rows, mut bytes, mut part) = (0, 0, Vec::with_capacity(PART_BYTES));
        while rows < BATCH_ROWS && bytes < BATCH_BYTES {
            let Some(line) = lines.try_next().await? else { break };
            rows += 1;
            bytes += line.len();
            part.extend_from_slice(&line);
            if part.len() >= PART_BYTES {
                copy.send(&part[..]).await?;
                part.clear();
            }
        }
        copy.send(&part[..]).await?;
        copy.finish().await?;
        Ok(rows)
    }

    /// Begins to compare. Dropped, nothing has changed.
    pub async fn verify(&mut self) -> Result<Verification<'_>, StoreError> {
        sqlx::raw_sql(ANALYZE).execute(&mut self.connection).await?;
        Ok(Verification { tx: self.connection.begin_with(VERIFY).await? })
    }

    pub async fn close(self) {
        // What was to be kept is committed.
        let _ = self.connection.close().await;
    }
}

pub struct Verification<'a> {
    tx: Transaction<'a, Postgres>,
}

impl Verification<'_> {
    /// Reads the whole table, telling how many rows it has read.
    pub async fn digest(&mut self, table: &Table, mut tell: impl FnMut(u64)) -> Result<Digest, StoreError> {
        let mut digesting = Digesting::default();
        let mut parts = self.tx.copy_out_raw(table.tell).await?;
        while let Some(part) = parts.try_next().await? {
            digesting.add(&part);
            tell(digesting.rows());
        }
        Ok(digesting.end())
    }

    /// Nothing that was given an id gives it again, and nodes may come.
    pub async fn open(mut self, sequences: &Sequences) -> Result<(), StoreError> {
        for (table, last) in sequences {
            sqlx::query(SET_SEQUENCE).bind(table).bind(last).execute(&mut *self.tx).await?;
        }
        sqlx::raw_sql(DROP_MOVING).execute(&mut *self.tx).await?;
        Ok(self.tx.commit().await?)
    }
}

/// Whoever opens the database for people asks this first, holding [`Lock::Schema`].
pub(super) async fn refuse_part(tx: &mut PgConnection, address: &Address) -> Result<(), StoreError> {
    let (moving,): (bool,) = sqlx::query_as(IS_MOVING).fetch_one(tx).await?;
    match moving {
        true => Err(StoreError::Unavailable(Trouble::new(
            Reason::Unavailable,
            format!(
                "{address} holds a part of a community that moves there: run `pickmate migrate` again to finish it"
            ),
        ))),
        false => Ok(()),
    }
}

async fn standing(connection: &mut PgConnection) -> Result<Standing, StoreError> {
    let (moving,): (bool,) = sqlx::query_as(IS_MOVING).fetch_one(&mut *connection).await?;
    if moving {
        let (database_id, source) = sqlx::query_as(BEGUN).fetch_one(&mut *connection).await?;
        let schema_is_ours = migrate::version(&mut *connection).await? == migrate::known();
        return Ok(Standing::Part { begun: Begun { database_id, source }, schema_is_ours });
    }
    let (tables,): (bool,) = sqlx::query_as(HAS_TABLES).fetch_one(&mut *connection).await?;
    if !tables {
        return Ok(Standing::Empty);
    }
    let (inhabited,): (bool,) = sqlx::query_as(INHABITED).fetch_one(&mut *connection).await?;
    if !inhabited {
        return Ok(Standing::Empty);
    }
    let (database_id,) = sqlx::query_as(DATABASE_ID).fetch_one(&mut *connection).await?;
    Ok(Standing::Whole { database_id })
}

/// Copying and verifying take as long as they take. A machine that went away is given up in less than a
/// minute, so that its lock does not keep the next one out.
fn settings(options: &StoreOptions) -> [(&'static str, String); 9] {
    [
        ("synchronous_commit", "on".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("client_min_messages", "warning".to_owned()),
        ("bytea_output", "hex".to_owned()),
        ("lock_timeout", options.busy_timeout.as_millis().to_string()),
        ("statement_timeout", "0".to_owned()),
        ("idle_in_transaction_session_timeout", "0".to_owned()),
        ("tcp_keepalives_idle", "15".to_owned()),
        ("tcp_keepalives_interval", "10".to_owned()),
    ]
}
