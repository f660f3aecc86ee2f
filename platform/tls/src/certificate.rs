//! A certificate with its key, and what stands in it.

use std::sync::Arc;

use base::Timestamp;
use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use x509_parser::{
    extensions::GeneralName,
    prelude::X509Certificate,
    x509::{AttributeTypeAndValue, X509Name},
};

/// What stands in a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Host names and IP addresses that it is for, sorted.
    pub names: Vec<String>,
    /// Who vouches for it.
    pub issuer: String,
    /// When it begins to be good.
    pub not_before: Timestamp,
    /// When it stops.
    pub not_after: Timestamp,
}

impl Facts {
    /// Of a certificate in DER; the error says why it cannot be read.
    pub(crate) fn of(der: &[u8]) -> Result<Self, String> {
        let certificate = parse(der)?;
        let mut names: Vec<String> = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.iter().filter_map(name).collect())
            .unwrap_or_default();
        names.sort();
        let issuer = who(certificate.issuer());
        let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_seconds(time.timestamp());
        let validity = certificate.validity();
        let (not_before, not_after) = (moment(validity.not_before), moment(validity.not_after));
        Ok(Self { names, issuer, not_before, not_after })
    }

    /// When to have the next one: at two thirds of its life.
    pub fn renewal(&self) -> Timestamp {
        let life = self.not_after.since(self.not_before);
        self.not_before.plus(life / 3 * 2)
    }
}

/// An issuer as people know it: "Let's Encrypt E5", and not the organisation twice.
fn who(name: &X509Name<'_>) -> String {
    let text = |attribute: Option<&AttributeTypeAndValue<'_>>| {
        attribute.and_then(|attribute| attribute.as_str().ok()).unwrap_or_default().to_owned()
    };
    let organization = text(name.iter_organization().next());
    let common = text(name.iter_common_name().next());
    if common.contains(&organization) {
        return common;
    }
    format!("{organization} {common}").trim_end().to_owned()
}

/// The parsed certificate.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    match x509_parser::parse_x509_certificate(der) {
        Ok((_, certificate)) => Ok(certificate),
        Err(error) => Err(format!("the certificate cannot be read: {error}")),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::IPAddress(bytes) = name {
        return crate::authority::ip(bytes).map(|ip| ip.to_string());
    }
    let GeneralName::DNSName(name) = name else { return None };
    Some(name.to_ascii_lowercase())
}

/// A certificate, its chain and its key, ready to be served.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) key: Arc<CertifiedKey>,
    pub(crate) facts: Facts,
}

impl Pair {
    /// From PEM texts, which may be one and the same; the error says what is missing or wrong.
    pub(crate) fn read(chain: &[u8], key: &[u8]) -> Result<Self, String> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|error| format!("the certificate cannot be read: {error}"))?;
        let first = chain.first().ok_or("there is no certificate in it")?;
        let facts = Facts::of(first)?;
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|error| format!("the key cannot be read: {error}"))?;
        let key =
            CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| {
                if matches!(error, rustls::Error::InconsistentKeys(_)) {
                    return "the key does not belong to the certificate".to_owned();
                }
                format!("the key cannot be used: {error}")
            })?;
        Ok(Self { key: Arc::new(key), facts })
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

    use super::*;

    #[test]
    fn an_issuer_is_named_as_people_know_it() {
        let named = |organization: &str, common: &str| {
            let mut params = CertificateParams::new(vec!["b.lan".to_owned()]).unwrap();
            params.distinguished_name = DistinguishedName::new();
            for (kind, text) in
                [(DnType::OrganizationName, organization), (DnType::CommonName, common)]
            {
                if !text.is_empty() {
                    params.distinguished_name.push(kind, text);
                }
            }
            let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            Facts::of(made.der()).unwrap().issuer
        };
        assert_eq!(named("Let's Encrypt", "E5"), "Let's Encrypt E5");
        assert_eq!(named("Switchbell", "Switchbell on pbx 0a1b"), "Switchbell on pbx 0a1b");
        assert_eq!(named("", "Own CA"), "Own CA");
        assert_eq!(named("Own", ""), "Own");
        assert_eq!(named("", ""), "");
    }
}
