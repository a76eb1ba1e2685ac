//! The engine without a server: SQLite as PickMate opens it, and for each post the rows that PickMate reads and
//! writes, by statements of their own that are prepared once, on one thread that does nothing else. What is left of
//! the difference is the server's, but for one thing: PickMate writes the rows of a batch by a statement a table.

use crate::post::{Post, now};
use crate::process::pinned;
use anyhow::{Context, Result, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rusqlite::{Connection, TransactionBehavior, params};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

const LOOK_UP: &str = "SELECT r.id, r.access, r.head, u.name, m.user_id, k.seq, k.fingerprint
    FROM rooms AS r JOIN users AS u ON u.id = ?2
    LEFT JOIN memberships AS m ON m.room_id = r.id AND m.user_id = u.id
    LEFT JOIN keys AS k ON k.scope = r.id AND k.actor_id = u.id AND k.key = ?3
    WHERE r.slug = ?1";
const LAST_BODY: &str = "SELECT coalesce(max(id), 0) FROM bodies";
const EVENT: &str = "INSERT INTO events (room_id, seq, kind, at, actor_id, key) VALUES (?1, ?2, 'posted', ?3, ?4, ?5)";
const HEAD: &str = "UPDATE rooms SET head = ?2 WHERE id = ?1";
const BODY: &str = "INSERT INTO bodies (id, body) VALUES (?1, ?2)";
const MESSAGE: &str =
    "INSERT INTO messages (room_id, seq, author_id, rev, at, body_id) VALUES (?1, ?2, ?3, ?2, ?4, ?5)";
const KEY: &str = "INSERT INTO keys (scope, actor_id, key, fingerprint, room_id, seq) VALUES (?1, ?2, ?3, ?4, ?1, ?5)";
const READ: &str = "INSERT INTO memberships (room_id, user_id, joined_at, last_read) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (room_id, user_id) DO UPDATE SET last_read = max(last_read, excluded.last_read)";

/// Before anything counts.
const WARM_UP: u64 = 1_000_000_000;

/// How it is to work.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Work {
    pub data: PathBuf,
    /// Posts that share a commit.
    pub batch: u64,
    pub rooms: u64,
    /// From the time when a commit is due until the next is; 0: as fast as it goes.
    pub every_us: u64,
    pub seconds: u64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Worked {
    pub posts_per_second: f64,
    /// From the time when a commit was due.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub cpu_percent: f64,
}

impl Work {
    pub fn parse(json: &str) -> serde_json::Result<Work> {
        serde_json::from_str(json)
    }

    /// In a process of its own on the first core.
    pub fn measure(&self) -> Result<Worked> {
        let output = pinned(&std::env::current_exe()?).arg("--engine").arg(serde_json::to_string(self)?).output()?;
        ensure!(output.status.success(), "the bare engine: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Works, and prints what came of it.
    pub fn run(&self) -> Result<()> {
        let mut engine = Engine::open(self)?;
        let (began, mut commits, mut late) = (now(), 0, Vec::new());
        let (from, until) = (began + WARM_UP, began + WARM_UP + self.seconds * 1_000_000_000);
        let (mut cpu, mut counted) = (None, 0);
        while now() < until {
            let due = match self.every_us {
                0 => now(),
                every => began + commits * every * 1_000,
            };
            std::thread::sleep(Duration::from_nanos(due.saturating_sub(now())));
            engine.commit(self.batch)?;
            commits += 1;
            if due >= from {
                let used = cpu_ns()?;
                cpu.get_or_insert(used);
                late.push(now() - due);
                counted += self.batch;
            }
        }
        let used = cpu_ns()? - cpu.context("nothing was measured")?;
        late.sort_unstable();
        let quantile = |share: usize| late[late.len() * share / 100] as f64 / 1e6;
        let worked = Worked {
            posts_per_second: counted as f64 / self.seconds as f64,
            p50_ms: quantile(50),
            p99_ms: quantile(99),
            cpu_percent: used as f64 / self.seconds as f64 / 1e7,
        };
        println!("{}", serde_json::to_string(&worked)?);
        Ok(())
    }
}

fn cpu_ns() -> Result<i64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) * 1_000)
}

struct Engine {
    database: Connection,
    rooms: u64,
    accounts: i64,
    posted: u64,
}

impl Engine {
    fn open(work: &Work) -> Result<Engine> {
        let database = Connection::open(work.data.join("pickmate.sqlite3"))?;
        for (name, value) in [("synchronous", "FULL"), ("foreign_keys", "ON"), ("secure_delete", "ON")] {
            database.pragma_update(None, name, value)?;
        }
        let mode: String = database.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        ensure!(mode == "wal", "the journal is {mode}");
        let accounts = database.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
        // Keys are made of the number, and another run may have been here.
        let posted: i64 = database.query_row(LAST_BODY, [], |row| row.get(0))?;
        Ok(Engine { database, rooms: work.rooms, accounts, posted: posted as u64 })
    }

    fn commit(&mut self, posts: u64) -> Result<()> {
        let tx = self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for _ in 0..posts {
            self.posted += 1;
            post(
                &tx,
                self.posted,
                &format!("room{}", self.posted % self.rooms),
                1 + self.posted as i64 % self.accounts,
            )?;
        }
        Ok(tx.commit()?)
    }
}

fn post(tx: &Connection, number: u64, slug: &str, author: i64) -> Result<()> {
    let text = Post { number, due: number }.text();
    let (key, at) = (format!("{number:016x}"), number as i64);
    let (room, head): (i64, i64) =
        tx.prepare_cached(LOOK_UP)?.query_row(params![slug, author, key], |row| Ok((row.get(0)?, row.get(2)?)))?;
    let body: i64 = tx.prepare_cached(LAST_BODY)?.query_row([], |row| row.get(0))?;
    let (seq, body) = (head + 1, body + 1);
    tx.prepare_cached(EVENT)?.execute(params![room, seq, at, author, key])?;
    tx.prepare_cached(HEAD)?.execute(params![room, seq])?;
    tx.prepare_cached(BODY)?.execute(params![body, text])?;
    tx.prepare_cached(MESSAGE)?.execute(params![room, seq, author, at, body])?;
    tx.prepare_cached(KEY)?.execute(params![room, author, key, [0_u8; 16], seq])?;
    tx.prepare_cached(READ)?.execute(params![room, author, at, seq])?;
    Ok(())
}
