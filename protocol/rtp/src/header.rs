//! The RTP header, read and written in place (RFC 3550, 5.1).

use std::ops::Range;

/// Bytes of the header that we send: no contributing sources, no extension.
pub const HEADER_BYTES: usize = 12;

/// The fields of a packet that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The first packet of a stretch of sound.
    pub marker: bool,
    /// 7 bits.
    pub payload_type: u8,
    /// Rises by one per packet and wraps.
    pub sequence: u16,
    /// In samples; wraps.
    pub timestamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

impl Header {
    /// The header of `packet` and where its payload lies, contributing sources, extension and
    /// padding taken away. `None` when it is no RTP of version 2, or its lengths do not fit.
    pub fn parse(packet: &[u8]) -> Option<(Self, Range<usize>)> {
        let (fixed, _) = packet.split_at_checked(HEADER_BYTES)?;
        let flags = fixed[0];
        if flags >> 6 != 2 {
            return None;
        }
        let mut start = HEADER_BYTES + 4 * usize::from(flags & 0x0F);
        if flags & 0x10 != 0 {
            let words = be16(packet.get(start + 2..start + 4)?);
            start += 4 + 4 * usize::from(words);
        }
        let mut end = packet.len();
        if flags & 0x20 != 0 {
            let padding = usize::from(packet[end - 1]);
            if padding == 0 {
                return None;
            }
            end = end.checked_sub(padding)?;
        }
        if start > end {
            return None;
        }
        let header = Self {
            marker: fixed[1] & 0x80 != 0,
            payload_type: fixed[1] & 0x7F,
            sequence: be16(&fixed[2..4]),
            timestamp: be32(&fixed[4..8]),
            ssrc: be32(&fixed[8..12]),
        };
        Some((header, start..end))
    }

    /// Writes a header of 12 bytes to the start of `packet`.
    ///
    /// # Panics
    /// When `packet` is shorter than [`HEADER_BYTES`].
    pub fn write(&self, packet: &mut [u8]) {
        packet[0] = 2 << 6;
        packet[1] = u8::from(self.marker) << 7 | (self.payload_type & 0x7F);
        packet[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
    }

    /// Gives a forwarded packet new numbers; flags, marker and payload type stay.
    pub(crate) fn renumber(packet: &mut [u8], sequence: u16, timestamp: u32, ssrc: u32) {
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
        packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
    }
}

/// Whether a packet on a shared port is RTCP (RFC 5761, 4): its second byte is a type of 192 to 223.
pub fn is_rtcp(packet: &[u8]) -> bool {
    packet.len() >= 8 && packet[0] >> 6 == 2 && (192..=223).contains(&packet[1])
}

pub(crate) fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

pub(crate) fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: Header =
        Header { marker: true, payload_type: 8, sequence: 65_535, timestamp: 7, ssrc: 0xDEAD_BEEF };

    #[test]
    fn a_written_header_is_read_back() {
        let mut packet = [0; 20];
        SAMPLE.write(&mut packet);
        assert_eq!(Header::parse(&packet), Some((SAMPLE, 12..20)));
        assert!(!is_rtcp(&packet));
    }

    #[test]
    fn sources_extension_and_padding_are_taken_away() {
        let mut packet = vec![0; 12];
        SAMPLE.write(&mut packet);
        packet[0] |= 0x20 | 0x10 | 1;
        packet.extend([1; 4]); // One contributing source.
        packet.extend([0xBE, 0xDE, 0, 2]);
        packet.extend([2; 8]); // Two words of extension.
        packet.extend([3; 5]);
        packet.extend([0, 0, 3]);
        assert_eq!(Header::parse(&packet), Some((SAMPLE, 28..33)));
    }

    #[test]
    fn lengths_that_do_not_fit_are_no_packet() {
        let mut packet = [0; 14];
        SAMPLE.write(&mut packet);
        for (flags, last) in [(0x82, 0), (0x90, 0), (0xA0, 0), (0xA0, 3), (0x40, 0)] {
            packet[0] = flags;
            packet[13] = last;
            assert_eq!(Header::parse(&packet), None, "{flags:#x} {last}");
        }
        assert_eq!(Header::parse(&packet[..11]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some((_, payload)) = Header::parse(&bytes) {
                prop_assert!(payload.start <= payload.end && payload.end <= bytes.len());
            }
        }
    }
}
