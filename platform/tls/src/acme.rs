//! A certificate from a directory (RFC 8555).

use std::{error::Error as StdError, pin::Pin, sync::Arc, time::Duration};

use axum::http::{Request, Response, header};
use bytes::{Bytes, BytesMut};
use clock::Clock;
use http_body_util::{BodyExt as _, Full};
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType,
    Error, HttpClient, Identifier, NewAccount, NewOrder, Order, OrderStatus, Problem,
};
use parking_lot::Mutex;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use serde::{Deserialize, Serialize};

use crate::{Acme, Config, FaultCode, files, place::Place};

/// How long an order may take in all.
const LIMIT: Duration = Duration::from_mins(5);
/// How long is waited before an order is looked at again.
const POLL: Duration = Duration::from_secs(2);
/// How long one answer of the directory may take.
const ANSWER: Duration = Duration::from_secs(30);
/// Bytes of an answer.
const MOST: usize = 1 << 20;
/// A longer span that a directory asks for is not believed.
const LONGEST_WAIT: Duration = Duration::from_hours(7 * 24);

/// Why there is no certificate.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: FaultCode,
    pub(crate) name: Option<String>,
    pub(crate) detail: String,
    /// How long the directory asks to be left alone.
    pub(crate) wait: Option<Duration>,
}

impl Failure {
    pub(crate) fn new(code: FaultCode, detail: impl Into<String>) -> Self {
        Self { code, name: None, detail: detail.into(), wait: None }
    }

