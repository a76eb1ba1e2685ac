//! Where Redis is, password included: only what is shown of it is safe to print.

use super::CONNECT_WITHIN;
use redis::cluster::ClusterClient;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo};
use std::fmt;
use tokio::sync::mpsc::UnboundedSender;

/// An address such as `redis://:password@host:6379`, or `rediss://…` with TLS. Printing it leaves the
/// credentials out.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress(String);

impl RedisAddress {
    /// `None` of what is no address of a Redis that this program can reach.
    pub fn parse(text: &str) -> Option<RedisAddress> {
        let info: ConnectionInfo = text.into_connection_info().ok()?;
        Client::open(info).ok()?;
        Some(RedisAddress(text.to_owned()))
    }

    pub(super) fn client(&self) -> redis::RedisResult<Client> {
        Client::open(self.0.as_str())
    }

    /// One that tries nothing twice, so that what it reports is what happened.
    pub(super) fn cluster_client(&self, push_sender: UnboundedSender<PushInfo>) -> redis::RedisResult<ClusterClient> {
        let client = ClusterClient::builder([self.0.as_str()]).use_protocol(ProtocolVersion::RESP3);
        client.push_sender(push_sender).retries(0).connection_timeout(CONNECT_WITHIN).build()
    }

    /// With the same credentials and encryption, at another host of a cluster if one is given.
    pub(in crate::server) fn client_at(&self, host: Option<&(String, u16)>) -> redis::RedisResult<Client> {
        let Some((host, port)) = host else { return self.client() };
        let info = self.0.as_str().into_connection_info()?;
        let address = match info.addr().clone() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host: host.clone(), port: *port, insecure, tls_params }
            }
            _ => ConnectionAddr::Tcp(host.clone(), *port),
        };
        Client::open(info.set_addr(address))
    }
}

/// What may be shown of something that should be an address: credentials and parameters are left out.
pub fn redacted(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").map_or(("", text), |(scheme, rest)| (scheme, rest));
    let slashes = if scheme.is_empty() { "" } else { "://" };
    let (credentials, place) = rest.rsplit_once('@').map_or(("", rest), |(credentials, place)| (credentials, place));
    let shown = match credentials {
        "" => place.split(['?', '#']).next().unwrap_or_default(),
        // The @ may be one of a password among the parameters.
        _ if credentials.contains(['?', '#']) => "",
        _ => place.split(['?', '#']).next().unwrap_or_default(),
    };
    let hidden = if credentials.is_empty() { "" } else { "…@" };
    format!("{scheme}{slashes}{hidden}{shown}")
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redacted(&self.0))
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_and_without_tls_are_taken() {
        let good =
            ["redis://127.0.0.1", "redis://:pw@host:6380/1", "rediss://me:pw@redis.example.org", "unix:///run/redis"];
        for text in good {
            assert!(RedisAddress::parse(text).is_some(), "{text}");
        }
        for text in ["", "127.0.0.1:6379", "http://127.0.0.1", "redis://", "redis://host:port"] {
            assert!(RedisAddress::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn nobody_sees_the_password() {
        let address = RedisAddress::parse("redis://me:p%40ss@host:6379/1").unwrap();
        assert_eq!(
            (address.to_string(), format!("{address:?}")),
            ("redis://…@host:6379/1".into(), "redis://…@host:6379/1".into())
        );
        for text in [
            "me:secret@host",
            "redis://secret@ho@st",
            "unix:///run/redis?pass=secret",
            "redis://a#secret",
            "redis://a?b@secret",
            "redis://:secret?@h",
        ] {
            assert!(!redacted(text).contains("secret"), "{text}");
        }
    }
}
