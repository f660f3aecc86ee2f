#![doc = include_str!("../README.md")]

mod cause;
mod machine;
mod outcome;
mod plan;
mod wire;

pub use cause::{Cause, LocalCause, Outcome};
pub use machine::{Call, Effect, Event, LONGEST_TALK};
pub use outcome::outcome;
pub use plan::{CallPlan, Dialog, End, EndedBy, OnAnswer, Progress, RecordingMade, RtpFigures};
pub use wire::WireIds;
