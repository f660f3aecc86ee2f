//! One leg that plays, records, reports and may be joined to another.

use std::{sync::Arc, time::Duration};

use base::Dice;

use crate::{
    codec::Codec,
    digits::Digits,
    header::{HEADER_BYTES, Header, is_rtcp},
    placement::Placement,
    player::{Player, Step},
    receiver::{Arrival, Receiver},
    rtcp::{self, Heard, NtpTime, REPORT_BYTES, Sent},
    samples,
    sender::{PACKET_BYTES, Sender},
    tape::Side,
};

/// Mean time between reports (RFC 3550, 6.2); each is drawn from half to one and a half of it.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);

/// What the I/O layer must do, in this order. Packets are borrowed.
#[derive(Debug, PartialEq, Eq)]
pub enum Out<'a> {
    /// Send to the far end's RTP address.
    Send(&'a [u8]),
    /// Send to the far end's RTCP address.
    Report(&'a [u8]),
    /// Keep this sound of G.711.
    Record {
        /// Whose.
        side: Side,
        /// Its first sample, counted from the start of the recording.
        at: u64,
        /// Its law.
        codec: Codec,
        /// One byte a sample.
        payload: &'a [u8],
    },
    /// Hand to [`MediaSession::relay`] of the leg that this one is joined to.
    Forward(&'a mut [u8]),
    /// A key was pressed: 0 to 9, then 10 `*`, 11 `#`, 12 to 15 A to D.
    Digit(u8),
    /// The prompt has been heard out.
    Played,
}

/// What both ends agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What we send. Both laws are understood when received.
    pub codec: Codec,
    /// Payload type of `telephone-event/8000`.
    pub digits: Option<u8>,
    /// Whether the far end wants to hear us.
    pub send: bool,
    /// Whether RTCP shares the port, so that [`MediaSession::handle`] may meet it.
    pub mux: bool,
}

/// Where the numbering of a stream begins; to be drawn by chance (RFC 3550, 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed {
    /// Our synchronisation source.
    pub ssrc: u32,
    /// First sequence number.
    pub sequence: u16,
    /// First time stamp.
    pub timestamp: u32,
}

/// What a leg has counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Packets sent.
    pub sent: u32,
    /// Packets received.
    pub received: u32,
    /// Packets lost on the way to us.
    pub lost: u32,
    /// Inter-arrival jitter in milliseconds.
    pub jitter_ms: f32,
    /// Packets lost on the way to the far end, by its last report; never negative.
    pub lost_there: u32,
    /// Round trip by that report.
    pub round_trip: Option<Duration>,
    /// Packets that were no RTP, far off the numbering, or of a payload that was not agreed.
    pub unknown: u32,
    /// Frames of prompts that were skipped.
    pub skipped: u32,
}

/// The pure part of a leg: no sockets, no clock, no allocation per packet. `now` is the time since
/// a start of the caller's choice and never steps back.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaSession {
    terms: Option<Terms>,
    tx: Sender,
    rx: Receiver,
    digits: Digits,
    player: Option<Player>,
    joined: bool,
    recording: Option<Recording>,
    reports: Reports,
    unknown: u32,
    skipped: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Recording {
    start: Duration,
    theirs: Placement,
    relayed: Placement,
}

#[derive(Debug, Clone, PartialEq)]
struct Reports {
    /// The wall clock at `now` = 0.
    wall: NtpTime,
    dice: Dice,
    /// Set by the first packet: a silent leg needs no timer.
    due: Option<Duration>,
    /// Packets sent at the last report.
    told: u32,
    /// Source, middle of its time and arrival of the far end's last sender report.
    last: Option<(u32, u32, Duration)>,
    lost_there: u32,
    round_trip: Option<Duration>,
}

impl MediaSession {
    /// A leg without terms: it counts what comes and sends nothing. `wall` is the time of day at
    /// `now` = 0, for sender reports.
    pub fn new(seed: Seed, wall: NtpTime) -> Self {
        Self {
            terms: None,
            tx: Sender::new(seed.ssrc, seed.sequence, seed.timestamp),
            rx: Receiver::default(),
            digits: Digits::default(),
            player: None,
            joined: false,
            recording: None,
            reports: Reports {
                wall,
                dice: Dice::new(u64::from(seed.ssrc)),
                due: None,
                told: 0,
                last: None,
                lost_there: 0,
                round_trip: None,
            },
            unknown: 0,
            skipped: 0,
        }
    }

