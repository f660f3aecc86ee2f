//! A far end within the program: a socket on loopback that takes calls.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base::{Machine, Timestamp};
use bytes::Bytes;
use clock::Clock;
use sip::{Callee, CalleeEffect, CalleeEvent, CalleeKey, Flow, MAX_MESSAGE, sdp};
use tokio::{net::UdpSocket, sync::mpsc};

use crate::stack::Busy;

/// Wishes that may wait.
const WISHES: usize = 1_024;

/// What happened at a far end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Somebody calls a number.
    Called {
        /// The call.
        key: CalleeKey,
        /// The number, with its plus.
        number: String,
    },
    /// An answered call may speak to there.
    Talking(CalleeKey, sdp::Remote),
    /// A call is over; nothing follows.
    Over(CalleeKey),
}

/// The way to a far end; its socket closes with the last of them.
#[derive(Debug, Clone)]
pub struct FarEnd {
    address: SocketAddr,
    wishes: mpsc::Sender<CalleeEvent>,
    deaf: Arc<AtomicBool>,
}

impl FarEnd {
    /// Opens a socket on loopback. What happens is told to `heard` with `tag`; when nobody takes it,
    /// the far end stands still.
    pub async fn open<T: Copy + Send + Sync + 'static>(
        tag: T,
        seed: u64,
        clock: Clock,
        heard: mpsc::Sender<(T, Heard)>,
    ) -> io::Result<Self> {
        let socket = UdpSocket::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await?;
        let address = socket.local_addr()?;
        let (wishes, queue) = mpsc::channel(WISHES);
        let deaf = Arc::new(AtomicBool::new(false));
        let stand = Stand {
            socket,
            address,
            deaf: Arc::clone(&deaf),
            callee: Callee::new(seed),
            clock,
            effects: Vec::new(),
        };
        telemetry::spawn("sip.far_end", stand.run(tag, queue, heard));
        Ok(Self { address, wishes, deaf })
    }

    /// Where it is called.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Hears nothing and says nothing while `deaf`, as a line that is down.
    pub fn set_deaf(&self, deaf: bool) {
        self.deaf.store(deaf, Ordering::Release);
    }

    /// Lets a call ring.
    pub fn ring(&self, key: CalleeKey) -> Result<(), Busy> {
        self.give(CalleeEvent::Ring(key))
    }

    /// Picks up; [`Heard::Talking`] follows.
    pub fn answer(&self, key: CalleeKey, local: sdp::Local) -> Result<(), Busy> {
        self.give(CalleeEvent::Answer(key, local))
    }

    /// Refuses with a status from 300 on, and a cause of Q.850.
    pub fn refuse(&self, key: CalleeKey, status: u16, q850: Option<u8>) -> Result<(), Busy> {
        self.give(CalleeEvent::Refuse(key, status, q850))
    }

    /// Hangs up an answered call.
    pub fn hang_up(&self, key: CalleeKey) -> Result<(), Busy> {
        self.give(CalleeEvent::HangUp(key))
    }

    fn give(&self, wish: CalleeEvent) -> Result<(), Busy> {
        self.wishes.try_send(wish).map_err(|_| Busy)
    }
}

struct Stand {
    socket: UdpSocket,
    address: SocketAddr,
    deaf: Arc<AtomicBool>,
    callee: Callee,
    clock: Clock,
    effects: Vec<CalleeEffect>,
}

impl Stand {
    async fn run<T: Copy>(
        mut self,
        tag: T,
        mut wishes: mpsc::Receiver<CalleeEvent>,
        heard: mpsc::Sender<(T, Heard)>,
    ) {
        let mut buffer = vec![0_u8; MAX_MESSAGE];
        loop {
            let wake = self.callee.next_wake().unwrap_or(Timestamp::MAX);
            tokio::select! {
                () = self.clock.sleep_until(wake) => {
                    let now = self.clock.now();
                    self.callee.wake(now, &mut self.effects);
                }
                wish = wishes.recv() => match wish {
                    Some(wish) => self.tell(wish),
                    None => return,
                },
                received = self.socket.recv_from(&mut buffer) => {
                    if let Ok((length, remote)) = received
                        && !self.deaf.load(Ordering::Acquire)
                    {
                        let datagram = Bytes::copy_from_slice(&buffer[..length]);
                        let flow = Flow { local: self.address, remote };
                        self.tell(CalleeEvent::Received { flow, datagram });
                    }
                }
            }
            if !self.perform(tag, &heard).await {
                return;
            }
        }
    }

    fn tell(&mut self, event: CalleeEvent) {
        let now = self.clock.now();
        self.callee.handle(now, event, &mut self.effects);
    }

    /// False when nobody listens any more.
    async fn perform<T: Copy>(&mut self, tag: T, heard: &mpsc::Sender<(T, Heard)>) -> bool {
        for effect in std::mem::take(&mut self.effects) {
            let news = match effect {
                CalleeEffect::Send { flow, datagram } => {
                    if !self.deaf.load(Ordering::Acquire)
                        && let Err(error) = self.socket.send_to(&datagram, flow.remote).await
                    {
                        // It is repeated like anything that the network loses.
                        tracing::debug!(%error, "the far end could not send");
                    }
                    continue;
                }
                CalleeEffect::Called { key, to } => {
                    Heard::Called { key, number: sip::number_of(&to) }
                }
                CalleeEffect::Talking(key, remote) => Heard::Talking(key, remote),
                CalleeEffect::Over(key) => Heard::Over(key),
            };
            if heard.send((tag, news)).await.is_err() {
                return false;
            }
        }
        true
    }
}
