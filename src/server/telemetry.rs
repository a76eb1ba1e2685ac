//! Logs, on stderr: stdout is for what people and scripts read.

use super::config::{ConfigError, LogFormat};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// Starts logging for the whole process, once: from `level` on, unless `directives` (the variable
/// `RUST_LOG`) say otherwise.
pub fn init(format: LogFormat, level: LevelFilter, directives: Option<&str>) -> anyhow::Result<()> {
    let directives = directives.unwrap_or_default();
    let filter = EnvFilter::builder().with_default_directive(level.into()).parse(directives);
    let filter = filter.map_err(|_| ConfigError::Value {
        source_name: "RUST_LOG".to_owned(),
        value: directives.to_owned(),
        expected: "a list like info,pickmate=debug",
    })?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
