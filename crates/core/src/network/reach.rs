//! The reach of an address: from how far away it can be connected to.
//!
//! An IPv6 address that carries an IPv4 address (mapped, compatible, 6to4, NAT64 and so on) reaches
//! no farther than that one, since a gateway may deliver to it.
//! Sources: IANA's registries of special-purpose addresses for IPv4 and IPv6; RFC 6052 (NAT64),
//! RFC 3056 (6to4), RFC 4380 (Teredo), RFC 5214 (ISATAP), RFC 2765 (SIIT).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// From how far away an address can be connected to. What is nearer is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// From everywhere.
    Public,
    /// From within a network: RFC 1918, unique local, carrier-grade NAT, and reserved addresses.
    Private,
    /// From this machine or its link, and the metadata services of clouds.
    Local,
}

/// Metadata services of clouds at addresses that are not link-local: of Alibaba Cloud, Azure and
/// Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

impl Reach {
    /// The reach of an address.
    ///
    /// ```
    /// use windlass_core::network::Reach;
    ///
    /// assert_eq!(Reach::of("93.184.215.14".parse()?), Reach::Public);
    /// assert_eq!(Reach::of("10.1.2.3".parse()?), Reach::Private);
    /// assert_eq!(Reach::of("::ffff:127.0.0.1".parse()?), Reach::Local);
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        }
    }
}

/// What an address whose reach is [`Reach::Local`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocalKind {
    /// This machine.
    Loopback,
    /// The link.
    LinkLocal,
    /// Any address of this machine, or of this network.
    Unspecified,
    /// A group.
    Multicast,
    /// Everybody on the link.
    Broadcast,
    /// The metadata service of a cloud.
    Metadata,
}

impl fmt::Display for LocalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Unspecified => "an unspecified address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Metadata => "the address of a metadata service",
        })
    }
}

/// What an address is, for addresses whose reach is [`Reach::Local`].
pub(super) fn kind(address: IpAddr) -> LocalKind {
    let address = match address {
        IpAddr::V6(outer) if own_v6(outer) < Reach::Local => {
            let inner = embedded(outer).find(|inner| of_v4(*inner) == Reach::Local);
            inner.map_or(address, IpAddr::V4)
        }
        _ => address,
    };
    match address {
        address if address.is_loopback() => LocalKind::Loopback,
        address if address.is_multicast() => LocalKind::Multicast,
        IpAddr::V4(address) if address.is_link_local() => LocalKind::LinkLocal,
        IpAddr::V6(address) if address.is_unicast_link_local() => LocalKind::LinkLocal,
        IpAddr::V4(address) if address.octets()[0] == 0 => LocalKind::Unspecified,
        IpAddr::V4(address) if address.is_broadcast() => LocalKind::Broadcast,
        IpAddr::V6(address) if address.is_unspecified() => LocalKind::Unspecified,
        _ => LocalKind::Metadata,
    }
}

/// The IPv4 addresses that an address may lead to.
pub(super) fn embedded(address: Ipv6Addr) -> impl Iterator<Item = Ipv4Addr> {
    let octets = address.octets();
    let segments = address.segments();
    let at = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| octets[place]));
    let last = at([12, 13, 14, 15]);
    let found = match segments {
        // the unspecified and the loopback address
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None, None],
        // compatible, mapped and translated; NAT64, with the prefix that all share
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => [Some(last), None],
        // NAT64, with a local prefix of 96 or of 48 bits: what is zero is not in use
        [0x64, 0xff9b, 1, ..] => [last, at([6, 7, 9, 10])]
            .map(|found| Some(found).filter(|found| !found.is_unspecified())),
        // 6to4
        [0x2002, ..] => [Some(at([2, 3, 4, 5])), None],
        // Teredo: the server, and the client
        [0x2001, 0, ..] => [
            Some(at([4, 5, 6, 7])),
            Some(Ipv4Addr::from(last.octets().map(|octet| !octet))),
        ],
        _ => [None, None],
    };
    let isatap = matches!(segments, [_, _, _, _, 0 | 0x200, 0x5efe, ..]).then_some(last);
    found.into_iter().flatten().chain(isatap)
}

