//! Which addresses belong to nobody in particular, and which to this network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A kind of network that a stranger's address must not lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Network {
    /// 0.0.0.0/8 and `::`.
    Unspecified,
    /// 127.0.0.0/8 and `::1`.
    Loopback,
    /// 10/8, 172.16/12, 192.168/16, and `fc00::/7` and `fec0::/10` of IPv6.
    Private,
    /// 100.64.0.0/10, behind a carrier's NAT.
    CarrierNat,
    /// 169.254.0.0/16 and `fe80::/10`: the neighbour, and the metadata service of a cloud.
    LinkLocal,
    /// 224.0.0.0/4 and `ff00::/8`.
    Multicast,
    /// Addresses of examples in books.
    Documentation,
    /// An address within an IPv6 address: mapped, compatible, NAT64, 6to4 or Teredo.
    Translated,
    /// Kept for protocols, benchmarks, broadcast or later.
    Reserved,
}

impl Network {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Unspecified,
        Self::Loopback,
        Self::Private,
        Self::CarrierNat,
        Self::LinkLocal,
        Self::Multicast,
        Self::Documentation,
        Self::Translated,
        Self::Reserved,
    ];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::CarrierNat => "carrier_nat",
            Self::LinkLocal => "link_local",
            Self::Multicast => "multicast",
            Self::Documentation => "documentation",
            Self::Translated => "translated",
            Self::Reserved => "reserved",
        }
    }
}

/// The kind of network that forbids `address`; `None` for an address of the open internet.
///
/// After the special-purpose registries of IANA (RFC 6890 and what was added to it).
pub fn judge(address: IpAddr) -> Option<Network> {
    match address {
        IpAddr::V4(address) => judge_v4(address),
        IpAddr::V6(address) => judge_v6(address),
    }
}

fn judge_v4(address: Ipv4Addr) -> Option<Network> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (0, ..) => Some(Network::Unspecified),
        (127, ..) => Some(Network::Loopback),
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => Some(Network::Private),
        (100, 64..=127, _) => Some(Network::CarrierNat),
        (169, 254, _) => Some(Network::LinkLocal),
        (224..=239, ..) => Some(Network::Multicast),
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => Some(Network::Documentation),
        (192, 88, 99) => Some(Network::Translated),
        (192, 0, 0) | (198, 18..=19, _) | (240..=255, ..) => Some(Network::Reserved),
        _ => None,
    }
}

fn judge_v6(address: Ipv6Addr) -> Option<Network> {
    let [first, second, third, fourth, fifth, sixth, ..] = address.segments();
    let embeds = matches!((third, fourth, fifth, sixth), (0, 0, 0, 0 | 0xFFFF) | (0, 0, 0xFFFF, _));
    match (first, second) {
        _ if address.is_unspecified() => Some(Network::Unspecified),
        _ if address.is_loopback() => Some(Network::Loopback),
        // ::/96 compatible, ::ffff:0:0/96 mapped, ::ffff:0:0:0/96 translated.
        (0, 0) if embeds => Some(Network::Translated),
        // NAT64 64:ff9b::/96 and 64:ff9b:1::/48, 6to4, Teredo.
        (0x64, 0xFF9B) | (0x2002, _) | (0x2001, 0) => Some(Network::Translated),
        (0xFC00..=0xFDFF | 0xFEC0..=0xFEFF, _) => Some(Network::Private),
        (0xFE80..=0xFEBF, _) => Some(Network::LinkLocal),
        (0xFF00.., _) => Some(Network::Multicast),
        (0x2001, 0xDB8) | (0x3FFF, 0..=0xFFF) => Some(Network::Documentation),
        // 2001::/23 is for protocols, and only 2000::/3 is global unicast.
        (0x2001, 0..=0x1FF) => Some(Network::Reserved),
        (0x2000..=0x3FFF, _) => None,
        _ => Some(Network::Reserved),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_special_network_is_refused_by_its_name() {
        for (network, addresses) in [
            (Network::Unspecified, "0.0.0.0 0.1.2.3 ::"),
            (Network::Loopback, "127.0.0.1 127.255.255.254 ::1"),
            (
                Network::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fd12:3456::1 fec0::1",
            ),
            (Network::CarrierNat, "100.64.0.1 100.127.255.255"),
            (Network::LinkLocal, "169.254.169.254 fe80::1 febf::1"),
            (Network::Multicast, "224.0.0.1 239.255.255.255 ff02::1 ffff::1"),
            (Network::Documentation, "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff:fff::1"),
            (
                Network::Translated,
                "::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::8.8.8.8 ::ffff:0:10.0.0.1 \
                 64:ff9b::7f00:1 64:ff9b:1::a00:1 2002:7f00:1:: 2001::1 192.88.99.1",
            ),
            (
                Network::Reserved,
                "192.0.0.1 198.18.0.1 198.19.255.255 240.0.0.1 255.255.255.255 100::1 2001:2::1 \
                 2001:20::1 5f00::1 4000::1",
            ),
        ] {
            for text in addresses.split_whitespace() {
                assert_eq!(judge(text.parse().unwrap()), Some(network), "{text}");
            }
        }
    }

    #[test]
    fn the_open_internet_is_not() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.1.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860:4860::8888",
            "2001:200::1",
            "3fff:1000::1",
        ] {
            assert_eq!(judge(text.parse().unwrap()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_address_within_an_address_is_never_let_through(inner in any::<u32>()) {
            let v4 = Ipv4Addr::from(inner);
            let low = u128::from(inner);
            for v6 in [
                v4.to_ipv6_mapped(),
                v4.to_ipv6_compatible(),
                Ipv6Addr::from((0x64_FF9B_u128 << 96) | low),
                Ipv6Addr::from((0x2002_u128 << 112) | (low << 80)),
            ] {
                prop_assert!(judge(IpAddr::V6(v6)).is_some(), "{v6}");
            }
        }
    }
}
