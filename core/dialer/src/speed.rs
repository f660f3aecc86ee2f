//! How fast time runs on the demo carrier.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much faster than real the delays and ring times of a demo line are. Hours, caps and sound
/// stay real.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Speed {
    /// As fast as a real line.
    #[default]
    Real,
    /// Ten minutes in one.
    TenTimes,
    /// A minute in a second.
    SixtyTimes,
}

/// No speed of the demo carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the demo carrier runs at 1, 10 or 60 times the real speed")]
pub struct SpeedError;

impl Speed {
    /// All of them, the slowest first.
    pub const ALL: [Self; 3] = [Self::Real, Self::TenTimes, Self::SixtyTimes];

    /// How many times the real speed.
    pub const fn times(self) -> u32 {
        match self {
            Self::Real => 1,
            Self::TenTimes => 10,
            Self::SixtyTimes => 60,
        }
    }

    /// How long a real `span` lasts.
    pub fn hasten(self, span: Duration) -> Duration {
        span / self.times()
    }
}

impl TryFrom<u32> for Speed {
    type Error = SpeedError;

    fn try_from(times: u32) -> Result<Self, SpeedError> {
        Self::ALL.into_iter().find(|speed| speed.times() == times).ok_or(SpeedError)
    }
}

impl From<Speed> for u32 {
    fn from(speed: Speed) -> Self {
        speed.times()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_a_second_at_sixty_times() {
        assert_eq!(Speed::SixtyTimes.hasten(Duration::from_mins(10)), Duration::from_secs(10));
        assert_eq!(Speed::Real.hasten(Duration::from_mins(10)), Duration::from_mins(10));
        assert_eq!(Speed::try_from(10), Ok(Speed::TenTimes));
        assert_eq!(Speed::try_from(0), Err(SpeedError));
    }
}
