//! Lines: registration (RFC 3261, 10), the question whether they live, and their health.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use base::Timestamp;
use sipx_sip::{HeaderName, Response, Via};

use super::{
    ALLOW, Agent, CallKey, Due, Effect, Flow, LIFE, LineKey, LineTimer, Purpose, Recovery, Turn,
    call::Lack,
};
use crate::{
    Credentials,
    digest::{Answered, Keyring},
    wire::{self, Draft},
};

/// How often a line is asked whether it lives.
const PROBE_EVERY: Duration = Duration::from_secs(30);
/// How soon after one unanswered question the next follows.
const PROBE_AGAIN: Duration = Duration::from_secs(5);
/// How long an answer may take.
const PROBE_WAIT: Duration = Duration::from_secs(8);
/// Unanswered questions that make a line dead.
const MISSES: u32 = 2;
/// The first pause after a refused registration; doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// The shortest time after which a registration is refreshed.
const SOONEST: Duration = Duration::from_secs(5);
/// How often the wish for a duration is mended in a row (423).
const MENDINGS: u32 = 3;

/// How a line is reached, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineConfig {
    /// The far end's name or address, without port; the domain of every address.
    pub host: String,
    /// Its port, when it is not found by name.
    pub port: Option<u16>,
    /// The user of our own address.
    pub user: Option<String>,
    /// Shown number instead of the user.
    pub caller_id: Option<String>,
    /// Who we are when asked.
    pub credentials: Option<Credentials>,
    /// Answer challenges of this realm only.
    pub realm: Option<String>,
    /// For how long to register; `None` when the far end knows us by address.
    pub register: Option<Duration>,
    /// The bound address of the socket.
    pub local: SocketAddr,
    /// The address at which the far end reaches us.
    pub advertised: SocketAddr,
}

impl LineConfig {
    pub(super) fn host_and_port(&self) -> String {
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
            _ => self.host.clone(),
        };
        match self.port {
            Some(port) if port != 5060 => format!("{host}:{port}"),
            _ => host,
        }
    }

    pub(super) fn contact(&self) -> String {
        match &self.user {
            Some(user) => format!("<sip:{}@{}>", wire::user_part(user), self.advertised),
            None => format!("<sip:{}>", self.advertised),
        }
    }

    /// Whether it is the same registration as another one.
    fn registers_as(&self, other: &Self) -> bool {
        let key = |config: &Self| {
            (
                config.register.is_some(),
                config.host_and_port(),
                config.user.clone(),
                config.advertised,
            )
        };
        key(self) == key(other)
    }
}

/// What is known of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// In one word.
    pub state: HealthState,
    /// The last status of a registration or probe.
    pub code: Option<u16>,
    /// Its phrase, or what was missing: `timed_out`, `transport`, `unresolved`.
    pub reason: Option<String>,
}

/// Whether a line can carry calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// Not known yet.
    Unknown,
    /// The registration is under way.
    Registering,
    /// It answers.
    Ok,
    /// It missed one answer.
    Failing,
    /// It does not answer, refuses us, or has no address.
    Down,
}

/// The answer to [`super::Event::Check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Whether the line works as far as can be told without a call.
    pub ok: bool,
    /// The status heard.
    pub code: Option<u16>,
    /// Its phrase, or what was missing.
    pub reason: String,
    /// How long the answer took.
    pub round_trip: Duration,
}

/// What happened to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineFact {
    /// Its health changed.
    Health(Health),
    /// It was checked on demand.
    Checked(Check),
    /// The far end sees us at another address than the one that we tell.
    SeenAs(SocketAddr),
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) key: LineKey,
    pub(super) config: LineConfig,
    targets: Vec<SocketAddr>,
    resolved: bool,
    /// Which of them is used.
    at: usize,
    pub(super) keyring: Keyring,
    registration: Registration,
    probe: Probe,
    health: Health,
    seen_as: Option<SocketAddr>,
    /// When the far end last said anything.
    heard_at: Option<Timestamp>,
    /// Since when somebody waits for the answer to a check.
    checking: Option<Timestamp>,
    leaving: bool,
    /// Calls of an earlier process, to be ended as soon as the far end's address is known.
    pub(super) recoveries: Vec<(CallKey, Recovery)>,
}