    /// Of a proof that the directory did not find.
    fn of_proof(name: String, problem: &Problem) -> Self {
        let code = match kind(problem) {
            "dns" => FaultCode::Dns,
            "connection" | "tls" => FaultCode::Connection,
            "unauthorized" | "incorrectResponse" => FaultCode::Proof,
            _ => code(problem),
        };
        Self { name: Some(name), ..Self::new(code, said(problem)) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        if let Error::Api(problem) = &error {
            return Self::new(code(problem), said(problem));
        }
        Self::new(FaultCode::Directory, chain(&error))
    }
}

/// The error with what lies behind it.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// The last word of a problem's type.
fn kind(problem: &Problem) -> &str {
    problem.r#type.as_deref().and_then(|text| text.rsplit(':').next()).unwrap_or_default()
}

fn code(problem: &Problem) -> FaultCode {
    match kind(problem) {
        "rateLimited" => FaultCode::RateLimited,
        "caa" => FaultCode::Caa,
        "dns" => FaultCode::Dns,
        "rejectedIdentifier" | "unsupportedIdentifier" => FaultCode::Refused,
        "accountDoesNotExist"
        | "externalAccountRequired"
        | "invalidContact"
        | "unauthorized"
        | "unsupportedContact"
        | "userActionRequired" => FaultCode::Account,
        "badNonce" | "serverInternal" => FaultCode::Directory,
        _ => FaultCode::Other,
    }
}

/// What the directory says, in its words; those about single names included.
fn said(problem: &Problem) -> String {
    let detail = problem.detail.clone().unwrap_or_else(|| kind(problem).to_owned());
    let more = problem.subproblems.iter().filter_map(|one| one.detail.clone());
    std::iter::once(detail).chain(more).collect::<Vec<_>>().join("; ").chars().take(1_000).collect()
}

/// What a file begins with whose certificate is from this directory.
pub(crate) fn mark(acme: &Acme) -> String {
    format!("From {}\n", acme.directory)
}

/// Orders a certificate; gives it with its chain and its key, as PEM.
pub(crate) async fn order(
    config: &Config,
    acme: &Acme,
    place: &Place,
    clock: &Clock,
) -> Result<String, Failure> {
    let later = Arc::default();
    let work = ordered(config, acme, place, clock, &later);
    let done = clock.timeout(LIMIT, work).await;
    let slow = |_| Failure::new(FaultCode::Directory, "the order is not done after 5 minutes");
    let mut done = done.map_err(slow).and_then(|done| done);
    if let Err(failure) = &mut done {
        if failure.name.is_none() && failure.code.is_about_a_name() {
            failure.name = config.names.first().cloned();
        }
        failure.wait = later.lock().take().map(|wait: Duration| wait.min(LONGEST_WAIT));
    }
    done
}

async fn ordered(
    config: &Config,
    acme: &Acme,
    place: &Place,
    clock: &Clock,
    later: &Arc<Mutex<Option<Duration>>>,
) -> Result<String, Failure> {
    let asker = Asker::new(acme, later)?;
    let account = account(config, acme, &asker).await?;
    let names: Vec<Identifier> = config.names.iter().cloned().map(Identifier::Dns).collect();
    let mut order = match account.new_order(&NewOrder::new(&names)).await {
        Err(Error::Api(problem)) if kind(&problem) == "accountDoesNotExist" => {
            // The directory forgot us, as a test directory does at each start.
            tracing::warn!("the directory knows the account no more: another one is made");
            new_account(config, acme, &asker).await?.new_order(&NewOrder::new(&names)).await?
        }
        ordered => ordered?,
    };
    prove(config, &mut order, place).await?;
    let ready = settled(&mut order, clock, &[OrderStatus::Ready, OrderStatus::Valid]).await?;
    if !ready {
        return Err(unproven(&mut order).await?);
    }
    let broken = |error: rcgen::Error| Failure::new(FaultCode::Other, error.to_string());
    let key = KeyPair::generate().map_err(broken)?;
    let mut params = CertificateParams::new(config.names.clone()).map_err(broken)?;
    params.distinguished_name = DistinguishedName::new();
    let wish = params.serialize_request(&key).map_err(broken)?;
    order.finalize_csr(wish.der()).await?;
    if !settled(&mut order, clock, &[OrderStatus::Valid]).await? {
        let problem = order.state().error.as_ref();
        let told = problem.map(|problem| Failure::new(code(problem), said(problem)));
        let silent = || Failure::new(FaultCode::Other, "the directory gave the order up");
        return Err(told.unwrap_or_else(silent));
    }
    let chain = order.certificate().await?;
    let chain = chain.ok_or_else(|| Failure::new(FaultCode::Directory, "no certificate came"))?;
    Ok(format!("{}{}\n{}", mark(acme), chain.trim_end(), key.serialize_pem()))
}

/// Waits until the order is in one of `wanted`; false when it is given up.
async fn settled(
    order: &mut Order,
    clock: &Clock,
    wanted: &[OrderStatus],
) -> Result<bool, Failure> {
    loop {
        let status = order.refresh().await?.status;
        if wanted.contains(&status) {
            return Ok(true);
        }
        if status == OrderStatus::Invalid {
            return Ok(false);
        }
        clock.sleep(POLL).await;
    }
}

/// Puts the proofs where the directory will look for them, and tells it so.
async fn prove(config: &Config, order: &mut Order, place: &Place) -> Result<(), Failure> {
    let mut preferred = [ChallengeType::TlsAlpn01, ChallengeType::Http01];
    if config.http.is_some() || config.listen.port() == 80 {
        preferred.reverse();
    }
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            AuthorizationStatus::Invalid
            | AuthorizationStatus::Revoked
            | AuthorizationStatus::Expired
            | AuthorizationStatus::Deactivated => {
                return Err(Failure::new(
                    FaultCode::Other,
                    "the authorization is not open any more",
                ));
            }
        }
        let name = authorization.identifier().to_string();
        let offered = |wanted: &&ChallengeType| {
            authorization.challenges.iter().any(|challenge| challenge.r#type == **wanted)
        };
        let Some(kind) = preferred.iter().find(offered).cloned() else {
            let detail = "the directory offers neither tls-alpn-01 nor http-01";
            return Err(Failure { name: Some(name), ..Failure::new(FaultCode::Refused, detail) });
        };
        let by_http = kind == ChallengeType::Http01;
        let Some(mut challenge) = authorization.challenge(kind) else { continue };
        let proof = challenge.key_authorization();
        if by_http {
            place.prove_by_http(&challenge.token, proof.as_str());
        } else {
            let made = by_tls(&name, proof.digest().as_ref());
            let made = made.map_err(|reason| Failure::new(FaultCode::Other, reason))?;
            place.prove_by_tls(&name, Arc::new(made));
        }
        challenge.set_ready().await.map_err(|error| {
            if let Error::Api(problem) = &error {
                return Failure::of_proof(name, problem);
            }
            error.into()
        })?;
    }
    Ok(())
}

/// The certificate that proves a name within the handshake (RFC 8737).
fn by_tls(name: &str, digest: &[u8]) -> Result<CertifiedKey, String> {
    let made = || -> Result<_, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
        Ok((params.self_signed(&key)?.der().clone(), key.serialize_der()))
    };
    let (certificate, key) = made().map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::Pkcs8(key.into());
    let signer = ring::sign::any_supported_type(&key).map_err(|error| error.to_string())?;
    // Its extension is critical, so that nobody takes it for a certificate; nor could it be read
    // as one here.
    Ok(CertifiedKey::new(vec![certificate], signer))
}

