//! What the owner of the installation allows beyond the open internet.

use std::{net::IpAddr, str::FromStr};

/// Hosts and networks that are asked wherever they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// A name, in small letters.
    Host(String),
    /// Every name below this one; with the dot in front.
    Below(String),
    /// A network; a single address has all bits.
    Net(IpAddr, u32),
}

/// A text that is neither a host nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no host name, address or network such as crm.lan, 10.1.2.3 or 10.1.0.0/16")]
pub struct NotAHost(pub String);

impl FromStr for Allowed {
    type Err = NotAHost;

    /// Entries with commas or blanks between them.
    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let entries = text.split([',', ' ', '\t', '\n']).filter(|entry| !entry.is_empty());
        entries.map(|entry| rule(entry).ok_or_else(|| NotAHost(entry.to_owned()))).collect()
    }
}

impl FromIterator<Rule> for Allowed {
    fn from_iter<T: IntoIterator<Item = Rule>>(rules: T) -> Self {
        Self(rules.into_iter().collect())
    }
}

fn rule(entry: &str) -> Option<Rule> {
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    let (address, bits) = match bare.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
        None => (bare, None),
    };
    if let Ok(address) = address.parse::<IpAddr>() {
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        return (bits <= most).then_some(Rule::Net(address, bits));
    }
    let name = entry.to_ascii_lowercase();
    let (host, below) = match name.strip_prefix('*') {
        Some(rest) => (rest.strip_prefix('.')?, true),
        None => (name.as_str(), false),
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if bits.is_some() || !host.split('.').all(label) {
        return None;
    }
    Some(if below { Rule::Below(format!(".{host}")) } else { Rule::Host(host.to_owned()) })
}

impl Allowed {
    /// Whether a name may be at any address.
    pub(crate) fn host(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.0.iter().any(|rule| match rule {
            Rule::Host(name) => *name == host,
            Rule::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()),
            Rule::Net(..) => false,
        })
    }

    /// Whether an address may be asked.
    pub(crate) fn address(&self, address: IpAddr) -> bool {
        self.0.iter().any(|rule| match rule {
            Rule::Net(net, bits) => within(address, *net, *bits),
            Rule::Host(_) | Rule::Below(_) => false,
        })
    }
}

fn within(address: IpAddr, net: IpAddr, bits: u32) -> bool {
    let (address, net, width) = match (address, net) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    // A network of no bits is everything, and shifting by the whole width is not defined.
    (address ^ net).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(text: &str) -> Allowed {
        text.parse().unwrap()
    }

    #[test]
    fn hosts_are_allowed_by_name_and_below_a_name() {
        let rules = allowed("crm.lan, *.Corp.example");
        for host in ["crm.lan", "CRM.lan", "crm.lan.", "a.corp.example", "b.a.corp.example"] {
            assert!(rules.host(host), "{host}");
        }
        for host in
            ["xcrm.lan", "crm.lan.evil.example", "corp.example", "xcorp.example", ".corp.example"]
        {
            assert!(!rules.host(host), "{host}");
        }
    }

    #[test]
    fn networks_are_allowed_bit_by_bit() {
        let rules = allowed("10.1.0.0/16 192.168.7.9 fd00:1::/32 [::1]");
        for address in ["10.1.0.1", "10.1.255.255", "192.168.7.9", "fd00:1::5", "::1"] {
            assert!(rules.address(address.parse().unwrap()), "{address}");
        }
        for address in ["10.2.0.1", "192.168.7.8", "fd00:2::5", "::2", "::ffff:10.1.0.1"] {
            assert!(!rules.address(address.parse().unwrap()), "{address}");
        }
        assert!(allowed("0.0.0.0/0").address("127.0.0.1".parse().unwrap()));
        assert!(!Allowed::default().address("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_host_is_named() {
        for text in ["10.0.0.0/33", "a..b", "*", "*x.lan", "http://crm.lan", "crm.lan/8", "a b/c"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
        assert_eq!(allowed(" , "), Allowed::default());
    }
}
