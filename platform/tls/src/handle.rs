//! The certificate in force: looked after, shown, and served.

use std::{fmt, io, sync::Arc, time::Duration};

use base::Timestamp;
use clock::Clock;
use http_kit::{Encrypted, Knowing};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::{net::TcpListener, sync::Notify};
use tokio_rustls::TlsAcceptor;

use crate::{
    Acme, AuthorityCard, Config, Door, Facts, Kind, Mode, Result, TlsError,
    acme::{self, Failure},
    authority::Authority,
    certificate::Pair,
    files, names,
    place::{Place, server_config},
};

/// How often is looked whether something has changed.
const LOOK: Duration = Duration::from_secs(30);
/// How long after the first failure a directory is asked again; doubled up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_mins(5);
const LONGEST: Duration = Duration::from_hours(12);
/// How long a directory that found us too eager is left alone, unless it names another span.
const TOO_EAGER: Duration = Duration::from_hours(1);
/// How long a person waits between two tries by hand.
const BY_HAND: Duration = Duration::from_mins(1);

/// Why there is no newer certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultCode {
    /// The directory cannot be reached, or answers nonsense.
    Directory,
    /// The directory refuses the account.
    Account,
    /// The directory wants to be left alone for a while.
    RateLimited,
    /// The name leads nowhere.
    Dns,
    /// The directory cannot reach this server under the name.
    Connection,
    /// Somebody else answers under the name.
    Proof,
    /// The owner of the domain lets others vouch only.
    Caa,
    /// The directory does not vouch for such a name.
    Refused,
    /// The files of the certificate cannot be used.
    Files,
    /// The data folder takes no files.
    Storage,
    /// Something else, said by the directory.
    Other,
}

impl FaultCode {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::Account => "account",
            Self::RateLimited => "rate_limited",
            Self::Dns => "dns",
            Self::Connection => "connection",
            Self::Proof => "proof",
            Self::Caa => "caa",
            Self::Refused => "refused",
            Self::Files => "files",
            Self::Storage => "storage",
            Self::Other => "other",
        }
    }

    /// Whether a person looks for the reason at a name.
    pub(crate) const fn is_about_a_name(self) -> bool {
        matches!(self, Self::Dns | Self::Connection | Self::Proof | Self::Caa | Self::Refused)
    }
}

/// What went wrong last, until something goes right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of fault.
    pub code: FaultCode,
    /// The name that it is about.
    pub name: Option<String>,
    /// What the other side said, in its words.
    pub detail: String,
    /// When.
    pub at: Timestamp,
    /// When it is tried again.
    pub next_try: Option<Timestamp>,
}

/// How things stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Who vouches.
    pub kind: Kind,
    /// What stands in the certificate in force.
    pub facts: Option<Facts>,
    /// Whether it only stands in for one that the directory has yet to give.
    pub stand_in: bool,
    /// When there will be another one; nothing for files of somebody else.
    pub renewal: Option<Timestamp>,
    /// Names that the local authority may not vouch for.
    pub left_out: Vec<String>,
    /// What went wrong last.
    pub fault: Option<Fault>,
    /// The local authority, where it is the one to trust.
    pub authority: Option<AuthorityCard>,
    /// The directory that is asked.
    pub directory: Option<String>,
}

/// It was tried a moment ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSoon {
    /// How long to wait.
    pub wait: Duration,
}

#[derive(Debug, Default)]
struct State {
    facts: Option<Facts>,
    stand_in: bool,
    left_out: Vec<String>,
    authority: Option<AuthorityCard>,
    fault: Option<Fault>,
    failures: u32,
    /// When the directory is asked; nothing while its certificate is good.
    next_try: Option<Timestamp>,
    last_try: Option<Timestamp>,
    /// Of the files as they were read last, good or not.
    files: Option<[u8; 32]>,
}

/// The certificate of this server. Cheap to clone; clones look at the same one.
#[derive(Clone)]
pub struct Tls(Arc<Inner>);

struct Inner {
    config: Config,
    clock: Clock,
    place: Arc<Place>,
    state: Mutex<State>,
    kick: Notify,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads or makes what is there to serve at once. Fails when that is nothing at all.
    pub fn open(config: Config, clock: Clock) -> Result<Self> {
        let (place, state) = (Arc::default(), Mutex::default());
        let tls = Self(Arc::new(Inner { config, clock, place, state, kick: Notify::new() }));
        match &tls.0.config.mode {
            Mode::Off => {}
            Mode::Local => tls.vouch(false)?,
            Mode::Files { .. } => tls.read_files()?,
            Mode::Acme(acme) => tls.stored(acme)?,
        }
        Ok(tls)
    }

    /// Whether there is TLS.
    pub fn is_on(&self) -> bool {
        self.0.config.mode != Mode::Off
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What the front door has to know; nothing when there is no TLS. `open`: paths that need none.
    pub fn encrypted(&self, open: &'static [&'static str]) -> Option<Encrypted> {
        let Config { names, http, .. } = &self.0.config;
        let kind = self.0.config.kind();
        let names = names.iter().cloned().chain(names::host_names()).collect();
        let strict = matches!(kind, Kind::Acme | Kind::Files);
        let http_port = http.map(|http| http.port());
        self.is_on().then_some(Encrypted { names, http_port, strict, open })
    }

