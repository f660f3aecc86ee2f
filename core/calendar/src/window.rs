//! When calls may start: hours on the clocks of one or several zones, within a period.

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use base::{PhoneNumber, Timestamp};
use jiff::civil;
use serde::{Deserialize, Serialize};

use crate::{
    Zone,
    hours::{Hours, bounds},
    zones_of,
};

const DAY_SECONDS: i64 = 86_400;

/// A day of the calendar, `2026-11-20`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(civil::Date);

impl Date {
    /// Year, month 1–12, day 1–31; `None` when there is no such day.
    pub fn new(year: i16, month: i8, day: i8) -> Option<Self> {
        civil::Date::new(year, month, day).ok().map(Self)
    }

    /// The date on the wall of `zone` at `at`.
    pub fn at(zone: &Zone, at: Timestamp) -> Self {
        Self(zone.date(at))
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        let midnight = civil::DateTime::from_parts(self.0, civil::Time::midnight());
        midnight
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_or(i64::MAX, |start| start.timestamp().as_second().div_euclid(DAY_SECONDS))
    }
}

/// The text is no date in the form `2026-11-20`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a date in the form 2026-11-20")]
pub struct NotADate;

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        if text.len() != 10 {
            return Err(NotADate);
        }
        text.parse().map(Self).map_err(|_| NotADate)
    }
}

impl TryFrom<String> for Date {
    type Error = NotADate;

    fn try_from(text: String) -> Result<Self, NotADate> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Days from the first to the last, both in; an open end has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    /// First day.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
}

impl Period {
    /// Whether the last day, if any, is not before the first.
    pub fn is_forward(&self) -> bool {
        self.from.zip(self.to).is_none_or(|(from, to)| from <= to)
    }
}

/// When calls may start. Open while the hours are open on *all* clocks and the date there lies in
/// the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    clocks: Vec<Clock>,
    /// First and last day, counted from 1970-01-01.
    from: Option<i64>,
    to: Option<i64>,
}

/// Hours read on the clock of one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Clock {
    zone: Zone,
    hours: Arc<Hours>,
}

impl Window {
    /// A window on the clocks of `zones`; without any, on that of UTC.
    pub fn new(mut zones: Vec<Zone>, hours: impl Into<Hours>, period: Period) -> Self {
        if zones.is_empty() {
            zones.push(Zone::utc());
        }
        let Period { from, to } = period;
        let window =
            Self { clocks: Vec::new(), from: from.map(Date::number), to: to.map(Date::number) };
        window.and(zones, &Arc::new(hours.into()))
    }

    /// The same, open only while `hours` are open on the clocks of `zones`, too.
    #[must_use]
    pub fn and(mut self, zones: Vec<Zone>, hours: &Arc<Hours>) -> Self {
        let clock = |zone| Clock { zone, hours: Arc::clone(hours) };
        self.clocks.extend(zones.into_iter().map(clock));
        self
    }

