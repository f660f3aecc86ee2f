//! Holds calls on the media plane and says what they cost.
//!
//! `cargo run -p media --example load --release -- calls=500 seconds=20 mode=play`
//!
//! - `mode=play` (the default): every call plays a prompt, hears speech, and records both.
//! - `mode=relay`: calls are joined in pairs and forward packets; `calls` counts the pairs.
//!
//! The far ends are threads of the same process; only the threads of the media plane are counted.
//! Beside it, `--example floor` gives the cost of the kernel alone.

#[path = "support/mod.rs"]
mod support;

use std::{
    error::Error,
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use media::{Codec, Config, Event, Happening, Media, OpenSession, Remote, Rtcp, Session};
use rtp::Header;
use tokio::sync::mpsc;

/// Calls that share one socket of the far end; even, so that a pair has one clock.
const CALLS_PER_PEER: usize = 24;
const FRAME: Duration = Duration::from_millis(20);

/// Delays of forwarded packets in steps of 0.1 ms; the last one is everything longer.
struct Delays([AtomicU64; 200]);

impl Default for Delays {
    fn default() -> Self {
        Self([const { AtomicU64::new(0) }; 200])
    }
}

/// What the far ends have counted.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    heard: AtomicU64,
    delays: Delays,
}

struct Arguments {
    calls: usize,
    seconds: u64,
    relay: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments {
        calls: support::argument("calls", 100),
        seconds: support::argument("seconds", 10),
        relay: support::argument("mode", "play".to_owned()) == "relay",
    };
    let legs = if arguments.relay { arguments.calls * 2 } else { arguments.calls };
    let folder = tempfile::tempdir()?;
    let media = Media::start(Config::new(folder.path().to_owned()))?;
    let empty = support::memory()?;
    let (events, mut heard) = mpsc::channel(legs * 4);
    let (counts, stop) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
    let (mut sessions, mut peers) = (Vec::new(), Vec::new());
    for first in (0..legs).step_by(CALLS_PER_PEER) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let mut addresses = Vec::new();
        for tag in first..legs.min(first + CALLS_PER_PEER) {
            let session = open(&media, tag, socket.local_addr()?, &events)?;
            addresses.push(session.local());
            sessions.push(session);
        }
        let (counts, stop) = (Arc::clone(&counts), Arc::clone(&stop));
        peers.push(
            thread::Builder::new()
                .name("far-ends".into())
                .spawn(move || talk(&socket, &addresses, &counts, &stop))?,
        );
    }
    begin(&sessions, &arguments)?;
    thread::sleep(Duration::from_secs(2)); // Past the first seconds, which allocate.
    let lines = measure(&media, &counts, &arguments, empty)?;
    stop.store(true, Relaxed);
    for peer in peers {
        peer.join().map_err(|_| "a far end panicked")??;
    }
    drop(sessions);
    let lost = finish(&mut heard, legs);
    support::say(format_args!("{lines} lost_in={lost} late_ticks={}", media.load().late_ticks))?;
    Ok(())
}

fn open(
    media: &Media,
    tag: usize,
    peer: SocketAddr,
    events: &mpsc::Sender<Event>,
) -> Result<Session, Box<dyn Error>> {
    let session = media.open(OpenSession {
        tag: tag as u64,
        local: Ipv4Addr::LOCALHOST.into(),
        trusted: Vec::new(),
        events: events.clone(),
    })?;
    let remote =
        Remote { address: peer, rtcp: Rtcp::Mux, codec: Codec::Pcmu, digits: None, send: true };
    session.remote(remote)?;
    // So many at once would fill the queue of commands.
    if tag % 100 == 99 {
        thread::sleep(Duration::from_millis(20));
    }
    Ok(session)
}

fn begin(sessions: &[Session], arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if arguments.relay {
        for pair in sessions.chunks_exact(2) {
            pair[0].bridge(&pair[1])?;
        }
        return Ok(());
    }
    let prompt: Arc<[u8]> = (0..8_000 * (arguments.seconds as usize + 30))
        .map(|n| Codec::Pcmu.encode(((n * 37) % 20_000) as i16 - 10_000))
        .collect();
    for (n, session) in sessions.iter().enumerate() {
        session.record(format!("1/2026-11-20/{n}"))?;
        session.play(Arc::clone(&prompt))?;
        // Calls do not begin together.
        thread::sleep(FRAME / sessions.len() as u32);
    }
    Ok(())
}

