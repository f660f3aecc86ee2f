//! The agent: lines, calls and transactions as one machine.

mod call;
mod dialog;
mod incoming;
mod line;
mod session;
mod timers;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base::{Machine, Timestamp};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sipx_sip::{
    HeaderName, Message, Output, Reliability, Request, Response, Timer, TransactionKey,
    TransactionLayer, TuEvent, transaction::Dispatch,
};

use self::{
    call::Call,
    line::Line,
    timers::{CallTimer, Due, LineTimer, Timers},
};
pub use self::{
    call::{CallFact, End, EndedBy, Invite, Lack, Recovery},
    dialog::SavedDialog,
    line::{Check, Health, HealthState, LineConfig, LineFact},
};
use crate::{
    digest::{Answered, Asker, Challenge, Subject},
    wire,
};

/// What the far end may ask within a call.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";

/// A line's name, chosen outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineKey(pub u64);

/// A call's name, chosen outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallKey(pub u64);

/// How the agent introduces itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// Value of User-Agent.
    pub user_agent: String,
    /// What tags, Call-IDs and branches of registrations and probes are made from; different for
    /// each start of the program.
    pub seed: [u8; 32],
}

/// One of our addresses and one of theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// The socket's address.
    pub local: SocketAddr,
    /// The far end.
    pub remote: SocketAddr,
}

/// Names a transaction towards the sockets, so that they can say that it could not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket(TransactionKey);

/// The branches of one call's requests: the `n`th, from 1 on, is the same again after a restart.
#[derive(Clone)]
pub struct Branches(Arc<dyn Fn(u32) -> String + Send + Sync>);

impl Branches {
    /// From a function of the request's number; each value begins with `z9hG4bK`.
    pub fn new(branch: impl Fn(u32) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(branch))
    }

    fn of(&self, n: u32) -> String {
        (self.0)(n)
    }
}

impl fmt::Debug for Branches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Branches")
    }
}

/// What happened, or is wished for.
#[derive(Debug)]
pub enum Event {
    /// A datagram came in.
    Received {
        /// Between whom.
        flow: Flow,
        /// All of it.
        datagram: Bytes,
    },
    /// A datagram could not be sent.
    NotSent(Ticket),
    /// A line exists, or was changed.
    Line(LineKey, Box<LineConfig>),
    /// Where a line's far end is, the preferred address first; empty when its name has none.
    Targets(LineKey, Vec<SocketAddr>),
    /// A line is to be used no more. Its calls go on.
    LineGone(LineKey),
    /// Ask the line now whether it works.
    Check(LineKey),
    /// Call somebody.
    Invite(CallKey, Box<Invite>),
    /// End a call: CANCEL or BYE, whichever fits.
    HangUp(CallKey),
    /// End a call that an earlier process left behind.
    Recover(CallKey, Box<Recovery>),
}

/// To be done outside, in order.
#[derive(Debug)]
pub enum Effect {
    /// Send a datagram.
    Send {
        /// Between whom.
        flow: Flow,
        /// All of it.
        datagram: Bytes,
        /// To be handed back when it cannot be sent.
        ticket: Option<Ticket>,
    },
    /// Something happened to a call.
    Call(CallKey, CallFact),
    /// Something happened to a line.
    Line(LineKey, LineFact),
    /// A datagram was passed over.
    Dropped(Dropped, SocketAddr),
}

/// Why a datagram was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dropped {
    /// It came from nobody whom a line names.
    UnknownSource,
    /// It is no SIP message, or one beyond the limits.
    Unreadable,
    /// It answers nothing that we asked, or not from the address that we asked.
    Unasked,
}

impl Dropped {
    /// The word for metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownSource => "unknown_source",
            Self::Unreadable => "unreadable",
            Self::Unasked => "unasked",
        }
    }
}

