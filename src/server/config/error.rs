use super::limits::LimitError;
use std::path::PathBuf;

/// A setting that cannot be used: one sentence that names the source and the value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{source_name}: `{}` is not {expected}", printable(value))]
    Value { source_name: String, value: String, expected: &'static str },
    #[error("{source_name}: `{}`: {problem}", printable(value))]
    Limit { source_name: String, value: String, problem: LimitError },
    #[error("the limit {name} is {value}, which is not below {other} with {bound}")]
    Order { name: &'static str, value: u64, other: &'static str, bound: u64 },
    #[error("the limit {carrier} is {bound}; a message of body_bytes with {body_bytes} needs at least {needed}")]
    TooSmall { carrier: &'static str, bound: u64, body_bytes: u64, needed: u64 },
    #[error("{}: {}", path.display(), printable(problem))]
    File { path: PathBuf, problem: String },
    #[error("{table} in {}: there is no setting `{}`", path.display(), printable(key))]
    UnknownKey { path: PathBuf, table: &'static str, key: String },
    #[error(
        "there is no built site at {tried}: run `make build`, or set LEPTOS_SITE_ROOT to the folder that cargo-leptos built"
    )]
    NoSite { tried: String },
    #[error("the table [package.metadata.leptos] cannot be used: {0}")]
    Leptos(String),
}

/// What came from outside, on one line and without orders to a terminal.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    shown
}
