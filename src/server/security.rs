//! What every answer carries and every state-changing request must show: security headers with a
//! fresh nonce, the client's address, the Origin check.

use super::auth::ClientIp;
use super::config::Config;
use super::error::AppError;
use super::forms;
use super::state::AppState;
use crate::protocol::ErrorCode;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use leptos::config::LeptosOptions;
use leptos::nonce::Nonce;
use std::net::{IpAddr, SocketAddr};

const HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: with it, form posts would send `Origin: null`.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Gives the request a nonce and the answer its headers.
pub async fn headers(reload: ReloadSocket, mut request: Request, next: Next) -> Response {
    let nonce = Nonce::new();
    let policy = content_security_policy(&nonce, reload);
    request.extensions_mut().insert(nonce);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        // Files have one of their own.
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    response
}

/// Where `cargo leptos watch`, and nothing else, tells a page to load itself anew.
#[derive(Clone, Copy, Debug)]
pub struct ReloadSocket(Option<u32>);

impl ReloadSocket {
    pub fn new(options: &LeptosOptions) -> ReloadSocket {
        let port = options.reload_external_port.unwrap_or(options.reload_port);
        ReloadSocket(std::env::var_os("LEPTOS_WATCH").map(|_| port))
    }

    fn sources(self) -> String {
        self.0.map(|port| format!(" ws://127.0.0.1:{port} ws://localhost:{port}")).unwrap_or_default()
    }
}

/// `'self'` covers the live socket too (CSP Level 3 matches ws with http).
fn content_security_policy(nonce: &str, reload: ReloadSocket) -> String {
    let reload = reload.sources();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'{reload}; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Finds the client's address: the peer, or what trusted proxies say of it.
pub async fn client_address(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let address = seen_address(&state.config, peer.ip(), request.headers());
        request.extensions_mut().insert(ClientIp(address));
    }
    next.run(request).await
}

/// The right-most address of `X-Forwarded-For` that is not a trusted proxy's; everything left of
/// it was written by somebody we have no reason to believe.
fn seen_address(config: &Config, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |address: &IpAddr| config.trusted_proxies.iter().any(|network| network.contains(address));
    let peer = peer.to_canonical();
    if !trusted(&peer) {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let mut nearest = peer;
    for hop in hops.iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        nearest = address.to_canonical();
        if !trusted(&nearest) {
            break;
        }
    }
    nearest
}

/// Refuses with 403 what a page of another site could have sent with a reader's cookie: requests
/// that change something, and the upgrade to the live socket. A bearer token proves intent itself.
pub async fn own_origin(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let harmless = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let upgrade = request.headers().contains_key(header::UPGRADE);
    // With this header a cookie is not looked at.
    let exempt = (harmless && !upgrade) || request.headers().contains_key(header::AUTHORIZATION);
    if exempt || origin_is_own(&state.config, request.headers()) {
        next.run(request).await
    } else {
        forms::refused(&state, request, AppError::refused(ErrorCode::WrongOrigin)).await
    }
}

fn origin_is_own(config: &Config, headers: &HeaderMap) -> bool {
    let named = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // Browsers name the origin of every post and upgrade. Who names none is a program, and has
    // nothing to be abused unless it carries a cookie.
    let Some(origin) = named(header::ORIGIN) else { return !headers.contains_key(header::COOKIE) };
    match &config.public_url {
        Some(url) => origin.eq_ignore_ascii_case(url),
        None => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == named(header::HOST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(public_url: Option<&str>, proxies: &[&str]) -> Config {
        Config {
            public_url: public_url.map(str::to_owned),
            trusted_proxies: proxies.iter().map(|network| network.parse().unwrap()).collect(),
            ..Config::default()
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_watching_opens_the_reload_socket() {
        let policy = |port| content_security_policy("n", ReloadSocket(port));
        assert!(policy(None).contains("connect-src 'self';"));
        assert!(policy(Some(3001)).contains("connect-src 'self' ws://127.0.0.1:3001 ws://localhost:3001;"));
    }

    #[test]
    fn without_a_public_url_the_origin_must_be_the_host() {
        let config = config(None, &[]);
        assert!(origin_is_own(&config, &headers(&[("host", "a.lan:3000"), ("origin", "http://a.lan:3000")])));
        assert!(!origin_is_own(&config, &headers(&[("host", "a.lan:3000"), ("origin", "http://b.lan:3000")])));
        assert!(!origin_is_own(&config, &headers(&[("host", "a.lan:3000"), ("origin", "null")])));
        assert!(!origin_is_own(&config, &headers(&[("host", "a.lan:3000"), ("cookie", "a=b")])));
        assert!(origin_is_own(&config, &headers(&[("host", "a.lan:3000")])));
    }

    #[test]
    fn with_a_public_url_the_origin_must_be_that_whatever_the_host_says() {
        let config = config(Some("https://chat.example"), &[]);
        assert!(origin_is_own(&config, &headers(&[("host", "inner:3000"), ("origin", "https://chat.example")])));
        assert!(!origin_is_own(&config, &headers(&[("host", "inner:3000"), ("origin", "http://inner:3000")])));
    }

    #[test]
    fn forwarded_addresses_count_only_behind_trusted_proxies() {
        let far: IpAddr = "203.0.113.9".parse().unwrap();
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let forwarded = headers(&[("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2")]);
        assert_eq!(seen_address(&config(None, &["10.0.0.0/8"]), proxy, &forwarded), far);
        assert_eq!(seen_address(&config(None, &[]), proxy, &forwarded), proxy);
        assert_eq!(seen_address(&config(None, &["10.0.0.0/8"]), far, &forwarded), far);
    }

    #[test]
    fn nonsense_in_the_chain_ends_it() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let forwarded = headers(&[("x-forwarded-for", "1.1.1.1, unknown")]);
        assert_eq!(seen_address(&config(None, &["10.0.0.0/8"]), proxy, &forwarded), proxy);
    }
}
