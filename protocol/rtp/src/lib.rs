#![doc = include_str!("../README.md")]

mod codec;
mod digits;
mod header;
mod placement;
mod player;
mod receiver;
mod rtcp;
mod sender;
mod session;
mod tape;

use std::time::Duration;

pub use codec::{Codec, FRAME_SAMPLES, SAMPLE_RATE};
pub use header::{HEADER_BYTES, Header, is_rtcp};
pub use player::FRAME;
pub use receiver::{Arrival, Receiver, Reception};
pub use rtcp::NtpTime;
pub use session::{Counts, MediaSession, Out, Seed, Terms};
pub use tape::{BLOCK_BYTES, BLOCK_SAMPLES, Block, Side, Tape};

/// Samples that fit into `span`, rounded down.
pub const fn samples(span: Duration) -> u64 {
    (span.as_micros() / 125) as u64
}
