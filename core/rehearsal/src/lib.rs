#![doc = include_str!("../README.md")]

mod course;
mod habits;
mod sieve;
mod world;

pub use course::{Course, Forecast, Hour, Span};
pub use habits::{Counted, Habits};
pub use sieve::{Listed, Sieve, Skip};
pub use world::{Guest, Plan, run};

use base::{PhoneNumber, Timestamp};
use calendar::Zone;

/// When the campaign ends and how many calls each hour sees, with a band: three courses of events
/// from one seed, with as many answers as `habits` say, with fewer and with more.
pub fn forecast(plan: &Plan, habits: &Habits, seed: u64) -> Forecast {
    let likely = run(plan, habits, seed);
    let others = [habits.unlucky(), habits.lucky()].map(|habits| run(plan, &habits, seed));
    Forecast::of(&likely, &others)
}

/// The beginning of the hour that `at` lies in, by UTC.
pub(crate) fn hour(at: Timestamp) -> Timestamp {
    let hours = at.seconds().div_euclid(3_600);
    Timestamp::from_seconds(hours * 3_600)
}

/// What the hours of a callee depend on: the number's country and the callee's zone. Countries that
/// share a code are told apart by the digits that follow it.
pub(crate) fn place_of(phone: &PhoneNumber, zone: Option<&Zone>) -> (String, Option<String>) {
    (phone.as_str().chars().take(7).collect(), zone.map(ToString::to_string))
}
