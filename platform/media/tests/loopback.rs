//! The media thread against far ends on loopback. Far ends answer packet for packet, so the media
//! thread's own 20 ms pace every story. A busy machine may make it skip frames of a prompt; stories
//! tell them by their time stamps and hold all the same.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use media::{
    Closed, Codec, Config, Event, Happening, Media, Network, OpenError, OpenSession, Remote, Rtcp,
    Session, Waveform,
};
use rtp::Header;
use tempfile::TempDir;
use tokio::sync::mpsc;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

struct Stage {
    media: Media,
    folder: TempDir,
    events: mpsc::Sender<Event>,
    heard: mpsc::Receiver<Event>,
}

impl Stage {
    fn new() -> Self {
        // Tests run side by side, in one process or in many: each has its own ports.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let stage = std::process::id() * 16 + NEXT.fetch_add(1, Ordering::Relaxed);
        let first = 20_000 + (stage % 560) as u16 * 20;
        let folder = tempfile::tempdir().unwrap();
        let config =
            Config { ports: first..=first + 19, ..Config::new(folder.path().join("recordings")) };
        let (events, heard) = mpsc::channel(8);
        Self { media: Media::start(config).unwrap(), folder, events, heard }
    }

    fn open(&self, trusted: Vec<Network>) -> Session {
        let events = self.events.clone();
        self.media.open(OpenSession { tag: 7, local: HERE, trusted, events }).unwrap()
    }

    fn next(&mut self) -> Happening {
        let event = self.heard.blocking_recv().unwrap();
        assert_eq!(event.tag, 7);
        event.what
    }

    fn closed(&mut self) -> Closed {
        match self.next() {
            Happening::Closed(closed) => *closed,
            other @ (Happening::Digit(_) | Happening::Played) => panic!("{other:?}"),
        }
    }

    /// Hears the prompt to its end; `answer` is called with the place of each frame in it. Gives
    /// the frames heard, by their places.
    fn until_played(
        &mut self,
        peer: &mut Peer,
        mut answer: impl FnMut(&mut Peer, usize),
    ) -> BTreeMap<usize, Vec<u8>> {
        let (mut frames, mut first) = (BTreeMap::new(), None);
        loop {
            if let Some((header, payload)) = peer.hear_within(Duration::from_millis(50)) {
                let first = *first.get_or_insert(header.timestamp);
                let place = header.timestamp.wrapping_sub(first) as usize / 160;
                frames.insert(place, payload);
                answer(peer, place);
            } else if let Ok(event) = self.heard.try_recv() {
                assert_eq!(event.what, Happening::Played);
                return frames;
            }
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("recordings").join(name)
    }
}

/// A far end.
struct Peer {
    socket: UdpSocket,
    sent: u16,
}

impl Peer {
    fn new() -> Self {
        let socket = UdpSocket::bind((HERE, 0)).unwrap();
        Self { socket, sent: 0 }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn remote(&self) -> Remote {
        Remote {
            address: self.address(),
            rtcp: Rtcp::Mux,
            codec: Codec::Pcmu,
            digits: Some(101),
            send: true,
        }
    }

    /// The next packet of sound.
    fn hear(&self) -> (Header, Vec<u8>) {
        self.hear_within(Duration::from_secs(5)).expect("a packet")
    }

    fn hear_within(&self, patience: Duration) -> Option<(Header, Vec<u8>)> {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 2_000];
        loop {
            let size = self.socket.recv(&mut buffer).ok()?;
            if !rtp::is_rtcp(&buffer[..size]) {
                let (header, payload) = Header::parse(&buffer[..size])?;
                return Some((header, buffer[payload].to_vec()));
            }
        }
    }

    /// Whether no sound comes for a while.
    fn hears_nothing(&self) -> bool {
        self.hear_within(Duration::from_millis(150)).is_none()
    }

