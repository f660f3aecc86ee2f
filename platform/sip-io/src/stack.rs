//! The task that drives the agent: commands, datagrams and time in, datagrams and facts out.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use base::{Machine, Timestamp};
use bytes::Bytes;
use clock::Clock;
use sip::{
    Agent, CallFact, CallKey, Credentials, Effect, Event, Flow, Invite, LineConfig, LineFact,
    LineKey, Recovery,
};
use tokio::sync::mpsc;

use crate::{
    names::{Found, resolve},
    socket::{Opened, local_towards},
    sources::Sources,
};

/// Commands that may wait.
const COMMANDS: usize = 8_192;
/// Datagrams that may wait.
const INBOX: usize = 8_192;
/// How soon a line whose socket could not be opened tries again.
const REOPEN: Duration = Duration::from_secs(10);

/// How the sockets are set up.
#[derive(Clone)]
pub struct Config {
    /// The UDP port of every socket; the next free one of ten when it is taken. 0 takes any.
    pub port: u16,
    /// The address at which the world outside the local network reaches us; the socket's own when
    /// there is none.
    pub public_address: Option<IpAddr>,
    /// Value of User-Agent.
    pub user_agent: String,
    /// See [`sip::Config::seed`].
    pub seed: [u8; 32],
    /// Sees every datagram.
    pub tap: Option<Tap>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("port", &self.port)
            .field("public_address", &self.public_address)
            .finish_non_exhaustive()
    }
}

/// Called with every datagram, in order; must not wait.
pub type Tap = Arc<dyn Fn(&Tapped<'_>) + Send + Sync>;

/// One datagram on its way.
#[derive(Debug)]
pub struct Tapped<'a> {
    /// When.
    pub at: Timestamp,
    /// Between whom.
    pub flow: Flow,
    /// Whether it leaves.
    pub outgoing: bool,
    /// All of it. Show it through [`sip::masked`] only.
    pub datagram: &'a [u8],
}

/// A line, as its owner configures it. The addresses on our side are found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineSetup {
    /// The far end's name or address.
    pub host: String,
    /// Its port; without one, service records are asked for, then 5060 is used.
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
}

/// From where a line's packets leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The local address; media sockets are bound to it too.
    pub local: IpAddr,
    /// The address that the far end is told.
    pub advertised: IpAddr,
    /// The far end's own address.
    pub peer: IpAddr,
}

/// What happened.
#[derive(Debug)]
pub enum Fact {
    /// To a call.
    Call(CallKey, CallFact),
    /// To a line.
    Line(LineKey, LineFact),
    /// It is known from where a line's packets leave.
    Route(LineKey, Route),
}

/// The command queue is full or the task is gone; nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signalling is busy")]
pub struct Busy;

/// The way to the signalling task. Cheap to clone; the task ends with the last handle.
#[derive(Debug, Clone)]
pub struct SipIo(mpsc::Sender<Command>);

#[derive(Debug)]
enum Command {
    Line(LineKey, Box<LineSetup>),
    Plain(Box<Event>),
}

impl SipIo {
    /// Starts the task. Facts go to `facts`, which must be drained without waiting for this task:
    /// when it is full, signalling stands still.
    pub fn start(config: Config, clock: Clock, facts: mpsc::Sender<Fact>) -> Self {
        let (commands, queue) = mpsc::channel(COMMANDS);
        telemetry::spawn("sip", Stack::new(config, clock, facts).run(queue));
        Self(commands)
    }

    /// Adds a line, or changes it.
    pub fn line(&self, key: LineKey, setup: LineSetup) -> Result<(), Busy> {
        self.give(Command::Line(key, Box::new(setup)))
    }

    /// Takes a line out; its registration is taken back, its calls go on.
    pub fn line_gone(&self, key: LineKey) -> Result<(), Busy> {
        self.plain(Event::LineGone(key))
    }

    /// Asks a line whether it works; [`LineFact::Checked`] follows.
    pub fn check(&self, key: LineKey) -> Result<(), Busy> {
        self.plain(Event::Check(key))
    }

    /// Calls somebody. [`CallFact::Ended`] follows in any case.
    pub fn invite(&self, key: CallKey, invite: Invite) -> Result<(), Busy> {
        self.plain(Event::Invite(key, Box::new(invite)))
    }

