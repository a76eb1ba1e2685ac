//! What nodes on one Postgres let go of.

use super::world::{Postgres, World};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A node looks every five seconds, and no oftener than it must while there is more.
const SOON: Duration = Duration::from_secs(12);

const OLD: &str = "INSERT INTO previews (hash, fetched_at, expires_at, title, description, site)
        SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), 1, 1, '', '', '' FROM generate_series(1, 8500) AS n;
    UPDATE schedule SET due_at = 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_old_goes_step_by_step_until_nothing_is_left() {
    let world = World::<Postgres>::new().await;
    let mut other = world.engine.0.other().await;
    sqlx::raw_sql(OLD).execute(&mut other).await.unwrap();
    let mut left = async || {
        let count: (i64,) = sqlx::query_as("SELECT count(*) FROM previews").fetch_one(&mut other).await.unwrap();
        count.0
    };
    let all_gone = async {
        while left().await > 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, all_gone).await.expect("they go");
}
