//! Under which names and addresses this machine is reached.

use std::{
    collections::BTreeSet,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

/// The addresses of this machine that others can reach, sorted. Link-local ones of IPv6 cannot stand
/// in a URL and are left out.
pub fn addresses() -> Vec<IpAddr> {
    let found = match if_addrs::get_if_addrs() {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "the addresses of this machine cannot be read");
            return Vec::new();
        }
    };
    let kept = found.iter().filter(|one| !one.is_loopback()).map(if_addrs::Interface::ip);
    let kept = kept.filter(|ip| match ip {
        IpAddr::V4(ip) => !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_unicast_link_local(),
    });
    kept.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The address that this machine has for most others; nothing when it has none.
pub fn main_address() -> Option<IpAddr> {
    // A UDP socket that is connected sends nothing; it only asks for the way.
    let way = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).and_then(|socket| {
        socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
        Ok(socket.local_addr()?.ip())
    });
    let way = way.ok().filter(|ip| !ip.is_unspecified() && !ip.is_loopback());
    way.or_else(|| addresses().first().copied())
}

/// The names of this machine: as it calls itself, and as others find it by multicast DNS.
pub(crate) fn host_names() -> Vec<String> {
    // Elsewhere than on Linux there is no such file, and then there is only the address.
    let text = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    names_of(text.trim())
}

fn names_of(host: &str) -> Vec<String> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let label = host.split('.').next().unwrap_or_default().to_owned();
    if !is_name(&host) || label == "localhost" {
        return Vec::new();
    }
    let names: BTreeSet<String> = [format!("{label}.local"), label, host].into();
    names.into_iter().collect()
}

/// Whether the text is a host name that a certificate can carry.
pub(crate) fn is_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let number =
        text.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    text.len() <= 253 && !number && text.split('.').all(label)
}

/// What a certificate of the local authority is for: this machine itself, its names, those of the
/// settings, and the addresses that it listens on.
pub(crate) fn wanted(
    listen: SocketAddr,
    named: &[String],
    addresses: &[IpAddr],
) -> BTreeSet<String> {
    let mut wanted: BTreeSet<String> =
        ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter().collect();
    wanted.extend(host_names());
    wanted.extend(named.iter().cloned());
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => {
            wanted.extend(addresses.iter().filter(|ip| ip.is_ipv4()).map(ToString::to_string));
        }
        IpAddr::V6(ip) if ip.is_unspecified() => {
            wanted.extend(addresses.iter().map(ToString::to_string));
        }
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => {
            wanted.insert(ip.to_canonical().to_string());
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_found_by_its_name_and_by_multicast_dns() {
        assert_eq!(names_of("PBX"), ["pbx", "pbx.local"]);
        assert_eq!(names_of("pbx.corp.lan"), ["pbx", "pbx.corp.lan", "pbx.local"]);
        for none in ["", "(none)", "localhost", "localhost.localdomain", "a b", "-x"] {
            assert_eq!(names_of(none), [""; 0], "{none}");
        }
    }

    #[test]
    fn an_address_is_no_name() {
        for name in ["pbx", "calls.example.com", "xn--80ak6aa92e.com", "3com.example"] {
            assert!(is_name(name), "{name}");
        }
        for none in ["", "10.0.0.1", "a..b", "*.example.com", "a_b", "pbx.lan:80", "1"] {
            assert!(!is_name(none), "{none}");
        }
    }

    #[test]
    fn a_certificate_is_for_what_is_listened_on() {
        let here: Vec<IpAddr> =
            ["10.0.0.5", "fd00::5"].iter().map(|ip| ip.parse().unwrap()).collect();
        let has = |listen: &str, name: &str| {
            wanted(listen.parse().unwrap(), &["pbx.lan".to_owned()], &here).contains(name)
        };
        for name in ["localhost", "127.0.0.1", "::1", "pbx.lan", "10.0.0.5"] {
            assert!(has("0.0.0.0:1", name), "{name}");
        }
        assert!(!has("0.0.0.0:1", "fd00::5"), "nobody listens there");
        assert!(has("[::]:1", "fd00::5") && has("[::]:1", "10.0.0.5"));
        assert!(has("10.0.0.7:1", "10.0.0.7") && !has("10.0.0.7:1", "10.0.0.5"));
    }
}