/// One far end for several calls: says a packet to each every 20 ms and counts what it hears.
fn talk(
    socket: &UdpSocket,
    calls: &[SocketAddr],
    counts: &Counts,
    stop: &AtomicBool,
) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let started = support::now();
    let mut packet = [0x33; 172];
    let mut buffer = [0; 2_000];
    for step in 0_u64.. {
        if stop.load(Relaxed) {
            break;
        }
        let (round, call) = (step / calls.len() as u64, step as usize % calls.len());
        let due = FRAME * round as u32 + FRAME * call as u32 / calls.len() as u32;
        while let Ok(size) = socket.recv(&mut buffer) {
            if !rtp::is_rtcp(&buffer[..size]) {
                counts.heard.fetch_add(1, Relaxed);
                note_delay(&buffer[..size], started.elapsed(), counts);
            }
        }
        thread::sleep(due.saturating_sub(started.elapsed()));
        let header = Header {
            marker: false,
            payload_type: 0,
            sequence: round as u16,
            timestamp: round as u32 * 160,
            ssrc: call as u32 + 1,
        };
        header.write(&mut packet);
        packet[12..20].copy_from_slice(&(started.elapsed().as_micros() as u64).to_be_bytes());
        socket.send_to(&packet, calls[call])?;
        counts.sent.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// A forwarded packet carries the time at which its far end said it. Pairs share a far end, so the
/// clocks are one.
fn note_delay(packet: &[u8], now: Duration, counts: &Counts) {
    let Some(stamp) = packet.get(12..20).and_then(|stamp| stamp.try_into().ok()) else { return };
    let said = u64::from_be_bytes(stamp);
    let steps = (now.as_micros() as u64).saturating_sub(said) / 100;
    let Delays(delays) = &counts.delays;
    delays[(steps as usize).min(delays.len() - 1)].fetch_add(1, Relaxed);
}

fn percentile(counts: &Counts, share: f64) -> f64 {
    let all: u64 = counts.delays.0.iter().map(|count| count.load(Relaxed)).sum();
    let mut left = (all as f64 * share) as u64;
    for (step, count) in counts.delays.0.iter().enumerate() {
        let count = count.load(Relaxed);
        if count > left {
            return (step as f64 + 1.0) / 10.0;
        }
        left -= count;
    }
    f64::INFINITY
}

fn measure(
    media: &Media,
    counts: &Counts,
    arguments: &Arguments,
    empty: u64,
) -> Result<String, Box<dyn Error>> {
    let figures = || -> io::Result<_> {
        Ok((
            support::processor_time("media")?,
            support::processor_time("recording")?,
            counts.sent.load(Relaxed),
            counts.heard.load(Relaxed),
            media.load().wake_ups,
        ))
    };
    let (started, before) = (support::now(), figures()?);
    thread::sleep(Duration::from_secs(arguments.seconds));
    let (after, spent) = (figures()?, started.elapsed().as_secs_f64());
    let calls = arguments.calls as f64;
    let (plane, disk) = (
        after.0.saturating_sub(before.0).as_secs_f64(),
        after.1.saturating_sub(before.1).as_secs_f64(),
    );
    let (into, out) = (after.2 - before.2, after.3 - before.3);
    // A relayed packet is received and sent; a played call receives one and sends another.
    let exchanges = if arguments.relay { into } else { into.min(out) } as f64;
    let mut line = format!(
        "load mode={} calls={calls} seconds={spent:.1} media_cpu%={:.2} media_cpu%_per_call={:.4} \
         disk_cpu%={:.2} us_per_packet={:.3} in/s={:.0} out/s={:.0} wake_ups/s={:.0} \
         kB_per_call={:.1}",
        if arguments.relay { "relay" } else { "play" },
        plane / spent * 100.0,
        plane / spent * 100.0 / calls,
        disk / spent * 100.0,
        plane * 1e6 / exchanges,
        into as f64 / spent,
        out as f64 / spent,
        (after.4 - before.4) as f64 / spent,
        (support::memory()?.saturating_sub(empty)) as f64 / calls,
    );
    if arguments.relay {
        let (p50, p99) = (percentile(counts, 0.5), percentile(counts, 0.99));
        line += &format!(" delay_ms_p50={p50:.1} delay_ms_p99={p99:.1}");
    }
    Ok(line)
}

/// Waits for the end of every session; gives the packets that were lost on the way in.
fn finish(heard: &mut mpsc::Receiver<Event>, legs: usize) -> u64 {
    let (mut ended, mut lost) = (0, 0);
    while ended < legs
        && let Some(event) = heard.blocking_recv()
    {
        if let Happening::Closed(closed) = event.what {
            ended += 1;
            lost += u64::from(closed.figures.lost);
        }
    }
    lost
}
