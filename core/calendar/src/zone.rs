//! Time zones by their IANA names, from the database that is compiled in.

use std::{cmp::Ordering, fmt, str::FromStr};

use base::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

/// The clocks of one place, by IANA name ("Europe/Kyiv").
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// What calendar and clock on the wall show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallHour {
    /// The day.
    pub date: jiff::civil::Date,
    /// The day of the week: 0 for Monday to 6 for Sunday.
    pub weekday: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// Minutes of it that have passed, 0 to 59.
    pub minute: u8,
}

/// The name is in no zone database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no time zone {0:?}")]
pub struct UnknownZone(pub String);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The date on the wall at `at`.
    pub fn date(&self, at: Timestamp) -> jiff::civil::Date {
        instant(Timestamp::from_seconds(at.seconds() + self.offset(at)))
            .to_zoned(TimeZone::UTC)
            .date()
    }

    /// The hour on the wall at `at`.
    pub fn hour(&self, at: Timestamp) -> WallHour {
        let wall = instant(Timestamp::from_seconds(at.seconds() + self.offset(at)))
            .to_zoned(TimeZone::UTC)
            .datetime();
        WallHour {
            date: wall.date(),
            weekday: wall.date().weekday().to_monday_zero_offset().unsigned_abs(),
            hour: wall.hour().unsigned_abs(),
            minute: wall.minute().unsigned_abs(),
        }
    }

    /// Seconds east of UTC at `at`.
    pub(crate) fn offset(&self, at: Timestamp) -> i64 {
        i64::from(self.rules.to_offset(instant(at)).seconds())
    }

    /// The first moment after `at` at which that may change.
    pub(crate) fn next_turn(&self, at: Timestamp) -> Option<Timestamp> {
        let turn = self.rules.following(instant(at)).next()?;
        Some(Timestamp::from_seconds(turn.timestamp().as_second()))
    }
}

/// The nearest moment that the zone database reckons with (years −9999 to 9999).
fn instant(at: Timestamp) -> jiff::Timestamp {
    let nearest = if at < Timestamp::EPOCH { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(nearest)
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let rules =
            TimeZoneDatabase::bundled().get(name).map_err(|_| UnknownZone(name.to_owned()))?;
        // The database ignores case; the stored name is the canonical spelling.
        Ok(Self { name: rules.iana_name().unwrap_or(name).to_owned(), rules })
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(name: String) -> Result<Self, UnknownZone> {
        name.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl PartialOrd for Zone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Zone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_database_in_its_spelling() {
        assert_eq!("Europe/Kyiv".parse::<Zone>().unwrap().name(), "Europe/Kyiv");
        assert_eq!("europe/kyiv".parse::<Zone>().unwrap().name(), "Europe/Kyiv");
        assert_eq!("Mars/Base".parse::<Zone>(), Err(UnknownZone("Mars/Base".to_owned())));
    }
}
