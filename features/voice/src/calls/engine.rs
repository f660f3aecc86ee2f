//! The engine: one task that carries every call. It ties the pure call machines to signalling and
//! media, and keeps no rule of its own.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use base::{Id, Machine, PhoneNumber, Timestamp, kind::Attempt};
use call::{Call, Cause, Effect, Event, LocalCause, Progress, WireIds};
use clock::Clock;
use dialer::Permit;
use host::Shutdown;
use media::{Codec, Happening, Media, OpenSession, Recorded, Session};
use settings::Secrets;
use sip::{Branches, CallFact, CallKey, Invite, Recovery, sdp};
use sip_io::{Fact, SipIo};
use tokio::sync::{Mutex, mpsc, watch};

use super::{Abandoned, Calls, Command, Placed, Report, Setup, Sounds, convert, trunks::Trunks};
use crate::{
    demo::Addresses,
    lines::{Book, SlotGuard},
    recordings::Shelf,
};

/// Facts and media events that may wait.
const FACTS: usize = 8_192;
/// How long unregistering may take when the server stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// How soon wishes are repeated that signalling was too busy for.
const AGAIN: Duration = Duration::from_millis(50);

/// The prompt of a call, in every codec that may be agreed on.
type Loaded = Result<BTreeMap<Codec, Arc<[u8]>>, String>;

/// What the engine is made of; runs once the server runs.
pub(crate) struct Engine {
    setup: Setup,
    clock: Clock,
    secrets: Secrets,
    media: Media,
    sounds: Arc<dyn Sounds>,
    book: Book,
    addresses: Addresses,
    reports: mpsc::Sender<Report>,
    queue: Mutex<mpsc::UnboundedReceiver<Command>>,
}

impl Engine {
    /// The engine and the way to it.
    pub(crate) fn new(
        setup: Setup,
        clock: Clock,
        secrets: Secrets,
        media: Media,
        sounds: Arc<dyn Sounds>,
        book: Book,
        addresses: Addresses,
    ) -> (Self, Calls) {
        let (calls, queue) = Calls::new(book.clone(), clock.clone(), media.clone());
        let reports = calls.0.reports.clone();
        let queue = Mutex::new(queue);
        (Self { setup, clock, secrets, media, sounds, book, addresses, reports, queue }, calls)
    }

    /// Carries calls until the server stops.
    pub(crate) async fn run(&self, shutdown: Shutdown) {
        let mut queue = self.queue.lock().await;
        let (facts, mut heard) = mpsc::channel(FACTS);
        let (events, mut happened) = mpsc::channel(FACTS);
        let (loads, mut loaded) = mpsc::channel(FACTS);
        let sip = SipIo::start(self.sip_config(), self.clock.clone(), facts);
        let mut work = Work {
            engine: self,
            trunks: Trunks::new(self.book.clone(), self.secrets.clone(), self.addresses.clone()),
            sip,
            events,
            loads,
            calls: BTreeMap::new(),
            timers: BTreeSet::new(),
            effects: Vec::new(),
            backlog: VecDeque::new(),
            left: Vec::new(),
            hang_ups: Vec::new(),
            stale: true,
        };
        let mut changes: watch::Receiver<u64> = self.book.changes();
        loop {
            work.catch_up();
            let wake = work.next_wake();
            tokio::select! {
                () = shutdown.stopping() => break,
                () = self.clock.sleep_until(wake) => work.wake(),
                Some(command) = queue.recv() => work.obey(command),
                Some(fact) = heard.recv() => work.heard(fact),
                Some(event) = happened.recv() => work.happened(event),
                Some((attempt, prompt)) = loaded.recv() => work.loaded(attempt, prompt),
                Ok(()) = changes.changed() => work.stale = true,
                Ok(permit) = self.reports.reserve(), if !work.backlog.is_empty() => {
                    if let Some(report) = work.backlog.pop_front() {
                        permit.send(report);
                    }
                }
            }
        }
        work.trunks.leave(&work.sip);
        self.clock.sleep(FAREWELL).await;
    }

