//! Where a line's far end is (RFC 3263, for UDP).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hickory_resolver::{TokioResolver, proto::rr::RData};

/// How long an answer holds at least, and how soon a failed question is asked again.
const SHORTEST: Duration = Duration::from_secs(30);
/// How long it holds at most.
const LONGEST: Duration = Duration::from_hours(1);

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The preferred address first; empty when there is none.
    pub(crate) targets: Vec<SocketAddr>,
    /// When to ask again; never for an address written as digits.
    pub(crate) again: Option<Duration>,
}

/// The addresses of `host`. Without a port, service records are asked for first.
pub(crate) async fn resolve(host: &str, port: Option<u16>) -> Found {
    if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        let targets = vec![SocketAddr::new(ip, port.unwrap_or(5060))];
        return Found { targets, again: None };
    }
    match ask(host, port).await {
        Ok((targets, holds)) => Found { targets, again: Some(holds.clamp(SHORTEST, LONGEST)) },
        Err(error) => {
            tracing::warn!(sip.host = host, %error, "the address of {host} was not found");
            Found { targets: Vec::new(), again: Some(SHORTEST) }
        }
    }
}

type Answer = Result<(Vec<SocketAddr>, Duration), hickory_resolver::net::NetError>;

async fn ask(host: &str, port: Option<u16>) -> Answer {
    let resolver = TokioResolver::builder_tokio()?.build()?;
    if let Some(port) = port {
        return addresses(&resolver, host, port).await;
    }
    let mut services = services(&resolver, host).await;
    if services.is_empty() {
        services.push((host.to_owned(), 5060));
    }
    let (mut found, mut holds, mut failure) = (Vec::new(), LONGEST, None);
    for (name, port) in services {
        match addresses(&resolver, &name, port).await {
            Ok((more, held)) => {
                found.extend(more);
                holds = holds.min(held);
            }
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok((found, holds)),
    }
}

/// Names and ports of `_sip._udp`, the lowest priority first, the greatest weight first within it
/// (the draw of RFC 2782 is left out: calls of one line stay together).
async fn services(resolver: &TokioResolver, host: &str) -> Vec<(String, u16)> {
    let Ok(lookup) = resolver.srv_lookup(format!("_sip._udp.{host}.")).await else {
        return Vec::new();
    };
    let mut services: Vec<_> = lookup
        .answers()
        .iter()
        .filter_map(|record| {
            let RData::SRV(service) = &record.data else { return None };
            let name = service.target.to_utf8();
            Some((service.priority, u16::MAX - service.weight, name, service.port))
        })
        .filter(|(_, _, name, _)| name != ".")
        .collect();
    services.sort();
    services.into_iter().map(|(_, _, name, port)| (name, port)).collect()
}

async fn addresses(resolver: &TokioResolver, host: &str, port: u16) -> Answer {
    let lookup = resolver.lookup_ip(host).await?;
    let holds = lookup.valid_until().saturating_duration_since(std_now());
    let mut ips: Vec<IpAddr> = lookup.iter().collect();
    // Carriers speak IPv4; an IPv6 address is used when there is no other.
    ips.sort_by_key(IpAddr::is_ipv6);
    Ok((ips.into_iter().map(|ip| SocketAddr::new(ip, port)).collect(), holds))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the resolver's answers expire by the system's clock"
)]
fn std_now() -> std::time::Instant {
    std::time::Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn digits_need_no_name_server() {
        let found = resolve("192.0.2.7", None).await;
        assert_eq!(found.targets, ["192.0.2.7:5060".parse().unwrap()]);
        assert!(found.again.is_none());
        let six = resolve("[2001:db8::1]", Some(5080)).await;
        assert_eq!(six.targets, ["[2001:db8::1]:5080".parse().unwrap()]);
    }
}