    /// Ends a call.
    pub fn hang_up(&self, key: CallKey) -> Result<(), Busy> {
        self.plain(Event::HangUp(key))
    }

    /// Ends a call that an earlier process left behind.
    pub fn recover(&self, key: CallKey, recovery: Recovery) -> Result<(), Busy> {
        self.plain(Event::Recover(key, Box::new(recovery)))
    }

    fn plain(&self, event: Event) -> Result<(), Busy> {
        self.give(Command::Plain(Box::new(event)))
    }

    fn give(&self, command: Command) -> Result<(), Busy> {
        self.0.try_send(command).map_err(|_| Busy)
    }
}

/// Both ends of a bounded queue.
type Queue<T> = (mpsc::Sender<T>, mpsc::Receiver<T>);

struct Stack {
    config: Config,
    clock: Clock,
    agent: Agent,
    facts: mpsc::Sender<Fact>,
    sources: Arc<Sources>,
    sockets: BTreeMap<IpAddr, Opened>,
    lines: BTreeMap<LineKey, LineState>,
    inbox: Queue<(Flow, Bytes)>,
    found: Queue<(LineKey, u64, Found)>,
    effects: Vec<Effect>,
    heard_version: u64,
}

struct LineState {
    setup: LineSetup,
    /// Counts changes, so that the answer to an old question is passed over.
    version: u64,
    announced: Option<LineConfig>,
}

