//! How callees behave.

use std::time::Duration;

use base::Dice;
use call::Outcome;

/// Shares are out of this.
const WHOLE: u64 = 1_000_000;
/// Half the width of the band around a share, in standard deviations: four courses of five lie in
/// it.
const BAND: f64 = 1.28;
/// As many calls' worth of doubt when nothing is known about this campaign's callees.
const DOUBT: f64 = 12.0;
/// Calls from which on a campaign's own past says more than the usual mix.
const ENOUGH: u64 = 50;
/// Talk with somebody who hears a recording: most hear it out, some hang up.
const HEARD: f64 = 0.8;

/// Calls of the past that came to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// What they came to.
    pub outcome: Outcome,
    /// How many they were.
    pub calls: u64,
    /// Whether somebody picked up.
    pub answered: bool,
    /// How long it rang before that, on average; zero when nobody did.
    pub ring: Duration,
    /// How long the calls lasted after that, on average.
    pub talk: Duration,
}

/// How callees behave on average. Counts are of calls; only their ratios matter, and their sum says
/// how much the ratios are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// Picked up.
    pub answered: u64,
    /// Were busy.
    pub busy: u64,
    /// Let it ring.
    pub no_answer: u64,
    /// Refused the call.
    pub rejected: u64,
    /// Could not be reached.
    pub failed: u64,
    /// Have no such number.
    pub invalid: u64,
    /// How long it rings before somebody picks up.
    pub ring: Duration,
    /// How long a call lasts once somebody has picked up.
    pub talk: Duration,
    /// Whether the counts were seen, or are only the usual mix.
    pub seen: bool,
}

impl Habits {
    /// The usual mix of a cold list, for a campaign without a past. A guess, and said to be one: its
    /// band is wide.
    pub const fn usual(talk: Duration) -> Self {
        Self {
            answered: 35,
            busy: 8,
            no_answer: 42,
            rejected: 5,
            failed: 5,
            invalid: 5,
            ring: Duration::from_secs(9),
            talk,
            seen: false,
        }
    }

    /// The usual mix of a campaign that plays a recording of this length.
    pub fn hearing(recording: Duration) -> Self {
        Self::usual(recording.mul_f64(HEARD))
    }

    /// How the callees of these calls have behaved, or `usual` when the calls are too few to tell.
    #[must_use]
    pub fn of(calls: impl IntoIterator<Item = Counted>, usual: Self) -> Self {
        let mut seen = Self {
            answered: 0,
            busy: 0,
            no_answer: 0,
            rejected: 0,
            failed: 0,
            invalid: 0,
            seen: true,
            ..usual
        };
        let (mut ring, mut talk) = (0, 0);
        for Counted { outcome, calls, answered, ring: rang, talk: talked } in calls {
            if answered {
                seen.answered += calls;
                ring += u128::from(calls) * rang.as_micros();
                talk += u128::from(calls) * talked.as_micros();
                continue;
            }
            *match outcome {
                Outcome::Busy => &mut seen.busy,
                Outcome::Rejected => &mut seen.rejected,
                Outcome::InvalidNumber => &mut seen.invalid,
                Outcome::NoAnswer => &mut seen.no_answer,
                Outcome::Success
                | Outcome::ShortTalk
                | Outcome::Failed
                | Outcome::Machine
                | Outcome::AbandonedNoAgent
                | Outcome::Cancelled
                | Outcome::Interrupted => &mut seen.failed,
            } += calls;
        }
        if seen.calls() < ENOUGH {
            return usual;
        }
        let average = |sum: u128| {
            let micros = sum.checked_div(u128::from(seen.answered))?;
            u64::try_from(micros).ok().map(Duration::from_micros)
        };
        let (ring, talk) = (average(ring), average(talk));
        Self { ring: ring.unwrap_or(usual.ring), talk: talk.unwrap_or(usual.talk), ..seen }
    }

    /// How many calls the shares stand on.
    pub const fn calls(&self) -> u64 {
        self.answered + self.busy + self.no_answer + self.rejected + self.failed + self.invalid
    }

    /// The same callees on a day when fewer pick up.
    #[must_use]
    pub fn unlucky(&self) -> Self {
        self.with_answers(self.share() - self.doubt())
    }

    /// The same callees on a day when more pick up.
    #[must_use]
    pub fn lucky(&self) -> Self {
        self.with_answers(self.share() + self.doubt())
    }

    fn share(&self) -> f64 {
        self.answered as f64 / self.calls().max(1) as f64
    }

    /// How far the true share may lie from the one seen.
    fn doubt(&self) -> f64 {
        let calls = if self.seen { self.calls() as f64 } else { 0.0 };
        let share = self.share().clamp(0.05, 0.95);
        BAND * (share * (1.0 - share) / (calls + DOUBT)).sqrt()
    }

    /// The others keep their ratios among themselves.
    fn with_answers(&self, share: f64) -> Self {
        let others = self.calls() - self.answered;
        let answered = (share.clamp(0.01, 0.99) * WHOLE as f64) as u64;
        let left = WHOLE - answered;
        let part = |count: u64| (left * count).checked_div(others).unwrap_or_default();
        Self {
            answered,
            busy: part(self.busy),
            no_answer: if others == 0 { left } else { part(self.no_answer) },
            rejected: part(self.rejected),
            failed: part(self.failed),
            invalid: part(self.invalid),
            ..*self
        }
    }