#[derive(Debug, Default)]
struct Registration {
    call_id: String,
    from_tag: String,
    cseq: u32,
    /// The shortest duration that the far end accepts.
    least: Option<Duration>,
    mended: u32,
    pause: Duration,
    until: Option<Timestamp>,
    refused: Option<(Option<u16>, String)>,
    under_way: bool,
}

#[derive(Debug, Default)]
struct Probe {
    call_id: String,
    from_tag: String,
    cseq: u32,
    sent_at: Option<Timestamp>,
    ever_answered: bool,
    misses: u32,
    last: Option<(u16, String)>,
}

impl Line {
    pub(super) fn is_at(&self, ip: IpAddr) -> bool {
        self.targets.iter().any(|target| target.ip() == ip)
    }

    pub(super) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.targets.iter().map(SocketAddr::ip)
    }

    pub(super) fn flow(&self) -> Option<Flow> {
        let remote = *self.targets.get(self.at)?;
        Some(Flow { local: self.config.local, remote })
    }

    pub(super) const fn next_cseq(&mut self, purpose: Purpose) -> u32 {
        let count = match purpose {
            Purpose::Register(_) => &mut self.registration.cseq,
            Purpose::Invite(_)
            | Purpose::Parting(_)
            | Purpose::Refresh(_)
            | Purpose::Probe(_)
            | Purpose::Theirs => &mut self.probe.cseq,
        };
        *count += 1;
        *count
    }

    /// The far end's next address, when there are several and this one is silent.
    fn turn_to_next(&mut self) {
        if !self.targets.is_empty() {
            self.at = (self.at + 1) % self.targets.len();
        }
    }

    fn judge(&self, now: Timestamp) -> Health {
        let health = |state, code, reason: Option<&str>| Health {
            state,
            code,
            reason: reason.map(str::to_owned),
        };
        if self.targets.is_empty() {
            let (state, reason) = if self.resolved {
                (HealthState::Down, Some("unresolved"))
            } else {
                (HealthState::Unknown, None)
            };
            return health(state, None, reason);
        }
        let registered = self.registration.until.is_some_and(|until| until > now);
        if self.config.register.is_some() {
            match &self.registration.refused {
                Some((code, reason)) => {
                    let state = if registered { HealthState::Failing } else { HealthState::Down };
                    return health(state, *code, Some(reason));
                }
                None if !registered => return health(HealthState::Registering, None, None),
                None => {}
            }
        }
        // A far end that never answers the question but lets us register is alive.
        let misses = if registered && !self.probe.ever_answered { 0 } else { self.probe.misses };
        let last = self.probe.last.as_ref();
        let (code, phrase) = (last.map(|last| last.0), last.map(|last| last.1.as_str()));
        match misses {
            0 if registered || self.probe.ever_answered => health(HealthState::Ok, code, phrase),
            0 => health(HealthState::Unknown, None, None),
            n if n < MISSES => health(HealthState::Failing, None, Some("timed_out")),
            _ => health(HealthState::Down, None, Some("timed_out")),
        }
    }
}

