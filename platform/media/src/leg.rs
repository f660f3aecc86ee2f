//! One leg on the media thread: its sockets, its latch, and the pure session between them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use mio::{Registry, net::UdpSocket};
use rtp::{MediaSession, NtpTime, Out, Seed, Tape, Terms};

use crate::{
    ask::{Event, Figures, Happening, Network, Remote, Rtcp},
    handle::NewSession,
    outlet::Outlet,
    plane, socket,
    writer::{Finish, Job, Reply, Tag},
};

/// Packets read from one socket before others have their turn.
const TURN: usize = 100;
/// After a stall a joined leg forwards the newest 100 ms and drops the rest.
const BURST: usize = 5;
/// Larger than any packet of sound; a longer datagram is cut and then refused.
const PACKET: usize = 1_500;

/// Where packets are read into; one for all legs.
pub(crate) struct Scratch {
    ring: Box<[[u8; PACKET]; BURST]>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { ring: Box::new([[0; PACKET]; BURST]) }
    }
}

pub(crate) struct Leg {
    pub(crate) session: MediaSession,
    pub(crate) io: LegIo,
    /// The leg that hears this one, by its place.
    pub(crate) partner: Option<usize>,
    /// The group of players that it belongs to.
    pub(crate) phase: Option<usize>,
}

/// All of a leg but the session, so that both can be borrowed at once.
pub(crate) struct LegIo {
    pub(crate) key: u64,
    tag: u64,
    events: tokio::sync::mpsc::Sender<Event>,
    pub(crate) local: SocketAddr,
    trusted: Vec<Network>,
    socket: UdpSocket,
    reports: Option<UdpSocket>,
    remote: Option<Remote>,
    latch: Latch,
    recording: Option<Recording>,
    foreign: u32,
    late: u32,
    refused: u32,
}

/// Whom we listen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Latch {
    /// Nobody: there is no SDP yet.
    Shut,
    /// Whoever may speak and does so first.
    Open,
    /// This source. Until `settled`, packets of others may still wait in the socket: the kernel
    /// keeps what came before the connect.
    Held { source: SocketAddr, settled: bool },
}

struct Recording {
    tag: Arc<Tag>,
    tape: Tape,
    lost: u32,
}

/// What reading a leg's socket led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// The socket is empty.
    Empty,
    /// Its turn is over and there is more.
    More,
}

