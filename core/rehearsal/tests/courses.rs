//! What a rehearsal says, held against sums done by hand.

use std::{sync::Arc, time::Duration};

use base::{Id, Timestamp};
use calendar::{Period, WeeklyHours, Zone};
use call::OnAnswer;
use dialer::{Caps, Delays, LineFact, LineHealth, Rate, Rules};
use rehearsal::{Guest, Habits, Plan, forecast, run};

/// Friday 2026-11-20 08:00 UTC.
const NOW: Timestamp = Timestamp::from_seconds(1_795_161_600);
const DAY: Duration = Duration::from_hours(24);

fn rules() -> Rules {
    Rules {
        version: 1,
        line: Id::from_raw(1),
        on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
        zone: Zone::utc(),
        by_contact_zone: false,
        hours: WeeklyHours::always().into(),
        batch: None,
        every_number: false,
        period: Period::default(),
        max_attempts: 3,
        concurrency: 10,
        rate: None,
        ring: Duration::from_secs(30),
        min_talk: Duration::ZERO,
        delays: Delays::default(),
        retry_short_talk: true,
        caps: Caps::default(),
        record: false,
        priority: 0,
        always_active: false,
    }
}

fn plan(rules: Rules, guests: usize) -> Plan {
    Plan {
        rules: Arc::new(rules),
        line: LineFact {
            id: Id::from_raw(1),
            channels: 100,
            rate: Rate::per_mille(100_000),
            enabled: true,
            health: LineHealth::Unknown,
            demo: None,
        },
        demo_line: false,
        now: NOW,
        horizon: NOW.plus(DAY * 60),
        guests: (0..guests)
            .map(|n| Guest {
                phone: format!("+38093{n:07}").parse().unwrap(),
                zone: None,
                due: NOW,
                attempts: 0,
            })
            .collect(),
        share: 1,
    }
}

/// Everybody picks up after 10 s and talks for 50 s.
fn willing() -> Habits {
    Habits {
        answered: 1,
        busy: 0,
        no_answer: 0,
        rejected: 0,
        failed: 0,
        invalid: 0,
        ring: Duration::from_secs(10),
        talk: Duration::from_secs(50),
        seen: true,
    }
}

fn silent() -> Habits {
    Habits { answered: 0, no_answer: 1, ..willing() }
}

#[test]
fn ten_at_once_take_a_tenth_of_the_talking() {
    let course = run(&plan(rules(), 1_000), &willing(), 1);
    assert_eq!((course.calls, course.answered, course.left), (1_000, 1_000, 0));
    let took = course.finish.unwrap().since(NOW).as_secs_f64();
    let sum = 1_000.0 * 60.0 / 10.0;
    assert!((took / sum - 1.0).abs() < 0.03, "{took} s, {sum} s by hand");
    assert_eq!(course.hours.values().sum::<u64>(), 1_000);
}

#[test]
fn the_rate_binds_when_it_is_the_strictest() {
    let rules = Rules { concurrency: 1_000, rate: Rate::per_second(0.5), ..rules() };
    let course = run(&plan(rules, 1_000), &willing(), 1);
    let took = course.finish.unwrap().since(NOW).as_secs_f64();
    assert!((took / 2_000.0 - 1.0).abs() < 0.05, "{took} s");
}

#[test]
fn a_guest_who_stands_for_ten_is_ten() {
    let rules =
        || Rules { rate: Rate::per_second(2.0), min_talk: Duration::from_secs(20), ..rules() };
    let whole = forecast(&plan(rules(), 20_000), &Habits::usual(Duration::from_secs(30)), 1);
    let tenth = Plan { share: 10, ..plan(rules(), 2_000) };
    let tenth = forecast(&tenth, &Habits::usual(Duration::from_secs(30)), 1);
    let took =
        |forecast: &rehearsal::Forecast| forecast.finish.unwrap().likely.since(NOW).as_secs_f64();
    assert!((took(&tenth) / took(&whole) - 1.0).abs() < 0.1, "{} {}", took(&tenth), took(&whole));
    let calls = tenth.calls.likely as f64 / whole.calls.likely as f64;
    assert!((calls - 1.0).abs() < 0.05, "{calls}");
}

#[test]
fn nobody_is_called_outside_hours_and_every_attempt_is_made() {
    let rules = Rules { hours: WeeklyHours::usual().into(), ..rules() };
    let course = run(&plan(rules, 500), &silent(), 1);
    assert_eq!((course.calls, course.answered), (1_500, 0));
    for from in course.hours.keys() {
        let of_day = from.seconds().rem_euclid(86_400) / 3_600;
        let weekday = (from.seconds().div_euclid(86_400) + 4) % 7;
        let open = match weekday {
            0 => false,
            6 => (10..18).contains(&of_day),
            _ => (9..20).contains(&of_day),
        };
        assert!(open, "hour {of_day} of weekday {weekday}");
    }
}

#[test]
fn caps_per_number_hold_in_the_rehearsal_as_in_life() {
    let delays = Delays { no_answer: Duration::from_mins(5), ..Delays::default() };
    let rules =
        Rules { max_attempts: 10, delays, caps: Caps { per_day: 3, per_week: 7 }, ..rules() };
    let course = run(&plan(rules, 20), &silent(), 1);
    assert_eq!(course.calls, 200);
    let took = course.finish.unwrap().since(NOW);
    assert!(took > DAY * 7 && took < DAY * 9, "{took:?}");
}

#[test]
fn hours_that_never_open_leave_everybody() {
    let period = Period { from: None, to: Some("2026-11-19".parse().unwrap()) };
    let forecast = forecast(&plan(Rules { period, ..rules() }, 30), &willing(), 1);
    assert_eq!((forecast.finish, forecast.left, forecast.calls.likely), (None, 30, 0));
}

#[test]
fn the_same_seed_gives_the_same_course_and_the_band_holds_it() {
    let (plan, habits) = (plan(rules(), 2_000), Habits::usual(Duration::from_secs(20)));
    assert_eq!(run(&plan, &habits, 7), run(&plan, &habits, 7));
    let told = forecast(&plan, &habits, 7);
    let finish = told.finish.unwrap();
    assert!(finish.low <= finish.likely && finish.likely <= finish.high);
    assert!(told.answered.low < told.answered.likely && told.answered.likely < told.answered.high);
    for seed in 1..20 {
        let other = run(&plan, &habits, seed);
        assert!(told.answered.low < other.answered && other.answered < told.answered.high);
    }
}
