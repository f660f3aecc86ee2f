//! Reports (RFC 3550, 6): built into a buffer of the caller, read without copying.

use std::time::Duration;

use crate::{
    header::{be16, be32},
    receiver::Reception,
};

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
/// Room for the largest compound packet that we build.
pub(crate) const REPORT_BYTES: usize = 28 + 24 + 4 + 24 + 8;

/// Seconds since 1900 as 32.32 fixed point (RFC 3550, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NtpTime(pub u64);

impl NtpTime {
    /// Seconds from 1900 to 1970.
    const TO_UNIX: u64 = 2_208_988_800;

    /// From the time since 1970.
    pub const fn from_unix(since: Duration) -> Self {
        Self::ZERO.plus(since.saturating_add(Duration::from_secs(Self::TO_UNIX)))
    }

    const ZERO: Self = Self(0);

    pub(crate) const fn plus(self, span: Duration) -> Self {
        let fraction = ((span.subsec_nanos() as u64) << 32) / 1_000_000_000;
        Self(self.0.wrapping_add((span.as_secs() << 32).wrapping_add(fraction)))
    }

    /// The middle 32 bits: 1/65536 s.
    pub(crate) const fn middle(self) -> u32 {
        (self.0 >> 16) as u32
    }
}

/// What we tell about our own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: NtpTime,
    pub(crate) timestamp: u32,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
}

/// What we tell about theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) reception: Reception,
    /// Middle of the last sender report's time; 0 when there was none.
    pub(crate) last_report: u32,
    /// Since then, in 1/65536 s.
    pub(crate) delay: u32,
}

/// Builds SR or RR, SDES with a CNAME, and BYE when it is the last one. Gives the bytes used.
pub(crate) fn build(
    buffer: &mut [u8; REPORT_BYTES],
    ssrc: u32,
    sent: Option<&Sent>,
    heard: Option<&Heard>,
    last: bool,
) -> usize {
    let mut pen = Pen { buffer, at: 0 };
    let report = if sent.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    pen.packet(heard.is_some().into(), report, |pen| {
        pen.word(ssrc);
        if let Some(sent) = sent {
            pen.word((sent.at.0 >> 32) as u32);
            pen.word(sent.at.0 as u32);
            pen.word(sent.timestamp);
            pen.word(sent.packets);
            pen.word(sent.octets);
        }
        if let Some(Heard { reception, last_report, delay }) = heard {
            pen.word(reception.ssrc);
            pen.word(u32::from(reception.fraction) << 24 | (reception.lost as u32 & 0xFF_FFFF));
            pen.word(reception.highest);
            pen.word(reception.jitter);
            pen.word(*last_report);
            pen.word(*delay);
        }
    });
    pen.packet(1, DESCRIPTION, |pen| {
        pen.word(ssrc);
        // A name of its own per stream (RFC 7022, 4.2): it says nothing about the machine.
        let name = hexadecimal(u64::from(ssrc).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        pen.bytes(&[CNAME, name.len() as u8]);
        pen.bytes(&name);
        pen.bytes(&[0; 2]); // The end of the list, filled to a word.
    });
    if last {
        pen.packet(1, GOODBYE, |pen| pen.word(ssrc));
    }
    pen.at
}

fn hexadecimal(number: u64) -> [u8; 16] {
    std::array::from_fn(|n| b"0123456789abcdef"[(number >> (60 - 4 * n)) as usize & 15])
}

struct Pen<'a> {
    buffer: &'a mut [u8; REPORT_BYTES],
    at: usize,
}

impl Pen<'_> {
    fn packet(&mut self, count: u8, kind: u8, body: impl FnOnce(&mut Self)) {
        let start = self.at;
        self.bytes(&[0x80 | count, kind, 0, 0]);
        body(self);
        let words = ((self.at - start) / 4 - 1) as u16;
        self.buffer[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.buffer[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }
}

/// What a received compound packet says to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Told {
    /// Source and middle of the time of a sender report.
    pub(crate) sender: Option<(u32, u32)>,
    /// What it says about our stream.
    pub(crate) about_us: Option<AboutUs>,
}