    /// Serves with the certificate in force, whatever it will be at each moment.
    pub fn door(&self, listener: TcpListener) -> Result<Knowing<Door>> {
        let acme = self.0.config.kind() == Kind::Acme;
        let config = server_config(Arc::clone(&self.0.place), acme)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let failed = |source: io::Error| TlsError::Setting(format!("the listener: {source}"));
        Door::new(listener, acceptor, self.0.clock.clone()).map(Knowing).map_err(failed)
    }

    /// What a directory is to find under `/.well-known/acme-challenge/` and this token.
    pub fn proof(&self, token: &str) -> Option<String> {
        self.0.place.proof(token)
    }

    /// How things stand.
    pub fn status(&self) -> Status {
        let State { facts, stand_in, left_out, authority, fault, next_try, .. } =
            &*self.0.state.lock();
        let kind = self.0.config.kind();
        let renewal = match kind {
            Kind::Off | Kind::Files => None,
            Kind::Local => facts.as_ref().map(Facts::renewal),
            Kind::Acme => next_try.or_else(|| facts.as_ref().map(Facts::renewal)),
        };
        let directory = match &self.0.config.mode {
            Mode::Acme(acme) => Some(acme.directory.clone()),
            Mode::Off | Mode::Local | Mode::Files { .. } => None,
        };
        Status {
            kind,
            facts: facts.clone(),
            stand_in: *stand_in,
            renewal,
            left_out: left_out.clone(),
            fault: fault.clone(),
            authority: authority.clone().filter(|_| kind == Kind::Local),
            directory,
        }
    }

    /// Looks now, and asks the directory now, whatever was to be waited for.
    pub fn try_now(&self) -> Result<(), TooSoon> {
        let now = self.0.clock.now();
        let mut state = self.0.state.lock();
        if let Some(last) = state.last_try
            && now.since(last) < BY_HAND
        {
            return Err(TooSoon { wait: last.plus(BY_HAND).since(now) });
        }
        state.last_try = Some(now);
        state.next_try = Some(now);
        drop(state);
        self.0.kick.notify_one();
        Ok(())
    }

    /// Looks after the certificate for as long as it is polled.
    pub async fn keep(&self) {
        if !self.is_on() {
            return std::future::pending().await;
        }
        loop {
            self.look().await;
            tokio::select! {
                () = self.0.clock.sleep(LOOK) => {}
                () = self.0.kick.notified() => {}
            }
        }
    }

