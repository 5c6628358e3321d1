//! Which addresses are public. From the bundle, other things can be reached that must not be called: Lambda's runtime API on
//! loopback, credentials on link-local addresses, and a company's network in the VPC.
//!
//! The tables are IANA's registries of special-purpose addresses
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>, `iana-ipv6-special-registry`).

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Why an address is not public.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // The words of the registries.
pub enum Class {
    Unspecified,
    Loopback,
    Private,
    LinkLocal,
    CarrierGradeNat,
    Multicast,
    Broadcast,
    Documentation,
    Benchmarking,
    Ipv4Mapped,
    SixToFour,
    Nat64,
    Teredo,
    Reserved,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::CarrierGradeNat => "an address of a carrier's NAT",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Documentation => "an address for documentation",
            Self::Benchmarking => "an address for benchmarks",
            Self::Ipv4Mapped => "an IPv4 address written as IPv6",
            Self::SixToFour => "a 6to4 address",
            Self::Nat64 => "a NAT64 address",
            Self::Teredo => "a Teredo address",
            Self::Reserved => "a reserved address",
        })
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

/// Only the first three segments of an address matter here, and the sixth for IPv4-mapped addresses.
const fn v6(first: u16, second: u16, third: u16, sixth: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(first, second, third, 0, 0, sixth, 0, 0), prefix)
}

/// The first network that contains an address says what it is.
const V4: [(Ipv4Net, Class); 16] = [
    (v4(0, 0, 0, 0, 8), Class::Unspecified),
    (v4(10, 0, 0, 0, 8), Class::Private),
    (v4(100, 64, 0, 0, 10), Class::CarrierGradeNat),
    (v4(127, 0, 0, 0, 8), Class::Loopback),
    (v4(169, 254, 0, 0, 16), Class::LinkLocal),
    (v4(172, 16, 0, 0, 12), Class::Private),
    (v4(192, 0, 0, 0, 24), Class::Reserved),
    (v4(192, 0, 2, 0, 24), Class::Documentation),
    (v4(192, 88, 99, 0, 24), Class::SixToFour),
    (v4(192, 168, 0, 0, 16), Class::Private),
    (v4(198, 18, 0, 0, 15), Class::Benchmarking),
    (v4(198, 51, 100, 0, 24), Class::Documentation),
    (v4(203, 0, 113, 0, 24), Class::Documentation),
    (v4(224, 0, 0, 0, 4), Class::Multicast),
    (v4(255, 255, 255, 255, 32), Class::Broadcast),
    (v4(240, 0, 0, 0, 4), Class::Reserved),
];

const V6: [(Ipv6Net, Class); 15] = [
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), Class::Unspecified),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), Class::Loopback),
    (v6(0, 0, 0, 0xffff, 96), Class::Ipv4Mapped),
    (v6(0x64, 0xff9b, 0, 0, 96), Class::Nat64),
    (v6(0x64, 0xff9b, 1, 0, 48), Class::Nat64),
    (v6(0x2001, 0, 0, 0, 32), Class::Teredo),
    (v6(0x2001, 2, 0, 0, 48), Class::Benchmarking),
    (v6(0x2001, 0, 0, 0, 23), Class::Reserved),
    (v6(0x2001, 0xdb8, 0, 0, 32), Class::Documentation),
    (v6(0x2002, 0, 0, 0, 16), Class::SixToFour),
    (v6(0x3fff, 0, 0, 0, 20), Class::Documentation),
    (v6(0xfc00, 0, 0, 0, 7), Class::Private),
    (v6(0xfe80, 0, 0, 0, 10), Class::LinkLocal),
    (v6(0xfec0, 0, 0, 0, 10), Class::Private),
    (v6(0xff00, 0, 0, 0, 8), Class::Multicast),
];

/// The part of IPv6 that is routed in public. The rest is reserved.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 0, 0, 3);

/// Why an address is not public. `None`: it is public.
pub fn class(address: IpAddr) -> Option<Class> {
    match address {
        IpAddr::V4(address) => V4.iter().find(|(net, _)| net.contains(&address)).map(|(_, class)| *class),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, class)| *class)
            .or_else(|| (!PUBLIC_V6.contains(&address)).then_some(Class::Reserved)),
    }
}

