//! Calls over time, and over the hours of a week: what the run page draws.

use std::{collections::BTreeMap, time::Duration};

use base::{Id, Timestamp, kind::Campaign};
use calendar::Zone;
use http_kit::{Caller, Json, Path, Query, Result, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use crate::{
    problems::{CampaignProblem, or},
    store::{
        campaigns,
        pulse::{self, Drawn, MINUTE, Part, QUARTER},
    },
};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// A campaign that began before this is drawn by days.
const FEW_DAYS: Duration = Duration::from_hours(3 * 24);
/// The most days that are drawn.
const MOST_DAYS: u64 = 400;
/// The past that says at which hours people answer.
const HEAT: Duration = Duration::from_hours(84 * 24);

/// Which part of the past.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Span {
    /// The last 60 minutes, by the minute.
    #[default]
    Hour,
    /// The last 24 hours, by the quarter of an hour.
    Day,
    /// The last 7 days, by the hour.
    Week,
    /// Since the start: by the hour within the first three days, then by the day.
    All,
}

/// What is drawn.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TimelineQuery {
    /// `hour`, `day`, `week` or `all`.
    #[serde(default)]
    #[param(inline)]
    span: Span,
}

/// Calls that began within one step.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct TimelinePoint {
    /// When the step begins.
    #[schema(value_type = Time)]
    at: Option<Time>,
    /// Calls by what became of them; calls that are still up are not among them.
    outcomes: BTreeMap<String, i64>,
    /// How many of them were answered.
    answered: i64,
}

/// Calls over time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timeline {
    /// Length of a step in seconds; a day has 86,400, also when the clocks change on it.
    step_s: i64,
    /// The zone whose hours and days the steps are.
    #[schema(value_type = String)]
    time_zone: Zone,
    /// Every step, those without calls included, the earliest first.
    points: Vec<TimelinePoint>,
}

/// Read the timeline of a campaign
///
/// How many calls on contacts began when, and what became of them. Test calls are left out.
#[utoipa::path(
    get, path = "/campaigns/{id}/timeline", operation_id = "get_timeline", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign."), TimelineQuery),
    responses((status = 200, body = Timeline))
)]
pub(crate) async fn get_timeline(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    Query(query): Query<TimelineQuery>,
) -> Result<Json<Timeline>> {
    let (account, now) = (caller.account, dialers.handles.clock.now());
    let (steps, rows) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = campaigns::get(tx, account, id).await?;
                let ended = row.completed_at.map_or(now, |at| at.plus(Duration::from_mins(1)));
                let began = row.started_at.unwrap_or(now);
                let steps = Steps::new(query.span, row.setup.time_zone, began, now, ended);
                let rows = pulse::drawn(tx, account, id, steps.part()).await?;
                Ok((steps, rows))
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    Ok(Json(steps.draw(rows)))
}

/// The steps of a timeline.
struct Steps {
    zone: Zone,
    step: i64,
    from: Timestamp,
    to: Timestamp,
}

impl Steps {
    fn new(span: Span, zone: Zone, began: Timestamp, now: Timestamp, ended: Timestamp) -> Self {
        let back = |seconds: u64| now.minus(Duration::from_secs(seconds));
        let (step, from, to) = match span {
            Span::Hour => (MINUTE, back(59 * 60), now),
            Span::Day => (QUARTER, back(24 * 3_600 - 900), now),
            Span::Week => (HOUR, back(7 * 24 * 3_600 - 3_600), now),
            Span::All => {
                let to = ended.min(now).max(began);
                let step = if to.since(began) <= FEW_DAYS { HOUR } else { DAY };
                let most = Duration::from_hours(MOST_DAYS * 24);
                (step, began.max(to.minus(most)), to)
            }
        };
        Self { zone, step, from, to }
    }

    /// The beginning of the step that `at` lies in, on the clocks of the zone.
    fn floor(&self, at: Timestamp) -> Timestamp {
        if self.step < HOUR {
            return Timestamp::from_micros(pulse::floor(at, self.step));
        }
        let minute = Timestamp::from_micros(pulse::floor(at, MINUTE));
        let wall = self.zone.hour(minute);
        let hour = minute.minus(Duration::from_mins(wall.minute.into()));
        if self.step == HOUR {
            return hour;
        }
        // A day may have 23 or 25 hours: step back hour by hour to where its date begins.
        let mut first = hour;
        for _ in 0..25 {
            let before = first.minus(Duration::from_hours(1));
            if self.zone.hour(before).date != wall.date {
                break;
            }
            first = before;
        }
        first
    }

    fn next(&self, at: Timestamp) -> Timestamp {
        let span = Duration::from_secs(self.step.unsigned_abs());
        if self.step < DAY {
            return at.plus(span);
        }
        // Noon of the next day, whatever the clocks did in between.
        self.floor(at.plus(span + Duration::from_hours(12)))
    }