impl Leg {
    pub(crate) fn new(new: NewSession, wall: NtpTime) -> Self {
        let NewSession { key, tag, socket, local, trusted, events } = new;
        let seed =
            Seed { ssrc: rand::random(), sequence: rand::random(), timestamp: rand::random() };
        Self {
            session: MediaSession::new(seed, wall),
            io: LegIo {
                key,
                tag,
                events,
                local,
                trusted,
                socket,
                reports: None,
                remote: None,
                latch: Latch::Shut,
                recording: None,
                foreign: 0,
                late: 0,
                refused: 0,
            },
            partner: None,
            phase: None,
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, place: usize) -> io::Result<()> {
        registry.register(&mut self.io.socket, plane::rtp_token(place), mio::Interest::READABLE)
    }

    /// The far end's SDP. What it says is sent to at once.
    pub(crate) fn remote(
        &mut self,
        now: Duration,
        remote: Remote,
        registry: &Registry,
        place: usize,
        outlet: &mut Outlet,
    ) {
        let Remote { codec, digits, send, rtcp, .. } = remote;
        self.io.aim(remote);
        if rtcp != Rtcp::Mux && self.io.reports.is_none() {
            self.io.open_reports(registry, place);
        }
        let terms = Terms { codec, digits, send, mux: rtcp == Rtcp::Mux };
        let Self { session, io, .. } = self;
        session.agree(now, terms, &mut |out| io.apply(&out, outlet));
    }

    pub(crate) fn record(&mut self, now: Duration, key: String) {
        if self.io.recording.is_none() {
            let tag = Arc::new(Tag { session: self.io.key, key });
            self.io.recording = Some(Recording { tag, tape: Tape::default(), lost: 0 });
            self.session.record(now);
        }
    }

    /// Sends what is due; false when nothing plays any more.
    pub(crate) fn tick(&mut self, now: Duration, outlet: &mut Outlet) -> bool {
        let Self { session, io, .. } = self;
        session.tick(now, &mut |out| io.apply(&out, outlet)).is_some()
    }

    /// A packet from the leg that is joined to this one.
    pub(crate) fn relay(&mut self, now: Duration, packet: &mut [u8], outlet: &mut Outlet) {
        let Self { session, io, .. } = self;
        session.relay(now, packet, &mut |out| io.apply(&out, outlet));
    }

    /// Reads the RTP socket of a leg that is not joined.
    pub(crate) fn drain(
        &mut self,
        now: Duration,
        scratch: &mut Scratch,
        outlet: &mut Outlet,
    ) -> Drained {
        let Self { session, io, .. } = self;
        let [buffer, ..] = &mut *scratch.ring;
        for _ in 0..TURN {
            match io.receive(buffer) {
                Received::Packet(size) => {
                    session.handle(now, &mut buffer[..size], &mut |out| io.apply(&out, outlet));
                }
                Received::Passed => {}
                Received::Nothing => return Drained::Empty,
            }
        }
        Drained::More
    }

    /// Reads the RTP socket of a joined leg and gives its newest packets to `forward`.
    pub(crate) fn drain_joined(
        &mut self,
        now: Duration,
        scratch: &mut Scratch,
        outlet: &mut Outlet,
        forward: &mut impl FnMut(&mut [u8], &mut Outlet),
    ) -> Drained {
        let Self { session, io, .. } = self;
        let (mut sizes, mut count) = ([0; BURST], 0);
        let mut drained = Drained::More;
        for _ in 0..TURN {
            match io.receive(&mut scratch.ring[count % BURST]) {
                Received::Packet(size) => {
                    sizes[count % BURST] = size;
                    count += 1;
                }
                Received::Passed => {}
                Received::Nothing => {
                    drained = Drained::Empty;
                    break;
                }
            }
        }
        io.late += count.saturating_sub(BURST) as u32;
        for n in count.saturating_sub(BURST)..count {
            let packet = &mut scratch.ring[n % BURST][..sizes[n % BURST]];
            let mut passed = false;
            session.handle(now, packet, &mut |out| {
                if let Out::Forward(_) = out {
                    passed = true;
                } else {
                    io.apply(&out, outlet);
                }
            });
            if passed {
                forward(packet, outlet);
            }
        }
        drained
    }

    /// Reads the RTCP socket.
    pub(crate) fn drain_reports(&mut self, now: Duration, scratch: &mut Scratch) -> Drained {
        let (Some(socket), Some(remote)) = (&self.io.reports, self.io.remote) else {
            return Drained::Empty;
        };
        let [buffer, ..] = &mut *scratch.ring;
        for _ in 0..TURN {
            match socket.recv_from(buffer) {
                Ok((size, source)) if self.io.may_speak(source.ip(), &remote) => {
                    self.session.handle_report(now, &buffer[..size]);
                }
                Ok(_) => self.io.foreign += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Drained::Empty,
                Err(_) => self.io.refused += 1,
            }
        }
        Drained::More
    }

    /// The end: a last report, the rest of the recording, and the news.
    pub(crate) fn close(mut self, now: Duration, outlet: &mut Outlet) {
        let Self { session, io, .. } = &mut self;
        session.leave(now, &mut |out| io.apply(&out, outlet));
        let reply = Reply { tag: io.tag, events: io.events.clone(), figures: io.figures(session) };
        if let Some(mut recording) = io.recording.take() {
            let Recording { tag, tape, lost } = &mut recording;
            tape.finish(&mut |block| {
                *lost += u32::from(!outlet.block(Job::Block(Arc::clone(tag), block)));
            });
            let Recording { tag, tape, lost } = recording;
            let moments = session.recorded(now).max(tape.end());
            let finish = Finish { tag, moments, lost, reply };
            outlet.finish(Job::Finish(Box::new(finish)));
        } else {
            outlet.closed(reply);
        }
    }
}

enum Received {
    Packet(usize),
    /// Of somebody else, or an error that says nothing about this packet.
    Passed,
    Nothing,
}

impl LegIo {
    /// Takes up a far end. The same address keeps its latch; another one opens it again.
    fn aim(&mut self, remote: Remote) {
        let same = self.remote.is_some_and(|old| old.address == remote.address);
        self.remote = Some(remote);
        if same {
            return;
        }
        if matches!(self.latch, Latch::Held { .. })
            && let Err(error) = socket::disconnect(&self.socket)
        {
            tracing::warn!(%error, "a media socket stays with its old far end");
            return;
        }
        self.latch = Latch::Open;
    }

