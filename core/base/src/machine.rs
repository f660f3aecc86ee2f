//! The shape that every machine of the core has.

use crate::Timestamp;

/// A decision maker without I/O: what happened comes in, what must be done comes out.
///
/// Everything a machine wants done is in `effects` when a call returns, in order. The caller keeps
/// the time: it calls [`Machine::wake`] no earlier than [`Machine::next_wake`] says.
pub trait Machine {
    /// Something that happened.
    type Event;
    /// Something to do outside.
    type Effect;

    /// Takes in one event.
    fn handle(&mut self, now: Timestamp, event: Self::Event, effects: &mut Vec<Self::Effect>);

    /// Acts on what is due.
    fn wake(&mut self, now: Timestamp, effects: &mut Vec<Self::Effect>);

    /// When to call [`Machine::wake`] next; `None` while only events can change anything.
    fn next_wake(&self) -> Option<Timestamp>;
}
