//! A moment, as every floor stores and compares it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of the count.
    pub const EPOCH: Self = Self(0);
    /// Later than any real moment.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This moment and `span` more; stops at [`Timestamp::MAX`].
    #[must_use]
    pub const fn plus(self, span: Duration) -> Self {
        let micros = span.as_micros();
        if micros > i64::MAX as u128 {
            Self::MAX
        } else {
            Self(self.0.saturating_add(micros as i64))
        }
    }

    /// This moment less `span`.
    #[must_use]
    pub const fn minus(self, span: Duration) -> Self {
        let micros = span.as_micros();
        if micros > i64::MAX as u128 {
            Self(i64::MIN)
        } else {
            Self(self.0.saturating_sub(micros as i64))
        }
    }

    /// How long after `earlier` this moment is; zero when it is not after.
    pub const fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        if micros <= 0 { Duration::ZERO } else { Duration::from_micros(micros as u64) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.div_euclid(1_000_000), self.0.rem_euclid(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_added_and_taken_away_leaves_the_moment() {
        let moment = Timestamp::from_seconds(1_800_000_000);
        let span = Duration::from_micros(90_000_001);
        assert_eq!(moment.plus(span).minus(span), moment);
        assert_eq!(moment.plus(span).since(moment), span);
        assert_eq!(moment.since(moment.plus(span)), Duration::ZERO);
    }

    #[test]
    fn the_far_end_is_not_passed() {
        assert_eq!(Timestamp::MAX.plus(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::EPOCH.plus(Duration::MAX), Timestamp::MAX);
    }
}