    fn sip_config(&self) -> sip_io::Config {
        // Another seed for each start: registrations of an earlier process are others.
        let start = Id::<Attempt>::from_raw(self.clock.now().micros() & i64::MAX);
        let ids = WireIds::of(self.secrets.install_key(), start);
        let mut seed = [0; 32];
        seed.copy_from_slice(&ids.from_tag.as_bytes()[..32]);
        sip_io::Config {
            port: self.setup.sip_port,
            public_address: self.setup.public_address,
            user_agent: concat!("Switchbell/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed,
            tap: None,
        }
    }
}

/// One call that is being carried.
struct Running {
    call: Call,
    /// Freed when the call is dropped.
    _guard: SlotGuard,
    permit: Option<Permit>,
    session: Option<Session>,
    prompt: BTreeMap<Codec, Arc<[u8]>>,
    codec: Option<Codec>,
    due: Option<Timestamp>,
}

struct Work<'a> {
    engine: &'a Engine,
    trunks: Trunks,
    sip: SipIo,
    events: mpsc::Sender<media::Event>,
    loads: mpsc::Sender<(Id<Attempt>, Loaded)>,
    calls: BTreeMap<Id<Attempt>, Running>,
    timers: BTreeSet<(Timestamp, Id<Attempt>)>,
    effects: Vec<Effect>,
    /// Reports that found their queue full; at most a few per call.
    backlog: VecDeque<Report>,
    /// Calls of an earlier process whose line is not known yet.
    left: Vec<Abandoned>,
    /// Hang-ups that signalling was too busy for.
    hang_ups: Vec<Id<Attempt>>,
    /// Whether signalling is to be told of changed lines.
    stale: bool,
}

const fn key(attempt: Id<Attempt>) -> CallKey {
    CallKey(attempt.raw() as u64)
}

