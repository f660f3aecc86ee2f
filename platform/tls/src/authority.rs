//! The authority of this installation: whom its devices trust.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::Path,
    time::Duration,
};

use base::Timestamp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use x509_parser::extensions::{GeneralName, ParsedExtension};

use crate::{Facts, Result, TlsError, certificate, files, names};

/// How long the authority is good. To trust one takes a person at every device.
const LIFE: Duration = Duration::from_hours(10 * 365 * 24);
/// How long a certificate of it is good; Apple's devices refuse more than 825 days even here.
const LEAF_LIFE: Duration = Duration::from_hours(90 * 24);
/// Clocks of devices go wrong by so much.
const SKEW: Duration = Duration::from_hours(1);

/// Networks that are nobody's on the internet. The authority may vouch for them.
const PRIVATE: &[(IpAddr, u8)] = &[
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(100, 64, 0, 0)), 10),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0)), 10),
];

/// Domains that are nobody's on the internet (RFC 6762, RFC 8375, and what routers use).
const DOMAINS: &[&str] = &["home.arpa", "internal", "lan", "local", "localhost"];

/// What a person needs to trust the authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorityCard {
    /// Its name, as devices list it.
    pub name: String,
    /// The certificate as text.
    pub pem: String,
    /// The certificate in bytes.
    pub der: Vec<u8>,
    /// SHA-256 of it, in hexadecimal with colons.
    pub fingerprint: String,
    /// Until when it is good.
    pub not_after: Timestamp,
}

/// The authority with its key.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    allowed: Allowed,
    pub(crate) card: AuthorityCard,
}

impl Authority {
    /// The authority whose files are in `folder`; made for `names` when there is none, or when it
    /// would not outlive a certificate.
    pub(crate) fn open(folder: &Path, names: &BTreeSet<String>, now: Timestamp) -> Result<Self> {
        let (pem, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        let Some(text) = files::read_if_any(&pem)? else {
            return Self::make(&pem, &key, names, now);
        };
        let wrong =
            |path: &Path, reason: String| TlsError::Content { path: path.to_owned(), reason };
        let secret = String::from_utf8_lossy(&files::read(&key)?).into_owned();
        let secret = KeyPair::from_pem(&secret).map_err(|error| wrong(&key, error.to_string()))?;
        let der = CertificateDer::from_pem_slice(&text)
            .map_err(|error| wrong(&pem, error.to_string()))?;
        let opened = Self::of(&der, secret).map_err(|reason| wrong(&pem, reason))?;
        if opened.card.not_after < now.plus(LEAF_LIFE) {
            tracing::warn!(
                "the local authority is at its end: a new one is made, to be trusted anew"
            );
            return Self::make(&pem, &key, names, now);
        }
        Ok(opened)
    }

    fn make(pem: &Path, key: &Path, names: &BTreeSet<String>, now: Timestamp) -> Result<Self> {
        let secret = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        (params.not_before, params.not_after) =
            (moment(now.minus(SKEW)), moment(now.minus(SKEW).plus(LIFE)));
        let host = names::host_names().into_iter().next().unwrap_or_else(|| "server".to_owned());
        // A second authority of the same machine has another name: browsers remember keys by it.
        let mark = Sha256::digest(secret.public_key_raw());
        let name = format!("Switchbell on {host} {:02x}{:02x}", mark[0], mark[1]);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "Switchbell");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.name_constraints = Some(constraints(names));
        let der = params.self_signed(&secret)?.der().clone();
        let text = secret.serialize_pem();
        let wrong = |reason| TlsError::Content { path: pem.to_owned(), reason };
        let made = Self::of(&der, secret).map_err(wrong)?;
        // The key first: an authority without one could vouch for nothing.
        files::write(key, text.as_bytes())?;
        files::write(pem, made.card.pem.as_bytes())?;
        tracing::info!(fingerprint = made.card.fingerprint, "a local authority was made");
        Ok(made)
    }

