//! The listener: lets nobody wait for the slow.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::serve::Listener;
use clock::Clock;
use http_kit::Peer;
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::place::ACME_TLS;

/// How long a client may take for its first byte and its handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How many handshakes go on at a time.
const MOST: usize = 512;
/// How many of them are from one address.
const MOST_OF_ONE: usize = 32;
/// How many connections wait to be served.
const READY: usize = 64;
/// How long to wait when the computer has no room for another connection.
const FULL: Duration = Duration::from_secs(1);
/// The first byte of a TLS handshake (RFC 8446, 5.1).
const TLS_RECORD: u8 = 0x16;

/// Listens for encrypted connections, and for plain ones on the same port.
#[derive(Debug)]
pub struct Door {
    ready: mpsc::Receiver<(Io, Peer)>,
    local: SocketAddr,
    // Dropped with the door: nobody is let in any more.
    _guard: telemetry::Held<()>,
}

impl Door {
    /// Lets in whoever comes to `listener`.
    pub(crate) fn new(
        listener: TcpListener,
        acceptor: TlsAcceptor,
        clock: Clock,
    ) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let (send, ready) = mpsc::channel(READY);
        let rooms = Rooms { all: Arc::new(Semaphore::new(MOST)), each: Arc::default() };
        let guard = Guard { listener, acceptor, clock, rooms, send };
        Ok(Self { ready, local, _guard: telemetry::spawn_held("tls.door", guard.stand()) })
    }
}

impl Listener for Door {
    type Io = Io;
    type Addr = Peer;

    async fn accept(&mut self) -> (Io, Peer) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The guard only ends with the door.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { remote: self.local, local: Some(self.local), secure: true })
    }
}

struct Guard {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    clock: Clock,
    rooms: Rooms,
    send: mpsc::Sender<(Io, Peer)>,
}

impl Guard {
    async fn stand(self) {
        loop {
            let (stream, remote) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if gone(&error) => continue,
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    self.clock.sleep(FULL).await;
                    continue;
                }
            };
            let Some(room) = self.rooms.take(remote.ip()) else {
                tracing::debug!(%remote, "too many handshakes at a time");
                continue;
            };
            let (acceptor, clock) = (self.acceptor.clone(), self.clock.clone());
            let send = self.send.clone();
            telemetry::spawn("tls.handshake", async move {
                let handshake = welcome(stream, remote, acceptor);
                let done = clock.timeout(HANDSHAKE, handshake).await;
                drop(room);
                match done {
                    // Nobody is served any more once the door is closed.
                    Ok(Ok(Some(ready))) => drop(send.send(ready).await),
                    Ok(Ok(None)) => {}
                    Ok(Err(error)) => tracing::debug!(%remote, %error, "a handshake failed"),
                    Err(_) => tracing::debug!(%remote, "a handshake took too long"),
                }
            });
        }
    }
}

/// The client went before it was let in.
fn gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Shakes hands; nothing when there is nobody to serve afterwards.
async fn welcome(
    stream: TcpStream,
    remote: SocketAddr,
    acceptor: TlsAcceptor,
) -> io::Result<Option<(Io, Peer)>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    let local = stream.local_addr().ok();
    if first[0] != TLS_RECORD {
        let peer = Peer { remote, local, secure: false };
        return Ok(Some((Io::Plain(stream), peer)));
    }
    // Answers are written whole; waiting for more would only make them late.
    stream.set_nodelay(true)?;
    let stream = acceptor.accept(stream).await?;
    if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS) {
        // The handshake itself was the proof.
        return Ok(None);
    }
    let peer = Peer { remote, local, secure: true };
    Ok(Some((Io::Tls(Box::new(stream)), peer)))
}

/// Room for handshakes, in all and for each client.
#[derive(Clone)]
struct Rooms {
    all: Arc<Semaphore>,
    each: Arc<Mutex<BTreeMap<IpAddr, usize>>>,
}

struct Room {
    rooms: Rooms,
    client: IpAddr,
    _one: OwnedSemaphorePermit,
}

impl Rooms {
    fn take(&self, ip: IpAddr) -> Option<Room> {
        let client = network(ip);
        let one = Arc::clone(&self.all).try_acquire_owned().ok()?;
        let mut each = self.each.lock();
        let taken = each.entry(client).or_default();
        if *taken >= MOST_OF_ONE {
            return None;
        }
        *taken += 1;
        Some(Room { rooms: self.clone(), client, _one: one })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut each = self.rooms.each.lock();
        if let Some(taken) = each.get_mut(&self.client) {
            *taken -= 1;
            if *taken == 0 {
                each.remove(&self.client);
            }
        }
    }
}

/// One client has many addresses of IPv6 within its network.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & (u128::MAX << 64))),
        ip @ IpAddr::V4(_) => ip,
    }
}

/// A connection, encrypted or not.
#[derive(Debug)]
pub enum Io {
    /// As it comes.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_leaves_room_for_others_and_gives_back_what_it_took() {
        let rooms = Rooms { all: Arc::new(Semaphore::new(MOST)), each: Arc::default() };
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let taken: Vec<_> = (0..MOST_OF_ONE).map(|_| rooms.take(ip("10.0.0.9")).unwrap()).collect();
        assert!(rooms.take(ip("10.0.0.9")).is_none());
        assert!(rooms.take(ip("::ffff:10.0.0.9")).is_none(), "the same client");
        assert!(rooms.take(ip("10.0.0.8")).is_some());
        drop(taken);
        assert!(rooms.each.lock().is_empty());
        assert!(rooms.take(ip("10.0.0.9")).is_some());
        let six: Vec<_> = (0..MOST_OF_ONE)
            .map(|n| rooms.take(ip(&format!("2001:db8::{n:x}"))).unwrap())
            .collect();
        assert!(rooms.take(ip("2001:db8::ffff:1")).is_none(), "the same network");
        assert!(rooms.take(ip("2001:db8:0:1::1")).is_some());
        drop(six);
        let all: Vec<_> =
            (0..MOST).map(|n| rooms.take(ip(&format!("10.1.{}.{}", n / 256, n % 256)))).collect();
        assert!(all.iter().all(Option::is_some));
        assert!(rooms.take(ip("10.0.0.8")).is_none(), "full");
    }
}