    /// Does what is due now; [`Tls::keep`] does it again and again.
    pub async fn look(&self) {
        let looked = match &self.0.config.mode {
            Mode::Off => Ok(()),
            Mode::Local => self.vouch(false),
            Mode::Files { .. } => self.read_files(),
            Mode::Acme(acme) => {
                let stand_in = self.0.state.lock().stand_in;
                let vouched = if stand_in { self.vouch(true) } else { Ok(()) };
                self.ask(acme).await;
                vouched
            }
        };
        match looked {
            Ok(()) if self.0.config.kind() == Kind::Acme => {}
            Ok(()) => self.0.state.lock().fault = None,
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&self, error: &TlsError) {
        let code = match &self.0.config.mode {
            Mode::Files { .. } => FaultCode::Files,
            Mode::Off | Mode::Local | Mode::Acme(_) => FaultCode::Storage,
        };
        let mut state = self.0.state.lock();
        let detail = error.to_string();
        if state.fault.as_ref().is_none_or(|fault| fault.detail != detail) {
            tracing::error!(%error, "the certificate stays as it is: {error}");
            let at = self.0.clock.now();
            state.fault = Some(Fault { code, name: None, detail, at, next_try: None });
        }
    }

    /// Serves `pair` from now on.
    fn serve(&self, pair: &Pair, stand_in: bool) {
        let mut state = self.0.state.lock();
        if !self.0.place.has(&pair.key) {
            let Facts { names, issuer, .. } = &pair.facts;
            tracing::info!(names = names.join(" "), issuer, "a certificate is in force");
            metrics::gauge!("switchbell_certificate_expires_seconds")
                .set(pair.facts.not_after.seconds() as f64);
            self.0.place.set(Arc::clone(&pair.key));
            state.facts = Some(pair.facts.clone());
        }
        state.stand_in = stand_in;
    }

    /// Serves a certificate of the local authority for what this machine is called now.
    fn vouch(&self, stand_in: bool) -> Result<()> {
        let Config { folder, listen, names, addresses, .. } = &self.0.config;
        let now = self.0.clock.now();
        let wanted = names::wanted(*listen, names, &addresses());
        let authority = Authority::open(folder, &wanted, now)?;
        let (kept, left_out) = authority.sort(&wanted);
        let path = folder.join("local.pem");
        let fits = |pair: &Pair| {
            let Facts { names, issuer, not_before, .. } = &pair.facts;
            names.iter().eq(&kept)
                && *issuer == authority.card.name
                && *not_before <= now
                && now < pair.facts.renewal().min(authority.card.not_after)
        };
        let stored = files::read_if_any(&path)?;
        let stored = stored.and_then(|text| Pair::read(&text, &text).ok()).filter(fits);
        let pair = if let Some(stored) = stored {
            stored
        } else {
            let text = authority.vouch(&kept, now)?;
            files::write(&path, text.as_bytes())?;
            pair(&path, text.as_bytes(), text.as_bytes())?
        };
        self.serve(&pair, stand_in);
        let mut state = self.0.state.lock();
        let left_out: Vec<String> = left_out.into_iter().collect();
        if !left_out.is_empty() && left_out != state.left_out {
            let names = left_out.join(" ");
            tracing::warn!(names, "the local authority may not vouch for some names");
        }
        state.left_out = left_out;
        state.authority = Some(authority.card);
        Ok(())
    }

    /// Serves the files of the settings, if they are others than before.
    fn read_files(&self) -> Result<()> {
        let Mode::Files { cert, key } = &self.0.config.mode else { return Ok(()) };
        let (chain, secret) = (files::read(cert)?, files::read(key)?);
        let mut digest = Sha256::new();
        digest.update(&chain);
        digest.update(&secret);
        let digest: [u8; 32] = digest.finalize().into();
        if self.0.state.lock().files == Some(digest) {
            return Ok(());
        }
        let read = pair(cert, &chain, &secret)?;
        self.0.state.lock().files = Some(digest);
        self.serve(&read, false);
        Ok(())
    }

    /// Serves what the directory gave before, or the local authority's until it gives something.
    fn stored(&self, acme: &Acme) -> Result<()> {
        let Config { folder, names, .. } = &self.0.config;
        let now = self.0.clock.now();
        let path = folder.join("acme.pem");
        let stored = files::read_if_any(&path)?;
        let ours = stored.filter(|text| text.starts_with(acme::mark(acme).as_bytes()));
        let good = ours.and_then(|text| Pair::read(&text, &text).ok()).filter(|pair| {
            names.iter().all(|name| pair.facts.names.contains(name)) && now < pair.facts.not_after
        });
        match good {
            Some(pair) => self.serve(&pair, false),
            None => self.vouch(true)?,
        }
        Ok(())
    }

    /// Asks the directory for a certificate when that is due.
    async fn ask(&self, acme: &Acme) {
        let now = self.0.clock.now();
        {
            let mut state = self.0.state.lock();
            let renewal = state.facts.as_ref().map(Facts::renewal);
            let due = match state.next_try {
                Some(due) => due,
                None if state.stand_in => now,
                None => renewal.unwrap_or(now),
            };
            if now < due {
                return;
            }
            state.last_try = Some(now);
        }
        let Config { names, .. } = &self.0.config;
        tracing::info!(
            directory = acme.directory,
            names = names.join(" "),
            "asking for a certificate"
        );
        let asked = acme::order(&self.0.config, acme, &self.0.place, &self.0.clock).await;
        self.0.place.forget_proofs();
        match asked.and_then(|text| self.keep_given(&text)) {
            Ok(()) => {
                let mut state = self.0.state.lock();
                (state.failures, state.next_try, state.fault) = (0, None, None);
            }
            Err(failure) => self.put_off(failure),
        }
    }

    /// Keeps and serves what the directory gave.
    fn keep_given(&self, text: &str) -> Result<(), Failure> {
        let storage = |detail: String| Failure::new(FaultCode::Storage, detail);
        let pair = Pair::read(text.as_bytes(), text.as_bytes())
            .map_err(|reason| Failure::new(FaultCode::Directory, reason))?;
        let written = files::write(&self.0.config.folder.join("acme.pem"), text.as_bytes());
        // It is good even if it cannot be kept.
        self.serve(&pair, false);
        written.map_err(|error| storage(error.to_string()))
    }

    fn put_off(&self, failure: Failure) {
        let Failure { code, name, detail, wait } = failure;
        let at = self.0.clock.now();
        let mut state = self.0.state.lock();
        let doublings = state.failures.min(16);
        state.failures += 1;
        let pause = SHORTEST.saturating_mul(1 << doublings).min(LONGEST);
        let pause = pause.mul_f64(rand::random_range(0.9..1.1));
        let asked = match (code, wait) {
            (_, Some(wait)) => wait,
            (FaultCode::RateLimited, None) => TOO_EAGER,
            (_, None) => Duration::ZERO,
        };
        let pause = pause.max(asked);
        let next_try = at.plus(pause);
        tracing::error!(
            code = code.as_str(),
            name,
            detail,
            again_in_s = pause.as_secs(),
            "no certificate from the directory: {detail}"
        );
        state.next_try = Some(next_try);
        state.fault = Some(Fault { code, name, detail, at, next_try: Some(next_try) });
    }
}

fn pair(path: &std::path::Path, chain: &[u8], key: &[u8]) -> Result<Pair> {
    Pair::read(chain, key).map_err(|reason| TlsError::Content { path: path.to_owned(), reason })
}
