//! What a receiver counts about a source (RFC 3550, appendices A.1, A.3 and A.8).

use std::time::Duration;

use crate::{header::Header, samples};

/// A gap that is still loss and not a new numbering.
const MAX_DROPOUT: u16 = 3_000;
/// How far behind a packet may be and still count as reordered.
const MAX_MISORDER: u16 = 100;

/// What a packet is to its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Part of the stream, in order or not.
    Counted,
    /// The first of a new source or of a new numbering.
    First,
    /// Far off the numbering; the next one tells whether it begins a new one. Not to be used.
    Doubtful,
}

/// Counters of one receiving leg, over every source that spoke on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Receiver {
    source: Option<Source>,
    earlier_received: u32,
    earlier_lost: u32,
}

#[derive(Debug, Clone, PartialEq)]
struct Source {
    ssrc: u32,
    first: u32,
    highest: u32,
    received: u32,
    /// The number after one that was far off.
    doubtful: Option<u16>,
    transit: Option<u32>,
    /// In samples, times 16.
    jitter16: u32,
    /// Expected and received at the last report.
    prior: (u32, u32),
}

/// A report block about what was received (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reception {
    /// The source that it is about.
    pub ssrc: u32,
    /// Share of packets lost since the last report, in 1/256.
    pub fraction: u8,
    /// Packets lost in all; 24 bits on the wire.
    pub lost: i32,
    /// Highest sequence number, wraps counted in the upper half.
    pub highest: u32,
    /// In samples.
    pub jitter: u32,
}

impl Receiver {
    /// Counts one packet of sound that came at `now`. Packets of digits have time stamps that do
    /// not move, so they are left out of the jitter.
    pub fn update(&mut self, now: Duration, header: &Header, sound: bool) -> Arrival {
        let arrival = match &mut self.source {
            Some(source) if source.ssrc == header.ssrc => source.number(header.sequence),
            _ => Arrival::First,
        };
        match arrival {
            Arrival::Doubtful => return arrival,
            Arrival::First => self.begin(header),
            Arrival::Counted => {}
        }
        if let Some(source) = &mut self.source {
            source.received += 1;
            if sound {
                source.time(now, header.timestamp);
            }
        }
        arrival
    }

    fn begin(&mut self, header: &Header) {
        (self.earlier_received, self.earlier_lost) = (self.received(), self.lost());
        // One wrap in hand, so that a packet from before the first one does not go below zero.
        let first = 0x1_0000 + u32::from(header.sequence);
        self.source = Some(Source {
            ssrc: header.ssrc,
            first,
            highest: first,
            received: 0,
            doubtful: None,
            transit: None,
            jitter16: 0,
            prior: (0, 0),
        });
    }

    /// Packets received from every source.
    pub fn received(&self) -> u32 {
        self.earlier_received + self.source.as_ref().map_or(0, |source| source.received)
    }

    /// Packets lost from every source; repeated packets may hide lost ones (RFC 3550, A.3).
    pub fn lost(&self) -> u32 {
        let now = self.source.as_ref().map_or(0, |source| source.lost().max(0) as u32);
        self.earlier_lost + now
    }

    /// Inter-arrival jitter of the present source, in milliseconds.
    pub fn jitter_ms(&self) -> f32 {
        self.source.as_ref().map_or(0.0, |source| source.jitter16 as f32 / 16.0 / 8.0)
    }

    /// The block for the next report. Its `fraction` counts from the last call.
    pub fn report(&mut self) -> Option<Reception> {
        let source = self.source.as_mut()?;
        let expected = source.expected();
        let (expected_then, received_then) = source.prior;
        let expected_since = expected.wrapping_sub(expected_then);
        let received_since = source.received.wrapping_sub(received_then);
        source.prior = (expected, source.received);
        let lost_since = i64::from(expected_since) - i64::from(received_since);
        let fraction = if expected_since == 0 || lost_since <= 0 {
            0
        } else {
            ((lost_since << 8) / i64::from(expected_since)).min(255) as u8
        };
        Some(Reception {
            ssrc: source.ssrc,
            fraction,
            lost: source.lost().clamp(-0x80_0000, 0x7F_FFFF),
            highest: source.highest.wrapping_sub(0x1_0000),
            jitter: source.jitter16 >> 4,
        })
    }
}