/// Which proof the directory did not find, and why.
async fn unproven(order: &mut Order) -> Result<Failure, Failure> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        let name = authorization.identifier().to_string();
        let state = authorization.refresh().await?;
        let problem = state.challenges.iter().find_map(|challenge| challenge.error.as_ref());
        if let Some(problem) = problem {
            return Ok(Failure::of_proof(name, problem));
        }
    }
    Ok(Failure::new(FaultCode::Other, "the directory gave the order up and does not say why"))
}

/// The account as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    contact: Option<String>,
    account: AccountCredentials,
}

/// The account of this installation at the directory: the one that is kept, or a new one.
async fn account(config: &Config, acme: &Acme, asker: &Asker) -> Result<Account, Failure> {
    let storage = |error: crate::TlsError| Failure::new(FaultCode::Storage, error.to_string());
    let text = files::read_if_any(&config.folder.join("account.json")).map_err(storage)?;
    let kept = text.and_then(|text| serde_json::from_slice::<Kept>(&text).ok());
    match kept.filter(|kept| kept.directory == acme.directory && kept.contact == acme.contact) {
        Some(kept) => {
            let builder = Account::builder_with_http(Box::new(asker.clone()));
            Ok(builder.from_credentials(kept.account).await?)
        }
        None => new_account(config, acme, asker).await,
    }
}

async fn new_account(config: &Config, acme: &Acme, asker: &Asker) -> Result<Account, Failure> {
    let contact = acme.contact.as_ref().map(|contact| format!("mailto:{contact}"));
    let contact: Vec<&str> = contact.as_deref().into_iter().collect();
    let wish = NewAccount {
        contact: &contact,
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let builder = Account::builder_with_http(Box::new(asker.clone()));
    let made = builder.create(&wish, acme.directory.clone(), None).await;
    let (account, credentials) = made.map_err(|error| match Failure::from(error) {
        failure @ Failure { code: FaultCode::Other, .. } => {
            Failure { code: FaultCode::Account, ..failure }
        }
        failure => failure,
    })?;
    let (directory, contact) = (acme.directory.clone(), acme.contact.clone());
    let kept = Kept { directory, contact, account: credentials };
    let storage = |reason: String| Failure::new(FaultCode::Storage, reason);
    let text = serde_json::to_vec(&kept).map_err(|error| storage(error.to_string()))?;
    files::write(&config.folder.join("account.json"), &text)
        .map_err(|error| storage(error.to_string()))?;
    Ok(account)
}

/// Asks the directory, and remembers when it wants to be left alone.
#[derive(Clone)]
struct Asker {
    client: reqwest::Client,
    later: Arc<Mutex<Option<Duration>>>,
}

impl Asker {
    fn new(acme: &Acme, later: &Arc<Mutex<Option<Duration>>>) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::new(FaultCode::Directory, reason);
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = &acme.root {
            let text = files::read(path).map_err(|error| wrong(error.to_string()))?;
            for root in CertificateDer::pem_slice_iter(&text) {
                let root = root.map_err(|error| wrong(format!("{}: {error}", path.display())))?;
                roots.add(root).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .timeout(ANSWER)
            .build()
            .map_err(|error| wrong(error.to_string()))?;
        Ok(Self { client, later: Arc::clone(later) })
    }

    async fn ask(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let other = |error: reqwest::Error| Error::Other(Box::new(error));
        let (parts, body) = request.into_parts();
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(never) => match never {},
        };
        let url = parts.uri.to_string();
        let request = self.client.request(parts.method, url).headers(parts.headers).body(body);
        let mut answer = request.send().await.map_err(other)?;
        let mut response = Response::new(());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        if matches!(answer.status().as_u16(), 429 | 503) {
            let wait = answer.headers().get(header::RETRY_AFTER);
            let wait = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            *self.later.lock() = wait.map(Duration::from_secs);
        }
        let mut whole = BytesMut::new();
        while let Some(piece) = answer.chunk().await.map_err(other)? {
            if whole.len() + piece.len() > MOST {
                return Err(Error::Str("an answer of a sensible length"));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(BytesResponse::from(response.map(|()| Full::new(whole.freeze()))))
    }
}

impl HttpClient for Asker {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().ask(request))
    }
}