    fn part(&self) -> Part {
        let span = if self.step == MINUTE { MINUTE } else { QUARTER };
        let step = if self.step < HOUR { span } else { grain(&self.zone, self.from) };
        let to = self.to.plus(Duration::from_micros(1));
        Part { span, step, from: self.floor(self.from), to }
    }

    fn draw(&self, rows: Vec<Drawn>) -> Timeline {
        let mut points = Vec::new();
        let mut at = self.floor(self.from);
        let mut rows = rows.into_iter().peekable();
        while at <= self.to && points.len() < 2_000 {
            let next = self.next(at);
            let mut point = TimelinePoint { at: Some(Time(at)), ..TimelinePoint::default() };
            while let Some(row) = rows.next_if(|row| row.at < next) {
                *point.outcomes.entry(row.outcome).or_default() += row.calls;
                point.answered += row.answered;
            }
            points.push(point);
            at = next;
        }
        Timeline { step_s: self.step, time_zone: self.zone.clone(), points }
    }
}

/// The longest spans, in seconds, that no hour of the zone cuts: some zones are half an hour or a
/// quarter off.
fn grain(zone: &Zone, at: Timestamp) -> i64 {
    match zone.hour(Timestamp::from_micros(pulse::floor(at, HOUR))).minute {
        0 => HOUR,
        30 => 2 * QUARTER,
        _ => QUARTER,
    }
}

/// An hour of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct WeekHour {
    /// 0 for Monday to 6 for Sunday.
    weekday: u8,
    /// 0 to 23.
    hour: u8,
    /// Calls that began within it.
    calls: i64,
    /// How many of them were answered.
    answered: i64,
}

/// At which hours of the week people answer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Week {
    /// The zone whose hours they are: the campaign's.
    #[schema(value_type = String)]
    time_zone: Zone,
    /// Hours with calls.
    hours: Vec<WeekHour>,
}

/// Read the hours of the week
///
/// Calls on contacts by weekday and hour, within the last 12 weeks. Test calls are left out.
#[utoipa::path(
    get, path = "/campaigns/{id}/week", operation_id = "get_week", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Week))
)]
pub(crate) async fn get_week(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<Week>> {
    let (account, now) = (caller.account, dialers.handles.clock.now());
    let (zone, rows) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let zone = campaigns::get(tx, account, id).await?.setup.time_zone;
                let from = now.minus(HEAT);
                let to = now.plus(Duration::from_micros(1));
                let part = Part { span: QUARTER, step: grain(&zone, now), from, to };
                let rows = pulse::summed(tx, account, id, part).await?;
                Ok((zone, rows))
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let mut hours = BTreeMap::<(u8, u8), (i64, i64)>::new();
    for (at, calls, answered) in rows {
        let wall = zone.hour(at);
        let sum = hours.entry((wall.weekday, wall.hour)).or_default();
        *sum = (sum.0 + calls, sum.1 + answered);
    }
    let hour = |((weekday, hour), (calls, answered))| WeekHour { weekday, hour, calls, answered };
    Ok(Json(Week { time_zone: zone, hours: hours.into_iter().map(hour).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(span: Span, zone: &str, began: i64, now: i64) -> Steps {
        let at = Timestamp::from_seconds;
        Steps::new(span, zone.parse().unwrap(), at(began), at(now), at(now))
    }

    /// The last hour has sixty minutes, the present one included, and calls find their own.
    #[test]
    fn minutes_without_calls_are_drawn_too() {
        let now = 1_795_161_630;
        let steps = steps(Span::Hour, "UTC", 0, now);
        let row = |at: i64, calls| Drawn {
            at: Timestamp::from_seconds(at),
            outcome: "busy".to_owned(),
            calls,
            answered: 0,
        };
        let drawn = steps.draw(vec![row(1_795_161_600, 3), row(1_795_161_660, 9)]);
        assert_eq!(drawn.points.len(), 60);
        assert_eq!(drawn.points[59].outcomes["busy"], 3);
        assert!(drawn.points[..59].iter().all(|point| point.outcomes.is_empty()));
    }

    /// Kyiv puts its clocks back on 25 October 2026: that day has 25 hours and is one step.
    #[test]
    fn days_are_those_of_the_zone_across_a_change_of_clocks() {
        let noon = |day: i64| 1_792_843_200 + (day - 24) * 86_400;
        let drawn = steps(Span::All, "Europe/Kyiv", noon(22), noon(27)).draw(Vec::new());
        let starts: Vec<i64> =
            drawn.points.iter().map(|point| point.at.unwrap().0.seconds()).collect();
        let lengths: Vec<i64> = starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(lengths, [86_400, 86_400, 86_400, 90_000, 86_400]);
        assert_eq!(drawn.step_s, 86_400);
    }

    /// Kolkata is half an hour off: its hours begin at half past.
    #[test]
    fn hours_begin_where_the_zone_begins_them() {
        let steps = steps(Span::Week, "Asia/Kolkata", 0, 1_795_161_600);
        assert_eq!(steps.floor(Timestamp::from_seconds(1_795_161_600)).seconds() % 3_600, 1_800);
        assert_eq!(steps.part().step, 1_800);
    }
}
