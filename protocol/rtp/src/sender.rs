//! The outgoing stream of a leg: one source and one numbering for the whole call, whatever feeds it.

use std::time::Duration;

use crate::{
    codec::FRAME_SAMPLES,
    header::{HEADER_BYTES, Header},
    samples,
};

/// Bytes of a packet that carries one frame of G.711.
pub(crate) const PACKET_BYTES: usize = HEADER_BYTES + FRAME_SAMPLES;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sender {
    pub(crate) ssrc: u32,
    sequence: u16,
    /// Time stamp of the next frame, if it left at `due`.
    timestamp: u32,
    due: Duration,
    /// The next frame begins a stretch of sound.
    marker: bool,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    relayed: Option<Relayed>,
}

/// A source whose packets we forward, and what is added to its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Relayed {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

impl Sender {
    pub(crate) fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self {
            ssrc,
            sequence,
            timestamp,
            due: Duration::ZERO,
            marker: true,
            packets: 0,
            octets: 0,
            relayed: None,
        }
    }

    /// A player begins at `now`: the time stamp counts the silence before it.
    pub(crate) fn resume(&mut self, now: Duration) {
        self.timestamp = self.timestamp_at(now);
        (self.due, self.marker, self.relayed) = (now, true, None);
    }

    /// The time stamp that belongs to the moment `now`.
    pub(crate) fn timestamp_at(&self, now: Duration) -> u32 {
        self.timestamp.wrapping_add(samples(now.saturating_sub(self.due)) as u32)
    }

    /// Frames that will never be sent: a gap in time, none in sequence.
    pub(crate) fn skip(&mut self, frames: u32) {
        self.advance(frames);
        self.marker = true;
    }

    fn advance(&mut self, frames: u32) {
        self.timestamp = self.timestamp.wrapping_add(frames * FRAME_SAMPLES as u32);
        self.due += crate::player::FRAME * frames;
    }

    /// Writes the header of the next frame.
    pub(crate) fn frame(&mut self, payload_type: u8, packet: &mut [u8; PACKET_BYTES]) {
        let header = Header {
            marker: std::mem::take(&mut self.marker),
            payload_type,
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
        };
        header.write(packet);
        self.sequence = self.sequence.wrapping_add(1);
        self.advance(1);
        self.count(FRAME_SAMPLES);
    }

    /// Gives a packet of another leg our numbers; its own gaps stay visible.
    pub(crate) fn relay(
        &mut self,
        now: Duration,
        header: &Header,
        payload: usize,
        packet: &mut [u8],
    ) {
        let relayed = match self.relayed {
            Some(relayed) if relayed.ssrc == header.ssrc => relayed,
            _ => Relayed {
                ssrc: header.ssrc,
                sequence: self.sequence.wrapping_sub(header.sequence),
                timestamp: self.timestamp_at(now).wrapping_sub(header.timestamp),
            },
        };
        self.relayed = Some(relayed);
        let sequence = header.sequence.wrapping_add(relayed.sequence);
        let timestamp = header.timestamp.wrapping_add(relayed.timestamp);
        Header::renumber(packet, sequence, timestamp, self.ssrc);
        // A reordered packet does not move the numbering back.
        if (sequence.wrapping_sub(self.sequence) as i16) >= 0 {
            self.sequence = sequence.wrapping_add(1);
            self.timestamp = timestamp.wrapping_add(payload as u32);
            self.due = now + Duration::from_micros(125 * payload as u64);
        }
        self.count(payload);
    }

    fn count(&mut self, octets: usize) {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets as u32);
    }
}
