//! The WAV files of recordings: stereo, 16 bit, 8 kHz.

use std::time::Duration;

use rtp::SAMPLE_RATE;

/// Bytes before the first sample.
pub(crate) const HEADER_BYTES: u64 = 44;
/// Bytes of one moment: left, then right.
pub(crate) const MOMENT_BYTES: u64 = 4;

/// The header of a recording with `moments` samples on each side. A file longer than the format
/// can say (37 hours) says the most that it can.
pub(crate) fn header(moments: u64) -> [u8; HEADER_BYTES as usize] {
    pcm_header(2, moments * MOMENT_BYTES)
}

/// The header of a prompt with `samples`.
pub(crate) fn mono_header(samples: u64) -> [u8; HEADER_BYTES as usize] {
    pcm_header(1, samples * 2)
}

fn pcm_header(channels: u16, bytes: u64) -> [u8; HEADER_BYTES as usize] {
    let data = u32::try_from(bytes).unwrap_or(u32::MAX - 36);
    let mut header = [0; HEADER_BYTES as usize];
    let fields: [&[u8]; 13] = [
        b"RIFF",
        &(data.saturating_add(36)).to_le_bytes(),
        b"WAVE",
        b"fmt ",
        &16_u32.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &channels.to_le_bytes(),
        &SAMPLE_RATE.to_le_bytes(),
        &(SAMPLE_RATE * u32::from(channels * 2)).to_le_bytes(),
        &(channels * 2).to_le_bytes(),
        &16_u16.to_le_bytes(),
        b"data",
        &data.to_le_bytes(),
    ];
    let mut at = 0;
    for field in fields {
        header[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    header
}

/// How many whole moments a file of `bytes` holds.
pub(crate) fn moments(bytes: u64) -> u64 {
    bytes.saturating_sub(HEADER_BYTES) / MOMENT_BYTES
}

/// Bytes of a file with `moments`.
pub(crate) fn bytes(moments: u64) -> u64 {
    HEADER_BYTES + moments * MOMENT_BYTES
}

/// How long `moments` last.
pub(crate) fn duration(moments: u64) -> Duration {
    Duration::from_micros(moments * 125)
}
