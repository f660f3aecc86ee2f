//! Weekly hours on a wall clock.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Date;

const DAY_MINUTES: u16 = 24 * 60;

/// Minutes since midnight on a wall clock, 0 to 1440 (`24:00`, which only ends an interval).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// Hour and minute; `None` beyond `24:00`.
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if minute > 59 || hour > 24 || (hour == 24 && minute > 0) {
            return None;
        }
        Some(Self(hour * 60 + minute))
    }

    /// Minutes since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let digits = |part: &str| {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse().ok())
                .flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Self::new(digits(hour)?, digits(minute)?))
            .ok_or_else(|| HoursError::NotATime(text.to_owned()))
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, HoursError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// From the first minute up to, without, the last: `["09:00", "20:00"]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval(pub TimeOfDay, pub TimeOfDay);

/// What is wrong with a week of hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not `HH:MM` between `00:00` and `24:00`.
    #[error("{0:?} is not a time between 00:00 and 24:00")]
    NotATime(String),
    /// An interval ends where it starts or before.
    #[error("an interval must end after it starts")]
    Backwards,
    /// Two intervals of one day share a minute, or a later one stands first.
    #[error("the intervals of a day must follow each other")]
    Overlap,
    /// No day has any hours.
    #[error("the week has no open hours")]
    NeverOpen,
    /// Two exceptions are for one date, or a later one stands first.
    #[error("the exceptions must follow each other, one for each date")]
    Dates,
}

/// Open hours of each weekday: `{"mon": [["09:00", "20:00"]], …}`; a missing day is shut.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeeklyHours {
    /// Monday.
    pub mon: Vec<Interval>,
    /// Tuesday.
    pub tue: Vec<Interval>,
    /// Wednesday.
    pub wed: Vec<Interval>,
    /// Thursday.
    pub thu: Vec<Interval>,
    /// Friday.
    pub fri: Vec<Interval>,
    /// Saturday.
    pub sat: Vec<Interval>,
    /// Sunday.
    pub sun: Vec<Interval>,
}

impl WeeklyHours {
    /// Monday to Friday 9–20, Saturday 10–18, which a new campaign starts with.
    pub fn usual() -> Self {
        let day = vec![Interval(TimeOfDay(9 * 60), TimeOfDay(20 * 60))];
        Self {
            mon: day.clone(),
            tue: day.clone(),
            wed: day.clone(),
            thu: day.clone(),
            fri: day,
            sat: vec![Interval(TimeOfDay(10 * 60), TimeOfDay(18 * 60))],
            sun: Vec::new(),
        }
    }

    /// Open around the clock.
    pub fn always() -> Self {
        let day = vec![Interval(TimeOfDay(0), TimeOfDay(DAY_MINUTES))];
        Self {
            mon: day.clone(),
            tue: day.clone(),
            wed: day.clone(),
            thu: day.clone(),
            fri: day.clone(),
            sat: day.clone(),
            sun: day,
        }
    }

    /// The days from Monday on.
    pub fn days(&self) -> [&[Interval]; 7] {
        let Self { mon, tue, wed, thu, fri, sat, sun } = self;
        [mon, tue, wed, thu, fri, sat, sun]
    }

    /// Whether the hours make sense: intervals forward, in order, apart, and at least one.
    pub fn check(&self) -> Result<(), HoursError> {
        let days = self.days();
        if days.iter().all(|day| day.is_empty()) {
            return Err(HoursError::NeverOpen);
        }
        days.iter().try_for_each(|day| check_day(day))
    }
}

/// Intervals forward, in order, apart.
fn check_day(day: &[Interval]) -> Result<(), HoursError> {
    if day.iter().any(|Interval(from, to)| from >= to) {
        return Err(HoursError::Backwards);
    }
    if day.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(HoursError::Overlap);
    }
    Ok(())
}

/// A date on which the week's hours do not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Which day, on the clock that the hours are read on.
    pub date: Date,
    /// Its hours instead; shut all day when there are none.
    #[serde(default)]
    pub hours: Vec<Interval>,
}

/// A week of hours and the dates on which others hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hours {
    /// The hours of an ordinary week.
    pub week: WeeklyHours,
    /// The dates with hours of their own, in order, each once.
    pub exceptions: Vec<Exception>,
}

impl Hours {
    /// Whether week and exceptions make sense.
    pub fn check(&self) -> Result<(), HoursError> {
        self.week.check()?;
        if self.exceptions.windows(2).any(|pair| pair[0].date >= pair[1].date) {
            return Err(HoursError::Dates);
        }
        self.exceptions.iter().try_for_each(|exception| check_day(&exception.hours))
    }

    /// The intervals of a day, counted from 1970-01-01.
    pub(crate) fn of_day(&self, day: i64) -> &[Interval] {
        let found = self.exceptions.binary_search_by_key(&day, |exception| exception.date.number());
        match found {
            Ok(place) => &self.exceptions[place].hours,
            // 1970-01-01 was a Thursday.
            Err(_) => self.week.days()[(day + 3).rem_euclid(7) as usize],
        }
    }

    /// Whether they are open around the clock, always.
    pub(crate) fn never_shut(&self) -> bool {
        let whole = |day: &[Interval]| {
            let end = day.iter().try_fold(0, |end, interval| {
                let (from, to) = bounds(*interval);
                (from <= end).then_some(to.max(end))
            });
            end == Some(i64::from(DAY_MINUTES) * 60)
        };
        self.week.days().iter().all(|day| whole(day))
            && self.exceptions.iter().all(|exception| whole(&exception.hours))
    }
}

impl From<WeeklyHours> for Hours {
    fn from(week: WeeklyHours) -> Self {
        Self { week, exceptions: Vec::new() }
    }
}

/// First second of the day that is in, and first that is out.
pub(crate) fn bounds(Interval(from, to): Interval) -> (i64, i64) {
    (i64::from(from.0) * 60, i64::from(to.0) * 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(from: &str, to: &str) -> Interval {
        Interval(from.parse().unwrap(), to.parse().unwrap())
    }

    #[test]
    fn times_are_two_digits_each_up_to_midnight() {
        for right in ["00:00", "09:30", "23:59", "24:00"] {
            assert_eq!(right.parse::<TimeOfDay>().unwrap().to_string(), right);
        }
        for wrong in ["", "9:30", "24:01", "25:00", "12:60", "+1:00", "12-00"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_week_is_refused_when_it_is_backwards_overlapping_or_empty() {
        assert_eq!(WeeklyHours::usual().check(), Ok(()));
        assert_eq!(WeeklyHours::default().check(), Err(HoursError::NeverOpen));
        let week = |mon| WeeklyHours { mon, ..WeeklyHours::default() }.check();
        assert_eq!(week(vec![interval("09:00", "09:00")]), Err(HoursError::Backwards));
        let two = |b, c| week(vec![interval("09:00", b), interval(c, "18:00")]);
        assert_eq!(two("12:00", "11:59"), Err(HoursError::Overlap));
        assert_eq!(two("12:00", "12:00"), Ok(()));
    }
}