    /// How one call goes: its outcome, how long until it is answered or over, and how long is talked.
    pub(crate) fn call(
        &self,
        dice: &mut Dice,
        ring_limit: Duration,
    ) -> (Outcome, Duration, Duration) {
        let ring = spread(dice, self.ring).min(ring_limit);
        let mut roll = dice.roll(self.calls());
        let quick = Duration::from_secs(2);
        let kinds = [
            (self.answered, Outcome::Success, ring),
            (self.busy, Outcome::Busy, quick),
            (self.no_answer, Outcome::NoAnswer, ring_limit),
            (self.rejected, Outcome::Rejected, ring),
            (self.failed, Outcome::Failed, quick),
            (self.invalid, Outcome::InvalidNumber, quick),
        ];
        for (count, outcome, span) in kinds {
            if roll < count {
                let talk = if outcome == Outcome::Success {
                    spread(dice, self.talk)
                } else {
                    Duration::ZERO
                };
                return (outcome, span, talk);
            }
            roll -= count;
        }
        // Nothing was ever seen: nobody picks up.
        (Outcome::NoAnswer, ring_limit, Duration::ZERO)
    }
}

/// Anything from half to one and a half of the average.
fn spread(dice: &mut Dice, average: Duration) -> Duration {
    let micros = average.as_micros() as u64;
    Duration::from_micros(micros / 2 + dice.roll(micros.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_narrows_with_what_was_seen() {
        let usual = Habits::usual(Duration::from_secs(20));
        let seen = Habits { seen: true, ..usual };
        let much = Habits { answered: 35_000, no_answer: 65_000, ..seen };
        let width = |habits: &Habits| habits.lucky().share() - habits.unlucky().share();
        assert!(width(&usual) > 0.3, "{}", width(&usual));
        assert!(width(&usual) > width(&seen) && width(&seen) > 10.0 * width(&much));
        assert!(usual.unlucky().share() < 0.35 && usual.lucky().share() > 0.35);
    }

    #[test]
    fn shares_hold_over_many_calls() {
        let (habits, mut dice) = (Habits::usual(Duration::from_secs(20)), Dice::new(1));
        let limit = Duration::from_secs(30);
        let calls: Vec<_> = (0..100_000).map(|_| habits.call(&mut dice, limit)).collect();
        let of = |wanted: Outcome| {
            calls.iter().filter(|(outcome, ..)| *outcome == wanted).count() as f64 / 1_000.0
        };
        assert!((of(Outcome::Success) - 35.0).abs() < 1.0, "{}", of(Outcome::Success));
        assert!((of(Outcome::Busy) - 8.0).abs() < 1.0);
        let talk: Duration = calls.iter().map(|(.., talk)| *talk).sum();
        let average = talk.as_secs_f64() / (of(Outcome::Success) * 1_000.0);
        assert!((average - 20.0).abs() < 0.5, "{average}");
    }

    fn counted(outcome: Outcome, calls: u64, answered: Option<(u64, u64)>) -> Counted {
        let (ring, talk) = answered.unwrap_or_default();
        let (ring, talk) = (Duration::from_secs(ring), Duration::from_secs(talk));
        Counted { outcome, calls, answered: answered.is_some(), ring, talk }
    }

    #[test]
    fn what_was_seen_counts_from_fifty_calls_on() {
        let usual = Habits::hearing(Duration::from_secs(20));
        assert_eq!(usual.talk, Duration::from_secs(16));
        let mut calls = vec![
            counted(Outcome::Success, 10, Some((4, 20))),
            counted(Outcome::ShortTalk, 10, Some((8, 2))),
            counted(Outcome::NoAnswer, 12, None),
            counted(Outcome::Busy, 9, None),
            counted(Outcome::Rejected, 5, None),
            counted(Outcome::InvalidNumber, 1, None),
            counted(Outcome::Interrupted, 2, None),
        ];
        assert_eq!(Habits::of(calls.iter().copied(), usual), usual, "49 are too few");
        calls.push(counted(Outcome::Failed, 1, None));
        let seen = Habits {
            answered: 20,
            busy: 9,
            no_answer: 12,
            rejected: 5,
            failed: 3,
            invalid: 1,
            ring: Duration::from_secs(6),
            talk: Duration::from_secs(11),
            seen: true,
        };
        assert_eq!(Habits::of(calls, usual), seen);
    }

    #[test]
    fn when_nobody_picked_up_ring_and_talk_are_the_usual_ones() {
        let usual = Habits::hearing(Duration::from_secs(20));
        let seen = Habits::of([counted(Outcome::NoAnswer, 60, None)], usual);
        assert_eq!((seen.calls(), seen.answered, seen.seen), (60, 0, true));
        assert_eq!((seen.ring, seen.talk), (usual.ring, usual.talk));
    }

    #[test]
    fn nobody_seen_is_nobody_answering() {
        let none = Habits {
            answered: 0,
            busy: 0,
            no_answer: 0,
            rejected: 0,
            failed: 0,
            invalid: 0,
            ..Habits::usual(Duration::ZERO)
        };
        let (outcome, ..) = none.call(&mut Dice::new(1), Duration::from_secs(15));
        assert_eq!(outcome, Outcome::NoAnswer);
        assert_eq!(none.lucky().calls(), 1_000_000);
    }
}