/// What a transaction of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Invite(CallKey),
    /// CANCEL or BYE: nobody waits for its answer.
    Parting(CallKey),
    Refresh(CallKey),
    Register(LineKey),
    Probe(LineKey),
    /// A request of the far end.
    Theirs,
}

#[derive(Debug)]
struct Transaction {
    purpose: Purpose,
    flow: Flow,
    /// What it was challenged with, for requests outside calls.
    answered: Answered,
}

/// A user agent that calls out, as a machine.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    layer: TransactionLayer,
    transactions: HashMap<TransactionKey, Transaction>,
    timers: Timers,
    lines: BTreeMap<LineKey, Line>,
    calls: BTreeMap<CallKey, Call>,
    by_call_id: BTreeMap<String, CallKey>,
    /// Addresses that calls talk to, beside those of lines.
    hops: BTreeMap<IpAddr, u32>,
    /// Grows whenever the addresses that are listened to change.
    heard_version: u64,
    tokens: u64,
}

/// What arrived and is being worked on, with where wishes go.
struct Turn<'a> {
    now: Timestamp,
    effects: &'a mut Vec<Effect>,
}

impl Agent {
    /// An agent without lines.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            layer: TransactionLayer::new(sipx_sip::Timers::default()),
            transactions: HashMap::new(),
            timers: Timers::default(),
            lines: BTreeMap::new(),
            calls: BTreeMap::new(),
            by_call_id: BTreeMap::new(),
            hops: BTreeMap::new(),
            heard_version: 0,
            tokens: 0,
        }
    }

    /// Whether datagrams from this address are looked at.
    pub fn hears(&self, ip: IpAddr) -> bool {
        self.hops.contains_key(&ip) || self.lines.values().any(|line| line.is_at(ip))
    }

    /// Every address from which datagrams are looked at.
    pub fn heard(&self) -> BTreeSet<IpAddr> {
        let lines = self.lines.values().flat_map(Line::addresses);
        lines.chain(self.hops.keys().copied()).collect()
    }

    /// A number that grows whenever [`Agent::heard`] changes.
    pub const fn heard_version(&self) -> u64 {
        self.heard_version
    }

    /// Calls that are up, being placed, or ended less than 64·T1 ago.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// Transactions and timers that are open: 0 and one per line when nothing is going on.
    pub fn open(&self) -> (usize, usize) {
        (self.transactions.len(), self.timers.len())
    }

    /// A word that nobody can guess: 128 bits in hexadecimal.
    fn token(&mut self) -> String {
        self.tokens += 1;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.config.seed)
            .expect("HMAC takes a key of any length");
        mac.update(&self.tokens.to_be_bytes());
        let half: [u8; 16] = mac.finalize().into_bytes()[..16].try_into().expect("SHA-256 has 32");
        format!("{:032x}", u128::from_be_bytes(half))
    }

    /// A number below `sides`, of the same making.
    fn roll(&mut self, sides: u64) -> u64 {
        u64::from_str_radix(&self.token()[..15], 16).unwrap_or_default() % sides.max(1)
    }

    fn received(&mut self, flow: Flow, datagram: Bytes, turn: &mut Turn<'_>) {
        if !self.hears(flow.remote.ip()) {
            turn.effects.push(Effect::Dropped(Dropped::UnknownSource, flow.remote));
            return;
        }
        // Keep-alives of RFC 5626 are no messages.
        if datagram.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match wire::read(datagram) {
            None => turn.effects.push(Effect::Dropped(Dropped::Unreadable, flow.remote)),
            Some(Message::Response(response)) => self.response(flow, response, turn),
            Some(Message::Request(request)) => self.request(flow, request, turn),
        }
    }

    fn response(&mut self, flow: Flow, response: Response, turn: &mut Turn<'_>) {
        if !sipx_sip::validate_response(&response).is_empty() {
            turn.effects.push(Effect::Dropped(Dropped::Unreadable, flow.remote));
            return;
        }
        match self.layer.receive(Message::Response(response), Reliability::Unreliable) {
            Dispatch::Matched { key, outputs } | Dispatch::Created { key, outputs } => {
                if self.is_from_right(&key, flow) {
                    self.outputs(&key, outputs, Some(flow), turn);
                } else {
                    turn.effects.push(Effect::Dropped(Dropped::Unasked, flow.remote));
                }
            }
            Dispatch::Unmatched(message) => match *message {
                Message::Response(response) => self.late_response(flow, &response, turn),
                Message::Request(_) => {}
            },
        }
    }

    /// Whether a response comes from where its request went, or from another address of the line.
    fn is_from_right(&self, key: &TransactionKey, flow: Flow) -> bool {
        let Some(transaction) = self.transactions.get(key) else { return false };
        let ip = flow.remote.ip();
        transaction.flow.remote.ip() == ip
            || self.line_of(transaction.purpose).is_some_and(|line| line.is_at(ip))
    }

    fn line_of(&self, purpose: Purpose) -> Option<&Line> {
        let line = match purpose {
            Purpose::Invite(call) | Purpose::Parting(call) | Purpose::Refresh(call) => {
                self.calls.get(&call)?.line
            }
            Purpose::Register(line) | Purpose::Probe(line) => line,
            Purpose::Theirs => return None,
        };
        self.lines.get(&line)
    }

    /// Sends a request of ours through a transaction; its key, unless the branch is in use.
    fn send(
        &mut self,
        request: Request,
        flow: Flow,
        purpose: Purpose,
        answered: Answered,
        turn: &mut Turn<'_>,
    ) -> Option<TransactionKey> {
        let (key, outputs) = self.layer.send_request(request, Reliability::Unreliable)?;
        self.transactions.insert(key.clone(), Transaction { purpose, flow, answered });
        self.outputs(&key, outputs, None, turn);
        Some(key)
    }

    /// Answers a request of the far end.
    fn reply(&mut self, key: &TransactionKey, response: Response, turn: &mut Turn<'_>) {
        let outputs = self.layer.send_response(key, response);
        self.outputs(key, outputs, None, turn);
    }

    fn outputs(
        &mut self,
        key: &TransactionKey,
        outputs: Vec<Output>,
        from: Option<Flow>,
        turn: &mut Turn<'_>,
    ) {
        for output in outputs {
            match output {
                Output::Send(message) => self.put(key, &message, turn),
                Output::SetTimer { timer, after } => {
                    self.timers.arm(turn.now, after, Due::Transaction(key.clone(), timer));
                }
                Output::ClearTimer(timer) => {
                    self.timers.disarm(&Due::Transaction(key.clone(), timer));
                }
                Output::ToTu(event) => self.told(key, *event, from, turn),
                Output::Terminated(_) => self.forget_transaction(key),
                _ => {}
            }
        }
    }

    fn put(&mut self, key: &TransactionKey, message: &Message, turn: &mut Turn<'_>) {
        let Some(transaction) = self.transactions.get(key) else { return };
        turn.effects.push(Effect::Send {
            flow: transaction.flow,
            datagram: message.to_bytes(),
            ticket: Some(Ticket(key.clone())),
        });
    }

    fn forget_transaction(&mut self, key: &TransactionKey) {
        for timer in Timer::ALL {
            self.timers.disarm(&Due::Transaction(key.clone(), timer));
        }
        self.transactions.remove(key);
    }

    /// A transaction has something to tell.
    fn told(
        &mut self,
        key: &TransactionKey,
        event: TuEvent,
        from: Option<Flow>,
        turn: &mut Turn<'_>,
    ) {
        let Some(transaction) = self.transactions.get(key) else { return };
        let (purpose, flow) = (transaction.purpose, transaction.flow);
        let outcome = match event {
            TuEvent::Request(request) => {
                self.asked(key, flow, &request, turn);
                return;
            }
            TuEvent::Response(response) => Ok(response),
            TuEvent::Timeout => Err(Lack::TimedOut),
            TuEvent::TransportError => Err(Lack::Transport),
            TuEvent::Ack(_) | _ => return,
        };
        let source = from.map_or(flow.remote, |from| from.remote);
        if let Ok(response) = &outcome
            && self.try_again(key, purpose, response, turn)
        {
            return;
        }
        match purpose {
            Purpose::Invite(call) => self.invite_heard(key, call, outcome.as_deref(), source, turn),
            Purpose::Parting(_) | Purpose::Theirs => {}
            Purpose::Refresh(call) => self.refresh_heard(call, outcome.as_deref(), source, turn),
            Purpose::Register(line) => self.register_heard(line, outcome.as_deref(), turn),
            Purpose::Probe(line) => self.probe_heard(line, outcome.as_deref(), turn),
        }
    }

    /// Answers a 401 or 407, when there are credentials and they are worth sending. True when the
    /// request is under way again.
    fn try_again(
        &mut self,
        key: &TransactionKey,
        purpose: Purpose,
        response: &Response,
        turn: &mut Turn<'_>,
    ) -> bool {
        let asker = match response.status.code() {
            401 => Asker::Server,
            407 => Asker::Proxy,
            _ => return false,
        };
        if let Purpose::Invite(call) = purpose
            && !self.calls.get(&call).is_some_and(Call::may_be_sent_again)
        {
            return false;
        }
        let Some(line) = self.line_of(purpose) else { return false };
        let Some(credentials) = line.config.credentials.clone() else { return false };
        let realm = line.config.realm.clone();
        let line = line.key;
        let Some(request) = self.layer.client_request(key).cloned() else { return false };
        let challenges = challenges(response, asker, realm.as_deref());
        let mut answered = match self.transactions.get(key) {
            Some(transaction) => transaction.answered.clone(),
            None => return false,
        };
        let Some(keyring) = self.lines.get_mut(&line).map(|line| &mut line.keyring) else {
            return false;
        };
        if !keyring.meet(challenges, &mut answered) {
            return false;
        }
        let flow = self.transactions.get(key).map(|transaction| transaction.flow);
        let Some(flow) = flow else { return false };
        let Some((cseq, branch)) = self.next_number(purpose) else { return false };
        let via = self.via(line, flow, &branch);
        let cnonce = self.token();
        let method = request.method.to_string();
        let uri = String::from_utf8_lossy(&request.uri.to_bytes()).into_owned();
        let subject = Subject { method: &method, uri: &uri, body: request.body() };
        let Some(keyring) = self.lines.get_mut(&line).map(|line| &mut line.keyring) else {
            return false;
        };
        let values = headers_of(keyring.answer(&credentials, subject, &cnonce, &answered));
        let Some(again) = wire::again(&request, &via, cseq, &values) else { return false };
        if let Purpose::Invite(call) | Purpose::Refresh(call) | Purpose::Parting(call) = purpose
            && let Some(call) = self.calls.get_mut(&call)
        {
            call.answered = answered.clone();
        }
        let sent = self.send(again, flow, purpose, answered, turn);
        if let (Purpose::Invite(call), Some(sent)) = (purpose, &sent)
            && let Some(call) = self.calls.get_mut(&call)
        {
            call.sent_again(sent.clone(), cseq, branch);
        }
        sent.is_some()
    }

    /// CSeq and branch of the next request of a call or a line.
    fn next_number(&mut self, purpose: Purpose) -> Option<(u32, String)> {
        match purpose {
            Purpose::Invite(call) | Purpose::Parting(call) | Purpose::Refresh(call) => {
                self.calls.get_mut(&call).map(Call::next_number)
            }
            Purpose::Register(line) | Purpose::Probe(line) => {
                let branch = format!("z9hG4bK{}", self.token());
                self.lines.get_mut(&line).map(|line| (line.next_cseq(purpose), branch))
            }
            Purpose::Theirs => None,
        }
    }

    /// The Via of a request: the address under which the line's far end sees us, and a wish to be
    /// told if that is wrong (RFC 3581).
    fn via(&self, line: LineKey, flow: Flow, branch: &str) -> String {
        let advertised = self.lines.get(&line).map_or(flow.local, |line| line.config.advertised);
        format!("SIP/2.0/UDP {advertised};branch={branch};rport")
    }

    /// Credentials that go along unasked, because the line asked for them before.
    fn credentials_for(
        &mut self,
        line: LineKey,
        method: &str,
        uri: &str,
        body: &str,
        answered: &Answered,
    ) -> Vec<(HeaderName, String)> {
        let cnonce = self.token();
        let Some(line) = self.lines.get_mut(&line) else { return Vec::new() };
        let Some(credentials) = line.config.credentials.clone() else { return Vec::new() };
        let subject = Subject { method, uri, body: body.as_bytes() };
        headers_of(line.keyring.answer(&credentials, subject, &cnonce, answered))
    }

    fn hop_used(&mut self, ip: IpAddr) {
        let uses = self.hops.entry(ip).or_default();
        *uses += 1;
        if *uses == 1 {
            self.heard_version += 1;
        }
    }

    fn hop_left(&mut self, ip: IpAddr) {
        if let Some(uses) = self.hops.get_mut(&ip) {
            *uses -= 1;
            if *uses == 0 {
                self.hops.remove(&ip);
                self.heard_version += 1;
            }
        }
    }
}