impl Agent {
    pub(super) fn line(&mut self, key: LineKey, config: LineConfig, turn: &mut Turn<'_>) {
        if let Some(line) = self.lines.get(&key) {
            let same_registration = line.config.registers_as(&config);
            if !same_registration {
                self.unregister(key, turn);
            }
            let (call_id, from_tag) = (self.token(), self.token());
            let Some(line) = self.lines.get_mut(&key) else { return };
            if line.config.credentials != config.credentials || line.config.realm != config.realm {
                line.keyring = Keyring::default();
                line.registration.refused = None;
            }
            if !same_registration {
                line.registration = Registration { call_id, from_tag, ..Registration::default() };
                line.probe = Probe {
                    call_id: line.probe.call_id.clone(),
                    from_tag: line.probe.from_tag.clone(),
                    cseq: line.probe.cseq,
                    ..Probe::default()
                };
            }
            line.leaving = false;
            line.config = config;
            self.timers.disarm(&Due::Line(key, LineTimer::Gone));
            self.timers.disarm(&Due::Line(key, LineTimer::Register));
        } else {
            let line = Line {
                key,
                config,
                targets: Vec::new(),
                resolved: false,
                at: 0,
                keyring: Keyring::default(),
                registration: Registration {
                    call_id: self.token(),
                    from_tag: self.token(),
                    ..Registration::default()
                },
                probe: Probe { call_id: self.token(), from_tag: self.token(), ..Probe::default() },
                health: Health { state: HealthState::Unknown, code: None, reason: None },
                seen_as: None,
                heard_at: None,
                checking: None,
                leaving: false,
                recoveries: Vec::new(),
            };
            self.lines.insert(key, line);
        }
        self.set_going(key, turn);
    }

    pub(super) fn targets(&mut self, key: LineKey, targets: Vec<SocketAddr>, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get_mut(&key) else { return };
        let changed = line.targets != targets || !line.resolved;
        // A name that cannot be found for a while does not take a working address away.
        if targets.is_empty() && line.resolved && !line.targets.is_empty() {
            return;
        }
        line.resolved = true;
        if changed {
            line.targets = targets;
            line.at = 0;
            self.heard_version += 1;
            self.set_going(key, turn);
        }
        let Some(line) = self.lines.get_mut(&key) else { return };
        if line.flow().is_some() {
            for (call, recovery) in std::mem::take(&mut line.recoveries) {
                self.recover(call, recovery, turn);
            }
        }
    }

    /// Registers and asks, from now on.
    fn set_going(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get(&key) else { return };
        let (found, registers) = (line.flow().is_some(), line.config.register.is_some());
        if found {
            if registers {
                self.register(key, turn);
            }
            self.probe(key, turn);
        } else if let Some(started) = self
            .lines
            .get_mut(&key)
            .and_then(|line| if line.resolved { line.checking.take() } else { None })
        {
            checked(key, false, None, "unresolved", started, turn);
        }
        self.tell_health(key, turn);
    }

    pub(super) fn line_gone(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        self.unregister(key, turn);
        for timer in [LineTimer::Register, LineTimer::Probe, LineTimer::Missed] {
            self.timers.disarm(&Due::Line(key, timer));
        }
        if let Some(line) = self.lines.get_mut(&key) {
            line.leaving = true;
            self.timers.arm(turn.now, LIFE, Due::Line(key, LineTimer::Gone));
        }
    }

    fn unregister(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        let registered = self.lines.get_mut(&key).is_some_and(|line| {
            line.config.register.is_some() && line.registration.until.take().is_some()
        });
        if registered {
            self.send_register(key, Duration::ZERO, turn);
        }
    }

    fn register(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get(&key) else { return };
        let Some(wish) = line.config.register else { return };
        let wish = line.registration.least.map_or(wish, |least| wish.max(least));
        self.send_register(key, wish, turn);
    }