impl Source {
    fn expected(&self) -> u32 {
        self.highest - self.first + 1
    }

    fn lost(&self) -> i32 {
        self.expected() as i32 - self.received as i32
    }

    fn number(&mut self, sequence: u16) -> Arrival {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead < MAX_DROPOUT {
            self.highest = self.highest.wrapping_add(u32::from(ahead));
        } else if ahead <= u16::MAX - MAX_MISORDER {
            if self.doubtful == Some(sequence) {
                return Arrival::First;
            }
            self.doubtful = Some(sequence.wrapping_add(1));
            return Arrival::Doubtful;
        }
        Arrival::Counted
    }

    fn time(&mut self, now: Duration, timestamp: u32) {
        let transit = (samples(now) as u32).wrapping_sub(timestamp);
        if let Some(last) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs();
            // A jump of the time stamp is not jitter.
            if difference < crate::SAMPLE_RATE {
                self.jitter16 = self.jitter16 + difference - ((self.jitter16 + 8) >> 4);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { marker: false, payload_type: 0, sequence, timestamp, ssrc }
    }

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn loss_is_counted_over_the_wrap() {
        let mut rx = Receiver::default();
        for (n, sequence) in [(0, 65_534), (1, 65_535), (3, 1), (4, 2)] {
            rx.update(ms(20 * n), &packet(9, sequence, n as u32 * 160), true);
        }
        assert_eq!((rx.received(), rx.lost(), rx.jitter_ms()), (4, 1, 0.0));
        let report = rx.report().unwrap();
        assert_eq!((report.lost, report.fraction, report.highest), (1, 51, 0x1_0002));
        assert_eq!(rx.report().unwrap().fraction, 0);
    }

    #[test]
    fn reordered_packets_are_not_lost_and_repeated_ones_do_not_go_below_zero() {
        let mut rx = Receiver::default();
        for sequence in [10, 12, 11, 11, 9] {
            assert_ne!(rx.update(ms(0), &packet(9, sequence, 0), true), Arrival::Doubtful);
        }
        assert_eq!((rx.received(), rx.lost()), (5, 0));
        assert_eq!(rx.report().unwrap().lost, -2);
    }

    #[test]
    fn a_new_source_keeps_what_the_old_one_lost() {
        let mut rx = Receiver::default();
        for (ssrc, sequence) in [(1, 100), (1, 103), (2, 7), (2, 9)] {
            rx.update(ms(0), &packet(ssrc, sequence, 0), true);
        }
        assert_eq!((rx.received(), rx.lost()), (4, 3));
        assert_eq!(rx.report().unwrap().ssrc, 2);
    }

    #[test]
    fn a_jump_needs_two_in_a_row_to_be_a_new_numbering() {
        let mut rx = Receiver::default();
        rx.update(ms(0), &packet(1, 100, 0), true);
        assert_eq!(rx.update(ms(20), &packet(1, 30_000, 160), true), Arrival::Doubtful);
        assert_eq!(rx.update(ms(40), &packet(1, 101, 160), true), Arrival::Counted);
        assert_eq!(rx.update(ms(60), &packet(1, 40_000, 0), true), Arrival::Doubtful);
        assert_eq!(rx.update(ms(80), &packet(1, 40_001, 160), true), Arrival::First);
        assert_eq!((rx.received(), rx.lost()), (3, 0));
    }

    #[test]
    fn jitter_follows_the_standard_and_ignores_digits() {
        let mut rx = Receiver::default();
        // 10 ms too late once: 80 samples there and 80 back, a sixteenth each.
        for (n, at) in [0, 20, 50, 60].into_iter().enumerate() {
            rx.update(ms(at), &packet(1, n as u16, n as u32 * 160), true);
        }
        let expected = (80.0 + (80.0 - 80.0 / 16.0)) / 16.0 / 8.0;
        assert!((rx.jitter_ms() - expected).abs() < 0.02, "{}", rx.jitter_ms());
        let before = rx.jitter_ms();
        rx.update(ms(500), &packet(1, 4, 640), false);
        assert!((rx.jitter_ms() - before).abs() < f32::EPSILON);
    }
}
