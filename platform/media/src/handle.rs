//! The asker's side: commands go in without waiting, sockets are made on the asker's thread.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Sender, SyncSender, TrySendError, channel, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use mio::{Poll, Waker, net::UdpSocket};
use tokio::sync::mpsc;

use crate::{
    ask::{Config, Event, Network, OpenError, OpenSession, Remote, SessionBusy, StartError},
    gauge::Gauge,
    outlet::Outlet,
    plane::{self, Plane},
    ports::Ports,
    socket,
    writer::{Done, Reply, Writer},
};

/// Commands that may wait for the media thread; it takes them every 5 ms.
const COMMANDS: usize = 4_096;
/// Files that the rest of the program may have open: database, connections, logs.
const OTHER_FILES: u64 = 512;
/// RTP socket, RTCP socket, recording.
const FILES_PER_SESSION: u64 = 3;
/// Ports tried before giving up, when other programs sit on them.
const PORT_TRIES: usize = 16;

/// The media plane of a process. Cheap to clone; the media thread ends with the last handle.
#[derive(Clone)]
pub struct Media(Arc<Shared>);

struct Shared {
    commands: SyncSender<Command>,
    closings: Sender<u64>,
    waker: Arc<Waker>,
    stop: Arc<AtomicBool>,
    ports: Mutex<Ports>,
    gauge: Arc<Gauge>,
    started: Instant,
    next: AtomicU64,
    limit: usize,
}

/// What the media thread is told.
pub(crate) enum Command {
    Open(Box<NewSession>),
    Remote(u64, Box<Remote>),
    Play(u64, Arc<[u8]>),
    StopPlaying(u64),
    Record(u64, String),
    Bridge(u64, u64),
}

/// A leg whose socket is bound.
pub(crate) struct NewSession {
    pub(crate) key: u64,
    pub(crate) tag: u64,
    pub(crate) socket: UdpSocket,
    pub(crate) local: SocketAddr,
    pub(crate) trusted: Vec<Network>,
    pub(crate) events: mpsc::Sender<Event>,
}

impl Media {
    /// Starts the media thread and the threads that write recordings.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let limit = sessions_allowed()?;
        std::fs::create_dir_all(&config.recordings)?;
        let (mut ports, port_return) = Ports::new(config.ports.clone(), config.quarantine);
        let found = ports.len();
        if found == 0 {
            return Err(StartError::NoPorts(config.ports));
        }
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), plane::WAKE)?);
        let (commands, command_queue) = sync_channel(COMMANDS);
        let (closings, closing_queue) = channel();
        let (stop, gauge) = (Arc::new(AtomicBool::new(false)), Arc::new(Gauge::default()));
        let started = now();
        let (tell, done) = channel();
        let waking = Arc::clone(&waker);
        let writer = Writer::start(
            config.recordings,
            Arc::clone(&gauge),
            &(Arc::new(move |reply: Reply, made| {
                // Without a media thread there is nobody to tell.
                if tell.send(reply.closed(Some(made))).is_ok() {
                    wake(&waking);
                }
            }) as Arc<Done>),
        )?;
        let plane = Plane::new(
            poll,
            plane::Queues {
                commands: command_queue,
                closings: closing_queue,
                done,
                ports: port_return,
            },
            Outlet::new(writer, Arc::clone(&gauge)),
            Arc::clone(&gauge),
            started,
        );
        let stopping = Arc::clone(&stop);
        thread::Builder::new().name("media".into()).spawn(move || plane.run(&stopping))?;
        tracing::info!(media.ports = found, media.sessions = limit, "the media plane is ready");
        Ok(Self(Arc::new(Shared {
            commands,
            closings,
            waker,
            stop,
            ports: Mutex::new(ports),
            gauge,
            started,
            next: AtomicU64::new(1),
            limit,
        })))
    }

    /// Binds a socket for one leg. Does not wait: it costs a few system calls.
    pub fn open(&self, ask: OpenSession) -> Result<Session, OpenError> {
        let shared = &self.0;
        if shared.gauge.load(shared.started.elapsed()).sessions >= shared.limit {
            return Err(OpenError::NoFiles);
        }
        let (socket, local) = shared.bind(ask.local)?;
        let key = shared.next.fetch_add(1, Ordering::Relaxed);
        let OpenSession { tag, trusted, events, .. } = ask;
        let new = NewSession { key, tag, socket, local, trusted, events };
        shared.gauge.opened();
        if shared.send(Command::Open(Box::new(new))).is_err() {
            shared.gauge.closed();
            shared.ports().put_aside(local.port(), shared.started.elapsed());
            return Err(OpenError::Busy);
        }
        Ok(Session { media: self.clone(), key, local })
    }

    /// How the media thread is doing. Cheap: reads a few numbers.
    pub fn load(&self) -> Load {
        self.0.gauge.load(self.0.started.elapsed())
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media").field("load", &self.load()).finish_non_exhaustive()
    }
}