    fn send_register(&mut self, key: LineKey, wish: Duration, turn: &mut Turn<'_>) {
        let branch = format!("z9hG4bK{}", self.token());
        let Some(line) = self.lines.get_mut(&key) else { return };
        let Some(flow) = line.flow() else { return };
        let cseq = line.next_cseq(Purpose::Register(key));
        line.registration.under_way = true;
        let host = line.config.host_and_port();
        let user = wire::user_part(line.config.user.as_deref().unwrap_or("anonymous"));
        let uri = format!("sip:{host}");
        let via = self.via(key, flow, &branch);
        let Some(line) = self.lines.get(&key) else { return };
        let mut draft = Draft::new("REGISTER", &uri)
            .header("Via", &via)
            .header("Max-Forwards", "70")
            .header("From", &format!("<sip:{user}@{host}>;tag={}", line.registration.from_tag))
            .header("To", &format!("<sip:{user}@{host}>"))
            .header("Call-ID", &line.registration.call_id)
            .header("CSeq", &format!("{cseq} REGISTER"))
            .header("Contact", &line.config.contact())
            .header("Expires", &wish.as_secs().to_string())
            .header("Allow", ALLOW)
            .header("User-Agent", &self.config.user_agent);
        for (name, value) in self.credentials_for(key, "REGISTER", &uri, "", &Answered::default()) {
            draft = draft.header(&name.to_string(), &value);
        }
        if let Some(request) = draft.build() {
            self.send(request, flow, Purpose::Register(key), Answered::default(), turn);
        }
    }

    pub(super) fn register_heard(
        &mut self,
        key: LineKey,
        outcome: Result<&Response, &Lack>,
        turn: &mut Turn<'_>,
    ) {
        let Some(line) = self.lines.get_mut(&key) else { return };
        if let Ok(response) = outcome {
            if response.status.is_provisional() {
                return;
            }
            line.heard_at = Some(turn.now);
        }
        line.registration.under_way = false;
        if line.leaving || line.config.register.is_none() {
            return;
        }
        self.see(key, outcome, turn);
        match outcome {
            Ok(response) if response.status.is_success() => self.registered(key, response, turn),
            Ok(response) if response.status.code() == 423 => self.too_brief(key, response, turn),
            Ok(response) => {
                let wait = wire::retry_after(&response.headers);
                let (code, reason) = (response.status.code(), wire::phrase_of(response));
                self.not_registered(key, Some(code), &reason, wait, turn);
            }
            Err(lack) => self.not_registered(key, None, lack_word(*lack), None, turn),
        }
        self.tell_health(key, turn);
    }

    fn registered(&mut self, key: LineKey, response: &Response, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get_mut(&key) else { return };
        let wish = line.config.register.unwrap_or_default();
        let granted = granted(response, &line.config).unwrap_or(wish);
        let registration = &mut line.registration;
        registration.refused = None;
        registration.mended = 0;
        registration.pause = Duration::ZERO;
        registration.until = Some(turn.now.plus(granted));
        let again = (granted * 4 / 5).max(SOONEST);
        self.timers.arm(turn.now, again, Due::Line(key, LineTimer::Register));
        if let Some(started) = self.lines.get_mut(&key).and_then(|line| line.checking.take()) {
            checked(
                key,
                true,
                Some(response.status.code()),
                &wire::phrase_of(response),
                started,
                turn,
            );
        }
    }

    fn too_brief(&mut self, key: LineKey, response: &Response, turn: &mut Turn<'_>) {
        let least = wire::seconds(&response.headers, &HeaderName::MinExpires);
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.registration.mended += 1;
        if least.is_some() && line.registration.mended <= MENDINGS {
            line.registration.least = least;
            self.register(key, turn);
        } else {
            self.not_registered(key, Some(423), &wire::phrase_of(response), None, turn);
        }
    }

