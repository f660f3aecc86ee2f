//! Everything that the machine waits for.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    Id, Timestamp,
    kind::{Campaign, Line},
};

/// A reason to wake up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The campaign's window opens, or shuts.
    Window(Id<Campaign>),
    /// A contact of the campaign becomes due.
    Work(Id<Campaign>),
    /// The campaign's own rate allows the next call.
    CampaignRate(Id<Campaign>),
    /// The campaign's next wave may begin.
    Wave(Id<Campaign>),
    /// The line's rate allows the next call.
    LineRate(Id<Line>),
    /// The line may be tried again: its Retry-After is over, or a channel may be free.
    LinePause(Id<Line>),
    /// A dead line is asked whether it lives.
    Probe(Id<Line>),
    /// The time for answered calls to end by themselves is over.
    DrainOver,
}

/// At most one moment per timer, the earliest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Timers {
    at: BTreeMap<Timer, Timestamp>,
    order: BTreeSet<(Timestamp, Timer)>,
}

impl Timers {
    /// Sets a timer, or moves it.
    pub(super) fn set(&mut self, timer: Timer, at: Timestamp) {
        self.clear(timer);
        self.at.insert(timer, at);
        self.order.insert((at, timer));
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Some(at) = self.at.remove(&timer) {
            self.order.remove(&(at, timer));
        }
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }

    /// Takes the earliest timer that is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Timer> {
        let (_, timer) = *self.order.first().filter(|(at, _)| *at <= now)?;
        self.clear(timer);
        Some(timer)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Timestamp, Timer)> {
        self.order.iter()
    }
}
