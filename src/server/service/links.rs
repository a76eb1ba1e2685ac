//! Addresses of one-time links.

use crate::server::config::Config;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a one-time link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    SetUp,
    Join,
    Reset,
}

impl Link {
    /// The whole address. `origin` is where the one who makes the link reached the node; the
    /// setting `public_url` goes before it, the listen address after it.
    pub fn address(self, config: &Config, origin: Option<&str>, secret: &str) -> String {
        let path = match self {
            Link::SetUp => "set-up",
            Link::Join => "join",
            Link::Reset => "reset",
        };
        let base = match (&config.public_url, origin) {
            (None, Some(origin)) => origin.to_owned(),
            _ => base_address(config),
        };
        format!("{base}/{path}/{secret}")
    }
}

/// Where a person reaches the node: the setting `public_url`, else the listen address as this
/// machine visits it.
pub fn base_address(config: &Config) -> String {
    config.public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(config.listen)))
}

/// Nobody can visit the address that means "all of them": on this machine the loopback one is meant.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_can_be_visited_from_this_machine() {
        let shown = |listen: &str| reachable(listen.parse().unwrap()).to_string();
        assert_eq!(shown("0.0.0.0:3000"), "127.0.0.1:3000");
        assert_eq!(shown("[::]:3000"), "[::1]:3000");
        assert_eq!(shown("192.0.2.1:80"), "192.0.2.1:80");
    }
}
