//! Which addresses a server calls: none of its own network, unless an admin allowed them in
//! `ServiceSettings.AllowedUntrustedInternalConnections`. Source: `shared/httpservice/client.go` and `httpservice.go`.
//!
//! A name is resolved here and a second time by the HTTP client, so this does not stop a name that changes between
//! the two. It shows honest integrations what a server refuses; it is no protection against attackers.

use ipnet::IpNet;
use std::net::IpAddr;

/// `reservedIPRanges` of 11, of which 5.37 has all but the last few.
const RESERVED: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "100.64.0.0/10",
    "::/128",
    "::1/128",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
    "2002::/16",
    "64:ff9b::/96",
];

/// Whether a server calls the host of a URL. A host that cannot be resolved is allowed here: the call then fails.
pub(super) async fn may_call(host: &str, allowed: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let words = || allowed.split([' ', ',', '\t', '\n', '\r']).filter(|word| !word.is_empty());
    if words().any(|word| word == host) {
        return true;
    }
    let fits = |ip: &IpAddr| {
        !is_reserved(*ip) || words().filter_map(|word| word.parse::<IpNet>().ok()).any(|net| net.contains(ip))
    };
    match host.parse::<IpAddr>() {
        Ok(ip) => fits(&ip.to_canonical()),
        Err(_) => match tokio::net::lookup_host((host, 0)).await {
            Ok(addresses) => {
                let addresses: Vec<IpAddr> = addresses.map(|address| address.ip().to_canonical()).collect();
                addresses.is_empty() || addresses.iter().any(fits)
            }
            Err(_) => true,
        },
    }
}

fn is_reserved(ip: IpAddr) -> bool {
    RESERVED.iter().filter_map(|range| range.parse::<IpNet>().ok()).any(|range| range.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_own_network_is_called_only_where_it_is_allowed() {
        for (host, allowed, called) in [
            ("192.0.2.1", "", false),
            ("8.8.8.8", "", true),
            ("127.0.0.1", "", false),
            ("127.0.0.1", "localhost, 127.0.0.1", true),
            ("127.0.0.2", "localhost, 127.0.0.1", false),
            ("10.1.2.3", "10.0.0.0/8 192.168.0.0/16", true),
            ("[::1]", "", false),
            ("[::1]", "::1", true),
            ("[::ffff:127.0.0.1]", "", false),
            ("localhost", "", false),
            ("localhost", "localhost", true),
            ("localhost", "127.0.0.0/8 ::1/128", true),
        ] {
            assert_eq!(may_call(host, allowed).await, called, "{host} with {allowed:?}");
        }
    }

    #[test]
    fn every_reserved_range_is_one() {
        assert!(RESERVED.iter().all(|range| range.parse::<IpNet>().is_ok()));
    }
}