    fn of(der: &CertificateDer<'_>, key: KeyPair) -> Result<Self, String> {
        let facts = Facts::of(der)?;
        let allowed = Allowed::of(der)?;
        let issuer = Issuer::from_ca_cert_der(der, key).map_err(|error| error.to_string())?;
        let fingerprint: Vec<String> =
            Sha256::digest(der).iter().map(|byte| format!("{byte:02X}")).collect();
        let card = AuthorityCard {
            name: facts.issuer,
            pem: pem(der),
            der: der.to_vec(),
            fingerprint: fingerprint.join(":"),
            not_after: facts.not_after,
        };
        Ok(Self { issuer, allowed, card })
    }

    /// Of `names`, those that it may vouch for, and the others.
    pub(crate) fn sort(&self, names: &BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
        names.iter().cloned().partition(|name| self.allowed.has(name))
    }

    /// A certificate for `names` with its chain and its key, as PEM.
    pub(crate) fn vouch(&self, names: &BTreeSet<String>, now: Timestamp) -> Result<String> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names.iter().cloned().collect::<Vec<_>>())?;
        let end = now.minus(SKEW).plus(LEAF_LIFE).min(self.card.not_after);
        (params.not_before, params.not_after) = (moment(now.minus(SKEW)), moment(end));
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Switchbell");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }
}

/// What the authority may vouch for: names and networks that belong to nobody on the internet, and
/// what the machine is called beyond them.
fn constraints(names: &BTreeSet<String>) -> NameConstraints {
    let mut permitted: Vec<GeneralSubtree> =
        DOMAINS.iter().map(|domain| GeneralSubtree::DnsName((*domain).to_owned())).collect();
    let networks = PRIVATE.iter().map(|(ip, prefix)| CidrSubnet::from_addr_prefix(*ip, *prefix));
    permitted.extend(networks.map(GeneralSubtree::IpAddress));
    let usual = Allowed {
        domains: DOMAINS.iter().map(|domain| (*domain).to_owned()).collect(),
        networks: PRIVATE.to_vec(),
    };
    permitted.extend(names.iter().filter(|name| !usual.has(name)).map(|name| {
        match name.parse::<IpAddr>() {
            Ok(ip) => {
                let prefix = if ip.is_ipv4() { 32 } else { 128 };
                GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(ip, prefix))
            }
            Err(_) => GeneralSubtree::DnsName(name.clone()),
        }
    }));
    NameConstraints { permitted_subtrees: permitted, excluded_subtrees: Vec::new() }
}

/// What the constraints of an authority leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Allowed {
    domains: Vec<String>,
    networks: Vec<(IpAddr, u8)>,
}

impl Allowed {
    fn of(der: &[u8]) -> Result<Self, String> {
        let certificate = certificate::parse(der)?;
        let mut allowed = Self::default();
        for extension in certificate.extensions() {
            let ParsedExtension::NameConstraints(constraints) = extension.parsed_extension() else {
                continue;
            };
            for subtree in constraints.permitted_subtrees.iter().flatten() {
                if let GeneralName::DNSName(domain) = &subtree.base {
                    allowed.domains.push((*domain).to_owned());
                } else if let GeneralName::IPAddress(bytes) = &subtree.base {
                    allowed.networks.extend(network(bytes));
                }
            }
        }
        Ok(allowed)
    }

