//! The community of a data directory on its way to another engine: held still, and read in the order of
//! the primary keys. What there is to move stands in `store/moving/`.

use super::super::moving::{HasNul, Kind, Line, MoveError, TABLES, Table};
use super::super::{StoreError, StoreOptions};
use super::database::Database;
use super::directory::{self, FILE};
use super::error::open_error;
use super::own_thread::blocking;
use super::{history, joining_options};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};

pub use super::directory::EnterError;

/// Rows that SQLite's thread reads ahead: some megabytes of the longest messages.
const AHEAD: usize = 256;

/// Ids that were given, also to what is gone.
const GIVEN_IDS: &str = "SELECT name, seq FROM sqlite_sequence
    UNION ALL SELECT 'bodies', coalesce(max(id), 0) FROM bodies";

/// The last id of each table that numbers its rows.
pub type Sequences = Vec<(String, i64)>;

/// Nobody else works in the directory or writes to the database while this lives.
pub struct Source {
    dir: PathBuf,
    connection: SqliteConnection,
    /// Holds the directory.
    _database: Database,
}

impl Source {
    /// Brings the database up to date and settles which history it holds, as every start does, and holds it.
    pub async fn hold(path: &Path, options: &StoreOptions) -> Result<Source, MoveError> {
        let dir = directory_of(path)?;
        let file = dir.join(FILE);
        let entered = dir.clone();
        let held = blocking(move || directory::enter_alone(&entered)).await??;
        let database = Database::new(&dir, options, held);
        database.open().await?;
        database.readers.close().await;
        database.gate.close().await?;
        let connect = joining_options(&file, options).row_buffer_size(AHEAD).disable_statement_logging();
        let mut connection = connect.connect().await.map_err(|error| open_error(&file, error))?;
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection).await;
        begun.map_err(|error| open_error(&file, error))?;
        Ok(Source { dir, connection, _database: database })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub async fn database_id(&mut self) -> Result<String, StoreError> {
        Ok(history::read(&mut self.connection).await?.database_id)
    }

    /// Rows of each table.
    pub async fn counts(&mut self) -> Result<Vec<u64>, StoreError> {
        let mut counts = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let (rows,): (i64,) = sqlx::query_as(table.count).fetch_one(&mut self.connection).await?;
            counts.push(rows.unsigned_abs());
        }
        Ok(counts)
    }

    pub async fn sequences(&mut self) -> Result<Sequences, StoreError> {
        Ok(sqlx::query_as(GIVEN_IDS).fetch_all(&mut self.connection).await?)
    }

    /// All rows of a table but the first ones.
    pub fn lines<'a>(&'a mut self, table: &'static Table, skipped: u64) -> BoxStream<'a, Result<Vec<u8>, MoveError>> {
        let skipped = i64::try_from(skipped).unwrap_or(i64::MAX);
        let rows = sqlx::query(table.read).bind(skipped).fetch(&mut self.connection);
        let mut line = Line::default();
        rows.map_err(MoveError::from).map(move |row| write(&mut line, table, &row?)).boxed()
    }

    /// Nothing was written.
    pub async fn release(mut self) {
        // Whatever is left of it ends with the connection.
        let _ = sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await;
        let _ = self.connection.close().await;
    }
}

/// The data directory that is meant.
fn directory_of(path: &Path) -> Result<PathBuf, MoveError> {
    let dir = match path.file_name().is_some_and(|name| name == FILE) {
        true => path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")),
        false => path,
    };
    match dir.join(FILE).is_file() {
        true => Ok(dir.to_owned()),
        false => Err(MoveError::NoSource(path.to_owned())),
    }
}

fn write(line: &mut Line, table: &'static Table, row: &SqliteRow) -> Result<Vec<u8>, MoveError> {
    for (column, (_, kind)) in table.columns.iter().enumerate() {
        match kind {
            Kind::Integer => match row.try_get(column)? {
                Some(value) => line.integer(value),
                None => line.null(),
            },
            Kind::Text => match row.try_get(column)? {
                Some(value) => line.text(value).map_err(|HasNul| MoveError::Nul { table: table.name })?,
                None => line.null(),
            },
            Kind::Bytes => match row.try_get(column)? {
                Some(value) => line.bytes(value),
                None => line.null(),
            },
        }
    }
    Ok(line.end())
}
