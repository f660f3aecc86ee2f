//! Peaks of a recording, so that a page can draw it without reading the sound.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    time::Duration,
};

use crate::wav;

/// Samples that share one peak: 20 ms.
const SPAN: usize = 160;
const MAGIC: [u8; 8] = *b"peaks 1\n";

/// The loudest sample of every 20 ms of both sides, 0 to 255.
///
/// As a file: eight bytes that name the format, the length in samples as a little-endian number of
/// 64 bits, then the peaks, left and right by turns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waveform {
    /// The callee.
    pub left: Vec<u8>,
    /// We.
    pub right: Vec<u8>,
    /// Length of the recording.
    pub duration: Duration,
}

impl Waveform {
    /// Reads a waveform file; `None` when it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&MAGIC)?;
        let (moments, peaks) = rest.split_first_chunk()?;
        let (pairs, []) = peaks.as_chunks::<2>() else { return None };
        let (left, right) = pairs.iter().map(|[left, right]| (*left, *right)).unzip();
        Some(Self { left, right, duration: wav::duration(u64::from_le_bytes(*moments)) })
    }

    /// The waveform of a finished recording, read from its WAV file. Blocks.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let moments = wav::moments(file.metadata()?.len());
        Ok(Peaks::of_file(&mut file, moments)?.waveform(moments))
    }

    /// The same with at most `points` peaks a side; the loudest of each stretch stays.
    pub fn thin(mut self, points: usize) -> Self {
        let stretch = self.left.len().div_ceil(points.max(1)).max(1);
        if stretch > 1 {
            for side in [&mut self.left, &mut self.right] {
                *side = side.chunks(stretch).filter_map(|s| s.iter().copied().max()).collect();
            }
        }
        self
    }
}

/// Peaks of a recording while it is written.
#[derive(Debug, Default)]
pub(crate) struct Peaks {
    pairs: Vec<[u8; 2]>,
}

impl Peaks {
    /// Reads the first `moments` of a recording, a second at a time.
    pub(crate) fn of_file(file: &mut File, moments: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(wav::HEADER_BYTES))?;
        let mut peaks = Self::default();
        let mut second = vec![0; wav::MOMENT_BYTES as usize * rtp::BLOCK_SAMPLES];
        let mut left = moments * wav::MOMENT_BYTES;
        while left > 0 {
            let size = left.min(second.len() as u64) as usize;
            file.read_exact(&mut second[..size])?;
            peaks.extend(&second[..size]);
            left -= size as u64;
        }
        Ok(peaks)
    }

    /// Silence up to the sample `start`, a multiple of 20 ms.
    pub(crate) fn skip_to(&mut self, start: u64) {
        self.pairs.resize(start as usize / SPAN, [0; 2]);
    }

    /// Appends whole moments of interleaved 16-bit samples.
    pub(crate) fn extend(&mut self, sound: &[u8]) {
        let (moments, _) = sound.as_chunks::<{ wav::MOMENT_BYTES as usize }>();
        self.pairs.extend(moments.chunks(SPAN).map(|span| {
            let mut peak = [0; 2];
            for [l0, l1, r0, r1] in span {
                for (peak, sample) in peak.iter_mut().zip([[*l0, *l1], [*r0, *r1]]) {
                    let loud = i16::from_le_bytes(sample).unsigned_abs();
                    *peak = (*peak).max((loud >> 7).min(255) as u8);
                }
            }
            peak
        }));
    }

    /// The peaks of a recording of `moments` samples.
    pub(crate) fn waveform(mut self, moments: u64) -> Waveform {
        self.pairs.resize((moments as usize).div_ceil(SPAN), [0; 2]);
        let (left, right) = self.pairs.into_iter().map(|[left, right]| (left, right)).unzip();
        Waveform { left, right, duration: wav::duration(moments) }
    }

    /// The waveform file of a recording of `moments` samples.
    pub(crate) fn file(&mut self, moments: u64) -> Vec<u8> {
        self.pairs.resize((moments as usize).div_ceil(SPAN), [0; 2]);
        [&MAGIC, &moments.to_le_bytes()[..], self.pairs.as_flattened()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(moments: &[[i16; 2]]) -> Vec<u8> {
        moments.iter().flatten().flat_map(|sample| sample.to_le_bytes()).collect()
    }

    #[test]
    fn the_file_is_read_back_and_equals_the_one_made_from_the_sound() {
        let mut moments = vec![[0_i16, 0]; 400];
        (moments[170], moments[399]) = ([i16::MIN, 1_000], [-300, 20_000]);
        let bytes = sound(&moments);
        let mut peaks = Peaks::default();
        peaks.extend(&bytes[..640]);
        peaks.extend(&bytes[640..]);
        let read = Waveform::parse(&peaks.file(400)).unwrap();
        assert_eq!((&read.left[..], &read.right[..]), (&[0, 255, 2][..], &[0, 7, 156][..]));
        assert_eq!(read.duration, Duration::from_millis(50));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [&wav::header(400)[..], &bytes].concat()).unwrap();
        assert_eq!(read, Waveform::of_file(file.path()).unwrap());
    }

    #[test]
    fn a_lost_second_is_flat_and_the_end_is_filled() {
        let mut peaks = Peaks::default();
        peaks.skip_to(8_000);
        peaks.extend(&sound(&[[i16::MAX, 0]]));
        let waveform = peaks.waveform(16_000);
        assert_eq!((waveform.left.len(), waveform.left[49], waveform.left[50]), (100, 0, 255));
    }

    #[test]
    fn thinning_keeps_the_loudest() {
        let all = Waveform { left: (0..100).collect(), right: vec![9; 100], ..Waveform::default() };
        let thin = all.clone().thin(30);
        assert_eq!((thin.left.len(), thin.left[0], thin.left[24]), (25, 3, 99));
        assert_eq!(all.clone().thin(100), all);
    }

    #[test]
    fn other_bytes_are_no_waveform() {
        for bytes in [&b""[..], b"RIFF", b"peaks 1\n\0\0", b"peaks 1\n\0\0\0\0\0\0\0\0\x01"] {
            assert_eq!(Waveform::parse(bytes), None);
        }
    }
}