    fn not_registered(
        &mut self,
        key: LineKey,
        code: Option<u16>,
        reason: &str,
        wait: Option<Duration>,
        turn: &mut Turn<'_>,
    ) {
        let spread = self.roll(20);
        let Some(line) = self.lines.get_mut(&key) else { return };
        if code.is_none() {
            line.turn_to_next();
        }
        let registration = &mut line.registration;
        registration.refused = Some((code, reason.to_owned()));
        registration.mended = 0;
        registration.pause = (registration.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        // Spread by a fifth, so that many lines do not come back at once.
        let pause = wait.unwrap_or(registration.pause * (90 + spread as u32) / 100);
        let started = line.checking.take();
        self.timers.arm(turn.now, pause.max(SOONEST), Due::Line(key, LineTimer::Register));
        if let Some(started) = started {
            checked(key, false, code, reason, started, turn);
        }
    }

    fn probe(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        let branch = format!("z9hG4bK{}", self.token());
        let Some(line) = self.lines.get_mut(&key) else { return };
        let Some(flow) = line.flow() else { return };
        if line.probe.sent_at.is_some() {
            return;
        }
        line.probe.sent_at = Some(turn.now);
        let cseq = line.next_cseq(Purpose::Probe(key));
        let host = line.config.host_and_port();
        let user = wire::user_part(line.config.user.as_deref().unwrap_or("anonymous"));
        let uri = format!("sip:{host}");
        let via = self.via(key, flow, &branch);
        let Some(line) = self.lines.get(&key) else { return };
        let mut draft = Draft::new("OPTIONS", &uri)
            .header("Via", &via)
            .header("Max-Forwards", "70")
            .header("From", &format!("<sip:{user}@{host}>;tag={}", line.probe.from_tag))
            .header("To", &format!("<{uri}>"))
            .header("Call-ID", &line.probe.call_id)
            .header("CSeq", &format!("{cseq} OPTIONS"))
            .header("Contact", &line.config.contact())
            .header("Accept", "application/sdp")
            .header("User-Agent", &self.config.user_agent);
        for (name, value) in self.credentials_for(key, "OPTIONS", &uri, "", &Answered::default()) {
            draft = draft.header(&name.to_string(), &value);
        }
        if let Some(request) = draft.build() {
            self.timers.arm(turn.now, PROBE_WAIT, Due::Line(key, LineTimer::Missed));
            self.send(request, flow, Purpose::Probe(key), Answered::default(), turn);
        }
    }

    /// Any answer is a sign of life, a refusal too.
    pub(super) fn probe_heard(
        &mut self,
        key: LineKey,
        outcome: Result<&Response, &Lack>,
        turn: &mut Turn<'_>,
    ) {
        let Ok(response) = outcome else {
            if let Err(Lack::Transport) = outcome {
                self.probe_missed(key, "transport", turn);
            }
            return;
        };
        if response.status.is_provisional() {
            return;
        }
        self.see(key, outcome, turn);
        self.timers.disarm(&Due::Line(key, LineTimer::Missed));
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.heard_at = Some(turn.now);
        let (code, reason) = (response.status.code(), wire::phrase_of(response));
        line.probe.ever_answered = true;
        line.probe.misses = 0;
        line.probe.sent_at = None;
        line.probe.last = Some((code, reason.clone()));
        let by_probe = line.config.register.is_none();
        if !line.leaving {
            self.timers.arm(turn.now, PROBE_EVERY, Due::Line(key, LineTimer::Probe));
        }
        let started = self.lines.get_mut(&key).filter(|_| by_probe).and_then(|l| l.checking.take());
        if let Some(started) = started {
            checked(key, true, Some(code), &reason, started, turn);
        }
        self.tell_health(key, turn);
    }

    fn probe_missed(&mut self, key: LineKey, reason: &str, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get_mut(&key) else { return };
        let Some(sent_at) = line.probe.sent_at.take() else { return };
        let spoke_since = line.heard_at.is_some_and(|heard| heard > sent_at);
        let again = if spoke_since {
            PROBE_EVERY
        } else {
            line.probe.misses = line.probe.misses.saturating_add(1);
            line.turn_to_next();
            if line.probe.misses < MISSES { PROBE_AGAIN } else { PROBE_EVERY }
        };
        let by_probe = line.config.register.is_none();
        let started = if by_probe { line.checking.take() } else { None };
        self.timers.disarm(&Due::Line(key, LineTimer::Missed));
        self.timers.arm(turn.now, again, Due::Line(key, LineTimer::Probe));
        if let Some(started) = started {
            checked(key, false, None, reason, started, turn);
        }
        self.tell_health(key, turn);
    }

    pub(super) fn check(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get_mut(&key) else { return };
        line.checking.get_or_insert(turn.now);
        if line.flow().is_none() {
            if line.resolved {
                let started = line.checking.take().unwrap_or(turn.now);
                checked(key, false, None, "unresolved", started, turn);
            }
            return;
        }
        if line.config.register.is_some() {
            if !line.registration.under_way {
                self.register(key, turn);
            }
        } else {
            // A question that is under way answers this one too.
            self.probe(key, turn);
        }
    }

    pub(super) fn line_timer(&mut self, key: LineKey, timer: LineTimer, turn: &mut Turn<'_>) {
        match timer {
            LineTimer::Register => self.register(key, turn),
            LineTimer::Probe => self.probe(key, turn),
            LineTimer::Missed => self.probe_missed(key, "timed_out", turn),
            LineTimer::Gone => {
                self.lines.remove(&key);
                self.heard_version += 1;
            }
        }
    }

    fn tell_health(&mut self, key: LineKey, turn: &mut Turn<'_>) {
        let Some(line) = self.lines.get_mut(&key) else { return };
        let health = line.judge(turn.now);
        if health != line.health && !line.leaving {
            line.health = health.clone();
            turn.effects.push(Effect::Line(key, LineFact::Health(health)));
        }
    }

    /// Where the far end sees us, from the Via that comes back (RFC 3581).
    fn see(&mut self, key: LineKey, outcome: Result<&Response, &Lack>, turn: &mut Turn<'_>) {
        let Ok(response) = outcome else { return };
        let Some(Ok(via)) = response.headers.typed::<Via>() else { return };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let Some(line) = self.lines.get_mut(&key) else { return };
        let told = line.config.advertised;
        let ip = via.received().and_then(|ip| text(ip).trim_matches(['[', ']']).parse().ok());
        let port = via.rport().flatten().and_then(|port| text(port).parse().ok());
        let seen = SocketAddr::new(ip.unwrap_or(told.ip()), port.unwrap_or(told.port()));
        if seen != told && line.seen_as != Some(seen) {
            line.seen_as = Some(seen);
            turn.effects.push(Effect::Line(key, LineFact::SeenAs(seen)));
        }
    }
}

/// Tells the answer to a check that was asked for at `started`.
fn checked(
    key: LineKey,
    ok: bool,
    code: Option<u16>,
    reason: &str,
    started: Timestamp,
    turn: &mut Turn<'_>,
) {
    let check = Check { ok, code, reason: reason.to_owned(), round_trip: turn.now.since(started) };
    turn.effects.push(Effect::Line(key, LineFact::Checked(check)));
}

/// For how long the far end registered us: our own Contact's `expires`, else `Expires`.
fn granted(response: &Response, config: &LineConfig) -> Option<Duration> {
    let contacts: Vec<_> = response
        .headers
        .typed_all::<sipx_sip::headers::Contact>()
        .filter_map(Result::ok)
        .filter_map(|contact| {
            let expires = String::from_utf8_lossy(contact.param("expires")?).parse().ok()?;
            Some((wire::literal(&contact.uri), Duration::from_secs(expires)))
        })
        .collect();
    let own = contacts.iter().find(|(address, _)| *address == Some(config.advertised));
    own.or_else(|| contacts.first())
        .map(|(_, expires)| *expires)
        .or_else(|| wire::seconds(&response.headers, &HeaderName::Expires))
}

const fn lack_word(lack: Lack) -> &'static str {
    match lack {
        Lack::TimedOut => "timed_out",
        Lack::Transport => "transport",
        Lack::Media(_) => "media",
        Lack::Session => "session",
    }
}