    fn say(&mut self, to: SocketAddr, payload_type: u8, payload: &[u8]) {
        let mut packet = vec![0; 12];
        let header = Header {
            marker: self.sent == 0,
            payload_type,
            sequence: self.sent.wrapping_add(65_530),
            timestamp: (u32::MAX - 800).wrapping_add(u32::from(self.sent) * 160),
            ssrc: 0xCA11_EE00,
        };
        header.write(&mut packet);
        packet.extend_from_slice(payload);
        self.socket.send_to(&packet, to).unwrap();
        self.sent += 1;
    }
}

/// Noise that is like no other piece of itself.
fn sound(seed: u64, frames: usize) -> Vec<u8> {
    let mut dice = base::Dice::new(seed);
    (0..frames * 160).map(|_| Codec::Pcmu.encode(dice.roll(20_000) as i16 - 10_000)).collect()
}

fn decoded(sound: &[u8]) -> Vec<i16> {
    sound.iter().map(|byte| Codec::Pcmu.decode(*byte)).collect()
}

/// Where `piece` lies in `whole`, sample for sample.
fn find(whole: &[i16], piece: &[i16]) -> Option<usize> {
    whole.windows(piece.len()).position(|window| window == piece)
}

#[test]
fn alo_18_a_prompt_is_heard_whole_and_both_directions_are_recorded() {
    let mut stage = Stage::new();
    let mut peer = Peer::new();
    let (prompt, answer) = (sound(1, 70), sound(2, 70));
    let session = stage.open(vec![]);
    session.remote(peer.remote()).unwrap();
    let (first, silence) = peer.hear();
    assert_eq!((first.payload_type, silence), (0, vec![0xFF; 160]));
    session.record("1/2026-11-20/42".into()).unwrap();
    session.play(prompt.clone().into()).unwrap();
    let mut frames = answer.chunks(160);
    let heard = stage.until_played(&mut peer, |peer, _| {
        peer.say(session.local(), 0, frames.next().unwrap());
    });
    for (place, frame) in &heard {
        assert!(*frame == prompt[place * 160..(place + 1) * 160], "frame {place}");
    }
    session.close();
    let closed = stage.closed();
    let count = heard.len() as u32;
    let figures = closed.figures;
    assert_eq!((figures.sent, figures.received, figures.lost), (1 + count, count, 0));
    assert_eq!(figures.skipped, 70 - count);

    let made = closed.recording.unwrap().unwrap();
    assert_eq!((made.key.as_str(), made.lost), ("1/2026-11-20/42", Duration::ZERO));
    let path = stage.path("1/2026-11-20/42.wav");
    assert_eq!(fs::metadata(&path).unwrap().len(), made.bytes);
    let samples: Vec<i16> =
        hound::WavReader::open(&path).unwrap().into_samples().map(Result::unwrap).collect();
    let (left, right): (Vec<i16>, Vec<i16>) =
        samples.as_chunks::<2>().0.iter().map(|[left, right]| (*left, *right)).unzip();
    assert_eq!(made.duration, Duration::from_micros(125 * left.len() as u64));
    // What was skipped is silence, as it was for the callee.
    let mut played = vec![0; 70 * 160];
    for (place, frame) in heard {
        played[place * 160..(place + 1) * 160].copy_from_slice(&decoded(&frame));
    }
    assert_eq!(find(&right, &played), Some(0));
    let said = decoded(&answer[..count as usize * 160]);
    let lag = find(&left, &said).expect("what the callee said, sample for sample");
    assert!(lag < 8_000, "the answer came {lag} samples after the prompt began");
    // Nothing of one side is on the other.
    assert_eq!(find(&left, &decoded(&prompt)[..160]), None);
    let waveform = Waveform::parse(&fs::read(path.with_extension("peaks")).unwrap()).unwrap();
    assert_eq!(waveform, Waveform::of_file(&path).unwrap());
    assert_eq!(fs::read_dir(stage.path(".open")).unwrap().count(), 0);
}

#[test]
fn loss_is_silence_and_reordering_is_undone_in_the_file() {
    let mut stage = Stage::new();
    let mut peer = Peer::new();
    let (answer, session) = (sound(3, 13), stage.open(vec![]));
    session.remote(peer.remote()).unwrap();
    session.record("1/2/3".into()).unwrap();
    session.play(sound(4, 30).into()).unwrap();
    peer.hear();
    let frames: Vec<&[u8]> = answer.chunks(160).collect();
    let mut order = [0, 1, 2, 3, 4, 6, 7, 9, 8, 10, 11, 12].into_iter(); // 5 is lost.
    stage.until_played(&mut peer, |peer, _| {
        if let Some(n) = order.next() {
            peer.sent = n;
            peer.say(session.local(), 0, frames[usize::from(n)]);
        }
    });
    session.close();
    let closed = stage.closed();
    assert_eq!((closed.figures.received, closed.figures.lost), (12, 1));
    let path = stage.path("1/2/3.wav");
    let left: Vec<i16> = hound::WavReader::open(path)
        .unwrap()
        .into_samples()
        .map(Result::unwrap)
        .step_by(2)
        .collect();
    let mut expected = decoded(&answer[..13 * 160]);
    expected[5 * 160..6 * 160].fill(0);
    assert!(find(&left, &expected).is_some());
}

#[test]
fn only_the_far_end_is_heard() {
    let mut stage = Stage::new();
    let (mut peer, mut stranger) = (Peer::new(), Peer::new());
    let session = stage.open(vec![]);
    session.remote(peer.remote()).unwrap();
    session.play(sound(1, 10).into()).unwrap();
    stranger.say(session.local(), 0, &[1; 160]);
    peer.hear();
    let heard = stage.until_played(&mut peer, |peer, _| {
        stranger.say(session.local(), 0, &[1; 160]);
        peer.say(session.local(), 0, &[2; 160]);
    });
    session.close();
    let figures = stage.closed().figures;
    assert_eq!(figures.received as usize, heard.len());
    assert!(figures.foreign >= 1, "{figures:?}");
    assert!(stranger.hears_nothing());
}

#[test]
fn behind_a_router_the_first_packet_of_the_lines_network_is_followed() {
    let mut stage = Stage::new();
    let (named, mut real, mut late) = (Peer::new(), Peer::new(), Peer::new());
    let trusted = vec![Network { address: "127.9.9.9".parse().unwrap(), prefix: 8 }];
    let session = stage.open(trusted);
    session.remote(named.remote()).unwrap();
    named.hear();
    real.say(session.local(), 0, &[1; 160]);
    session.play(sound(1, 3).into()).unwrap();
    let heard = stage.until_played(&mut real, |_, _| late.say(session.local(), 0, &[1; 160]));
    assert!(!heard.is_empty());
    assert!(named.hears_nothing() && late.hears_nothing());
    // New SDP opens the latch again.
    session.remote(late.remote()).unwrap();
    session.play(sound(1, 1).into()).unwrap();
    late.hear();
    session.close();
    while stage.next() == Happening::Played {}
}

#[test]
fn a_refusal_by_the_far_machine_is_news_and_not_an_end() {
    let mut stage = Stage::new();
    let mut peer = Peer::new();
    let session = stage.open(vec![]);
    session.remote(peer.remote()).unwrap();
    peer.hear();
    peer.say(session.local(), 0, &[1; 160]); // Latched: from now on ICMP is told.
    session.play(sound(1, 30).into()).unwrap();
    let address = peer.address();
    drop(peer);
    a_few_steps(&stage);
    let back = UdpSocket::bind(address).unwrap();
    back.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    back.recv(&mut [0; 2_000]).expect("the prompt goes on");
    assert_eq!(stage.next(), Happening::Played);
    session.close();
    let figures = stage.closed().figures;
    assert!(figures.refused >= 1, "{figures:?}");
    assert_eq!(figures.sent + figures.skipped, 31);
}

/// Waits until the media thread has woken four times.
fn a_few_steps(stage: &Stage) {
    let before = stage.media.load().wake_ups;
    while stage.media.load().wake_ups < before + 4 {
        std::thread::yield_now();
    }
}

#[test]
fn digits_are_told_once_and_news_waits_for_room() {
    let mut stage = Stage::new();
    let (events, heard) = mpsc::channel(1);
    (stage.events, stage.heard) = (events, heard);
    let mut peer = Peer::new();
    let session = stage.open(vec![]);
    session.remote(peer.remote()).unwrap();
    peer.hear();
    for _ in 0..3 {
        peer.sent = 4;
        peer.say(session.local(), 101, &[9, 0x8A, 1, 64]);
    }
    session.play(Arc::from([])).unwrap();
    session.close();
    assert_eq!(stage.next(), Happening::Digit(9));
    assert_eq!(stage.next(), Happening::Played);
    assert_eq!(stage.closed().figures.received, 3);
}

#[test]
fn nobody_wakes_while_nothing_is_said() {
    let mut stage = Stage::new();
    let mut sessions = Vec::new();
    let peer = Peer::new();
    for _ in 0..5 {
        let session = stage.open(vec![]);
        session.remote(peer.remote()).unwrap();
        session.play(sound(1, 1).into()).unwrap();
        sessions.push(session);
    }
    for _ in 0..10 {
        peer.hear();
    }
    for _ in 0..5 {
        assert_eq!(stage.next(), Happening::Played);
    }
    let before = stage.media.load();
    assert!(peer.hears_nothing());
    let after = stage.media.load();
    assert_eq!(after.sessions, 5);
    assert!(after.wake_ups <= before.wake_ups + 1, "{before:?} {after:?}");
}

#[test]
fn reports_go_to_the_next_port_when_the_far_end_does_not_share() {
    let mut stage = Stage::new();
    let mut peer = Peer::new();
    let reports = UdpSocket::bind((HERE, 0)).unwrap();
    reports.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let session = stage.open(vec![]);
    let rtcp = Rtcp::At(reports.local_addr().unwrap());
    session.remote(Remote { rtcp, ..peer.remote() }).unwrap();
    peer.hear();
    peer.say(session.local(), 0, &[1; 160]);
    session.play(sound(1, 1).into()).unwrap();
    assert_eq!(stage.next(), Happening::Played);
    let ours = session.local();
    session.close();
    let mut buffer = [0; 500];
    let (size, source) = reports.recv_from(&mut buffer).unwrap();
    assert_eq!(source, SocketAddr::new(ours.ip(), ours.port() + 1));
    assert!(rtp::is_rtcp(&buffer[..size]) && buffer[1] == 200, "a sender report and BYE");
    stage.closed();
}

#[test]
fn two_far_ends_hear_each_other() {
    let mut stage = Stage::new();
    let (mut one, mut other) = (Peer::new(), Peer::new());
    let (a, b) = (stage.open(vec![]), stage.open(vec![]));
    a.remote(one.remote()).unwrap();
    b.remote(other.remote()).unwrap();
    a.bridge(&b).unwrap();
    one.hear();
    other.hear();
    for n in 0..5 {
        one.say(a.local(), 0, &[n; 160]);
        assert_eq!(other.hear().1, [n; 160]);
        other.say(b.local(), 0, &[n + 100; 160]);
        assert_eq!(one.hear().1, [n + 100; 160]);
    }
    a.close();
    assert_eq!(stage.closed().figures.sent, 6);
    other.say(b.local(), 0, &[1; 160]);
    assert!(one.hears_nothing());
    b.close();
    assert_eq!(stage.closed().figures.received, 6);
}

#[test]
fn a_key_that_leads_out_of_the_folder_and_one_that_exists_are_refused() {
    let mut stage = Stage::new();
    fs::create_dir_all(stage.path("1")).unwrap();
    fs::write(stage.path("1/taken.wav"), b"another call's").unwrap();
    fs::write(stage.path(".open/1~begun"), b"another call's").unwrap();
    for key in ["../outside", "1/taken", "1/begun", "", "1//2", "/etc/x", "1~2"] {
        let session = stage.open(vec![]);
        session.record(key.into()).unwrap();
        session.close();
        assert!(matches!(stage.closed().recording, Some(Err(_))), "{key}");
    }
    assert_eq!(fs::read(stage.path("1/taken.wav")).unwrap(), b"another call's");
    assert_eq!(fs::read(stage.path(".open/1~begun")).unwrap(), b"another call's");
}

#[test]
fn a_used_port_rests_and_when_none_is_left_a_call_is_refused() {
    let mut stage = Stage::new();
    let mut sessions: Vec<Session> = (0..10).map(|_| stage.open(vec![])).collect();
    let ports: std::collections::BTreeSet<u16> =
        sessions.iter().map(|session| session.local().port()).collect();
    assert!(ports.len() == 10 && ports.iter().all(|port| port % 2 == 0));
    let events = stage.events.clone();
    let again = OpenSession { tag: 7, local: HERE, trusted: vec![], events };
    sessions.pop();
    stage.closed();
    assert!(matches!(stage.media.open(again), Err(OpenError::NoPort)), "it rests for a minute");
    assert_eq!(stage.media.load().sessions, 9);
}

#[test]
fn a_local_address_that_is_not_ours_is_an_error() {
    let stage = Stage::new();
    let local = "192.0.2.1".parse().unwrap();
    let ask = OpenSession { tag: 7, local, trusted: vec![], events: stage.events.clone() };
    assert!(matches!(stage.media.open(ask), Err(OpenError::Io(_))));
}
