//! Connections: from a checked name to a stream.

use super::OutgoingError;
use super::resolve::Resolve;
use super::target::{Rules, Target};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// Addresses of one host that are tried, at most.
const MAX_ADDRESSES: usize = 4;

/// A connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Addresses that the rules allow; only these are connected to.
pub(super) async fn addresses(
    target: &Target,
    rules: &Rules,
    resolver: &dyn Resolve,
) -> Result<Vec<IpAddr>, OutgoingError> {
    let found = match target.literal() {
        Some(address) => vec![address],
        None => resolver.resolve(target.host()).await.map_err(|_| OutgoingError::Unresolved)?,
    };
    if found.is_empty() {
        return Err(OutgoingError::Unresolved);
    }
    let allowed = found.into_iter().filter(|address| rules.allows(*address, target.port()));
    let allowed: Vec<IpAddr> = allowed.take(MAX_ADDRESSES).collect();
    if allowed.is_empty() { Err(OutgoingError::AddressRefused) } else { Ok(allowed) }
}

/// Connects to the first address that takes it. A silent one has its share of the time that is left.
pub(super) async fn open(addresses: &[IpAddr], port: u16, deadline: Instant) -> Result<TcpStream, OutgoingError> {
    let mut failure = OutgoingError::Unreachable;
    for (tried, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - tried).unwrap_or(1);
        match timeout_at(Instant::now() + share, TcpStream::connect((*address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(_)) => failure = OutgoingError::Unreachable,
            Err(_) => failure = OutgoingError::Timeout,
        }
    }
    Err(failure)
}

pub(super) async fn encrypt(
    tls: &TlsConnector,
    target: &Target,
    stream: TcpStream,
) -> Result<Box<dyn Stream>, OutgoingError> {
    let name = match target.literal() {
        Some(address) => ServerName::from(address),
        None => ServerName::try_from(target.host().to_owned()).map_err(|_| OutgoingError::BadUrl)?,
    };
    let stream = tls.connect(name, stream).await.map_err(|_| OutgoingError::Tls)?;
    Ok(Box::new(stream))
}

/// The machine's own root certificates. Reads files.
pub(super) fn native_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        tracing::warn!(unusable, "this machine has no root certificates: no https address can be asked");
    }
    roots
}

pub(super) fn connector(roots: RootCertStore) -> Result<TlsConnector, OutgoingError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = versions.map_err(|_| OutgoingError::Tls)?.with_root_certificates(roots).with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
