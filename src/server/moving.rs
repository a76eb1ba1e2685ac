//! What `pickmate migrate` does and says. Progress goes to stderr: a bar on a terminal, elsewhere a line now
//! and then.

use super::cli::Migrate;
use super::config::Config;
use super::store::StoreOptions;
use super::store::moving::{Compared, Digest, MoveError, NewMove, Progress, Remains, Step, move_community};
use super::store::postgres::Address;
use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Cells of a full bar.
const CELLS: u64 = 16;
const REPAINT_EVERY: Duration = Duration::from_millis(100);
/// Between two lines where there is no terminal; work that is done sooner is not worth one.
const LINE_EVERY: Duration = Duration::from_secs(5);
/// Bytes of a hash that are printed; all are compared.
const SHOWN_BYTES: usize = 8;

/// Moves the community and prints what was compared.
pub async fn migrate(command: &Migrate, config: &Config, output: impl Write) -> anyhow::Result<()> {
    let from = match &command.from {
        Some(said) => source(said)?,
        None => config.data.clone(),
    };
    let to = target(command.to.as_deref(), config)?;
    let remains = if command.start_over { Remains::StartOver } else { Remains::GoOn };
    let bar = Bar::new(stderr().is_terminal());
    let new = NewMove { from: &from, to: &to, remains };
    let options = StoreOptions::new(&config.limits, std::sync::Arc::new(()));
    let moved = move_community(new, &options, &|progress| bar.show(progress)).await;
    bar.end();
    if let Err(MoveError::Differs(_, compared)) = &moved {
        print(output, &table(compared))?;
        moved?;
        return Ok(());
    }
    print(output, &format!("{}{}", table(&moved?), farewell(&from, &to)))
}

/// The path of `sqlite:PATH`.
fn source(said: &str) -> anyhow::Result<PathBuf> {
    let path = said.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    match path.filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => bail!("--from takes sqlite:PATH, not `{}`", Address::shown(said)),
    }
}

fn target(said: Option<&str>, config: &Config) -> anyhow::Result<Address> {
    match said {
        Some(said) => Address::parse(said)
            .with_context(|| format!("--to takes postgres://HOST/DATABASE, not `{}`", Address::shown(said))),
        None => config.database.clone().context("--to postgres://HOST/DATABASE is missing"),
    }
}

fn table(compared: &[Compared]) -> String {
    let mut said = format!("{:<12} {:>12}  {:<16}\n", "table", "rows", "hash");
    for Compared { table, source, target } in compared {
        let (rows, hash) = (source.rows, shown(source));
        let _ = match source == target {
            true => writeln!(said, "{table:<12} {rows:>12}  {hash}  same"),
            false => writeln!(said, "{table:<12} {rows:>12}  {hash}  differs: {} rows, {}", target.rows, shown(target)),
        };
    }
    let rows: u64 = compared.iter().map(|table| table.source.rows).sum();
    let _ = writeln!(said, "{:<12} {rows:>12}", "all");
    said
}

fn shown(digest: &Digest) -> String {
    HEXLOWER.encode(&digest.hash[..SHOWN_BYTES])
}

fn farewell(from: &Path, to: &Address) -> String {
    let from = from.display();
    format!(
        "{from} was moved to {to}: serve it with --database.\n\
        {from} is as it was. Move it away, so that nobody serves it by mistake: the two would tell two histories by one name."
    )
}

fn print(mut output: impl Write, said: &str) -> anyhow::Result<()> {
    writeln!(output, "{}", said.trim_end()).and_then(|()| output.flush()).context("the answer cannot be printed")
}

/// Shows how far it is. The work goes on when nobody can see it.
struct Bar {
    terminal: bool,
    state: Mutex<State>,
}

struct State {
    step: Option<Step>,
    begun: Instant,
    /// Rows that were there when the step began.
    first: u64,
    next: Instant,
}

impl Bar {
    fn new(terminal: bool) -> Bar {
        let now = Instant::now();
        let next = if terminal { now } else { now + LINE_EVERY };
        Bar { terminal, state: Mutex::new(State { step: None, begun: now, first: 0, next }) }
    }

