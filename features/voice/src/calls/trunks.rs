//! Lines on the wire: what the book says is carried to signalling, what signalling hears goes into
//! the book.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base::{Id, Timestamp, kind::Line as LineId};
use call::Cause;
use dialer::LineHealth;
use settings::Secrets;
use sip::{Check, Credentials, Health, HealthState, LineFact, LineKey};
use sip_io::{LineSetup, Route, SipIo};
use tokio::sync::oneshot;

use crate::{
    demo::Addresses,
    lines::{Book, Line, Mode},
};

/// What is known of lines beside the book.
pub(super) struct Trunks {
    book: Book,
    secrets: Secrets,
    /// Where lines of the demo carrier are.
    addresses: Addresses,
    /// What signalling was told: versions, and ports of the demo carrier.
    told: BTreeMap<Id<LineId>, (i64, u16)>,
    routes: BTreeMap<Id<LineId>, Route>,
    checks: BTreeMap<Id<LineId>, Vec<oneshot::Sender<Check>>>,
}

pub(super) const fn key(line: Id<LineId>) -> LineKey {
    LineKey(line.raw() as u64)
}

pub(super) const fn line_of(key: LineKey) -> Id<LineId> {
    Id::from_raw(key.0 as i64)
}

impl Trunks {
    pub(super) const fn new(book: Book, secrets: Secrets, addresses: Addresses) -> Self {
        Self {
            book,
            secrets,
            addresses,
            told: BTreeMap::new(),
            routes: BTreeMap::new(),
            checks: BTreeMap::new(),
        }
    }

    /// Brings signalling up to date with the book. False when it is too busy: to be repeated.
    pub(super) fn follow(&mut self, sip: &SipIo) -> bool {
        let lines = self.book.all();
        let wanted: BTreeSet<_> =
            lines.iter().filter(|line| line.enabled).map(|line| line.id).collect();
        let gone: Vec<_> = self.told.keys().filter(|id| !wanted.contains(id)).copied().collect();
        for id in gone {
            if sip.line_gone(key(id)).is_err() {
                return false;
            }
            self.told.remove(&id);
            self.routes.remove(&id);
            self.checks.remove(&id);
        }
        let mut done = true;
        for line in lines.iter().filter(|line| line.enabled) {
            let demo = self.addresses.of(line.id).filter(|_| line.demo.is_some());
            let port = demo.map_or(line.port, |address| address.port());
            if self.told.get(&line.id) == Some(&(line.version, port)) {
                continue;
            }
            if line.demo.is_some() && demo.is_none() {
                // Its socket is being opened.
                done = false;
                continue;
            }
            let host = demo.map_or_else(|| line.host.clone(), |address| address.ip().to_string());
            if sip.line(key(line.id), self.setup(line, host, port)).is_err() {
                return false;
            }
            self.told.insert(line.id, (line.version, port));
        }
        done
    }

    fn setup(&self, line: &Line, host: String, port: u16) -> LineSetup {
        LineSetup {
            host,
            port: Some(port).filter(|port| *port != 0),
            user: line.login.clone(),
            caller_id: line.caller_id.clone(),
            credentials: self.credentials(line),
            realm: line.realm.clone(),
            register: (line.mode == Mode::Registration)
                .then(|| Duration::from_secs(line.expires_s.into())),
        }
    }

    fn credentials(&self, line: &Line) -> Option<Credentials> {
        let user = line.auth_login.clone().or_else(|| line.login.clone())?;
        let sealed = line.password.as_ref()?;
        match self.secrets.open(&line.password_context(), sealed) {
            Ok(plain) => {
                let password = String::from_utf8_lossy(&plain).into_owned();
                Some(Credentials { user, password })
            }
            Err(error) => {
                tracing::error!(
                    line.id = %line.id, %error,
                    "the password of line {} cannot be opened with this installation's key",
                    line.id
                );
                None
            }
        }
    }

    pub(super) fn found(&mut self, line: Id<LineId>, route: Route) {
        self.routes.insert(line, route);
    }

    /// From where a line's packets leave, when that is known.
    pub(super) fn route(&self, line: Id<LineId>) -> Option<Route> {
        self.routes.get(&line).copied()
    }

    /// Takes every line out: registrations are taken back.
    pub(super) fn leave(&mut self, sip: &SipIo) {
        for line in std::mem::take(&mut self.told).into_keys() {
            if sip.line_gone(key(line)).is_err() {
                tracing::debug!(line.id = %line, "a registration is not taken back");
            }
        }
    }

    pub(super) fn check(&mut self, sip: &SipIo, line: Id<LineId>, asks: oneshot::Sender<Check>) {
        let waiting = self.checks.entry(line).or_default();
        waiting.retain(|asks| !asks.is_closed());
        waiting.push(asks);
        // Nobody answers when it is too busy, and the question times out.
        if sip.check(key(line)).is_err() {
            tracing::warn!(line.id = %line, "signalling is too busy to check a line");
        }
    }

    pub(super) fn heard(&mut self, line: Id<LineId>, fact: LineFact, now: Timestamp) {
        match fact {
            LineFact::Health(health) => {
                let (state, failure) = judged(health);
                self.book.heard(line, state, failure, now);
            }
            LineFact::Checked(check) => {
                for asks in self.checks.remove(&line).unwrap_or_default() {
                    // Whoever asked may have gone away.
                    drop(asks.send(check.clone()));
                }
            }
            LineFact::SeenAs(address) => tracing::info!(
                line.id = %line, sip.seen_as = %address,
                "line {line} sees us at {address}: if calls stay silent, set public_address to it"
            ),
        }
    }

    /// A call ended in a way that tells something about its line.
    pub(super) fn failed(
        &self,
        line: Id<LineId>,
        cause: &Cause,
        phrase: Option<String>,
        now: Timestamp,
    ) {
        let refused = matches!(cause.sip, Some(401 | 403 | 407));
        if !(refused || cause.is_line_fault() || cause.is_congestion()) {
            return;
        }
        let state = self.book.line(line).and_then(|stored| self.book.shown(stored.account, line));
        let Some(shown) = state else { return };
        let words = phrase.unwrap_or_else(|| "timed_out".to_owned());
        self.book.heard(line, shown.health.state, Some((cause.sip, words)), now);
    }
}

/// A line's health in the book's words, with what is worth showing of a failure.
fn judged(health: Health) -> (LineHealth, Option<(Option<u16>, String)>) {
    let Health { state, code, reason } = health;
    let state = match state {
        HealthState::Unknown => LineHealth::Unknown,
        HealthState::Registering => LineHealth::Registering,
        HealthState::Ok => LineHealth::Up,
        HealthState::Failing => LineHealth::Failing,
        HealthState::Down => LineHealth::Down,
    };
    let bad = code.is_none_or(|code| code >= 300);
    (state, reason.filter(|_| bad).map(|reason| (code, reason)))
}
