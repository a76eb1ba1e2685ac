//! Which addresses are of the public internet: everything else is this machine, its network, or nobody's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks that are not public, as (first address, bits): IANA's special-purpose registry, and the address at which
/// machines of a large provider find their secrets, which looks public.
const REFUSED_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// What is allocated to the internet; private, link-local, multicast, mapped and NAT64 addresses lie outside.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Of that: protocols (Teredo, benchmarking, ORCHID), documentation, 6to4, documentation again.
const REFUSED_V6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether the address is of a host that everybody reaches. Of IPv6 those that carry an IPv4 address to be reached
/// through a gateway are not, whichever it is.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !REFUSED_V4.iter().any(|net| holds_v4(*net, v4)),
        IpAddr::V6(v6) => holds_v6(GLOBAL_V6, v6) && !REFUSED_V6.iter().any(|net| holds_v6(*net, v6)) && !is_isatap(v6),
    }
}

fn holds_v4((first, bits): (Ipv4Addr, u32), address: Ipv4Addr) -> bool {
    (u32::from(first) ^ u32::from(address)) >> (32 - bits) == 0
}

fn holds_v6((first, bits): (Ipv6Addr, u32), address: Ipv6Addr) -> bool {
    (u128::from(first) ^ u128::from(address)) >> (128 - bits) == 0
}

/// A tunnel to the IPv4 address in the last 32 bits, under any prefix.
fn is_isatap(address: Ipv6Addr) -> bool {
    let parts = address.segments();
    parts[4] & !0x0300 == 0 && parts[5] == 0x5efe
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(text: &str) -> bool {
        is_public(text.parse().unwrap())
    }

    #[test]
    fn hosts_of_the_internet_are_public() {
        for (name, address) in [
            ("a resolver", "1.1.1.1"),
            ("a site", "93.184.216.34"),
            ("just below the private ten", "9.255.255.255"),
            ("just above the private ten", "11.0.0.0"),
            ("just below carrier NAT", "100.63.255.255"),
            ("just above carrier NAT", "100.128.0.0"),
            ("just below the private 172", "172.15.255.255"),
            ("just above the private 172", "172.32.0.0"),
            ("beside the provider's secret host", "168.63.129.17"),
            ("just below multicast", "223.255.255.255"),
            ("a resolver's IPv6", "2606:4700:4700::1111"),
            ("another site's IPv6", "2a00:1450:4001::200e"),
            ("a registry's IPv6", "2001:500:88::1"),
            ("just above documentation", "2001:db9::1"),
        ] {
            assert!(public(address), "{name}: {address}");
        }
    }

    #[test]
    fn this_machine_its_network_and_nobodys_are_not_public() {
        for (name, address) in [
            ("this network", "0.0.0.0"),
            ("this network's end", "0.255.255.255"),
            ("private ten", "10.1.2.3"),
            ("carrier NAT", "100.64.0.1"),
            ("carrier NAT's end", "100.127.255.255"),
            ("a provider's metadata in carrier NAT", "100.100.100.200"),
            ("loopback", "127.0.0.1"),
            ("loopback's end", "127.255.255.254"),
            ("a provider's secret host", "168.63.129.16"),
            ("link-local", "169.254.0.1"),
            ("metadata of clouds", "169.254.169.254"),
            ("private 172", "172.16.0.1"),
            ("private 172's end", "172.31.255.255"),
            ("protocol assignments", "192.0.0.192"),
            ("documentation one", "192.0.2.1"),
            ("multicast tunnels", "192.52.193.1"),
            ("6to4 relays", "192.88.99.1"),
            ("private 192", "192.168.1.1"),
            ("benchmarking", "198.18.0.1"),
            ("benchmarking's end", "198.19.255.255"),
            ("documentation two", "198.51.100.1"),
            ("documentation three", "203.0.113.1"),
            ("multicast", "224.0.0.1"),
            ("multicast's end", "239.255.255.255"),
            ("reserved", "240.0.0.1"),
            ("broadcast", "255.255.255.255"),
        ] {
            assert!(!public(address), "{name}: {address}");
        }
    }

    #[test]
    fn private_and_reserved_ipv6_is_not_public() {
        for (name, address) in [
            ("unspecified", "::"),
            ("loopback", "::1"),
            ("discard only", "100::1"),
            ("protocol assignments", "2001:1::1"),
            ("benchmarking", "2001:2::1"),
            ("ORCHID", "2001:20::1"),
            ("documentation", "2001:db8::1"),
            ("new documentation", "3fff::1"),
            ("segment routing", "5f00::1"),
            ("not allocated", "4000::1"),
            ("unique local", "fd00::1"),
            ("a cloud's metadata", "fd00:ec2::254"),
            ("unique local, the other half", "fc00::1"),
            ("link-local", "fe80::1"),
            ("site-local", "fec0::1"),
            ("multicast", "ff02::1"),
        ] {
            assert!(!public(address), "{name}: {address}");
        }
    }

    #[test]
    fn ipv6_that_carries_ipv4_is_not_public_whatever_it_carries() {
        for (name, address) in [
            ("mapped loopback", "::ffff:127.0.0.1"),
            ("mapped public", "::ffff:1.1.1.1"),
            ("compatible", "::127.0.0.1"),
            ("translated", "::ffff:0:127.0.0.1"),
            ("NAT64 of loopback", "64:ff9b::7f00:1"),
            ("NAT64 of a public one", "64:ff9b::101:101"),
            ("NAT64 of a network's own", "64:ff9b:1::a9fe:a9fe"),
            ("6to4 of private ten", "2002:a00:1::1"),
            ("6to4 of a public one", "2002:101:101::1"),
            ("Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
            ("ISATAP of private ten", "2a00:1450:4001:800:0:5efe:a00:1"),
            ("ISATAP, globally unique", "2a00:1450:4001:800:200:5efe:a9fe:a9fe"),
        ] {
            assert!(!public(address), "{name}: {address}");
        }
    }
}