    fn show(&self, progress: Progress) {
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.step != Some(progress.step) {
            *state = State { step: Some(progress.step), begun: now, first: progress.all_rows, next: state.next };
        }
        if now < state.next {
            return;
        }
        state.next = now + if self.terminal { REPAINT_EVERY } else { LINE_EVERY };
        let done = progress.all_rows.saturating_sub(state.first);
        let rate = rate(done, now - state.begun);
        let _ = match self.terminal {
            true => write!(stderr(), "\r\x1b[K{}", painted(&progress, rate)),
            false => writeln!(stderr(), "pickmate: {}", in_words(&progress, rate)),
        };
    }

    /// What comes next has the line for itself.
    fn end(&self) {
        if self.terminal {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// Fits a terminal of 80 columns, as long as no table has a hundred million rows.
fn painted(progress: &Progress, rate: u64) -> String {
    let Progress { step, table, rows, of, all_rows, all_of } = *progress;
    let (bar, percent) = (cells(all_rows, all_of), (all_rows * 100).checked_div(all_of).unwrap_or(100));
    format!("{bar} {percent:>3} % {} {table} {rows}/{of}, {rate} rows/s", in_a_word(step))
}

fn in_words(progress: &Progress, rate: u64) -> String {
    let Progress { step, table, rows, of, all_rows, all_of } = *progress;
    let step = in_a_word(step);
    format!("{step} {table}: {rows} of {of} rows; of all {all_rows} of {all_of}, {rate} a second")
}

fn in_a_word(step: Step) -> &'static str {
    match step {
        Step::Reading => "reading",
        Step::Copying => "copying",
        Step::Verifying => "verifying",
    }
}

fn cells(done: u64, of: u64) -> String {
    let full = (done * CELLS).checked_div(of).unwrap_or(CELLS).min(CELLS);
    (0..CELLS).map(|cell| if cell < full { '█' } else { '░' }).collect()
}

fn rate(rows: u64, time: Duration) -> u64 {
    let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    (rows * 1_000).checked_div(ms).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_as_a_path_of_sqlite() {
        for (said, path) in [("sqlite:data", "data"), ("sqlite:/srv/d", "/srv/d"), ("sqlite:///srv/d", "/srv/d")] {
            assert_eq!(source(said).unwrap(), Path::new(path));
        }
        for said in ["data", "sqlite:", "postgres://mina:secret@db/chat"] {
            let refused = source(said).unwrap_err().to_string();
            assert!(refused.contains("sqlite:PATH") && !refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn a_target_comes_from_the_flag_or_else_the_settings() {
        let named = Address::parse("postgres://db/chat").unwrap();
        let config = Config { database: Some(named.clone()), ..Config::default() };
        assert_eq!(target(None, &config).unwrap(), named);
        assert_eq!(target(Some("postgres://db/other"), &config).unwrap().to_string(), "postgres://db/other");
        assert!(target(None, &Config::default()).is_err());
        let refused = target(Some("mysql://mina:secret@db/chat"), &config).unwrap_err().to_string();
        assert!(refused.contains("mysql://mina:***@db/chat"), "{refused}");
    }

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        for (done, of, full) in [(0, 100, 0), (50, 100, 8), (100, 100, 16), (200, 100, 16), (0, 0, 16)] {
            assert_eq!(cells(done, of).matches('█').count(), full, "{done} of {of}");
        }
        let rows = 99_999_999;
        let progress =
            Progress { step: Step::Verifying, table: "memberships", rows, of: rows, all_rows: rows, all_of: rows };
        let painted = painted(&progress, 999_999);
        assert!(painted.chars().count() <= 80 && painted.contains("100 %"), "{painted}");
    }

    #[test]
    fn what_differs_is_told_with_both_sides() {
        let digest = |rows| Digest { rows, hash: [7; 32] };
        let compared = |target| Compared { table: "keys", source: digest(3), target };
        let said = table(&[compared(digest(3)), compared(digest(2))]);
        assert!(said.contains("same") && said.contains("differs: 2 rows, 0707070707070707"), "{said}");
    }
}
