//! Databases to test with, on the server that `scripts/with-postgres.sh` starts.

use pickmate::server::store::postgres::Address;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

/// Names the server, with a database that exists.
const SERVER: &str = "PICKMATE_TEST_POSTGRES";

/// An empty database, made when it is first asked for and dropped with everything that is connected.
pub struct Database {
    name: String,
    made: OnceCell<()>,
}

impl Database {
    pub fn new() -> Database {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        Database { name, made: OnceCell::new() }
    }

    pub async fn address(&self) -> Address {
        Address::parse(&self.url().await).unwrap()
    }

    pub async fn url(&self) -> String {
        let make = async || on_server(format!("CREATE DATABASE {} TEMPLATE template0", self.name)).await;
        self.made.get_or_init(make).await;
        url_of(&self.name)
    }

    /// A connection of some other program.
    pub async fn other(&self) -> PgConnection {
        PgConnectOptions::from_str(&self.url().await).unwrap().connect().await.unwrap()
    }

    /// Ends all connections to it; new ones may be made.
    pub async fn cut(&self) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
        on_server(format!("{cut} '{}'", self.name)).await;
    }

    /// Whether connections may be made to it.
    pub async fn admit(&self, yes: bool) {
        on_server(format!("ALTER DATABASE {} ALLOW_CONNECTIONS {yes}", self.name)).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.made.initialized() {
            return;
        }
        let drop = on_server(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // A runtime cannot wait inside another one's.
        std::thread::spawn(move || runtime().block_on(drop)).join().unwrap();
    }
}

async fn on_server(sql: String) {
    let mut connection = PgConnectOptions::from_str(&server()).unwrap().connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}

fn url_of(database: &str) -> String {
    let server = server();
    let (place, settings) = server.split_once('?').unwrap_or((&server, ""));
    let (place, _) = place.rsplit_once('/').unwrap();
    format!("{place}/{database}?{settings}")
}

fn server() -> String {
    let missing = "these tests need a PostgreSQL server: scripts/with-postgres.sh cargo test";
    std::env::var(SERVER).unwrap_or_else(|_| panic!("{SERVER} is not set; {missing}"))
}