/// The challenges of a 401 or 407 that we can answer, in order, of the line's realm if it has one.
fn challenges(response: &Response, asker: Asker, realm: Option<&str>) -> Vec<Challenge> {
    let name = match asker {
        Asker::Server => HeaderName::WwwAuthenticate,
        Asker::Proxy => HeaderName::ProxyAuthenticate,
    };
    response
        .headers
        .get_all(&name)
        .filter_map(|header| Challenge::parse(&header.value(), asker))
        .filter(|challenge| realm.is_none_or(|realm| challenge.is_of(realm)))
        .collect()
}

fn headers_of(values: Vec<(Asker, String)>) -> Vec<(HeaderName, String)> {
    values
        .into_iter()
        .map(|(asker, value)| match asker {
            Asker::Server => (HeaderName::Authorization, value),
            Asker::Proxy => (HeaderName::ProxyAuthorization, value),
        })
        .collect()
}

/// 64·T1 (RFC 3261, 17.1.1.2).
const LIFE: Duration = Duration::from_secs(32);

impl Machine for Agent {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Timestamp, event: Event, effects: &mut Vec<Effect>) {
        let turn = &mut Turn { now, effects };
        match event {
            Event::Received { flow, datagram } => self.received(flow, datagram, turn),
            Event::NotSent(Ticket(key)) => {
                let outputs = self.layer.on_transport_error(&key);
                self.outputs(&key, outputs, None, turn);
            }
            Event::Line(line, config) => self.line(line, *config, turn),
            Event::Targets(line, targets) => self.targets(line, targets, turn),
            Event::LineGone(line) => self.line_gone(line, turn),
            Event::Check(line) => self.check(line, turn),
            Event::Invite(call, invite) => self.invite(call, *invite, turn),
            Event::HangUp(call) => self.hang_up(call, turn),
            Event::Recover(call, recovery) => self.recover(call, *recovery, turn),
        }
    }

    fn wake(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let turn = &mut Turn { now, effects };
        while let Some(due) = self.timers.take_due(now) {
            match due {
                Due::Transaction(key, timer) => {
                    let outputs = self.layer.on_timer(&key, timer);
                    self.outputs(&key, outputs, None, turn);
                }
                Due::Call(call, timer) => self.call_timer(call, timer, turn),
                Due::Line(line, timer) => self.line_timer(line, timer, turn),
            }
        }
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.timers.next()
    }
}
