//! What is asked of the media thread and what it answers.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::PathBuf,
    time::Duration,
};

use rtp::Codec;
use tokio::sync::mpsc;

/// How the media plane is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// UDP ports of calls; the even ones carry RTP, the odd ones RTCP where a far end will not
    /// multiplex it. Below the ephemeral range, so that no outgoing connection takes one.
    pub ports: RangeInclusive<u16>,
    /// Folder of recordings. A recording with key `K` is `K.wav` beneath it when finished, with
    /// its waveform in `K.peaks`; while it is being written it is in `.open`.
    pub recordings: PathBuf,
    /// How long a port rests after its call, so that late packets find nobody.
    pub quarantine: Duration,
}

impl Config {
    /// The defaults: ports 10000 to 32766, 60 s of quarantine.
    pub fn new(recordings: PathBuf) -> Self {
        Self { ports: 10_000..=32_766, recordings, quarantine: Duration::from_mins(1) }
    }
}

/// Why the media plane cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The range holds no even port.
    #[error("the port range {0:?} holds no even port for RTP")]
    NoPorts(RangeInclusive<u16>),
    /// The process may not open enough files for even one recorded call.
    #[error(
        "only {limit} files may be open at once; calls need at least {needed}: raise `ulimit -n`"
    )]
    FewFiles {
        /// What the system allows.
        limit: u64,
        /// What is needed.
        needed: u64,
    },
    /// A thread, the poll or the recordings' folder could not be made.
    #[error("the media thread cannot start: {0}")]
    Io(#[from] io::Error),
}

/// A range of addresses whose packets may be latched on: `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// Any address of the network.
    pub address: IpAddr,
    /// Leading bits that count: up to 32 for IPv4, 128 for IPv6.
    pub prefix: u8,
}

impl Network {
    /// The network that holds `address` alone.
    pub const fn host(address: IpAddr) -> Self {
        Self { address, prefix: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Whether `other` belongs to it. IPv4 in IPv6 clothing counts as IPv4.
    pub fn contains(&self, other: IpAddr) -> bool {
        let (mine, other) = (self.address.to_canonical(), other.to_canonical());
        let (mine, other, width) = match (mine, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                (u128::from(a.to_bits()), u128::from(b.to_bits()), 32)
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        let dropped = width - u32::from(self.prefix).min(width);
        (mine ^ other).checked_shr(dropped).unwrap_or(0) == 0
    }
}

/// A wish for one leg: a socket, and somebody to tell.
#[derive(Debug)]
pub struct OpenSession {
    /// Chosen by the asker; it comes back in every [`Event`].
    pub tag: u64,
    /// Local address to bind, the one that routes to the line. The port is the media plane's choice.
    pub local: IpAddr,
    /// Networks of the line's media, beside the address in the SDP, that may be latched on.
    pub trusted: Vec<Network>,
    /// Where events go, by `try_send`. Digits are lost (and counted) when it is full; `Played` and
    /// `Closed` wait for room. May be shared by many sessions.
    pub events: mpsc::Sender<Event>,
}

/// Why a session was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The media thread has more commands waiting than it takes at once.
    #[error("the media thread is busy")]
    Busy,
    /// Every port is in use or rests.
    #[error("every media port is in use or was used within the quarantine")]
    NoPort,
    /// As many files are open as the process may have.
    #[error("no more calls fit into the limit of open files")]
    NoFiles,
    /// The socket could not be made; a wrong local address among them.
    #[error("no media socket: {0}")]
    Io(#[from] io::Error),
}

/// The command queue is full; nothing was done. End the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the media thread is busy")]
pub struct SessionBusy;

/// The far end, as its SDP says. A new one replaces it and opens the latch again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// Address and port of `c=` and `m=`.
    pub address: SocketAddr,
    /// Where reports go.
    pub rtcp: Rtcp,
    /// What we send; G.711 of either law is understood when received.
    pub codec: Codec,
    /// Payload type of `telephone-event/8000`, when agreed (RFC 4733).
    pub digits: Option<u8>,
    /// False while the far end holds us (`a=sendonly` or `a=inactive` there): nothing is sent, and
    /// a prompt goes on unheard.
    pub send: bool,
}

/// Where RTCP goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rtcp {
    /// On the RTP port (RFC 5761): both sides said `a=rtcp-mux`.
    Mux,
    /// On ports of its own: ours is RTP + 1, theirs is RTP + 1.
    NextPort,
    /// To this address (`a=rtcp`, RFC 3605), from our RTP + 1.
    At(SocketAddr),
}

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The tag given with [`OpenSession`].
    pub tag: u64,
    /// What happened.
    pub what: Happening,
}

/// What may happen to a session.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The far end pressed a key: 0 to 9, then 10 `*`, 11 `#`, 12 to 15 A to D (RFC 4733, 3.2).
    Digit(u8),
    /// The prompt was played to its end; its last frame has had its 20 ms.
    Played,
    /// The session is over: its socket is closed and its recording is on the disk. Nothing follows.
    Closed(Box<Closed>),
}

/// The end of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// What was counted.
    pub figures: Figures,
    /// The recording, when [`crate::Session::record`] was asked; fsynced, file and folder.
    pub recording: Option<Result<Recorded, String>>,
}

/// A finished recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// As given to [`crate::Session::record`].
    pub key: String,
    /// Length of the sound.
    pub duration: Duration,
    /// Bytes of the WAV file, header included.
    pub bytes: u64,
    /// Sound that the disk was too slow for; silence of that length stands in its place.
    pub lost: Duration,
}

/// What was counted on one leg.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// RTP packets sent.
    pub sent: u32,
    /// RTP packets received from the far end.
    pub received: u32,
    /// Packets lost on the way to us (RFC 3550, 6.4.1); never negative.
    pub lost: u32,
    /// Inter-arrival jitter at the end, in milliseconds.
    pub jitter_ms: f32,
    /// Packets that the far end reported as lost on the way to it, from its last report.
    pub lost_there: u32,
    /// Round trip by the far end's last report.
    pub round_trip: Option<Duration>,
    /// Packets from addresses that may not speak.
    pub foreign: u32,
    /// Packets that were no RTP, or of a payload that was not agreed.
    pub unknown: u32,
    /// Packets that came in a clump after a stall and were passed over.
    pub late: u32,
    /// Frames of a prompt that were skipped, because they were 60 ms late.
    pub skipped: u32,
    /// Times that the far end's machine said that nobody listens there.
    pub refused: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_own_addresses_only() {
        let network = |text: &str, prefix| Network { address: text.parse().unwrap(), prefix };
        for (network, address, inside) in [
            (network("192.0.2.77", 24), "192.0.2.1", true),
            (network("192.0.2.77", 24), "192.0.3.1", false),
            (network("192.0.2.77", 24), "::ffff:192.0.2.1", true),
            (network("192.0.2.128", 25), "192.0.2.127", false),
            (network("192.0.2.77", 32), "192.0.2.77", true),
            (network("192.0.2.77", 200), "192.0.2.76", false),
            (network("0.0.0.0", 0), "203.0.113.9", true),
            (network("0.0.0.0", 0), "2001:db8::1", false),
            (network("2001:db8::", 32), "2001:db8:1::9", true),
            (network("2001:db8::", 32), "2001:db9::", false),
            (network("::", 0), "2001:db8::1", true),
            (Network::host("2001:db8::1".parse().unwrap()), "2001:db8::2", false),
        ] {
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{network:?} {address}");
        }
    }
}
