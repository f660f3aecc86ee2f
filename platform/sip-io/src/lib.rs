#![doc = include_str!("../README.md")]

mod names;
mod socket;
mod sources;
mod stack;

pub use stack::{Busy, Config, Fact, LineSetup, Route, SipIo, Tap, Tapped};
