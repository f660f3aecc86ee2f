#![doc = include_str!("../README.md")]

mod far_end;
mod names;
mod socket;
mod sources;
mod stack;

pub use far_end::{FarEnd, Heard};
pub use stack::{Busy, Config, Fact, LineSetup, Route, SipIo, Tap, Tapped};
