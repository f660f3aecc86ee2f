//! Sound of both sides gathered into blocks of one second.

use crate::codec::Codec;

/// Samples of each side in a block: one second.
pub const BLOCK_SAMPLES: usize = 8_000;
/// Bytes of a block's buffer: the callee's second, then ours.
pub const BLOCK_BYTES: usize = 2 * BLOCK_SAMPLES;

/// Whose sound it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The far end: the left channel of a recording.
    Theirs = 0,
    /// Ours: the right channel.
    Ours = 1,
}

/// One second of a recording, still companded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Position of its first sample in the recording.
    pub start: u64,
    /// The law of each side, left and right; `None` is a second of silence, its bytes mean nothing.
    pub codecs: [Option<Codec>; 2],
    /// [`BLOCK_BYTES`]: left, then right.
    pub data: Vec<u8>,
}

/// Two open seconds of a recording. What comes later than that is lost and counted; what comes
/// earlier pushes the older second out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tape {
    first: u64,
    open: [Option<Block>; 2],
    end: u64,
    late: u64,
}

impl Tape {
    /// Puts `payload` at the sample `at`. `spare` gives a buffer (its contents do not matter),
    /// `full` takes finished seconds, in order.
    pub fn write(
        &mut self,
        (side, at, codec): (Side, u64, Codec),
        mut payload: &[u8],
        spare: &mut impl FnMut() -> Vec<u8>,
        full: &mut impl FnMut(Block),
    ) {
        let mut at = at;
        self.end = self.end.max(at + payload.len() as u64);
        while !payload.is_empty() {
            let (number, offset) =
                (at / BLOCK_SAMPLES as u64, (at % BLOCK_SAMPLES as u64) as usize);
            let (now, later) = payload.split_at(payload.len().min(BLOCK_SAMPLES - offset));
            if number < self.first {
                self.late += now.len() as u64;
            } else {
                self.turn_to(number, full);
                let open = &mut self.open[(number - self.first) as usize];
                let block = open.get_or_insert_with(|| {
                    let mut data = spare();
                    data.resize(BLOCK_BYTES, 0);
                    Block { start: number * BLOCK_SAMPLES as u64, codecs: [None; 2], data }
                });
                block.put(side, offset, codec, now);
            }
            at += now.len() as u64;
            payload = later;
        }
    }

    /// The open seconds, at the end of the recording.
    pub fn finish(&mut self, full: &mut impl FnMut(Block)) {
        self.open.iter_mut().filter_map(Option::take).for_each(full);
    }

    /// Just after the last sample of either side. It may lie a little ahead of the clock, when the
    /// first packet of a far end was slower than those after it.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Samples that came too late to be kept.
    pub fn late(&self) -> u64 {
        self.late
    }

    fn turn_to(&mut self, number: u64, full: &mut impl FnMut(Block)) {
        if number <= self.first + 1 {
            return;
        }
        if let Some(block) = self.open[0].take() {
            full(block);
        }
        if number == self.first + 2 {
            self.open[0] = self.open[1].take();
        } else if let Some(block) = self.open[1].take() {
            full(block);
        }
        self.first = number - 1;
    }
}

impl Block {
    fn put(&mut self, side: Side, offset: usize, codec: Codec, payload: &[u8]) {
        let half = side as usize;
        let begin = half * BLOCK_SAMPLES;
        let kept = *self.codecs[half].get_or_insert_with(|| {
            self.data[begin..begin + BLOCK_SAMPLES].fill(codec.silence());
            codec
        });
        let place = &mut self.data[begin + offset..begin + offset + payload.len()];
        if kept == codec {
            place.copy_from_slice(payload);
        } else {
            // A far end that changed its law within a second.
            for (place, byte) in place.iter_mut().zip(payload) {
                *place = kept.encode(codec.decode(*byte));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = BLOCK_SAMPLES as u64;

    fn write(tape: &mut Tape, side: Side, at: u64, payload: &[u8]) -> Vec<Block> {
        let mut blocks = Vec::new();
        tape.write((side, at, Codec::Pcmu), payload, &mut Vec::new, &mut |b| blocks.push(b));
        blocks
    }

    #[test]
    fn sound_across_a_boundary_lands_in_both_seconds() {
        let mut tape = Tape::default();
        assert_eq!(write(&mut tape, Side::Ours, SECOND - 2, &[1, 2, 3, 4]), []);
        let mut blocks = Vec::new();
        tape.finish(&mut |block| blocks.push(block));
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[0].start, blocks[1].start), (0, SECOND));
        assert_eq!(blocks[0].data[BLOCK_BYTES - 3..], [0xFF, 1, 2]);
        assert_eq!(blocks[1].data[BLOCK_SAMPLES..BLOCK_SAMPLES + 3], [3, 4, 0xFF]);
        assert_eq!(blocks[0].codecs, [None, Some(Codec::Pcmu)]);
        assert_eq!(tape.end(), SECOND + 2);
    }

    #[test]
    fn a_second_leaves_when_the_second_after_the_next_begins() {
        let mut tape = Tape::default();
        write(&mut tape, Side::Theirs, 0, &[1]);
        assert_eq!(write(&mut tape, Side::Theirs, SECOND, &[2]), []);
        assert_eq!(write(&mut tape, Side::Ours, 10, &[3]), []);
        let out = write(&mut tape, Side::Theirs, 2 * SECOND, &[4]);
        assert_eq!((out.len(), out[0].data[0], out[0].data[BLOCK_SAMPLES + 10]), (1, 1, 3));
        assert_eq!(write(&mut tape, Side::Ours, 20, &[5, 6]), []);
        assert_eq!(tape.late(), 2);
    }

    #[test]
    fn a_long_silence_takes_no_blocks() {
        let mut tape = Tape::default();
        write(&mut tape, Side::Theirs, 0, &[1]);
        write(&mut tape, Side::Theirs, SECOND, &[2]);
        let out = write(&mut tape, Side::Theirs, 3_600 * SECOND, &[3]);
        assert_eq!(out.iter().map(|b| b.start).collect::<Vec<_>>(), [0, SECOND]);
        let mut last = Vec::new();
        tape.finish(&mut |block| last.push(block.start));
        assert_eq!(last, [3_600 * SECOND]);
    }

    #[test]
    fn a_change_of_law_is_converted() {
        let mut tape = Tape::default();
        let loud = Codec::Pcma.encode(20_000);
        write(&mut tape, Side::Theirs, 0, &[Codec::Pcmu.encode(100)]);
        tape.write((Side::Theirs, 1, Codec::Pcma), &[loud], &mut Vec::new, &mut |_| {});
        let mut last = Vec::new();
        tape.finish(&mut |block| last.push(block));
        let sample = i32::from(Codec::Pcmu.decode(last[0].data[1]));
        assert!((sample - 20_000).abs() < 1_000, "{sample}");
    }
}
