//! Settings: flag beats environment beats `Leptos.toml` beats default. `docs/configuration.md`
//! has the table.

mod error;
mod file;
mod layers;
mod limits;
mod settings;
mod site;

pub use error::ConfigError;
pub use file::SettingsFile;
pub use layers::{Flags, LIMIT, Layers, SETTINGS, Said, variable};
pub use limits::{LIMITS, Limit, LimitError, Limits};
pub use settings::{Settings, process_environment};
pub use site::{leptos_options, leptos_options_without_site};

use super::channel_layer::redis::{RedisAddress, redacted};
use super::files;
use super::store::postgres::Address;
use crate::domain::Lane;
use axum::http::Uri;
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Settings of a running node, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub listen: SocketAddr,
    /// The data directory; the database is `pickmate.sqlite3` in it, unless `database` names another.
    pub data: PathBuf,
    /// A Postgres database in the place of the file.
    pub database: Option<Address>,
    /// Where the bytes of uploaded files are, instead of `files` in the data directory.
    pub files: Option<files::Address>,
    /// Connects the nodes of an installation; without it they find what others wrote by comparing only.
    pub redis: Option<RedisAddress>,
    /// Where people reach this installation: scheme, host and port, written as a browser writes an
    /// `Origin`. Decides links, the cookie's `Secure` and the allowed `Origin`; without it the
    /// request's `Host` does.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks that are not public and that webhooks may reach all the same.
    pub outgoing_allow: Vec<IpNet>,
    /// Networks that are not public and that link previews may reach all the same.
    pub preview_allow: Vec<IpNet>,
    /// Networks that neither webhooks nor link previews may reach, public or not.
    pub outgoing_refuse: Vec<IpNet>,
    /// Whether links of messages are asked what they lead to.
    pub previews: bool,
    /// Lifts rate limits and per-user connection caps; for benchmarks.
    pub no_rate_limit: bool,
    pub log_format: LogFormat,
    /// Which tasks this process runs.
    pub lanes: Vec<Lane>,
    /// What children that compute are started from, if not from the running program. No setting: a node in a test
    /// runs in another program.
    pub program: Option<PathBuf>,
    pub limits: Limits,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            data: PathBuf::from("data"),
            database: None,
            files: None,
            redis: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            outgoing_allow: Vec::new(),
            preview_allow: Vec::new(),
            outgoing_refuse: Vec::new(),
            previews: true,
            no_rate_limit: false,
            log_format: LogFormat::Text,
            lanes: Lane::ALL.to_vec(),
            program: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The first wrong value is the error.
    pub fn from_layers(layers: &Layers<'_>) -> Result<Config, ConfigError> {
        let default = Config::default();
        Ok(Config {
            listen: parsed(layers.one("listen")?, listen, "an address like 127.0.0.1:3000")?.unwrap_or(default.listen),
            data: parsed(layers.one("data")?, directory, "a directory")?.unwrap_or(default.data),
            database: layers.one("database")?.map(database).transpose()?,
            files: layers.one("files")?.map(s3).transpose()?,
            redis: redis(layers.one("redis")?)?,
            public_url: parsed(layers.one("public-url")?, origin, "an address like https://chat.example.org")?,
            trusted_proxies: layers.many("trusted-proxy")?.into_iter().map(network).collect::<Result<_, _>>()?,
            outgoing_allow: layers.many("outgoing-allow")?.into_iter().map(network).collect::<Result<_, _>>()?,
            preview_allow: layers.many("preview-allow")?.into_iter().map(network).collect::<Result<_, _>>()?,
            outgoing_refuse: layers.many("outgoing-refuse")?.into_iter().map(network).collect::<Result<_, _>>()?,
            previews: parsed(layers.one("previews")?, switch, "`true` or `false`")?.unwrap_or(default.previews),
            no_rate_limit: parsed(layers.one("no-rate-limit")?, switch, "`true` or `false`")?.unwrap_or_default(),
            log_format: parsed(layers.one("log-format")?, log_format, "`text` or `json`")?.unwrap_or_default(),
            lanes: parsed(layers.one("lanes")?, lanes, "`none`, or some of `io,blocking,cpu`")?
                .unwrap_or(default.lanes),
            program: None,
            limits: limits(layers.all(LIMIT)?)?,
        })
    }
}

fn parsed<T>(
    said: Option<Said>,
    parse: fn(&str) -> Option<T>,
    expected: &'static str,
) -> Result<Option<T>, ConfigError> {
    let Some(Said { source, value }) = said else { return Ok(None) };
    match parse(&value) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(ConfigError::Value { source_name: source, value, expected }),
    }
}

