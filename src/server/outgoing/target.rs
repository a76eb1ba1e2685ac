//! Where a request goes, as far as the text of its address tells.

use super::OutgoingError;
use super::address::is_public;
use ipnet::IpNet;
use std::net::IpAddr;
use url::{Host, Url};

/// Bytes of an address: what browsers and servers can be expected to take.
const MAX_URL_BYTES: usize = 2_048;

/// What may be reached.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Networks that are reached though they are not public, at any port.
    pub allow: Vec<IpNet>,
    /// Networks that are not reached, whatever else is said of them.
    pub refuse: Vec<IpNet>,
    pub ports: Ports,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Of public addresses 80 and 443.
    Web,
    Any,
}

impl Rules {
    pub fn allows(&self, address: IpAddr, port: u16) -> bool {
        let public = is_public(address) && self.ports.contain(port);
        let allowed = public || self.allow.iter().any(|network| network.contains(&address));
        // An IPv4 address that is written as an IPv6 one is the same host.
        let refused = [address, address.to_canonical()];
        allowed && !self.refuse.iter().any(|network| refused.iter().any(|address| network.contains(address)))
    }

    /// Of an address whose host is not looked up yet: networks that are named are reached at any port.
    pub(super) fn ports_before_lookup(&self) -> Ports {
        if self.allow.is_empty() { self.ports } else { Ports::Any }
    }
}

impl Ports {
    fn contain(self, port: u16) -> bool {
        self == Ports::Any || matches!(port, 80 | 443)
    }
}

/// An address whose text is as the rules want it.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub url: Url,
}

impl Target {
    pub fn parse(text: &str, ports: Ports) -> Result<Target, OutgoingError> {
        // A parser of addresses takes more than people see: these it would drop, or read as a slash.
        if text.len() > MAX_URL_BYTES || text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(OutgoingError::BadUrl);
        }
        let url = Url::parse(text).map_err(|_| OutgoingError::BadUrl)?;
        let target = Target::check(url, text, ports)?;
        let written_out = text[target.url.scheme().len()..].starts_with("://");
        if written_out { Ok(target) } else { Err(OutgoingError::BadUrl) }
    }

    /// Where a redirect from here leads.
    pub fn redirected(&self, location: &str, ports: Ports) -> Result<Target, OutgoingError> {
        if location.len() > MAX_URL_BYTES || location.contains(|c: char| c.is_control() || c == '\\') {
            return Err(OutgoingError::BadRedirect);
        }
        let url = self.url.join(location).map_err(|_| OutgoingError::BadRedirect)?;
        let same_host = url.host() == self.url.host();
        let text = if same_host { url.as_str().to_owned() } else { location.to_owned() };
        let next = Target::check(url, &text, ports)?;
        if self.is_encrypted() && !next.is_encrypted() {
            return Err(OutgoingError::Downgrade);
        }
        Ok(next)
    }

    /// `text` is how the host was written.
    fn check(mut url: Url, text: &str, ports: Ports) -> Result<Target, OutgoingError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OutgoingError::BadScheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutgoingError::UserInfo);
        }
        if let Some(Host::Ipv4(address)) = url.host()
            && !is_written(text, &address.to_string())
        {
            return Err(OutgoingError::OddAddress);
        }
        if !ports.contain(url.port_or_known_default().unwrap_or_default()) {
            return Err(OutgoingError::PortRefused);
        }
        url.set_fragment(None);
        Ok(Target { url })
    }

    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host if it is an address already.
    pub fn literal(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
        }
    }

    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// What stands in the header `Host`.
    pub fn authority(&self) -> String {
        match self.url.port() {
            Some(port) => format!("{}:{port}", self.host()),
            None => self.host().to_owned(),
        }
    }

    pub fn path_and_query(&self) -> String {
        match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        }
    }
}

