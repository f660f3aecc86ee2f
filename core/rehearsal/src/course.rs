//! What came of a rehearsal.

use std::collections::{BTreeMap, BTreeSet};

use base::Timestamp;

/// One course of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Course {
    /// Calls made.
    pub calls: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// When the last guest was done with; `None` when some never are before the horizon.
    pub finish: Option<Timestamp>,
    /// Guests that are not done with at the end.
    pub left: u64,
    /// Calls begun in each hour that saw any, by the hour's beginning.
    pub hours: BTreeMap<Timestamp, u64>,
}

/// The least, the likely and the most of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span<T> {
    /// The least.
    pub low: T,
    /// As likely as not.
    pub likely: T,
    /// The most.
    pub high: T,
}

/// Calls begun in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hour {
    /// When it begins; hours are those of UTC.
    pub from: Timestamp,
    /// How many.
    pub calls: Span<u64>,
}

/// When a campaign ends and how busy it is until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// When the last contact is done with; `None` when some never are within the horizon.
    pub finish: Option<Span<Timestamp>>,
    /// Calls in all.
    pub calls: Span<u64>,
    /// Answered calls in all.
    pub answered: Span<u64>,
    /// Contacts that are still open at the horizon, in the likely course.
    pub left: u64,
    /// The hours that see calls, in order.
    pub hours: Vec<Hour>,
}

impl Forecast {
    pub(crate) fn of(likely: &Course, others: &[Course]) -> Self {
        let all = || others.iter().chain([likely]);
        let span = |of: fn(&Course) -> u64| span(of(likely), all().map(of));
        let finish = all().map(|course| course.finish).collect::<Option<Vec<_>>>();
        let hours: BTreeSet<Timestamp> =
            all().flat_map(|course| course.hours.keys().copied()).collect();
        let calls_in =
            |course: &Course, hour: &Timestamp| course.hours.get(hour).copied().unwrap_or(0);
        Self {
            finish: likely.finish.zip(finish).map(|(likely, all)| self::span(likely, all)),
            calls: span(|course| course.calls),
            answered: span(|course| course.answered),
            left: likely.left,
            hours: hours
                .into_iter()
                .map(|from| Hour {
                    from,
                    calls: self::span(
                        calls_in(likely, &from),
                        all().map(|course| calls_in(course, &from)),
                    ),
                })
                .collect(),
        }
    }
}

fn span<T: Ord + Copy>(likely: T, all: impl IntoIterator<Item = T>) -> Span<T> {
    all.into_iter().fold(Span { low: likely, likely, high: likely }, |span, one| Span {
        low: span.low.min(one),
        likely,
        high: span.high.max(one),
    })
}
