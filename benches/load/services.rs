//! What several nodes share: a database of their own on the Postgres, and the Redis, that
//! `scripts/bench.sh` has started.

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::runtime::Builder;

/// Databases that were made.
static MADE: AtomicUsize = AtomicUsize::new(0);

/// The environment of a node, with a database that nobody has used.
pub fn between_nodes() -> Result<Vec<(&'static str, String)>> {
    let postgres = given("PICKMATE_TEST_POSTGRES")?;
    let name = format!("load_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let create = format!("CREATE DATABASE {name}");
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&postgres).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await
    })?;
    let database = postgres.replacen("/postgres?", &format!("/{name}?"), 1);
    Ok(vec![("PICKMATE_DATABASE", database), ("PICKMATE_REDIS", given("PICKMATE_TEST_REDIS")?)])
}

/// What Redis has done since it was started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carried {
    pub published: f64,
    pub bytes_out: f64,
    pub cpu_seconds: f64,
}

impl Carried {
    pub fn by_redis() -> Result<Carried> {
        let client = redis::Client::open(given("PICKMATE_TEST_REDIS")?)?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let said: String = runtime.block_on(async {
            let mut connection = client.get_multiplexed_async_connection().await?;
            redis::cmd("INFO").arg("everything").query_async(&mut connection).await
        })?;
        let figure = |from: &str| -> Option<f64> {
            let no_digit = |letter: char| !letter.is_ascii_digit() && letter != '.';
            said.split_once(from)?.1.split(no_digit).next()?.parse().ok()
        };
        let cpu = figure("used_cpu_sys:").zip(figure("used_cpu_user:")).context("used_cpu")?;
        Ok(Carried {
            // Nothing until somebody publishes.
            published: figure("cmdstat_publish:calls=").unwrap_or(0.0),
            bytes_out: figure("total_net_output_bytes:").context("total_net_output_bytes")?,
            cpu_seconds: cpu.0 + cpu.1,
        })
    }
}

fn given(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} names nothing: run scripts/bench.sh"))
}