/// The far end's view of our stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AboutUs {
    pub(crate) lost: i32,
    pub(crate) last_report: u32,
    pub(crate) delay: u32,
}

/// Reads a compound packet; a part whose length does not fit ends it.
pub(crate) fn read(mut bytes: &[u8], our_ssrc: u32) -> Told {
    let mut told = Told::default();
    while bytes.len() >= 8 && bytes[0] >> 6 == 2 {
        let length = 4 + 4 * usize::from(be16(&bytes[2..4]));
        let Some((packet, rest)) = bytes.split_at_checked(length).filter(|_| length >= 8) else {
            break;
        };
        bytes = rest;
        let ssrc = be32(&packet[4..8]);
        let blocks = match packet[1] {
            SENDER_REPORT if packet.len() >= 28 => {
                told.sender = Some((ssrc, be32(&packet[10..14])));
                &packet[28..]
            }
            RECEIVER_REPORT => &packet[8..],
            _ => continue,
        };
        let (blocks, _) = blocks.as_chunks::<24>();
        for block in blocks.iter().take(usize::from(packet[0] & 0x1F)) {
            if be32(&block[0..4]) == our_ssrc {
                told.about_us = Some(AboutUs {
                    // 24 bits with a sign.
                    lost: (be32(&block[4..8]) << 8) as i32 >> 8,
                    last_report: be32(&block[16..20]),
                    delay: be32(&block[20..24]),
                });
            }
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn heard(lost: i32) -> Heard {
        let reception = Reception { ssrc: 9, fraction: 3, lost, highest: 0x1_0004, jitter: 17 };
        Heard { reception, last_report: 0xABCD, delay: 65_536 }
    }

    #[test]
    fn a_sender_report_is_read_by_the_other_side() {
        let mut buffer = [0; REPORT_BYTES];
        let at = NtpTime::from_unix(Duration::from_millis(1_800_000_000_250));
        let sent = Sent { at, timestamp: 5, packets: 6, octets: 7 };
        let size = build(&mut buffer, 1, Some(&sent), Some(&heard(-2)), true);
        assert_eq!(size, REPORT_BYTES);
        let told = read(&buffer[..size], 9);
        assert_eq!(told.sender, Some((1, at.middle())));
        assert_eq!(told.about_us, Some(AboutUs { lost: -2, last_report: 0xABCD, delay: 65_536 }));
        assert!(crate::is_rtcp(&buffer[..size]));
    }

    #[test]
    fn a_receiver_report_has_the_lengths_of_the_standard() {
        let mut buffer = [0; REPORT_BYTES];
        let size = build(&mut buffer, 1, None, Some(&heard(4)), false);
        assert_eq!(&buffer[..4], [0x81, 201, 0, 7]);
        assert_eq!(&buffer[32..36], [0x81, 202, 0, 6]);
        assert_eq!(size, 32 + 28);
        assert_eq!(read(&buffer[..size], 8).about_us, None);
        assert_eq!(read(&buffer[..size], 9).about_us.map(|about| about.lost), Some(4));
    }

    #[test]
    fn the_clock_of_1900_is_that_of_rfc_3550() {
        // 1970-01-01T00:00:00.5Z.
        let time = NtpTime::from_unix(Duration::from_millis(500));
        assert_eq!(time.0, 2_208_988_800 << 32 | 1 << 31);
        assert_eq!(time.plus(Duration::from_millis(1_500)).0, 2_208_988_802 << 32);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..120), kind in 200_u8..204) {
            let mut bytes = bytes;
            read(&bytes, 1);
            if bytes.len() > 4 {
                (bytes[0], bytes[1], bytes[2], bytes[3]) = (0x9F, kind, 0, bytes[3] % 32);
                read(&bytes, 1);
            }
        }
    }
}
