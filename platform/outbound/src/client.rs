//! Asking, and the answer.

use std::{
    error::Error,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use base::Timestamp;
use bytes::Bytes;
use clock::Clock;
use reqwest::{
    Client, Method, Response,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION},
    redirect::Policy,
};
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::{
    Allowed, Fault,
    guard::{Guard, Lookup, SystemLookup},
};

/// So many redirects are followed.
pub const MOST_REDIRECTS: usize = 5;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// What this program calls itself.
const AGENT: &str = concat!("Switchbell/", env!("CARGO_PKG_VERSION"));

/// One wish for an answer.
#[derive(Debug, Clone)]
pub struct Ask {
    /// As a person wrote it.
    pub url: String,
    /// Further headers; they are secret, and go to the host of `url` alone.
    pub headers: Vec<(String, String)>,
    /// The fields of a form to be posted; `None` to get. A form is not sent on by a redirect.
    pub form: Option<Vec<(String, String)>>,
    /// How long everything may take, redirects and the whole answer included.
    pub limit: Duration,
    /// How many bytes of the answer are taken, unpacked.
    pub most: u64,
}

impl Ask {
    /// A plain question.
    pub fn get(url: impl Into<String>, limit: Duration, most: u64) -> Self {
        Self { url: url.into(), headers: Vec::new(), form: None, limit, most }
    }
}

/// The guarded client. Clones share its connections.
#[derive(Clone)]
pub struct Outbound {
    guard: Guard,
    clock: Clock,
    client: Arc<OnceLock<Result<Client, String>>>,
}

impl std::fmt::Debug for Outbound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbound").field("allowed", &self.guard.allowed).finish_non_exhaustive()
    }
}

impl Outbound {
    /// A client that asks the open internet, and what is `allowed` beyond it.
    pub fn new(allowed: Allowed, clock: Clock) -> Self {
        Self::with_lookup(allowed, clock, Arc::new(SystemLookup))
    }

    /// As [`Outbound::new`] with somebody else to ask for the addresses of names.
    pub fn with_lookup(allowed: Allowed, clock: Clock, lookup: Arc<dyn Lookup>) -> Self {
        let guard = Guard { allowed: Arc::new(allowed), lookup };
        Self { guard, clock, client: Arc::default() }
    }

    /// Judges the text of a URL without asking anybody: what is wrong with it as it stands.
    pub fn check(&self, url: &str) -> Result<(), Fault> {
        self.guard.url(&parse(url)?)
    }

    /// Asks, and gives the answer as soon as its headers are there, whatever its status.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Fault> {
        let client = self.client.get_or_init(|| build(self.guard.clone()));
        let client = client.as_ref().map_err(|why| Fault::Broken(why.clone()))?;
        let limit_s = ask.limit.as_secs();
        let until = self.clock.now().plus(ask.limit);
        let headers = headers(&ask.headers)?;
        let first = parse(&ask.url)?;
        self.guard.url(&first)?;
        let mut url = first.clone();
        for _ in 0..=MOST_REDIRECTS {
            let left = until.since(self.clock.now());
            if left.is_zero() {
                return Err(Fault::TooSlow { limit_s });
            }
            let method = if ask.form.is_some() { Method::POST } else { Method::GET };
            let mut request = client.request(method, url.clone()).timeout(left);
            if url.origin() == first.origin() {
                request = request.headers(headers.clone());
            }
            if let Some(form) = &ask.form {
                let mut body = url::form_urlencoded::Serializer::new(String::new());
                body.extend_pairs(form);
                request = request
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(body.finish());
            }
            let sent = request.send().await.map_err(|error| fault(&error, &url, limit_s));
            let response = sent.map_err(|fault| on_the_way(fault, &url, &first))?;
            let next = if ask.form.is_some() { None } else { redirect(&response, &url) };
            let Some(next) = next else {
                let most = ask.most;
                return Ok(Answer { response, url, until, limit_s, most, taken: 0 });
            };
            let next = next?;
            self.guard.url(&next).map_err(|fault| on_the_way(fault, &next, &first))?;
            url = next;
        }
        Err(Fault::Redirects { most: MOST_REDIRECTS })
    }
}