    /// The terms are known, or have changed. The first time, one frame of silence leaves at once.
    pub fn agree(&mut self, now: Duration, terms: Terms, out: &mut impl FnMut(Out<'_>)) {
        self.terms = Some(terms);
        if self.tx.packets == 0 && terms.send {
            self.tx.resume(now);
            let mut packet = [terms.codec.silence(); PACKET_BYTES];
            self.tx.frame(terms.codec.payload_type(), &mut packet);
            out(Out::Send(&packet));
        }
    }

    /// Plays `prompt`, companded in the agreed law, from `now`, in the place of another.
    pub fn play(&mut self, now: Duration, prompt: Arc<[u8]>) {
        self.tx.resume(now);
        self.player = Some(Player::new(prompt, now));
    }

    /// Stops the prompt.
    pub fn stop(&mut self) {
        self.player = None;
    }

    /// Whether a prompt plays, so that [`MediaSession::tick`] wants to be called.
    pub fn is_playing(&self) -> bool {
        self.player.is_some()
    }

    /// Records from `now`; a recording that runs goes on.
    pub fn record(&mut self, now: Duration) {
        self.recording.get_or_insert_with(|| Recording {
            start: now,
            theirs: Placement::default(),
            relayed: Placement::default(),
        });
    }

    /// Samples from the start of the recording to `now`.
    pub fn recorded(&self, now: Duration) -> u64 {
        let start = self.recording.as_ref().map_or(now, |recording| recording.start);
        samples(now.saturating_sub(start))
    }

    /// Gives received sound out as [`Out::Forward`], or no longer.
    pub fn join(&mut self, joined: bool) {
        self.joined = joined;
    }

    /// One packet from the far end's RTP address.
    pub fn handle(&mut self, now: Duration, packet: &mut [u8], out: &mut impl FnMut(Out<'_>)) {
        let terms = self.terms;
        if terms.is_some_and(|terms| terms.mux) && is_rtcp(packet) {
            return self.handle_report(now, packet);
        }
        let Some((header, payload)) = Header::parse(packet) else {
            self.unknown += 1;
            return;
        };
        let codec = Codec::of_payload_type(header.payload_type);
        let is_digit = terms.and_then(|terms| terms.digits) == Some(header.payload_type);
        let arrival = self.rx.update(now, &header, codec.is_some());
        if arrival == Arrival::Doubtful || (codec.is_none() && !is_digit) {
            self.unknown += 1;
            return;
        }
        self.key_presses(now, &header, arrival, is_digit.then(|| &packet[payload.clone()]), out);
        if let Some((codec, recording)) = codec.zip(self.recording.as_mut()) {
            let first = arrival == Arrival::First;
            let sound = (Side::Theirs, codec, &packet[payload.clone()]);
            recording.keep(now, &header, first, sound, out);
        }
        if self.joined {
            out(Out::Forward(packet));
        }
        self.report_if_due(now, out);
    }

    fn key_presses(
        &mut self,
        now: Duration,
        header: &Header,
        arrival: Arrival,
        event: Option<&[u8]>,
        out: &mut impl FnMut(Out<'_>),
    ) {
        let restarted = if arrival == Arrival::First { self.digits.restart() } else { None };
        let keys = match event {
            Some(payload) => self.digits.packet(now, header.timestamp, payload),
            None => [self.digits.sound(now), None],
        };
        restarted
            .into_iter()
            .chain(keys.into_iter().flatten())
            .for_each(|key| out(Out::Digit(key)));
    }

    /// One packet from the far end's RTCP address.
    pub fn handle_report(&mut self, now: Duration, packet: &[u8]) {
        let told = rtcp::read(packet, self.tx.ssrc);
        if let Some((ssrc, middle)) = told.sender {
            self.reports.last = Some((ssrc, middle, now));
        }
        if let Some(about) = told.about_us {
            self.reports.lost_there = about.lost.max(0) as u32;
            if about.last_report != 0 {
                let middle = self.reports.wall.plus(now).middle();
                let trip = middle.wrapping_sub(about.last_report).wrapping_sub(about.delay);
                // Clocks that disagree make it negative, which is a huge number here.
                if trip < 1 << 24 {
                    let nanos = (u64::from(trip) * 1_000_000_000) >> 16;
                    self.reports.round_trip = Some(Duration::from_nanos(nanos));
                }
            }
        }
    }

    /// A packet that another leg forwards. Its sound is dropped while a prompt plays.
    pub fn relay(&mut self, now: Duration, packet: &mut [u8], out: &mut impl FnMut(Out<'_>)) {
        let Some((header, payload)) = Header::parse(packet) else { return };
        if self.player.is_some() || !self.terms.is_some_and(|terms| terms.send) {
            return;
        }
        self.tx.relay(now, &header, payload.len(), packet);
        out(Out::Send(packet));
        if let Some(recording) = &mut self.recording
            && let Some(codec) = Codec::of_payload_type(header.payload_type)
        {
            let sound = (Side::Ours, codec, &packet[payload]);
            recording.keep(now, &header, false, sound, out);
        }
        self.report_if_due(now, out);
    }

    /// Sends what is due; gives the moment when it wants to be called next.
    pub fn tick(&mut self, now: Duration, out: &mut impl FnMut(Out<'_>)) -> Option<Duration> {
        let terms = self.terms?;
        let mut packet = [0; PACKET_BYTES];
        let next = loop {
            match self.player.as_mut()?.step(now) {
                Step::Skip(frames) => {
                    self.skipped += frames;
                    self.tx.skip(frames);
                }
                Step::Frame(sound, at) => {
                    let (body, rest) = packet[HEADER_BYTES..].split_at_mut(sound.len());
                    body.copy_from_slice(sound);
                    rest.fill(terms.codec.silence());
                    if !terms.send {
                        self.tx.skip(1);
                        continue;
                    }
                    self.tx.frame(terms.codec.payload_type(), &mut packet);
                    out(Out::Send(&packet));
                    if let Some(recording) = &self.recording
                        && let Some(since) = at.checked_sub(recording.start)
                    {
                        let payload = &packet[HEADER_BYTES..];
                        let at = samples(since);
                        out(Out::Record { side: Side::Ours, at, codec: terms.codec, payload });
                    }
                }
                Step::Wait(at) => break at,
                Step::Over => {
                    self.player = None;
                    out(Out::Played);
                    return None;
                }
            }
        };
        self.report_if_due(now, out);
        Some(next)
    }

    /// The last report, with BYE, when anything was sent or received.
    pub fn leave(&mut self, now: Duration, out: &mut impl FnMut(Out<'_>)) {
        if self.terms.is_some() && self.reports.due.is_some() {
            self.report(now, true, out);
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        Counts {
            sent: self.tx.packets,
            received: self.rx.received(),
            lost: self.rx.lost(),
            jitter_ms: self.rx.jitter_ms(),
            lost_there: self.reports.lost_there,
            round_trip: self.reports.round_trip,
            unknown: self.unknown,
            skipped: self.skipped,
        }
    }

    /// Reports are carried by traffic: without it nobody has to be woken.
    fn report_if_due(&mut self, now: Duration, out: &mut impl FnMut(Out<'_>)) {
        match self.reports.due {
            Some(due) if due > now || self.terms.is_none() => {}
            Some(_) => {
                self.report(now, false, out);
                self.reports.due = Some(now + self.reports.interval());
            }
            None => self.reports.due = Some(now + self.reports.interval() / 2),
        }
    }

    fn report(&mut self, now: Duration, last: bool, out: &mut impl FnMut(Out<'_>)) {
        let sent = (self.tx.packets != self.reports.told).then(|| Sent {
            at: self.reports.wall.plus(now),
            timestamp: self.tx.timestamp_at(now),
            packets: self.tx.packets,
            octets: self.tx.octets,
        });
        self.reports.told = self.tx.packets;
        let heard = self.rx.report().map(|reception| {
            let report = self.reports.last.filter(|(ssrc, ..)| *ssrc == reception.ssrc);
            let (last_report, delay) = report.map_or((0, 0), |(_, middle, at)| {
                (middle, NtpTime(0).plus(now.saturating_sub(at)).middle())
            });
            Heard { reception, last_report, delay }
        });
        let mut buffer = [0; REPORT_BYTES];
        let size = rtcp::build(&mut buffer, self.tx.ssrc, sent.as_ref(), heard.as_ref(), last);
        out(Out::Report(&buffer[..size]));
    }
}

impl Reports {
    fn interval(&mut self) -> Duration {
        let half = REPORT_INTERVAL / 2;
        half + Duration::from_millis(self.dice.roll(REPORT_INTERVAL.as_millis() as u64))
    }
}

impl Recording {
    fn keep(
        &mut self,
        now: Duration,
        header: &Header,
        restarted: bool,
        (side, codec, payload): (Side, Codec, &[u8]),
        out: &mut impl FnMut(Out<'_>),
    ) {
        let placement = match side {
            Side::Theirs => &mut self.theirs,
            Side::Ours => &mut self.relayed,
        };
        let arrival = samples(now.saturating_sub(self.start)) as i64;
        let at = placement.place(arrival, header, restarted);
        // Sound from before the recording began.
        let before = usize::try_from(-at.min(0)).unwrap_or(usize::MAX).min(payload.len());
        let payload = &payload[before..];
        if !payload.is_empty() {
            out(Out::Record { side, at: at.max(0) as u64, codec, payload });
        }
    }
}