    /// Whether a call may start at `at`.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.clocks.iter().all(|clock| self.holds(clock, at.seconds() + clock.zone.offset(at)))
    }

    /// The first moment from `at` on at which a call may start; `None` when there is none within
    /// the period, or when the clocks share no hour within two weeks of the first opening and of
    /// the last exception.
    pub fn next_open(&self, at: Timestamp) -> Option<Timestamp> {
        if self.is_open(at) {
            return Some(at);
        }
        let mut known = vec![None; self.clocks.len()];
        let mut moment = at;
        let mut horizon = None;
        loop {
            let mut latest = moment;
            for (clock, known) in self.clocks.iter().zip(&mut known) {
                latest = latest.max(self.turns(clock, moment, true, known)?);
            }
            if latest == moment {
                return Some(moment);
            }
            let limit = *horizon.get_or_insert_with(|| self.horizon(latest));
            if latest > limit {
                return None;
            }
            moment = latest;
        }
    }

    /// From here on weeks repeat: clocks that shared no hour by then share none.
    fn horizon(&self, first: Timestamp) -> Timestamp {
        let exceptions = self.clocks.iter().filter_map(|clock| clock.hours.exceptions.last());
        let last = exceptions.map(|last| Timestamp::from_seconds(last.date.number() * DAY_SECONDS));
        let fortnight = Duration::from_secs(14 * DAY_SECONDS as u64);
        last.fold(first, Timestamp::max).plus(fortnight)
    }

    /// The first moment after `at` at which no call may start; `at` itself when that is so already,
    /// `None` when the window never shuts again.
    pub fn closes_at(&self, at: Timestamp) -> Option<Timestamp> {
        let endless = self.to.is_none() && self.from.is_none();
        self.clocks
            .iter()
            .filter(|clock| !(endless && clock.hours.never_shut()))
            .filter_map(|clock| self.turns(clock, at, false, &mut None))
            .min()
    }

    /// Whether no moment from `at` on is open because the period is over.
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.to.is_some_and(|last| {
            let day = |zone: &Zone| (at.seconds() + zone.offset(at)).div_euclid(DAY_SECONDS);
            self.clocks.iter().any(|clock| day(&clock.zone) > last)
        })
    }

    fn holds(&self, clock: &Clock, wall: i64) -> bool {
        let (day, second) = (wall.div_euclid(DAY_SECONDS), wall.rem_euclid(DAY_SECONDS));
        self.from.is_none_or(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
            && clock.hours.of_day(day).iter().any(|interval| {
                let (from, to) = bounds(*interval);
                from <= second && second < to
            })
    }

    /// The first moment from `at` on at which one clock is (`open`) or is not (`!open`) within
    /// hours and period.
    ///
    /// Between two turns of the zone its wall clock runs evenly, so each such stretch is searched
    /// by itself; that is what makes skipped and repeated hours come out right.
    fn turns(
        &self,
        clock: &Clock,
        at: Timestamp,
        open: bool,
        known: &mut Option<Stretch>,
    ) -> Option<Timestamp> {
        let mut from = at;
        for _ in 0..MOST_STRETCHES {
            let Stretch { offset, until, .. } = Stretch::of(&clock.zone, from, known);
            // A day of grace: a clock set back over midnight shows the last day once more.
            let day = (from.seconds() + offset).div_euclid(DAY_SECONDS);
            if open && self.to.is_some_and(|last| day > last + 1) {
                return None;
            }
            // Rounded down: within its first second the wall clock shows that second.
            if self.holds(clock, from.seconds() + offset) == open {
                return Some(from);
            }
            let end = until.map(|turn| turn.seconds() + offset);
            if let Some(wall) = self.within(clock, from.seconds() + offset, end, open) {
                return Some(Timestamp::from_seconds(wall - offset));
            }
            from = until?;
        }
        None
    }

    /// The same on a wall clock that runs evenly from `wall` up to, without, `end`.
    fn within(&self, clock: &Clock, wall: i64, end: Option<i64>, open: bool) -> Option<i64> {
        let first_day = wall.div_euclid(DAY_SECONDS);
        // Before the period nothing changes until its first day.
        let start = self.from.map_or(first_day, |from| from.max(first_day));
        let first_day = if open { start } else { first_day };
        // Eight days show the whole week, and so do eight from each exception on; beyond them only
        // the end of the period changes anything.
        let exceptions = &clock.hours.exceptions;
        let ahead = exceptions.partition_point(|exception| exception.date.number() < first_day);
        let fresh = exceptions[ahead..].iter().map(|exception| exception.date.number());
        let last_day = self.to.map(|last| last + 1).filter(|_| !open);
        let weeks = std::iter::once(first_day)
            .chain(fresh)
            .flat_map(|base| base..=base + 8)
            .filter(|day| last_day.is_none_or(|last| *day < last));
        let mut next = first_day;
        for day in weeks.chain(last_day) {
            // Where exceptions lie close together their weeks overlap.
            if day < next {
                continue;
            }
            next = day + 1;
            let midnight = day * DAY_SECONDS;
            if end.is_some_and(|end| midnight >= end) {
                return None;
            }
            // The intervals of a day follow each other, and so do these edges.
            let intervals = clock.hours.of_day(day).iter().copied().map(bounds);
            let edges = std::iter::once(0).chain(intervals.flat_map(|(from, to)| [from, to]));
            let found = edges
                .map(|edge| midnight + edge)
                .filter(|edge| *edge > wall && end.is_none_or(|end| *edge < end))
                .find(|edge| self.holds(clock, *edge) == open);
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// A time in which a zone's clock runs evenly.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    since: Timestamp,
    until: Option<Timestamp>,
    /// Seconds east of UTC.
    offset: i64,
}

impl Stretch {
    /// The stretch that `at` lies in; `known` saves asking for it again.
    fn of(zone: &Zone, at: Timestamp, known: &mut Option<Self>) -> Self {
        let holds =
            |stretch: &Self| stretch.since <= at && stretch.until.is_none_or(|until| at < until);
        match known {
            Some(stretch) if holds(stretch) => *stretch,
            _ => *known.insert(Self {
                since: at,
                until: zone.next_turn(at),
                offset: zone.offset(at),
            }),
        }
    }
}

/// No zone turns its clocks more often than this within the week that a search can last, save for
/// a period that starts years ahead.
const MOST_STRETCHES: usize = 400;

/// The zones whose clocks count for a contact: its own, else those of its number's country, else
/// the campaign's. `own` and the country are looked at only when `by_contact`.
pub fn zones_for(
    own: Option<&Zone>,
    number: &PhoneNumber,
    campaign: &Zone,
    by_contact: bool,
) -> Vec<Zone> {
    if !by_contact {
        return vec![campaign.clone()];
    }
    if let Some(own) = own {
        return vec![own.clone()];
    }
    let country: Vec<Zone> = zones_of(number).iter().filter_map(|name| name.parse().ok()).collect();
    if country.is_empty() { vec![campaign.clone()] } else { country }
}
