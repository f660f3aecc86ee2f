//! Calls per second: how fast calls may begin.

use std::{collections::VecDeque, fmt, time::Duration};

use base::Timestamp;
use serde::{Deserialize, Serialize};

/// A limit of begun calls per second, in thousandths: 1 to 1,000,000 (a thousand a second).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(u32);

impl Rate {
    /// One call per second, which a new line starts with.
    pub const ONE: Self = Self(1_000);

    /// From thousandths of a call per second; the nearest that is in range.
    pub fn per_mille(thousandths: u32) -> Self {
        Self(thousandths.clamp(1, 1_000_000))
    }

    /// From calls per second; `None` unless it is a number between 0.001 and 1000.
    pub fn per_second(calls: f64) -> Option<Self> {
        (0.001..=1_000.0)
            .contains(&calls)
            .then(|| Self::per_mille((calls * 1_000.0).round() as u32))
    }

    /// Thousandths of a call per second.
    pub const fn thousandths(self) -> u32 {
        self.0
    }

    /// Calls per second.
    pub fn calls_per_second(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }

    /// A limit of `calls` within `span`, a tenth of a second's worth: enough to catch up with a
    /// late wake-up, too little to burst.
    const fn burst(self) -> (usize, Duration) {
        let calls = self.0.div_ceil(10_000);
        (calls as usize, Duration::from_micros(calls as u64 * 1_000_000_000 / self.0 as u64))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.calls_per_second())
    }
}

/// Keeps to a [`Rate`]: remembers the last few beginnings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pace {
    begun: VecDeque<Timestamp>,
}

impl Pace {
    /// A pace that is used up at `now`: nothing is known about calls that were begun just before.
    pub fn used_up(rate: Rate, now: Timestamp) -> Self {
        Self { begun: std::iter::repeat_n(now, rate.burst().0).collect() }
    }

    /// The first moment at which a call may begin; in the past or present when it may now.
    pub fn free_at(&self, rate: Rate) -> Timestamp {
        let (calls, span) = rate.burst();
        // After the rate was changed more may be remembered than it needs.
        match self.begun.len().checked_sub(calls) {
            None => Timestamp::EPOCH,
            Some(oldest) => self.begun[oldest].plus(span),
        }
    }

    /// Takes down that a call begins at `now`.
    pub fn begin(&mut self, rate: Rate, now: Timestamp) {
        self.begun.push_back(now);
        while self.begun.len() > rate.burst().0 {
            self.begun.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Begins a call whenever it may for ten seconds, looked at every `step`.
    fn calls(rate: Rate, step: Duration) -> Vec<Timestamp> {
        let (mut pace, mut now, mut begun) = (Pace::default(), Timestamp::EPOCH, Vec::new());
        while now < Timestamp::from_seconds(10) {
            while pace.free_at(rate) <= now {
                pace.begin(rate, now);
                begun.push(now);
            }
            now = now.plus(step);
        }
        begun
    }

    #[test]
    fn no_stretch_holds_more_calls_than_the_rate_allows() {
        for (per_mille, stretch) in [(250, 4_000), (1_000, 1_000), (3_000, 334), (50_000, 100)] {
            let rate = Rate::per_mille(per_mille);
            let begun = calls(rate, Duration::from_millis(3));
            let most = rate.burst().0;
            for (n, first) in begun.iter().enumerate() {
                let within = begun[n..]
                    .iter()
                    .take_while(|at| at.since(*first) < Duration::from_millis(stretch - 1))
                    .count();
                assert!(within <= most, "{rate}: {within} in {stretch} ms");
            }
            let wish = per_mille as usize / 100;
            assert!(begun.len() * 10 >= wish * 9, "{rate}: only {} of {wish}", begun.len());
        }
    }

    #[test]
    fn a_rate_is_between_a_thousandth_and_a_thousand() {
        assert_eq!(Rate::per_second(0.5), Some(Rate(500)));
        for wrong in [0.0, -1.0, 1_000.1, f64::NAN] {
            assert_eq!(Rate::per_second(wrong), None);
        }
    }
}
