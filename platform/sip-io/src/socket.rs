//! One UDP socket: a task that reads, a task that sends what did not go at once.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket as StdSocket},
    sync::Arc,
};

use bytes::Bytes;
use clock::Clock;
use sip::{Flow, MAX_MESSAGE};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle};

use crate::sources::{Source, Sources};

/// Enough for a burst of some thousand messages, as far as the system allows it.
const RECEIVE_BUFFER: usize = 4 << 20;
/// Class selector 3, call signalling (RFC 4594, 4.2), in the upper six bits.
const DSCP_SIGNALLING: u32 = 24 << 2;
/// Datagrams that may wait for the socket.
const WAITING: usize = 1_024;
/// Ports tried from the configured one on, when other programs sit on them.
const PORT_TRIES: u16 = 10;

/// An open socket; its tasks end with it.
pub(crate) struct Opened {
    pub(crate) local: SocketAddr,
    socket: Arc<UdpSocket>,
    waiting: mpsc::Sender<(Bytes, SocketAddr)>,
    tasks: [JoinHandle<()>; 2],
}

impl Drop for Opened {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Opened {
    /// Binds `ip` at `port`, or at one of the next when that one is taken.
    pub(crate) fn open(
        ip: IpAddr,
        port: u16,
        inbox: mpsc::Sender<(Flow, Bytes)>,
        sources: Arc<Sources>,
        clock: Clock,
    ) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::from_std(bind_near(ip, port)?)?);
        let local = socket.local_addr()?;
        let (waiting, queue) = mpsc::channel(WAITING);
        let reader = read(Arc::clone(&socket), local, inbox, sources, clock);
        let tasks = [
            telemetry::spawn("sip.read", reader),
            telemetry::spawn("sip.send", send(Arc::clone(&socket), queue)),
        ];
        Ok(Self { local, socket, waiting, tasks })
    }

    /// Sends at once, or as soon as the socket takes it.
    pub(crate) fn send(&self, datagram: Bytes, to: SocketAddr) -> io::Result<()> {
        if self.waiting.capacity() == WAITING {
            match self.socket.try_send_to(&datagram, to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // Another datagram's ICMP error, told late: this one was not sent.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    return self.socket.try_send_to(&datagram, to).map(|_| ());
                }
                done => return done.map(|_| ()),
            }
        }
        self.waiting
            .try_send((datagram, to))
            .map_err(|_| io::Error::new(io::ErrorKind::WouldBlock, "the send queue is full"))
    }
}

fn bind_near(ip: IpAddr, port: u16) -> io::Result<StdSocket> {
    let mut last = None;
    for offset in 0..PORT_TRIES {
        let at = if port == 0 { 0 } else { port.saturating_add(offset) };
        match bind(SocketAddr::new(ip, at)) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrInUse.into()))
}

fn bind(address: SocketAddr) -> io::Result<StdSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    // Neither is worth failing for: the system may not allow them.
    if let Err(error) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
        tracing::debug!(%error, "the receive buffer stays as it is");
    }
    let marked = match address {
        SocketAddr::V4(_) => socket.set_tos_v4(DSCP_SIGNALLING),
        SocketAddr::V6(_) => socket.set_tclass_v6(DSCP_SIGNALLING),
    };
    if let Err(error) = marked {
        tracing::debug!(%error, "signalling is not marked");
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Hands in what comes from known sources. A full inbox drops datagrams, as the network would: their
/// senders repeat them.
async fn read(
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    inbox: mpsc::Sender<(Flow, Bytes)>,
    sources: Arc<Sources>,
    clock: Clock,
) {
    let mut buffer = vec![0_u8; MAX_MESSAGE];
    loop {
        let (length, remote) = match socket.recv_from(&mut buffer).await {
            Ok(received) => received,
            // An ICMP error of something that we sent.
            Err(error) => {
                tracing::debug!(%error, "the socket reports an error");
                continue;
            }
        };
        let dropped = match sources.judge(remote.ip(), clock.now()) {
            Source::Known => {
                let datagram = Bytes::copy_from_slice(&buffer[..length]);
                match inbox.try_send((Flow { local, remote }, datagram)) {
                    Ok(()) => continue,
                    Err(mpsc::error::TrySendError::Full(_)) => "queue_full",
                    Err(mpsc::error::TrySendError::Closed(_)) => return,
                }
            }
            Source::Stranger => {
                tracing::info!(sip.source = %remote, "no line names {remote}: it is not answered");
                sip::Dropped::UnknownSource.code()
            }
            Source::Told => sip::Dropped::UnknownSource.code(),
        };
        metrics::counter!("sip_dropped_total", "reason" => dropped).increment(1);
    }
}

async fn send(socket: Arc<UdpSocket>, mut queue: mpsc::Receiver<(Bytes, SocketAddr)>) {
    while let Some((datagram, to)) = queue.recv().await {
        if let Err(error) = socket.send_to(&datagram, to).await {
            tracing::debug!(%error, sip.to = %to, "a datagram was not sent");
        }
    }
}

/// The local address from which packets to `remote` leave.
pub(crate) fn local_towards(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: SocketAddr = match remote {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let probe = StdSocket::bind(any)?;
    probe.connect(remote)?;
    Ok(probe.local_addr()?.ip())
}