fn listen(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

fn directory(text: &str) -> Option<PathBuf> {
    (!text.trim().is_empty()).then(|| PathBuf::from(text))
}

/// A refusal shows no password.
fn database(said: Said) -> Result<Address, ConfigError> {
    let expected = "an address like postgres://pickmate@localhost/pickmate";
    let (source_name, value) = (said.source, Address::shown(&said.value));
    Address::parse(&said.value).ok_or(ConfigError::Value { source_name, value, expected })
}

/// The value may hold a password, so it is not repeated as it is.
fn redis(said: Option<Said>) -> Result<Option<RedisAddress>, ConfigError> {
    let Some(Said { source, value }) = said else { return Ok(None) };
    let expected = "an address like redis://127.0.0.1:6379";
    let address = RedisAddress::parse(&value);
    address.map(Some).ok_or_else(|| ConfigError::Value { source_name: source, value: redacted(&value), expected })
}

/// The value holds a secret, so it is not repeated as it is.
fn s3(said: Said) -> Result<files::Address, ConfigError> {
    let expected = "an address like s3+https://KEY:SECRET@s3.example.org/BUCKET";
    let address = files::Address::parse(&said.value);
    address.ok_or_else(|| ConfigError::Value { source_name: said.source, value: redacted(&said.value), expected })
}

fn switch(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

fn lanes(text: &str) -> Option<Vec<Lane>> {
    match text.trim() {
        "none" => Some(Vec::new()),
        some => some.split(',').map(|lane| Lane::parse(lane.trim())).collect(),
    }
}

/// Scheme, host and port as a browser writes them: lower case, without the scheme's own port.
fn origin(text: &str) -> Option<String> {
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
        return None;
    }
    let host = authority.host().to_lowercase();
    let own_port = if scheme == "https" { 443 } else { 80 };
    let port = authority.port_u16().filter(|port| *port != own_port).map(|port| format!(":{port}"));
    Some(format!("{scheme}://{host}{}", port.unwrap_or_default()))
}

/// A network, or one address as a network of its own. One of IPv4 that is written as IPv6 is the same.
fn network(said: Said) -> Result<IpNet, ConfigError> {
    let network = said.value.parse::<IpNet>().ok().or_else(|| said.value.parse::<IpAddr>().ok().map(IpNet::from));
    let expected = "a network like 10.0.0.0/8 or an address";
    network.map(canonical).ok_or(ConfigError::Value { source_name: said.source, value: said.value, expected })
}

fn canonical(network: IpNet) -> IpNet {
    let mapped = network.addr().to_canonical();
    match network.prefix_len().checked_sub(96).filter(|_| network.addr().is_ipv6() && mapped.is_ipv4()) {
        // At most 32 bits are left.
        Some(prefix) => IpNet::new(mapped, prefix).unwrap_or(network),
        None => network,
    }
}

fn limits(said: Vec<Said>) -> Result<Limits, ConfigError> {
    let mut limits = Limits::default();
    for Said { source, value } in said {
        let outcome = match value.split_once('=') {
            Some((name, number)) => limits.set(name.trim(), number.trim()),
            None => Err(LimitError::NotAPair),
        };
        outcome.map_err(|problem| ConfigError::Limit { source_name: source, value, problem })?;
    }
    fit_together(&limits)?;
    Ok(limits)
}

/// Bytes that a byte of a body may take where it is written as JSON or in a form: an escape of a
/// letter's two bytes has six, a percent-encoded byte three.
const ESCAPED: u64 = 3;

/// Bytes around a body: the room, the key and the names of the fields.
const ENVELOPE: u64 = 512;

/// A message has to fit what carries it, a client that pings in time must not be given up, and whoever goes on
/// typing is shown without a break.
fn fit_together(limits: &Limits) -> Result<(), ConfigError> {
    let body_bytes = limits.body_bytes as u64;
    let needed = body_bytes * ESCAPED + ENVELOPE;
    for (carrier, bound) in [("frame_bytes", limits.frame_bytes), ("request_bytes", limits.request_bytes)] {
        let bound = bound as u64;
        if bound < needed {
            return Err(ConfigError::TooSmall { carrier, bound, body_bytes, needed });
        }
    }
    in_order(("task_heartbeat_ms", limits.task_heartbeat_ms), ("task_lease_ms", limits.task_lease_ms))?;
    in_order(("ping_every_ms", limits.ping_every_ms.into()), ("silence_ms", limits.silence_ms))?;
    in_order(("typing_every_ms", limits.typing_every_ms.into()), ("typing_shown_ms", limits.typing_shown_ms.into()))
}

/// The first limit has to be below the second.
fn in_order((name, value): (&'static str, u64), (other, bound): (&'static str, u64)) -> Result<(), ConfigError> {
    if value < bound { Ok(()) } else { Err(ConfigError::Order { name, value, other, bound }) }
}

#[cfg(test)]
mod tests;