impl Shared {
    fn send(&self, command: Command) -> Result<(), SessionBusy> {
        match self.commands.try_send(command) {
            Ok(()) => {
                wake(&self.waker);
                Ok(())
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => Err(SessionBusy),
        }
    }

    fn ports(&self) -> std::sync::MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bind(&self, local: std::net::IpAddr) -> Result<(UdpSocket, SocketAddr), OpenError> {
        for _ in 0..PORT_TRIES {
            let now = self.started.elapsed();
            let port = self.ports().take(now).ok_or(OpenError::NoPort)?;
            let address = SocketAddr::new(local, port);
            match socket::bind(address) {
                Ok(socket) => return Ok((socket, address)),
                Err(error) => {
                    self.ports().put_aside(port, now);
                    if error.kind() != std::io::ErrorKind::AddrInUse {
                        return Err(error.into());
                    }
                }
            }
        }
        Err(OpenError::NoPort)
    }
}

fn wake(waker: &Waker) {
    if let Err(error) = waker.wake() {
        tracing::error!(%error, "the media thread cannot be woken");
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        wake(&self.waker);
    }
}

/// One open leg. Dropping it closes it, as [`Session::close`] does.
///
/// Every wish is a command to the media thread and is taken up within 5 ms.
pub struct Session {
    media: Media,
    key: u64,
    local: SocketAddr,
}

impl Session {
    /// The bound address; its port goes into the SDP.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Says who the far end is. From now on packets flow: one of silence leaves at once, because
    /// two ends that wait for each other stay silent. Again with a later SDP.
    pub fn remote(&self, remote: Remote) -> Result<(), SessionBusy> {
        self.media.0.send(Command::Remote(self.key, Box::new(remote)))
    }

    /// Plays `prompt`, G.711 in the codec of [`Remote::codec`], from its start, in the place of
    /// what was playing. Ends with [`crate::Happening::Played`].
    pub fn play(&self, prompt: Arc<[u8]>) -> Result<(), SessionBusy> {
        self.media.0.send(Command::Play(self.key, prompt))
    }

    /// Stops the prompt. No `Played` follows.
    pub fn stop_playing(&self) -> Result<(), SessionBusy> {
        self.media.0.send(Command::StopPlaying(self.key))
    }

    /// Records both directions from now to the end of the session. `key` is a relative path of
    /// plain names, `account/day/attempt`. A second wish is ignored.
    pub fn record(&self, key: String) -> Result<(), SessionBusy> {
        self.media.0.send(Command::Record(self.key, key))
    }

    /// Lets this far end and that of `other` hear each other: packets are forwarded with their
    /// numbering rewritten, both ways, while no prompt plays. Both must have the same codec.
    pub fn bridge(&self, other: &Self) -> Result<(), SessionBusy> {
        self.media.0.send(Command::Bridge(self.key, other.key))
    }

    /// Ends the session. Never refused; [`crate::Happening::Closed`] follows.
    pub fn close(self) {}
}

impl Drop for Session {
    fn drop(&mut self) {
        // Fails only when the media thread is gone, and every session with it.
        if self.media.0.closings.send(self.key).is_ok() {
            wake(&self.media.0.waker);
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("key", &self.key)
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// How the media thread is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Sessions that are open.
    pub sessions: usize,
    /// The longest delay of a tick within the last second or two; zero when nothing plays.
    pub lag: Duration,
    /// Ticks that came 5 ms or more too late, since the start.
    pub late_ticks: u64,
    /// Times that the thread woke, since the start.
    pub wake_ups: u64,
    /// Seconds of recordings that the disk was too slow for, since the start.
    pub blocks_lost: u64,
    /// Digits that found their queue full, since the start.
    pub events_lost: u64,
}

impl Load {
    /// Whether prompts are about to break up: no new call should be begun.
    pub fn is_late(&self) -> bool {
        self.lag >= Duration::from_millis(20)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "media keeps real time: its grid is not moved by hand"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Raises the limit of open files as far as it goes, and says how many sessions that carries.
fn sessions_allowed() -> Result<usize, StartError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_err() {
        tracing::debug!("the limit of open files stays as it is");
    }
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let needed = OTHER_FILES + FILES_PER_SESSION;
    if files < needed {
        return Err(StartError::FewFiles { limit: files, needed });
    }
    Ok(usize::try_from((files - OTHER_FILES) / FILES_PER_SESSION).unwrap_or(usize::MAX))
}
