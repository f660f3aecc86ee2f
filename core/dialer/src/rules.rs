//! What a campaign's settings tell the dialler.

use std::time::Duration;

use base::{Id, PhoneNumber, kind::Line};
use calendar::{Hours, Period, Window, Zone, zones_for};
use call::OnAnswer;

use crate::Rate;

/// One version of a campaign's settings, complete. An attempt is judged by the version under which
/// it was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the campaign form")]
pub struct Rules {
    /// Counts up with every edit.
    pub version: i64,
    /// The line that calls leave on.
    pub line: Id<Line>,
    /// What the callee hears.
    pub on_answer: OnAnswer,
    /// The campaign's zone.
    pub zone: Zone,
    /// Whether a contact's own zone goes before the campaign's.
    pub by_contact_zone: bool,
    /// Hours in which attempts may start, with dates that have other ones.
    pub hours: Hours,
    /// Days on which attempts may start.
    pub period: Period,
    /// Calls in waves with a pause between them, if not steadily.
    pub batch: Option<Batch>,
    /// Each attempt goes to the contact's next number, instead of only after a number that is none.
    pub every_number: bool,
    /// Attempts per contact, the first one included; at least 1.
    pub max_attempts: u32,
    /// Calls of this campaign at once; at least 1.
    pub concurrency: u32,
    /// Calls begun per second, if limited.
    pub rate: Option<Rate>,
    /// How long a phone may ring: 15 s to 120 s.
    pub ring: Duration,
    /// Talk from which an answered call is a success.
    pub min_talk: Duration,
    /// When to try again.
    pub delays: Delays,
    /// Whether a talk that was too short is tried again.
    pub retry_short_talk: bool,
    /// How often a number may be called, over all campaigns.
    pub caps: Caps,
    /// Whether calls are recorded.
    pub record: bool,
    /// Goes first among equally served campaigns when higher.
    pub priority: i32,
    /// Waits for more contacts instead of completing.
    pub always_active: bool,
}

impl Rules {
    /// The shortest ring time that may be set.
    pub const MIN_RING: Duration = Duration::from_secs(15);
    /// The longest ring time that may be set.
    pub const MAX_RING: Duration = Duration::from_mins(2);

    /// When attempts on a contact may start.
    pub fn window_of(&self, number: &PhoneNumber, own: Option<&Zone>) -> Window {
        let zones = zones_for(own, number, &self.zone, self.by_contact_zone);
        Window::new(zones, self.hours.clone(), self.period)
    }

    /// When attempts may start by the campaign's own clock.
    pub fn window(&self) -> Window {
        Window::new(vec![self.zone.clone()], self.hours.clone(), self.period)
    }
}

/// Calls in waves: so many, then a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Calls of one wave; at least 1.
    pub calls: u32,
    /// From the last call of a wave to the first of the next.
    pub gap: Duration,
}

/// How long after an attempt the next one may start, by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// After busy.
    pub busy: Duration,
    /// After nobody answered.
    pub no_answer: Duration,
    /// After a failure.
    pub failed: Duration,
    /// After a talk that was too short.
    pub short_talk: Duration,
    /// After an answering machine.
    pub machine: Duration,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            busy: Duration::from_mins(10),
            no_answer: Duration::from_hours(2),
            failed: Duration::from_mins(30),
            short_talk: Duration::from_hours(2),
            machine: Duration::from_hours(4),
        }
    }
}

/// How many calls one number may get, whoever makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Within any 24 hours.
    pub per_day: u32,
    /// Within any 7 days.
    pub per_week: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self { per_day: 3, per_week: 7 }
    }
}

/// What a new campaign starts with, where [`Delays`], [`Caps`] and
/// [`WeeklyHours::usual`] do not say it.
pub mod defaults {
    use std::time::Duration;

    /// Attempts per contact.
    pub const MAX_ATTEMPTS: u32 = 3;
    /// Calls at once.
    pub const CONCURRENCY: u32 = 5;
    /// Ring time.
    pub const RING: Duration = Duration::from_secs(30);
}