impl Work<'_> {
    fn now(&self) -> Timestamp {
        self.engine.clock.now()
    }

    fn next_wake(&self) -> Timestamp {
        let due = self.timers.first().map_or(Timestamp::MAX, |(due, _)| *due);
        let owes = self.stale || !self.hang_ups.is_empty();
        if owes { due.min(self.now().plus(AGAIN)) } else { due }
    }

    /// Repeats what signalling was too busy for.
    fn catch_up(&mut self) {
        if self.stale {
            self.stale = !self.trunks.follow(&self.sip);
        }
        self.hang_ups.retain(|attempt| self.sip.hang_up(key(*attempt)).is_err());
    }

    fn wake(&mut self) {
        let now = self.now();
        while let Some((due, attempt)) = self.timers.first().copied().filter(|(due, _)| *due <= now)
        {
            self.timers.remove(&(due, attempt));
            if let Some(running) = self.calls.get_mut(&attempt) {
                running.due = None;
                running.call.wake(now, &mut self.effects);
                self.perform(attempt);
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Place(placed) => self.place(*placed),
            Command::Withdraw(attempt) => self.tell(attempt, Event::Withdraw),
            Command::Recover(left) => {
                self.left.extend(left);
                self.recover();
            }
            Command::Check(line, asks) => self.trunks.check(&self.sip, line, asks),
        }
    }

    fn place(&mut self, placed: Placed) {
        let Placed { permit, guard, plan } = placed;
        let attempt = plan.attempt;
        if self.calls.contains_key(&attempt) {
            tracing::error!(attempt.id = %attempt, "attempt {attempt} was placed twice");
            return;
        }
        let running = Running {
            call: Call::new(plan),
            _guard: guard,
            permit: Some(permit),
            session: None,
            prompt: BTreeMap::new(),
            codec: None,
            due: None,
        };
        self.calls.insert(attempt, running);
        self.tell(attempt, Event::Start);
    }

    /// Ends calls of an earlier process whose lines can be reached by now.
    fn recover(&mut self) {
        for left in std::mem::take(&mut self.left) {
            let known = self.trunks.route(left.line).is_some();
            let install = *self.engine.secrets.install_key();
            let recovery = Recovery {
                line: super::trunks::key(left.line),
                to: left.to.as_str().to_owned(),
                caller_id: None,
                call_id: left.wire.call_id.clone(),
                from_tag: left.wire.from_tag.clone(),
                branches: branches(install, left.attempt),
                dialog: left.dialog.clone().map(convert::saved),
            };
            if !known || self.sip.recover(key(left.attempt), recovery).is_err() {
                self.left.push(left);
            }
        }
    }

    fn heard(&mut self, fact: Fact) {
        let now = self.now();
        match fact {
            Fact::Line(line, fact) => self.trunks.heard(super::trunks::line_of(line), fact, now),
            Fact::Route(line, route) => {
                self.trunks.found(super::trunks::line_of(line), route);
                self.recover();
            }
            Fact::Call(key, fact) => self.call_heard(Id::from_raw(key.0 as i64), fact),
        }
    }

    fn call_heard(&mut self, attempt: Id<Attempt>, fact: CallFact) {
        let Some(running) = self.calls.get_mut(&attempt) else {
            // Nobody carries it any more, so nobody would ever end it.
            if !matches!(fact, CallFact::Ended(_)) {
                self.hang_ups.push(attempt);
            }
            return;
        };
        let event = match fact {
            CallFact::Sent => Event::Sent,
            CallFact::Ringing(_) => Event::Ringing,
            CallFact::Answered { dialog, remote } => {
                running.codec = Some(convert::codec(remote.coding));
                if !running.points_at(&remote) {
                    self.tell(attempt, Event::MediaRefused);
                    return;
                }
                Event::Answered(convert::dialog(dialog))
            }
            CallFact::Moved(remote) => {
                if !running.points_at(&remote) {
                    tracing::warn!(attempt.id = %attempt, "the media thread is busy: a change of address is lost");
                }
                return;
            }
            CallFact::Ended(end) => {
                let (by, cause) = convert::ending(&end);
                let line = running.call.plan().line;
                self.trunks.failed(line, &cause, end.phrase, self.engine.clock.now());
                Event::Over { by, cause }
            }
        };
        self.tell(attempt, event);
    }

    fn happened(&mut self, event: media::Event) {
        let attempt = Id::from_raw(event.tag as i64);
        let event = match event.what {
            Happening::Played => Event::Played,
            // No on-answer action listens to digits yet.
            Happening::Digit(_) => return,
            Happening::Closed(closed) => {
                let recording = closed.recording.and_then(|made| match made {
                    Ok(made) => {
                        self.keep(made.clone());
                        Some(convert::recording(made))
                    }
                    Err(error) => {
                        tracing::error!(attempt.id = %attempt, error, "the recording of attempt {attempt} is lost");
                        None
                    }
                });
                Event::MediaClosed { recording, rtp: convert::figures(&closed.figures) }
            }
        };
        self.tell(attempt, event);
    }

    /// Notes a recording. One that cannot be noted now is found on the disk at the next start.
    fn keep(&self, made: Recorded) {
        let sounds = Arc::clone(&self.engine.sounds);
        telemetry::spawn("voice.keep", async move {
            let key = made.key.clone();
            if let Err(error) = sounds.keep(made).await {
                tracing::error!(
                    error,
                    "the recording {key} is on the disk, but could not be noted"
                );
            }
        });
    }

    fn tell(&mut self, attempt: Id<Attempt>, event: Event) {
        let now = self.now();
        if let Some(running) = self.calls.get_mut(&attempt) {
            running.call.handle(now, event, &mut self.effects);
            self.perform(attempt);
        }
    }

    /// The only place where a call's wishes become deeds.
    fn perform(&mut self, attempt: Id<Attempt>) {
        let mut effects: VecDeque<Effect> = std::mem::take(&mut self.effects).into();
        while let Some(effect) = effects.pop_front() {
            let answer = match effect {
                Effect::OpenMedia => self.load(attempt),
                Effect::Invite => self.invite(attempt),
                Effect::Record => self.record(attempt),
                Effect::Play(_) => self.play(attempt),
                Effect::HangUp => {
                    if self.sip.hang_up(key(attempt)).is_err() {
                        self.hang_ups.push(attempt);
                    }
                    None
                }
                Effect::CloseMedia => self.close(attempt),
                Effect::Report(progress) => {
                    self.report(attempt, progress);
                    None
                }
            };
            let now = self.now();
            if let (Some(event), Some(running)) = (answer, self.calls.get_mut(&attempt)) {
                running.call.handle(now, event, &mut self.effects);
                effects.extend(self.effects.drain(..));
            }
        }
        self.rearm(attempt);
    }

    fn rearm(&mut self, attempt: Id<Attempt>) {
        let Some(running) = self.calls.get_mut(&attempt) else { return };
        let (before, due) = (running.due, running.call.next_wake());
        let over = running.call.is_ended();
        running.due = due;
        if before != due || over {
            if let Some(before) = before {
                self.timers.remove(&(before, attempt));
            }
            if let (Some(due), false) = (due, over) {
                self.timers.insert((due, attempt));
            }
        }
        if over {
            self.calls.remove(&attempt);
        }
    }

    /// Fetches the prompt before anything rings: a callee is never answered with silence.
    fn load(&mut self, attempt: Id<Attempt>) -> Option<Event> {
        let running = self.calls.get(&attempt)?;
        let plan = running.call.plan();
        let Some(line) = self.engine.book.line(plan.line) else { return Some(Event::MediaRefused) };
        let call::OnAnswer::Audio { audio } = plan.on_answer;
        let account = plan.account;
        let codecs: Vec<Codec> =
            line.codecs.iter().map(|codec| convert::codec(convert::coding(*codec))).collect();
        let (sounds, loads) = (Arc::clone(&self.engine.sounds), self.loads.clone());
        telemetry::spawn("voice.prompt", async move {
            let mut found = BTreeMap::new();
            let mut result = Ok(());
            for codec in codecs {
                match sounds.prompt(account, audio, codec).await {
                    Ok(bytes) => drop(found.insert(codec, bytes)),
                    Err(error) => result = Err(error),
                }
            }
            // Fails when the engine is gone.
            drop(loads.send((attempt, result.map(|()| found))).await);
        });
        None
    }

    fn loaded(&mut self, attempt: Id<Attempt>, prompt: Loaded) {
        let event = match prompt {
            Ok(prompt) => {
                if let Some(running) = self.calls.get_mut(&attempt) {
                    running.prompt = prompt;
                }
                self.open(attempt)
            }
            Err(error) => {
                tracing::error!(attempt.id = %attempt, error, "attempt {attempt} has no prompt and is not made");
                Event::MediaRefused
            }
        };
        self.tell(attempt, event);
    }

    fn open(&mut self, attempt: Id<Attempt>) -> Event {
        let Some(running) = self.calls.get_mut(&attempt) else { return Event::MediaRefused };
        let Some(route) = self.trunks.route(running.call.plan().line) else {
            return Event::MediaRefused;
        };
        let ask = OpenSession {
            tag: attempt.raw() as u64,
            local: route.local,
            trusted: convert::trusted([route.peer]),
            events: self.events.clone(),
        };
        match self.engine.media.open(ask) {
            Ok(session) => {
                running.session = Some(session);
                Event::MediaOpened
            }
            Err(error) => {
                tracing::warn!(attempt.id = %attempt, %error, "attempt {attempt} has no media: {error}");
                Event::MediaRefused
            }
        }
    }

    /// Redeems the permit and hands the INVITE to signalling.
    fn invite(&mut self, attempt: Id<Attempt>) -> Option<Event> {
        let now = self.now();
        let running = self.calls.get_mut(&attempt)?;
        let plan = running.call.plan();
        let permitted = running.permit.take().map(|permit| permit.redeem(now));
        match permitted {
            Some(Ok(number)) if number == plan.to => {}
            Some(Err(late)) => {
                tracing::warn!(attempt.id = %attempt, "{late}");
                return Some(withdrawn());
            }
            Some(Ok(_)) | None => {
                tracing::error!(attempt.id = %attempt, "attempt {attempt} has no permit for its number");
                return Some(withdrawn());
            }
        }
        let asked = self.invitation(attempt);
        let sent = asked.is_some_and(|invite| self.sip.invite(key(attempt), invite).is_ok());
        (!sent).then(|| Event::Over {
            by: call::EndedBy::Us,
            cause: Cause { local: Some(LocalCause::NoResource), ..Cause::default() },
        })
    }

    fn invitation(&self, attempt: Id<Attempt>) -> Option<Invite> {
        let running = self.calls.get(&attempt)?;
        let plan = running.call.plan();
        let route = self.trunks.route(plan.line)?;
        let line = self.engine.book.line(plan.line)?;
        let port = running.session.as_ref()?.local().port();
        let number: &PhoneNumber = &plan.to;
        if number.is_demo() != line.demo.is_some() {
            // The gate refuses these; a permit for one is a fault of the program.
            tracing::error!(attempt.id = %attempt, "demo numbers and demo lines belong together");
            return None;
        }
        Some(Invite {
            line: super::trunks::key(plan.line),
            to: number.as_str().to_owned(),
            caller_id: plan.caller_id.clone(),
            call_id: plan.wire.call_id.clone(),
            from_tag: plan.wire.from_tag.clone(),
            branches: branches(*self.engine.secrets.install_key(), attempt),
            media: sdp::Local {
                address: (route.advertised, port).into(),
                codings: line.codecs.iter().map(|codec| convert::coding(*codec)).collect(),
                session: attempt.raw() as u64,
            },
        })
    }

    fn record(&self, attempt: Id<Attempt>) -> Option<Event> {
        let running = self.calls.get(&attempt)?;
        let plan = running.call.plan();
        let key = Shelf::key(plan.account, plan.attempt, self.now());
        if running.session.as_ref()?.record(key).is_err() {
            tracing::error!(attempt.id = %attempt, "the media thread is busy: attempt {attempt} is not recorded");
        }
        None
    }

    fn play(&self, attempt: Id<Attempt>) -> Option<Event> {
        let running = self.calls.get(&attempt)?;
        let prompt = running.codec.and_then(|codec| running.prompt.get(&codec)).map(Arc::clone);
        let session = running.session.as_ref();
        let played =
            prompt.zip(session).is_some_and(|(prompt, session)| session.play(prompt).is_ok());
        (!played).then_some(Event::MediaRefused)
    }

    fn close(&mut self, attempt: Id<Attempt>) -> Option<Event> {
        let running = self.calls.get_mut(&attempt)?;
        match running.session.take() {
            // `Closed` follows.
            Some(session) => {
                session.close();
                None
            }
            // It was never opened: the prompt is still being fetched.
            None => Some(Event::MediaClosed { recording: None, rtp: None }),
        }
    }

    fn report(&mut self, attempt: Id<Attempt>, progress: Progress) {
        let Some(running) = self.calls.get(&attempt) else { return };
        let report = Report { account: running.call.plan().account, attempt, progress };
        if !self.backlog.is_empty() {
            self.backlog.push_back(report);
        } else if let Err(error) = self.engine.reports.try_send(report) {
            match error {
                mpsc::error::TrySendError::Full(report) => self.backlog.push_back(report),
                mpsc::error::TrySendError::Closed(report) => {
                    tracing::warn!(attempt.id = %attempt, ?report, "nobody hears of attempt {attempt}");
                }
            }
        }
    }
}

impl Running {
    /// Tells the media thread where the far end is. False when it is too busy.
    fn points_at(&self, remote: &sdp::Remote) -> bool {
        self.session.as_ref().is_some_and(|session| session.remote(convert::remote(remote)).is_ok())
    }
}

/// The call never left: as if nobody had wanted it.
const fn withdrawn() -> Event {
    Event::Over {
        by: call::EndedBy::Us,
        cause: Cause {
            sip: None,
            q850: None,
            local: Some(LocalCause::Withdrawn),
            retry_after: None,
        },
    }
}

fn branches(install: [u8; 32], attempt: Id<Attempt>) -> Branches {
    Branches::new(move |n| WireIds::branch(&install, attempt, n))
}