fn of_v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Local;
    }
    match address.octets() {
        // this network, loopback, link-local, multicast, broadcast
        [0 | 127 | 224..=239, ..] | [169, 254, ..] | [255, 255, 255, 255] => Reach::Local,
        // RFC 1918, carrier-grade NAT, reserved for the future, protocol assignments, documentation,
        // 6to4 relays, benchmarks
        [10 | 240.., ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [100, 64..=127, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Private,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    let inner = embedded(address).map(of_v4).max();
    own_v6(address).max(inner.unwrap_or(Reach::Public))
}

/// The reach of an address whatever it embeds.
fn own_v6(address: Ipv6Addr) -> Reach {
    match address.segments() {
        // unspecified, loopback, link-local, multicast, metadata services of AWS and Google Cloud
        [0, 0, 0, 0, 0, 0, 0, 0 | 1]
        | [0xfe80..=0xfebf | 0xff00.., ..]
        | [0xfd00, 0xec2, ..]
        | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => Reach::Local,
        // protocol assignments and documentation within the public range
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Private,
        // the public range; mapped, translated and NAT64, which are where the embedded address is
        [0x2000..=0x3fff, ..]
        | [0, 0, 0, 0, 0, 0xffff, _, _]
        | [0, 0, 0, 0, 0xffff, 0, _, _]
        | [0x64, 0xff9b, 0, 0, 0, 0, _, _]
        | [0x64, 0xff9b, 1, ..] => Reach::Public,
        _ => Reach::Private,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(text: &str) -> Reach {
        Reach::of(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_this_machine_and_its_link_are_local_in_every_form() {
        for (text, expected) in [
            ("127.0.0.1", "a loopback address"),
            ("127.255.255.254", "a loopback address"),
            ("::1", "a loopback address"),
            ("::ffff:127.0.0.1", "a loopback address"),
            ("::127.0.0.1", "a loopback address"),
            ("::ffff:0:127.0.0.1", "a loopback address"),
            ("64:ff9b::127.0.0.1", "a loopback address"),
            ("64:ff9b:1::127.0.0.1", "a loopback address"),
            ("64:ff9b:1:7f00:0:100::", "a loopback address"),
            ("2002:7f00:1::", "a loopback address"),
            ("2001:0:4136:e378:8000:63bf:80ff:fffe", "a loopback address"),
            ("2001:470::5efe:127.0.0.1", "a loopback address"),
            ("2002:808:808::5efe:127.0.0.1", "a loopback address"),
            ("2002:7f00:1::5efe:8.8.8.8", "a loopback address"),
            ("169.254.169.254", "a link-local address"),
            ("::ffff:169.254.169.254", "a link-local address"),
            ("2002:a9fe:a9fe::1", "a link-local address"),
            ("fe80::1", "a link-local address"),
            ("febf::1", "a link-local address"),
            ("0.0.0.0", "an unspecified address"),
            ("0.1.2.3", "an unspecified address"),
            ("::", "an unspecified address"),
            ("::ffff:0.0.0.0", "an unspecified address"),
            ("224.0.0.251", "a multicast address"),
            ("ff02::fb", "a multicast address"),
            ("255.255.255.255", "the broadcast address"),
            ("100.100.100.200", "the address of a metadata service"),
            ("168.63.129.16", "the address of a metadata service"),
            ("fd00:ec2::254", "the address of a metadata service"),
            ("fd20:ce::254", "the address of a metadata service"),
        ] {
            assert_eq!(reach(text), Reach::Local, "{text}");
            assert_eq!(kind(text.parse().unwrap()).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_of_networks_and_reserved_ones_are_private() {
        for text in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.7",
            "240.0.0.1",
            "fc00::1",
            "fd12::1",
            "fec0::1",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "::ffff:10.0.0.1",
            "::8.8.8.8",
            "64:ff9b::10.0.0.1",
            "2002:0a00:1::",
            "64:ff9b:1::10.0.0.1",
            "4000::1",
        ] {
            assert_eq!(reach(text), Reach::Private, "{text}");
        }
    }

    #[test]
    fn all_other_addresses_are_public() {
        for text in [
            "8.8.8.8",
            "172.32.0.1",
            "100.63.255.255",
            "169.253.0.1",
            "128.0.0.1",
            "2606:4700::1",
            "64:ff9b::8.8.8.8",
            "64:ff9b:1::8.8.8.8",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
            "2a00:1450::1",
        ] {
            assert_eq!(reach(text), Reach::Public, "{text}");
        }
    }
}