/// Whether the host stands in the text just so.
fn is_written(text: &str, host: &str) -> bool {
    let rest = text.split_once("//").and_then(|(_, rest)| rest.strip_prefix(host));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> OutgoingError {
        Target::parse(text, Ports::Web).expect_err(text)
    }

    #[test]
    fn addresses_of_pages_are_taken() {
        for text in [
            "http://example.org",
            "https://example.org:443/a?b=c#d",
            "https://예시.한국/글",
            "http://93.184.216.34/",
            "http://93.184.216.34:80?a",
            "https://[2606:4700::1111]/",
            "http://example.org:443/",
        ] {
            assert!(Target::parse(text, Ports::Web).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_sent_has_no_fragment() {
        let target = Target::parse("https://example.org/a?b=c#d", Ports::Web).unwrap();
        assert_eq!((target.authority().as_str(), target.path_and_query().as_str()), ("example.org", "/a?b=c"));
    }

    #[test]
    fn other_schemes_are_refused() {
        for text in ["ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "javascript:alert(1)"] {
            assert_eq!(refusal(text), OutgoingError::BadScheme, "{text}");
        }
    }

    #[test]
    fn names_and_passwords_are_refused() {
        for text in ["http://a@example.org/", "http://a:b@example.org/", "http://example.org@127.0.0.1/"] {
            assert_eq!(refusal(text), OutgoingError::UserInfo, "{text}");
        }
    }

    #[test]
    fn numbers_in_odd_notation_are_refused() {
        for (name, text) in [
            ("decimal", "http://2130706433/"),
            ("hexadecimal", "http://0x7f000001/"),
            ("hexadecimal parts", "http://0x7f.0x0.0x0.0x1/"),
            ("octal", "http://017700000001/"),
            ("octal parts", "http://0177.0.0.1/"),
            ("short", "http://127.1/"),
            ("shorter", "http://0/"),
            ("dot at the end", "http://127.0.0.1./"),
            ("leading zeros", "http://010.0.0.1/"),
            ("wide digits", "http://１２７.０.０.１/"),
            ("digits in circles", "http://①②⑦.⓪.⓪.①/"),
            ("percent-encoded", "http://%31%32%37.0.0.1/"),
            ("also of public ones", "http://1.1/"),
        ] {
            assert_eq!(refusal(text), OutgoingError::OddAddress, "{name}: {text}");
        }
    }

    #[test]
    fn ports_other_than_the_webs_are_refused_where_that_is_the_rule() {
        assert_eq!(refusal("http://example.org:22/"), OutgoingError::PortRefused);
        assert_eq!(refusal("https://example.org:8443/"), OutgoingError::PortRefused);
        assert!(Target::parse("http://example.org:8080/", Ports::Any).is_ok());
    }

    #[test]
    fn what_a_parser_would_repair_is_refused() {
        for text in [
            "",
            "example.org",
            "http://",
            "http://exa\nmple.org/",
            "http:\\\\example.org",
            "http://example.org /a",
            "http:/127.0.0.1//127.0.0.1",
            "http:example.org",
            "//a",
        ] {
            assert_eq!(refusal(text), OutgoingError::BadUrl, "{text:?}");
        }
        assert_eq!(refusal(&format!("http://example.org/{}", "a".repeat(2_048))), OutgoingError::BadUrl);
    }

    #[test]
    fn a_redirect_is_checked_like_the_first_address() {
        let from = Target::parse("https://example.org/a/b", Ports::Web).unwrap();
        let to = |location| from.redirected(location, Ports::Web).map(|target| target.url.to_string());
        assert_eq!(to("c").as_deref(), Ok("https://example.org/a/c"));
        assert_eq!(to("//example.com/").as_deref(), Ok("https://example.com/"));
        assert_eq!(to("http://example.org/"), Err(OutgoingError::Downgrade));
        assert_eq!(to("ftp://example.org/"), Err(OutgoingError::BadScheme));
        assert_eq!(to("https://a:b@example.org/"), Err(OutgoingError::UserInfo));
        assert_eq!(to("https://2130706433/"), Err(OutgoingError::OddAddress));
        assert_eq!(to("//0x7f.1/"), Err(OutgoingError::OddAddress));
        assert_eq!(to("https://example.org:22/"), Err(OutgoingError::PortRefused));
        assert_eq!(to("https://"), Err(OutgoingError::BadRedirect));
        let literal = Target::parse("http://93.184.216.34/a", Ports::Web).unwrap();
        assert!(literal.redirected("/b//c", Ports::Web).is_ok(), "a path of the same host");
    }
}
