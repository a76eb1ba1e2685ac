//! Cookies: the session's, the language's, and reading any.

use crate::i18n::Locale;
use crate::server::config::Config;
use axum::http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Keeps the choice of a reader without an account.
pub const LOCALE_COOKIE: &str = "locale";
const LOCALE_LIFETIME: Duration = DAY.saturating_mul(365);

/// How the session's secret travels. With an https address the name has the `__Host-` prefix, by
/// which browsers refuse a cookie that was set insecurely or for another host.
#[derive(Clone, Copy, Debug)]
pub struct SessionCookie {
    transport: Transport,
    lifetime: Duration,
}

impl SessionCookie {
    pub fn of(config: &Config) -> SessionCookie {
        SessionCookie { transport: Transport::of(config), lifetime: DAY * config.limits.session_days }
    }

    pub fn name(self) -> &'static str {
        match self.transport {
            Transport::Https => "__Host-pickmate_session",
            Transport::Http => "pickmate_session",
        }
    }

    /// The secret that a request carries.
    pub fn read(self, headers: &HeaderMap) -> Option<&str> {
        read_cookie(headers, self.name())
    }

    /// `Set-Cookie` that begins a session. `None` for a value no cookie can have.
    pub fn begin(self, secret: &str) -> Option<HeaderValue> {
        self.header(secret, self.lifetime)
    }

    /// `Set-Cookie` by which the browser keeps the cookie as long as the store keeps the session it
    /// was just used for.
    pub fn prolong(self, headers: &HeaderMap) -> Option<HeaderValue> {
        self.begin(self.read(headers)?)
    }

    /// `Set-Cookie` that takes the cookie away.
    pub fn end(self) -> Option<HeaderValue> {
        self.header("", Duration::ZERO)
    }

    fn header(self, value: &str, lifetime: Duration) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("{}={value}; {}", self.name(), self.transport.attributes(lifetime))).ok()
    }
}

/// How the choice of a reader without an account is kept.
#[derive(Clone, Copy, Debug)]
pub struct LocaleCookie {
    transport: Transport,
}

impl LocaleCookie {
    pub fn of(config: &Config) -> LocaleCookie {
        LocaleCookie { transport: Transport::of(config) }
    }

    /// `Set-Cookie` for a choice; `None` takes it back.
    pub fn keep(self, locale: Option<Locale>) -> Option<HeaderValue> {
        let (value, lifetime) = locale.map_or(("", Duration::ZERO), |locale| (locale.tag(), LOCALE_LIFETIME));
        let cookie = format!("{LOCALE_COOKIE}={value}; {}", self.transport.attributes(lifetime));
        HeaderValue::from_str(&cookie).ok()
    }
}

/// How people reach the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Http,
    Https,
}

impl Transport {
    fn of(config: &Config) -> Transport {
        match &config.public_url {
            Some(url) if url.starts_with("https://") => Transport::Https,
            _ => Transport::Http,
        }
    }

    fn attributes(self, lifetime: Duration) -> String {
        let secure = if self == Transport::Https { "; Secure" } else { "" };
        format!("Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}", lifetime.as_secs())
    }
}

/// The value of the first cookie of this name.
pub fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_the_server_only() {
        let cookie = SessionCookie { transport: Transport::Http, lifetime: DAY };
        assert_eq!(cookie.begin("abc").unwrap(), "pickmate_session=abc; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax");
        assert_eq!(cookie.end().unwrap(), "pickmate_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn with_https_the_cookie_is_bound_to_the_host() {
        let cookie = SessionCookie { transport: Transport::Https, lifetime: DAY };
        assert_eq!(
            cookie.begin("abc").unwrap(),
            "__Host-pickmate_session=abc; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn cookies_are_read_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("x_locale=en; locale=ko"));
        headers.append(header::COOKIE, HeaderValue::from_static("tz_offset=540"));
        assert_eq!(read_cookie(&headers, "locale"), Some("ko"));
        assert_eq!(read_cookie(&headers, "tz_offset"), Some("540"));
        assert_eq!(read_cookie(&headers, "tz"), None);
    }
}
