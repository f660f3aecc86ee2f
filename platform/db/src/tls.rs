//! TLS towards PostgreSQL, when the address asks for it.

use std::sync::Arc;

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result, error::chain};

/// Takes out of `url` what the driver does not know: `sslrootcert`, the file of an own authority.
/// `sslmode=verify-ca` and `verify-full` become `require`, which here always verifies.
pub(crate) fn split(url: &str) -> (String, Option<String>) {
    let Some((address, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let mut roots = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslrootcert", path)) => roots = Some(path.replace("%2F", "/")),
            Some(("sslmode", "verify-ca" | "verify-full")) => kept.push("sslmode=require"),
            _ => kept.push(pair),
        }
    }
    let query = kept.join("&");
    (if query.is_empty() { address.to_owned() } else { format!("{address}?{query}") }, roots)
}

/// The connector for `sslmode=require`; without it the connection is plain, as certificates that
/// servers make for themselves could not be verified anyway.
pub(crate) fn connector(
    config: &mut tokio_postgres::Config,
    roots: Option<&str>,
) -> Result<Option<MakeRustlsConnect>> {
    if config.get_ssl_mode() != SslMode::Require {
        config.ssl_mode(SslMode::Disable);
        return Ok(None);
    }
    let wrong = |e: &dyn std::error::Error| Error::Db(format!("TLS: {}", chain(e)));
    let mut trusted = RootCertStore::empty();
    match roots {
        None => trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(&e))? {
                trusted.add(certificate.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&e))?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(Some(MakeRustlsConnect::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_driver_does_not_know_is_taken_out() {
        let full = "postgres://a@b/c?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem&x=1";
        assert_eq!(
            split(full),
            ("postgres://a@b/c?sslmode=require&x=1".to_owned(), Some("/etc/ca.pem".to_owned()))
        );
        assert_eq!(split("postgres://a@b/c"), ("postgres://a@b/c".to_owned(), None));
    }

    #[test]
    fn an_address_without_sslmode_is_plain() {
        let mut config: tokio_postgres::Config = "postgres://a@b/c".parse().unwrap();
        assert!(connector(&mut config, None).unwrap().is_none());
        let mut config = "postgres://a@b/c?sslmode=require".parse().unwrap();
        assert!(connector(&mut config, None).unwrap().is_some());
    }
}