/// Whether the bundle may connect to an address: it is public, or the operator listed its network.
pub fn permitted(address: IpAddr, allowed: &[IpNet], loopback: bool) -> Result<(), Class> {
    match class(address) {
        None => Ok(()),
        Some(Class::Loopback) if loopback => Ok(()),
        Some(_) if allowed.iter().any(|net| net.contains(&address)) => Ok(()),
        Some(class) => Err(class),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_address_is_told_from_the_public_ones() {
        for (text, expected) in [
            ("0.0.0.0", Some(Class::Unspecified)),
            ("0.1.2.3", Some(Class::Unspecified)),
            ("1.1.1.1", None),
            ("9.255.255.255", None),
            ("10.0.0.0", Some(Class::Private)),
            ("10.255.255.255", Some(Class::Private)),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.64.0.0", Some(Class::CarrierGradeNat)),
            ("100.127.255.255", Some(Class::CarrierGradeNat)),
            ("100.128.0.0", None),
            ("127.0.0.1", Some(Class::Loopback)),
            ("127.255.255.254", Some(Class::Loopback)),
            ("169.254.169.254", Some(Class::LinkLocal)),
            ("169.254.170.2", Some(Class::LinkLocal)),
            ("172.15.255.255", None),
            ("172.16.0.1", Some(Class::Private)),
            ("172.31.255.255", Some(Class::Private)),
            ("172.32.0.0", None),
            ("192.0.0.8", Some(Class::Reserved)),
            ("192.0.2.1", Some(Class::Documentation)),
            ("192.88.99.1", Some(Class::SixToFour)),
            ("192.168.1.1", Some(Class::Private)),
            ("198.17.255.255", None),
            ("198.18.0.1", Some(Class::Benchmarking)),
            ("198.19.255.255", Some(Class::Benchmarking)),
            ("198.20.0.0", None),
            ("198.51.100.7", Some(Class::Documentation)),
            ("203.0.113.7", Some(Class::Documentation)),
            ("223.255.255.255", None),
            ("224.0.0.1", Some(Class::Multicast)),
            ("239.255.255.255", Some(Class::Multicast)),
            ("240.0.0.1", Some(Class::Reserved)),
            ("255.255.255.254", Some(Class::Reserved)),
            ("255.255.255.255", Some(Class::Broadcast)),
            ("::", Some(Class::Unspecified)),
            ("::1", Some(Class::Loopback)),
            ("::127.0.0.1", Some(Class::Reserved)),
            ("::ffff:8.8.8.8", Some(Class::Ipv4Mapped)),
            ("::ffff:169.254.169.254", Some(Class::Ipv4Mapped)),
            ("64:ff9b::10.0.0.1", Some(Class::Nat64)),
            ("64:ff9b:1::1", Some(Class::Nat64)),
            ("100::1", Some(Class::Reserved)),
            ("2001::1", Some(Class::Teredo)),
            ("2001:2::1", Some(Class::Benchmarking)),
            ("2001:20::1", Some(Class::Reserved)),
            ("2001:db8::1", Some(Class::Documentation)),
            ("2001:4860:4860::8888", None),
            ("2002:7f00:1::", Some(Class::SixToFour)),
            ("2606:4700::1111", None),
            ("3fff::1", Some(Class::Documentation)),
            ("4000::1", Some(Class::Reserved)),
            ("5f00::1", Some(Class::Reserved)),
            ("fd00:ec2::254", Some(Class::Private)),
            ("fe80::1", Some(Class::LinkLocal)),
            ("fec0::1", Some(Class::Private)),
            ("ff02::1", Some(Class::Multicast)),
        ] {
            assert_eq!(class(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_the_operator_lists_is_open_and_nothing_beside_it() {
        let allowed: Vec<IpNet> = vec!["10.1.0.0/16".parse().unwrap(), "fd00:1::/32".parse().unwrap()];
        for (text, expected) in [
            ("10.1.2.3", Ok(())),
            ("10.2.0.1", Err(Class::Private)),
            ("fd00:1::5", Ok(())),
            ("fd00:2::5", Err(Class::Private)),
            ("::ffff:10.1.2.3", Err(Class::Ipv4Mapped)),
            ("127.0.0.1", Err(Class::Loopback)),
            ("8.8.8.8", Ok(())),
        ] {
            assert_eq!(permitted(text.parse().unwrap(), &allowed, false), expected, "{text}");
        }
    }

    #[test]
    fn the_bundle_on_a_laptop_reaches_its_own_machine_and_no_other() {
        for (text, expected) in [("127.0.0.1", Ok(())), ("::1", Ok(())), ("192.168.1.1", Err(Class::Private))]
        {
            assert_eq!(permitted(text.parse().unwrap(), &[], true), expected, "{text}");
        }
    }
}
