//! The certificate in force, and the proofs that a directory asks for.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::Result;

/// What a directory speaks to look for the proof of TLS-ALPN-01 (RFC 8737).
pub(crate) const ACME_TLS: &[u8] = b"acme-tls/1";

/// Where handshakes find the certificate.
#[derive(Debug, Default)]
pub(crate) struct Place {
    current: RwLock<Option<Arc<CertifiedKey>>>,
    /// Proofs by name, over TLS.
    proofs: RwLock<BTreeMap<String, Arc<CertifiedKey>>>,
    /// Proofs by token, over HTTP.
    tokens: RwLock<BTreeMap<String, String>>,
}

impl Place {
    pub(crate) fn set(&self, key: Arc<CertifiedKey>) {
        *self.current.write() = Some(key);
    }

    /// Whether this certificate is in force.
    pub(crate) fn has(&self, key: &CertifiedKey) -> bool {
        self.current.read().as_ref().is_some_and(|current| current.cert == key.cert)
    }

    pub(crate) fn prove_by_tls(&self, name: &str, key: Arc<CertifiedKey>) {
        self.proofs.write().insert(name.to_owned(), key);
    }

    pub(crate) fn prove_by_http(&self, token: &str, proof: &str) {
        self.tokens.write().insert(token.to_owned(), proof.to_owned());
    }

    pub(crate) fn proof(&self, token: &str) -> Option<String> {
        self.tokens.read().get(token).cloned()
    }

    pub(crate) fn forget_proofs(&self) {
        self.proofs.write().clear();
        self.tokens.write().clear();
    }
}

impl ResolvesServerCert for Place {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let looks_for_proof =
            hello.alpn().is_some_and(|mut spoken| spoken.any(|protocol| protocol == ACME_TLS));
        if looks_for_proof {
            let name = hello.server_name()?.to_ascii_lowercase();
            return self.proofs.read().get(&name).cloned();
        }
        self.current.read().clone()
    }
}

/// How TLS is spoken with whoever connects.
pub(crate) fn server_config(place: Arc<Place>, acme: bool) -> Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(place);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    if acme {
        config.alpn_protocols.push(ACME_TLS.to_vec());
    }
    Ok(config)
}
