//! The media thread: owns every leg, wakes at most once per 5 ms, never waits for anybody else.

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::Receiver,
    },
    thread,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token};
use rtp::NtpTime;
use slab::Slab;
use tokio::sync::mpsc;

use crate::{
    ask::Event,
    gauge::Gauge,
    handle::{Command, NewSession},
    leg::{Drained, Leg, Scratch},
    outlet::Outlet,
    ports::PortReturn,
};

/// The grid that the thread wakes on: many packets are served by one wake-up.
const GRID: Duration = Duration::from_millis(5);
/// Points of the grid in a frame; a player belongs to one of them.
const PHASES: usize = (rtp::FRAME.as_millis() / GRID.as_millis()) as usize;
/// Looks at what came meanwhile; bounded, so that overload does not starve commands and players.
const ROUNDS: usize = 8;

pub(crate) const WAKE: Token = Token(usize::MAX);

pub(crate) fn rtp_token(place: usize) -> Token {
    Token(place * 2)
}

pub(crate) fn rtcp_token(place: usize) -> Token {
    Token(place * 2 + 1)
}

/// An event that the recording threads hand back, so that one thread tells them all.
pub(crate) type Told = (mpsc::Sender<Event>, Event);

pub(crate) struct Queues {
    pub(crate) commands: Receiver<Command>,
    /// Sessions to be closed. Each is in it once, so the sessions are its bound.
    pub(crate) closings: Receiver<u64>,
    /// Recordings that are durable; bounded likewise.
    pub(crate) done: Receiver<Told>,
    pub(crate) ports: PortReturn,
}

pub(crate) struct Plane {
    poll: Poll,
    queues: Queues,
    gauge: Arc<Gauge>,
    started: Instant,
    wall: NtpTime,
    outlet: Outlet,
    legs: Slab<Leg>,
    places: HashMap<u64, usize>,
    /// Legs that play, by the point of the grid modulo a frame.
    players: [Vec<usize>; PHASES],
    scratch: Scratch,
    /// Sockets whose turn was over before they were empty.
    unread: Vec<Token>,
    /// Somebody called while sockets were read, after the commands were taken.
    called: bool,
    /// The last point of the grid that was served.
    point: u64,
}

impl Plane {
    pub(crate) fn new(
        poll: Poll,
        queues: Queues,
        outlet: Outlet,
        gauge: Arc<Gauge>,
        started: Instant,
    ) -> Self {
        Self {
            poll,
            queues,
            gauge,
            started,
            wall: wall_clock(),
            outlet,
            legs: Slab::new(),
            places: HashMap::new(),
            players: Default::default(),
            scratch: Scratch::new(),
            unread: Vec::new(),
            called: false,
            point: 0,
        }
    }

    pub(crate) fn run(mut self, stop: &AtomicBool) {
        let mut first = Events::with_capacity(1_024);
        let mut more = Events::with_capacity(1_024);
        while !stop.load(Ordering::Acquire) {
            let due = self.due();
            self.wait(&mut first, due);
            self.gauge.woke();
            let now = self.started.elapsed();
            // Taken before the commands: whoever is closed here was opened by a command that is in
            // the queue by now. Closed after everything else: what had arrived is still heard.
            let closings: Vec<u64> = self.queues.closings.try_iter().collect();
            self.commands(now);
            for event in &first {
                self.ready(event.token(), now);
            }
            self.gather(&mut more);
            self.play(now, due);
            for key in closings {
                self.close(key, now);
            }
            self.outlet.retry();
        }
        let now = self.started.elapsed();
        for leg in std::mem::take(&mut self.legs) {
            leg.1.close(now, &mut self.outlet);
        }
    }

    /// The next point of the grid at which somebody must act without being asked.
    fn due(&self) -> Option<u64> {
        let busy = self.called || self.outlet.is_waiting() || !self.unread.is_empty();
        (self.point + 1..=self.point + PHASES as u64)
            .find(|point| busy || !self.players[*point as usize % PHASES].is_empty())
    }

    /// Until a packet, a command or `due`; then to the end of the present step of the grid, so that
    /// one wake-up serves all that comes within it.
    fn wait(&mut self, events: &mut Events, due: Option<u64>) {
        // The poll counts in milliseconds and rounds up; the rest is slept.
        let left = |point: u64| (moment_of(point)).saturating_sub(self.started.elapsed());
        let timeout = due.map(|point| Duration::from_millis(left(point).as_millis() as u64));
        if let Err(error) = self.poll.poll(events, timeout)
            && error.kind() != io::ErrorKind::Interrupted
        {
            tracing::error!(%error, "the media thread cannot wait");
        }
        let asked = !events.is_empty();
        let target = due.filter(|_| !asked).unwrap_or(self.point + 1);
        let rest = left(target);
        if !rest.is_zero() {
            thread::sleep(rest);
        }
    }

    /// What came while `first` was served.
    fn gather(&mut self, events: &mut Events) {
        for token in std::mem::take(&mut self.unread) {
            self.ready(token, self.started.elapsed());
        }
        for _ in 0..ROUNDS {
            if self.poll.poll(events, Some(Duration::ZERO)).is_err() || events.is_empty() {
                return;
            }
            let now = self.started.elapsed();
            for event in &*events {
                self.called |= event.token() == WAKE;
                self.ready(event.token(), now);
            }
        }
    }