impl Stack {
    fn new(config: Config, clock: Clock, facts: mpsc::Sender<Fact>) -> Self {
        let agent =
            Agent::new(sip::Config { user_agent: config.user_agent.clone(), seed: config.seed });
        Self {
            config,
            clock,
            agent,
            facts,
            sources: Arc::default(),
            sockets: BTreeMap::new(),
            lines: BTreeMap::new(),
            inbox: mpsc::channel(INBOX),
            found: mpsc::channel(64),
            effects: Vec::new(),
            heard_version: 0,
        }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            let wake = self.agent.next_wake().unwrap_or(Timestamp::MAX);
            tokio::select! {
                () = self.clock.sleep_until(wake) => {
                    let now = self.clock.now();
                    self.agent.wake(now, &mut self.effects);
                }
                received = self.inbox.1.recv() => {
                    if let Some((flow, datagram)) = received {
                        self.tap(flow, false, &datagram);
                        self.tell(Event::Received { flow, datagram });
                    }
                }
                command = commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                found = self.found.1.recv() => {
                    if let Some((line, version, found)) = found {
                        self.located(line, version, found).await;
                    }
                }
            }
            self.perform().await;
        }
    }

    fn tell(&mut self, event: Event) {
        let now = self.clock.now();
        self.agent.handle(now, event, &mut self.effects);
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Line(key, setup) => {
                let version = self.lines.get(&key).map_or(1, |line| line.version + 1);
                let announced = self.lines.remove(&key).and_then(|line| line.announced);
                self.lines.insert(key, LineState { setup: *setup, version, announced });
                self.locate(key, Duration::ZERO);
            }
            Command::Plain(event) => {
                if let Event::LineGone(key) = *event {
                    self.lines.remove(&key);
                }
                self.tell(*event);
            }
        }
    }

    /// Asks for a line's address, after a pause.
    fn locate(&self, key: LineKey, after: Duration) {
        let Some(line) = self.lines.get(&key) else { return };
        let (host, port, version) = (line.setup.host.clone(), line.setup.port, line.version);
        let (clock, answers) = (self.clock.clone(), self.found.0.clone());
        telemetry::spawn("sip.resolve", async move {
            if !after.is_zero() {
                clock.sleep(after).await;
            }
            // Fails when the stack is gone.
            let _ = answers.send((key, version, resolve(&host, port).await)).await;
        });
    }

    /// Opens the socket that routes to the line, and tells the agent.
    async fn located(&mut self, key: LineKey, version: u64, found: Found) {
        let Some(line) = self.lines.get(&key) else { return };
        if line.version != version {
            return;
        }
        let setup = line.setup.clone();
        let known = line.announced.is_some();
        let mut again = found.again;
        if let Some(first) = found.targets.first() {
            match self.socket_towards(*first) {
                Ok(local) => self.announce(key, &setup, local, *first).await,
                Err(error) => {
                    tracing::error!(line.host = setup.host, %error, "no socket for the line {}", setup.host);
                    again = Some(REOPEN);
                }
            }
        } else if !known {
            // The agent shall know the line, to say that it has no address.
            let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
            let config = line_config(&setup, nowhere, nowhere);
            self.tell(Event::Line(key, Box::new(config)));
        }
        self.tell(Event::Targets(key, found.targets));
        if let Some(again) = again {
            self.locate(key, again);
        }
    }

    async fn announce(
        &mut self,
        key: LineKey,
        setup: &LineSetup,
        local: SocketAddr,
        remote: SocketAddr,
    ) {
        let public = self.config.public_address.filter(|_| !is_near(remote.ip()));
        let advertised = public.map_or(local, |ip| SocketAddr::new(ip, local.port()));
        let config = line_config(setup, local, advertised);
        let Some(line) = self.lines.get_mut(&key) else { return };
        if line.announced.as_ref() == Some(&config) {
            return;
        }
        line.announced = Some(config.clone());
        let route = Route { local: local.ip(), advertised: advertised.ip(), peer: remote.ip() };
        self.fact(Fact::Route(key, route)).await;
        self.tell(Event::Line(key, Box::new(config)));
    }

    fn socket_towards(&mut self, remote: SocketAddr) -> io::Result<SocketAddr> {
        let ip = local_towards(remote)?;
        if let Some(open) = self.sockets.get(&ip) {
            return Ok(open.local);
        }
        let (inbox, sources) = (self.inbox.0.clone(), Arc::clone(&self.sources));
        let opened = Opened::open(ip, self.config.port, inbox, sources, self.clock.clone())?;
        let local = opened.local;
        tracing::info!(sip.local = %local, "listening for SIP at {local}");
        self.sockets.insert(ip, opened);
        Ok(local)
    }

    /// Carries out what the agent wants, and what follows from that.
    async fn perform(&mut self) {
        if self.agent.heard_version() != self.heard_version {
            self.heard_version = self.agent.heard_version();
            self.sources.set(self.agent.heard());
        }
        let mut queue: VecDeque<Effect> = std::mem::take(&mut self.effects).into();
        while let Some(effect) = queue.pop_front() {
            match effect {
                Effect::Send { flow, datagram, ticket } => {
                    self.tap(flow, true, &datagram);
                    let Err(error) = self.send(flow, datagram) else { continue };
                    tracing::warn!(sip.to = %flow.remote, %error, "a message to {} was not sent", flow.remote);
                    if let Some(ticket) = ticket {
                        self.tell(Event::NotSent(ticket));
                        queue.extend(self.effects.drain(..));
                    }
                }
                Effect::Call(key, fact) => self.fact(Fact::Call(key, fact)).await,
                Effect::Line(key, fact) => self.fact(Fact::Line(key, fact)).await,
                Effect::Dropped(why, source) => {
                    metrics::counter!("sip_dropped_total", "reason" => why.code()).increment(1);
                    tracing::debug!(sip.source = %source, reason = why.code(), "a datagram was passed over");
                }
            }
        }
        metrics::gauge!("sip_calls").set(self.agent.calls() as f64);
    }

    fn send(&self, flow: Flow, datagram: Bytes) -> io::Result<()> {
        let socket = self.sockets.get(&flow.local.ip());
        socket.ok_or(io::ErrorKind::NotConnected)?.send(datagram, flow.remote)
    }

    async fn fact(&self, fact: Fact) {
        if self.facts.send(fact).await.is_err() {
            tracing::debug!("nobody listens to signalling any more");
        }
    }

    fn tap(&self, flow: Flow, outgoing: bool, datagram: &[u8]) {
        if let Some(tap) = &self.config.tap {
            tap(&Tapped { at: self.clock.now(), flow, outgoing, datagram });
        }
        if tracing::enabled!(tracing::Level::TRACE) {
            let arrow = if outgoing { "to" } else { "from" };
            tracing::trace!(sip.remote = %flow.remote, "{arrow} {}\n{}", flow.remote, sip::masked(datagram));
        }
    }
}

fn line_config(setup: &LineSetup, local: SocketAddr, advertised: SocketAddr) -> LineConfig {
    let LineSetup { host, port, user, caller_id, credentials, realm, register } = setup.clone();
    LineConfig { host, port, user, caller_id, credentials, realm, register, local, advertised }
}

/// Whether the far end reaches our own address without help: it is in a private network.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