/// A fault behind a redirect says so.
fn on_the_way(fault: Fault, at: &Url, first: &Url) -> Fault {
    if at == first {
        return fault;
    }
    Fault::Redirected { to: shown(at), fault: Box::new(fault) }
}

/// An address as it may be shown: what stands behind the `?` may be a secret.
fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.as_str().chars().take(200).collect()
}

fn parse(text: &str) -> Result<Url, Fault> {
    Url::parse(text.trim()).map_err(|_| Fault::NotAUrl)
}

fn headers(wished: &[(String, String)]) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in wished {
        let wrong = || Fault::Header(name.chars().take(80).collect());
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// Where the answer sends on to, if it does.
fn redirect(response: &Response, url: &Url) -> Option<Result<Url, Fault>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    // As browsers read it: servers also write letters of other scripts there.
    let next = std::str::from_utf8(location.as_bytes()).ok().and_then(|text| url.join(text).ok());
    Some(next.ok_or_else(|| Fault::Broken("it redirects to nowhere".to_owned())))
}

fn build(guard: Guard) -> Result<Client, String> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    // An authority of one's own, which the computer was taught to trust.
    let (_, unreadable) =
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if unreadable > 0 {
        tracing::debug!(unreadable, "certificates of the computer that cannot be read");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .user_agent(AGENT)
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT)
        .dns_resolver(Arc::new(guard))
        .build()
        .map_err(|error| error.to_string())
}

/// The error of TLS that lies within one of input and output, where `source` passes it by.
fn tls<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    tls(error.downcast_ref::<std::io::Error>()?.get_ref()?)
}

/// Our own word for what the client says.
fn fault(error: &reqwest::Error, url: &Url, limit_s: u64) -> Fault {
    let mut why = error.to_string();
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return fault.clone();
        }
        let host = || url.host_str().unwrap_or_default().to_owned();
        if let Some(error) = tls(error) {
            return Fault::Tls { host: host(), why: error.to_string() };
        }
        why = error.to_string();
        cause = error.source();
    }
    if error.is_timeout() && !error.is_connect() {
        return Fault::TooSlow { limit_s };
    }
    if error.is_connect() {
        return Fault::Connect { host: url.host_str().unwrap_or_default().to_owned(), why };
    }
    Fault::Broken(why)
}

/// An answer whose body has yet to come.
#[derive(Debug)]
pub struct Answer {
    response: Response,
    url: Url,
    until: Timestamp,
    limit_s: u64,
    most: u64,
    taken: u64,
}

impl Answer {
    /// The status.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The value of a header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// Every value of a header that is text.
    pub fn headers(&self, name: &str) -> Vec<&str> {
        let values = self.response.headers().get_all(name).iter();
        values.filter_map(|value| value.to_str().ok()).collect()
    }

    /// Where the answer came from, behind redirects.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Whose address answered.
    pub fn peer(&self) -> Option<IpAddr> {
        self.response.remote_addr().map(|address| address.ip())
    }

    /// When the rest has to be here.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// The next piece of the body, unpacked; `None` at its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let piece = self.response.chunk().await;
        let piece = piece.map_err(|error| {
            // The client says of every body that breaks off that it cannot be decoded.
            let told = fault(&error, &self.url, self.limit_s);
            if let Fault::Connect { why, .. } = told { Fault::Broken(why) } else { told }
        })?;
        self.taken += piece.as_ref().map_or(0, |piece| piece.len() as u64);
        if self.taken > self.most {
            return Err(Fault::TooLarge { most: self.most });
        }
        Ok(piece)
    }

    /// The whole body.
    pub async fn all(mut self) -> Result<Vec<u8>, Fault> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}
