//! Where received sound belongs on the time line of a recording.

use crate::header::Header;

/// A time stamp that is off by more than this has jumped: a second.
const JUMP: i64 = 8_000;
/// At the start of a stretch of sound a smaller step is believed: 200 ms. Some senders stop their
/// time stamp while they are silent.
const STEP: i64 = 1_600;

/// Ties the time stamps of one source to the samples of a recording. Between packets the time
/// stamp rules, so jitter and reordering do not move sound; a jump ties it anew to the arrival.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Placement {
    tie: Option<Tie>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Tie {
    ssrc: u32,
    timestamp: u32,
    position: i64,
}

impl Placement {
    /// The position of a packet that arrived at the sample `arrival`; it may lie before zero.
    pub(crate) fn place(&mut self, arrival: i64, header: &Header, restarted: bool) -> i64 {
        let position = self
            .tie
            .filter(|tie| tie.ssrc == header.ssrc && !restarted)
            .map(|tie| {
                tie.position + i64::from(header.timestamp.wrapping_sub(tie.timestamp) as i32)
            })
            .filter(|position| {
                let off = (position - arrival).abs();
                off <= JUMP && !(header.marker && off > STEP)
            })
            .unwrap_or(arrival);
        // The tie moves along, so that a day-long call does not overflow the difference.
        self.tie = Some(Tie { ssrc: header.ssrc, timestamp: header.timestamp, position });
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(placement: &mut Placement, arrival: i64, ssrc: u32, timestamp: u32, marker: bool) -> i64 {
        let header = Header { marker, payload_type: 0, sequence: 0, timestamp, ssrc };
        placement.place(arrival, &header, false)
    }

    #[test]
    fn jitter_and_reordering_do_not_move_sound() {
        let mut placement = Placement::default();
        assert_eq!(at(&mut placement, 500, 1, u32::MAX - 159, true), 500);
        assert_eq!(at(&mut placement, 900, 1, 160, false), 820);
        assert_eq!(at(&mut placement, 900, 1, 0, false), 660);
        assert_eq!(at(&mut placement, 1_000, 1, 320, false), 980);
    }

    #[test]
    fn a_gap_in_time_is_a_gap_in_the_recording() {
        let mut placement = Placement::default();
        at(&mut placement, 0, 1, 0, true);
        assert_eq!(at(&mut placement, 40_050, 1, 40_000, true), 40_000);
    }

    #[test]
    fn another_source_a_jump_and_a_stopped_clock_begin_at_their_arrival() {
        let mut placement = Placement::default();
        at(&mut placement, 0, 1, 0, true);
        assert_eq!(at(&mut placement, 1_000, 2, 77, false), 1_000);
        assert_eq!(at(&mut placement, 1_160, 2, 900_000, false), 1_160);
        // Silent for half a second with a time stamp that stood still.
        assert_eq!(at(&mut placement, 5_320, 2, 900_160, true), 5_320);
        // The same without a marker is late sound.
        assert_eq!(at(&mut placement, 8_000, 2, 900_320, false), 5_480);
    }
}