    fn open_reports(&mut self, registry: &Registry, place: usize) {
        let address = SocketAddr::new(self.local.ip(), self.local.port() + 1);
        let opened = socket::bind(address).and_then(|mut socket| {
            let token = plane::rtcp_token(place);
            registry.register(&mut socket, token, mio::Interest::READABLE)?;
            Ok(socket)
        });
        match opened {
            Ok(socket) => self.reports = Some(socket),
            // A call is carried without reports rather than not at all.
            Err(error) => tracing::debug!(%address, %error, "no socket for reports"),
        }
    }

    fn may_speak(&self, source: std::net::IpAddr, remote: &Remote) -> bool {
        source.to_canonical() == remote.address.ip().to_canonical()
            || self.trusted.iter().any(|network| network.contains(source))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        let got = if let Latch::Held { settled: true, .. } = self.latch {
            self.socket.recv(buffer).map(|size| (size, None))
        } else {
            self.socket.recv_from(buffer).map(|(size, source)| (size, Some(source)))
        };
        match got {
            Ok((size, None)) => Received::Packet(size),
            Ok((size, Some(source))) if self.listens_to(source) => Received::Packet(size),
            Ok(_) => {
                self.foreign += 1;
                Received::Passed
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Latch::Held { settled, .. } = &mut self.latch {
                    *settled = true;
                }
                Received::Nothing
            }
            Err(_) => {
                // An ICMP answer to what we sent. Reading it has cleared it.
                self.refused += 1;
                Received::Passed
            }
        }
    }

    /// Whether a packet of `source` counts; the first that does closes the latch.
    fn listens_to(&mut self, source: SocketAddr) -> bool {
        match (self.latch, self.remote) {
            (Latch::Held { source: held, .. }, _) => source == held,
            (Latch::Open, Some(remote)) => {
                let named = source == remote.address;
                if !named && !self.trusted.iter().any(|network| network.contains(source.ip())) {
                    return false;
                }
                match self.socket.connect(source) {
                    Ok(()) => self.latch = Latch::Held { source, settled: false },
                    Err(error) => tracing::warn!(%source, %error, "a media socket stays open"),
                }
                true
            }
            (Latch::Open | Latch::Shut, _) => false,
        }
    }

    pub(crate) fn apply(&mut self, out: &Out<'_>, outlet: &mut Outlet) {
        match *out {
            Out::Send(packet) => self.send(packet),
            Out::Report(packet) => self.send_report(packet),
            Out::Record { side, at, codec, payload } => {
                if let Some(Recording { tag, tape, lost }) = &mut self.recording {
                    let (jobs, spare) = outlet.tape();
                    tape.write((side, at, codec), payload, &mut || spare.take(), &mut |block| {
                        *lost += u32::from(!jobs.block(Job::Block(Arc::clone(tag), block)));
                    });
                }
            }
            Out::Digit(digit) => {
                outlet.digit(&self.events, Event { tag: self.tag, what: Happening::Digit(digit) });
            }
            Out::Played => {
                let event = Event { tag: self.tag, what: Happening::Played };
                outlet.tell(self.events.clone(), event);
            }
            // Joined legs are read by `drain_joined`, which takes these itself.
            Out::Forward(_) => {}
        }
    }

    fn send(&mut self, packet: &[u8]) {
        let Some(remote) = self.remote else { return };
        let attempt = |socket: &UdpSocket, latch: Latch| match latch {
            Latch::Held { .. } => socket.send(packet),
            Latch::Open | Latch::Shut => socket.send_to(packet, remote.address),
        };
        if let Err(error) = attempt(&self.socket, self.latch)
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            // It told of an earlier packet, in the place of sending this one.
            self.refused += 1;
            drop(attempt(&self.socket, self.latch));
        }
    }

    fn send_report(&mut self, packet: &[u8]) {
        let Some(remote) = self.remote else { return };
        let target = match remote.rtcp {
            Rtcp::Mux => return self.send(packet),
            Rtcp::NextPort => {
                let Some(port) = remote.address.port().checked_add(1) else { return };
                SocketAddr::new(remote.address.ip(), port)
            }
            Rtcp::At(address) => address,
        };
        if let Some(socket) = &self.reports
            && let Err(error) = socket.send_to(packet, target)
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            self.refused += 1;
        }
    }

    fn figures(&self, session: &MediaSession) -> Figures {
        let counts = session.counts();
        Figures {
            sent: counts.sent,
            received: counts.received,
            lost: counts.lost,
            jitter_ms: counts.jitter_ms,
            lost_there: counts.lost_there,
            round_trip: counts.round_trip,
            foreign: self.foreign,
            unknown: counts.unknown,
            late: self.late,
            skipped: counts.skipped,
            refused: self.refused,
        }
    }
}
