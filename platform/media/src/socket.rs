//! The sockets of a leg.

use std::{io, net::SocketAddr};

use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

/// About 78 packets on loopback and fewer from a network card: bounds memory, and how old a packet
/// can be when it is read.
const RECEIVE_BUFFER: usize = 32 * 1024;
/// Expedited forwarding (RFC 3246), DSCP 46 in the upper six bits.
const EXPEDITED: u32 = 46 << 2;

/// A bound UDP socket that does not block.
pub(crate) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    // Before bind, so that no packet ever leaves unmarked.
    if address.is_ipv4() { socket.set_tos_v4(EXPEDITED) } else { socket.set_tclass_v6(EXPEDITED) }?;
    socket.bind(&address.into())?;
    Ok(UdpSocket::from_std(socket.into()))
}

/// Ends a `connect`, so that packets of other sources arrive again.
pub(crate) fn disconnect(socket: &UdpSocket) -> io::Result<()> {
    rustix::net::connect_unspec(socket).map_err(Into::into)
}
