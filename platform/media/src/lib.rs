#![doc = include_str!("../README.md")]

mod ask;
mod gauge;
mod handle;
mod leg;
mod outlet;
mod plane;
mod ports;
pub mod prompt;
mod recover;
mod socket;
mod wav;
mod waveform;
mod writer;

pub use ask::{
    Closed, Config, Event, Figures, Happening, Network, OpenError, OpenSession, Recorded, Remote,
    Rtcp, SessionBusy, StartError,
};
pub use handle::{Load, Media, Session};
pub use recover::recover;
pub use rtp::Codec;
pub use waveform::Waveform;