    fn has(&self, name: &str) -> bool {
        if let Ok(ip) = name.parse::<IpAddr>() {
            return self.networks.iter().any(|(network, prefix)| inside(ip, *network, *prefix));
        }
        self.domains.iter().any(|domain| {
            name.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

/// An address in a certificate.
pub(crate) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// An address and its mask.
fn network(bytes: &[u8]) -> Option<(IpAddr, u8)> {
    let (address, mask) = bytes.split_at_checked(bytes.len() / 2)?;
    let prefix: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
    Some((ip(address)?, u8::try_from(prefix).ok()?))
}

fn inside(ip: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => (u128::from(u32::from(ip)) << 96, 32),
        IpAddr::V6(ip) => (u128::from(ip), 128),
    };
    let ((one, width), (other, other_width)) = (bits(ip), bits(network));
    let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
    width == other_width && (one ^ other) & mask == 0
}

/// A certificate as PEM (RFC 7468); rcgen writes that only of what it has just made.
fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body = lines.fold(String::new(), |body, line| body + &line + "\n");
    format!("-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
}

/// A moment in whole seconds, as certificates have them.
pub(crate) fn moment(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_authority_is_made_once_and_remade_only_at_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let names = set(&["pbx.lan"]);
        let open = |now| Authority::open(dir.path(), &names, now).unwrap().card;
        let first = open(NOW);
        assert_eq!(open(NOW.plus(Duration::from_hours(24 * 365 * 9))), first);
        let years = first.not_after.since(NOW).as_secs() / 86_400;
        assert_eq!(years, 3649, "ten years less an hour");
        assert_ne!(open(NOW.plus(LIFE)).fingerprint, first.fingerprint);
    }

    #[test]
    fn a_lost_key_is_told_and_no_second_authority_appears() {
        let dir = tempfile::tempdir().unwrap();
        let names = set(&["pbx.lan"]);
        Authority::open(dir.path(), &names, NOW).unwrap();
        std::fs::remove_file(dir.path().join("ca.key")).unwrap();
        let error = Authority::open(dir.path(), &names, NOW).err().unwrap().to_string();
        assert!(error.contains("ca.key"), "{error}");
    }

    #[test]
    fn it_vouches_for_the_machine_and_private_networks_and_for_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let names = set(&["pbx.corp.example", "203.0.113.5", "pbx"]);
        let authority = Authority::open(dir.path(), &names, NOW).unwrap();
        for good in [
            "pbx",
            "pbx.corp.example",
            "a.pbx.corp.example",
            "203.0.113.5",
            "10.1.2.3",
            "127.0.0.1",
            "192.168.255.255",
            "172.31.0.1",
            "fd12::1",
            "::1",
            "pbx.local",
            "localhost",
            "a.lan",
        ] {
            assert!(authority.allowed.has(good), "{good}");
        }
        for bad in [
            "corp.example",
            "example.com",
            "203.0.113.6",
            "172.32.0.1",
            "11.0.0.1",
            "2001:db8::1",
            "notpbx",
            "xlan",
            "xlocalhost",
        ] {
            assert!(!authority.allowed.has(bad), "{bad}");
        }
        let (kept, left) = authority.sort(&set(&["pbx", "bank.example"]));
        assert_eq!((kept, left), (set(&["pbx"]), set(&["bank.example"])));
    }

    #[test]
    fn a_certificate_is_good_for_less_than_397_days() {
        let dir = tempfile::tempdir().unwrap();
        let names = set(&["10.0.0.5", "pbx.lan"]);
        let authority = Authority::open(dir.path(), &names, NOW).unwrap();
        let text = authority.vouch(&names, NOW).unwrap();
        let pair = certificate::Pair::read(text.as_bytes(), text.as_bytes()).unwrap();
        assert_eq!(pair.facts.names, ["10.0.0.5", "pbx.lan"]);
        assert_eq!(pair.facts.issuer, authority.card.name);
        let days = pair.facts.not_after.since(pair.facts.not_before).as_secs() / 86_400;
        assert_eq!(days, 90);
        let renewal = pair.facts.renewal().since(pair.facts.not_before).as_secs() / 86_400;
        assert_eq!(renewal, 60);
        let later = NOW.plus(LIFE).minus(Duration::from_hours(24 * 10));
        let text = authority.vouch(&names, later).unwrap();
        let pair = certificate::Pair::read(text.as_bytes(), text.as_bytes()).unwrap();
        assert_eq!(pair.facts.not_after, authority.card.not_after, "never longer than its voucher");
    }
}