    fn commands(&mut self, now: Duration) {
        self.called = false;
        while let Ok((events, event)) = self.queues.done.try_recv() {
            self.gauge.closed();
            self.outlet.tell(events, event);
        }
        while let Ok(command) = self.queues.commands.try_recv() {
            self.command(command, now);
        }
    }

    fn command(&mut self, command: Command, now: Duration) {
        match command {
            Command::Open(new) => self.open(*new),
            Command::Remote(key, remote) => {
                let Some(&place) = self.places.get(&key) else { return };
                let registry = self.poll.registry();
                self.legs[place].remote(now, *remote, registry, place, &mut self.outlet);
            }
            Command::Play(key, prompt) => self.start_playing(key, prompt, now),
            Command::StopPlaying(key) => self.with(key, |leg| {
                leg.session.stop();
                leg.phase = None;
            }),
            // On the grid like players, so that a prompt of the same step is recorded from its first
            // sample.
            Command::Record(key, name) => {
                self.with(key, |leg| leg.record(moment_of(point_of(now)), name));
            }
            Command::Bridge(one, other) => {
                if let (Some(&a), Some(&b)) = (self.places.get(&one), self.places.get(&other)) {
                    for (from, to) in [(a, b), (b, a)] {
                        self.legs[from].partner = Some(to);
                        self.legs[from].session.join(true);
                    }
                }
            }
        }
    }

    fn with(&mut self, key: u64, act: impl FnOnce(&mut Leg)) {
        if let Some(&place) = self.places.get(&key) {
            act(&mut self.legs[place]);
        }
    }

    fn open(&mut self, new: NewSession) {
        let key = new.key;
        let entry = self.legs.vacant_entry();
        let place = entry.key();
        let mut leg = Leg::new(new, self.wall);
        if let Err(error) = leg.register(self.poll.registry(), place) {
            // Sends all the same; hearing nothing, it ends as a call without media does.
            tracing::error!(%error, "a media socket cannot be waited for");
        }
        entry.insert(leg);
        self.places.insert(key, place);
    }

    /// A player starts on a point of the grid, so that every later wake-up finds it due.
    fn start_playing(&mut self, key: u64, prompt: Arc<[u8]>, now: Duration) {
        let Some(&place) = self.places.get(&key) else { return };
        let point = point_of(now);
        let phase = point as usize % PHASES;
        let leg = &mut self.legs[place];
        leg.session.play(moment_of(point), prompt);
        leg.phase = Some(phase);
        if !self.players[phase].contains(&place) {
            self.players[phase].push(place);
        }
    }

    fn close(&mut self, key: u64, now: Duration) {
        let Some(place) = self.places.remove(&key) else { return };
        let leg = self.legs.remove(place);
        if let Some(partner) = leg.partner.and_then(|partner| self.legs.get_mut(partner)) {
            partner.partner = None;
            partner.session.join(false);
        }
        let port = leg.io.local.port();
        leg.close(now, &mut self.outlet);
        // Nobody takes ports any more when the last handle is gone.
        let _ = self.queues.ports.send((port, now));
    }

    fn ready(&mut self, token: Token, now: Duration) {
        let place = token.0 / 2;
        // The waker, or a leg that was closed in this step.
        if token == WAKE || !self.legs.contains(place) {
            return;
        }
        let (scratch, outlet) = (&mut self.scratch, &mut self.outlet);
        let drained = if token == rtcp_token(place) {
            self.legs[place].drain_reports(now, scratch)
        } else if let Some((leg, partner)) =
            self.legs[place].partner.and_then(|partner| self.legs.get2_mut(place, partner))
        {
            leg.drain_joined(now, scratch, outlet, &mut |packet, outlet| {
                partner.relay(now, packet, outlet);
            })
        } else {
            self.legs[place].drain(now, scratch, outlet)
        };
        if drained == Drained::More {
            self.unread.push(token);
        }
    }

    /// Runs the players of every point of the grid since the last time.
    fn play(&mut self, now: Duration, due: Option<u64>) {
        let point = point_of(now);
        if let Some(due) = due.filter(|due| *due <= point) {
            let lag = now.saturating_sub(moment_of(due));
            self.gauge.ticked(now, lag, lag >= GRID);
        }
        let since = (point - self.point).min(PHASES as u64);
        for passed in point + 1 - since..=point {
            let phase = passed as usize % PHASES;
            let Self { legs, outlet, players, .. } = self;
            players[phase].retain(|place| {
                let Some(leg) = legs.get_mut(*place).filter(|leg| leg.phase == Some(phase)) else {
                    return false;
                };
                let goes_on = leg.tick(now, outlet);
                if !goes_on {
                    leg.phase = None;
                }
                goes_on
            });
        }
        self.point = point;
    }
}

fn point_of(now: Duration) -> u64 {
    (now.as_micros() / GRID.as_micros()) as u64
}

fn moment_of(point: u64) -> Duration {
    Duration::from_millis(point * GRID.as_millis() as u64)
}

/// The time of day at the start, for sender reports.
fn wall_clock() -> NtpTime {
    #[expect(clippy::disallowed_methods, reason = "goes onto the wire only, as a far end's clock")]
    let now = std::time::SystemTime::now();
    NtpTime::from_unix(now.duration_since(std::time::UNIX_EPOCH).unwrap_or_default())
}
