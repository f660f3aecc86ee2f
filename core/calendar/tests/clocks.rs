//! Windows over days on which clocks are turned, against a minute-by-minute reference.

use std::time::Duration;

use base::Timestamp;
use calendar::{
    Date, Exception, Hours, Interval, Period, TimeOfDay, WeeklyHours, Window, Zone, zones_for,
};
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_mins(1);

/// Zones whose clocks turn by an hour, by half an hour, at midnight, southwards, or never; with a
/// moment near a turn of 2026.
const TURNS: &[(&str, &str)] = &[
    ("Europe/Kyiv", "2026-03-29T00:30:00Z"),
    ("Europe/Kyiv", "2026-10-25T00:30:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T14:30:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:00:00Z"),
    ("Africa/Cairo", "2026-04-23T21:00:00Z"),
    ("Africa/Cairo", "2026-10-29T20:30:00Z"),
    ("America/New_York", "2026-03-08T06:30:00Z"),
    ("America/New_York", "2026-11-01T05:30:00Z"),
    ("Asia/Tashkent", "2026-11-20T08:00:00Z"),
];

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::from_seconds(text.parse::<jiff::Timestamp>().unwrap().as_second())
}

fn hours(from: &str, to: &str) -> WeeklyHours {
    let day = vec![Interval(from.parse().unwrap(), to.parse().unwrap())];
    WeeklyHours {
        mon: day.clone(),
        tue: day.clone(),
        wed: day.clone(),
        thu: day.clone(),
        fri: day.clone(),
        sat: day.clone(),
        sun: day,
    }
}

fn window(name: &str, hours: WeeklyHours) -> Window {
    Window::new(vec![zone(name)], hours, Period::default())
}

#[test]
fn alo_02_monday_to_friday_nine_to_six_starts_nothing_on_saturday_or_at_six() {
    let day = vec![Interval("09:00".parse().unwrap(), "18:00".parse().unwrap())];
    let week = WeeklyHours {
        mon: day.clone(),
        tue: day.clone(),
        wed: day.clone(),
        thu: day.clone(),
        fri: day,
        ..WeeklyHours::default()
    };
    let window = window("Asia/Tashkent", week);
    // 2026-11-20 is a Friday; Tashkent is five hours ahead of UTC.
    assert!(window.is_open(moment("2026-11-20T12:59:59Z")));
    assert!(!window.is_open(moment("2026-11-20T13:00:00Z")));
    assert!(!window.is_open(moment("2026-11-21T07:00:00Z")));
    let monday = moment("2026-11-23T04:00:00Z");
    assert_eq!(window.next_open(moment("2026-11-20T13:00:00Z")), Some(monday));
    assert_eq!(window.closes_at(monday), Some(moment("2026-11-23T13:00:00Z")));
}

#[test]
fn an_hour_that_is_skipped_opens_nothing_and_one_that_is_repeated_opens_twice() {
    // Kyiv, 29 March 2026: 03:00 is followed by 04:00.
    let skipped = window("Europe/Kyiv", hours("03:00", "04:00"));
    let before = moment("2026-03-29T00:59:59Z");
    assert_eq!(skipped.next_open(before), Some(moment("2026-03-30T00:00:00Z")));
    // Half of it: the window opens when the clock first shows a time in it.
    let halved = window("Europe/Kyiv", hours("03:30", "05:00"));
    assert_eq!(halved.next_open(before), Some(moment("2026-03-29T01:00:00Z")));
    // 25 October 2026: 04:00 is followed by 03:00.
    let repeated = window("Europe/Kyiv", hours("03:15", "03:45"));
    let first = moment("2026-10-25T00:15:00Z");
    assert_eq!(repeated.next_open(moment("2026-10-24T22:00:00Z")), Some(first));
    let shut = repeated.closes_at(first).unwrap();
    assert_eq!(shut, moment("2026-10-25T00:45:00Z"));
    assert_eq!(repeated.next_open(shut), Some(moment("2026-10-25T01:15:00Z")));
}

#[test]
fn a_period_ends_with_its_last_day_in_the_zone() {
    let period = Period { from: Date::new(2026, 11, 23), to: Date::new(2027, 2, 1) };
    let always = Window::new(vec![zone("Europe/Kyiv")], WeeklyHours::always(), period);
    let first = moment("2026-11-22T22:00:00Z");
    assert_eq!(always.next_open(moment("2026-11-01T00:00:00Z")), Some(first));
    let last = moment("2027-02-01T22:00:00Z");
    assert_eq!(always.closes_at(first), Some(last));
    assert_eq!(always.next_open(last), None);
    assert!(always.is_over(last) && !always.is_over(first));
    let open = Window::new(vec![zone("Europe/Kyiv")], WeeklyHours::always(), Period::default());
    assert_eq!(open.closes_at(first), None);
}

#[test]
fn nova_86_on_a_dated_exception_other_hours_hold_or_none() {
    let date = |text: &str| text.parse::<Date>().unwrap();
    let short = vec![Interval("10:00".parse().unwrap(), "12:00".parse().unwrap())];
    let exceptions = vec![
        // A week of holidays, then a Sunday on which somebody works.
        Exception { date: date("2026-12-31"), hours: short.clone() },
        Exception { date: date("2027-01-01"), hours: Vec::new() },
        Exception { date: date("2027-01-02"), hours: Vec::new() },
        Exception { date: date("2027-01-04"), hours: Vec::new() },
        Exception { date: date("2027-01-10"), hours: short },
    ];
    let hours = Hours { week: WeeklyHours::usual(), exceptions };
    assert_eq!(hours.check(), Ok(()));
    let window = Window::new(vec![zone("Asia/Tashkent")], hours, Period::default());
    // 10 to 12 in Tashkent on the 31st.
    assert_eq!(
        window.next_open(moment("2026-12-30T16:00:00Z")),
        Some(moment("2026-12-31T05:00:00Z"))
    );
    assert_eq!(
        window.closes_at(moment("2026-12-31T05:00:00Z")),
        Some(moment("2026-12-31T07:00:00Z"))
    );
    assert_eq!(
        window.next_open(moment("2026-12-31T07:00:00Z")),
        Some(moment("2027-01-05T04:00:00Z"))
    );
    assert!(window.is_open(moment("2027-01-10T05:30:00Z")), "a Sunday");
    assert!(!window.is_open(moment("2027-01-17T05:30:00Z")), "another one");
}

#[test]
fn an_exception_far_ahead_opens_a_week_that_is_else_shut() {
    let far = Exception {
        date: "2027-06-01".parse().unwrap(),
        hours: vec![Interval("10:00".parse().unwrap(), "12:00".parse().unwrap())],
    };
    let hours = Hours { week: WeeklyHours::default(), exceptions: vec![far] };
    let window = Window::new(vec![zone("Europe/Kyiv")], hours, Period::default());
    let opens = moment("2027-06-01T07:00:00Z");
    assert_eq!(window.next_open(moment("2026-11-20T08:00:00Z")), Some(opens));
    assert_eq!(window.next_open(moment("2027-06-01T09:00:00Z")), None);
}

#[test]
fn more_hours_on_top_narrow_a_window() {
    let own = std::sync::Arc::new(hours("18:00", "22:00").into());
    let window = window("Europe/Kyiv", WeeklyHours::usual()).and(vec![zone("Asia/Tashkent")], &own);
    // 20:00 in Kyiv is 23:00 in Tashkent, whose 18:00 is 15:00 in Kyiv.
    let opens = window.next_open(moment("2026-11-20T00:00:00Z")).unwrap();
    assert_eq!(opens, moment("2026-11-20T13:00:00Z"));
    assert_eq!(window.closes_at(opens), Some(moment("2026-11-20T17:00:00Z")));
}

#[test]
fn a_contact_without_a_zone_follows_its_number_then_the_campaign() {
    let home = zone("Europe/Kyiv");
    let own = zone("Asia/Tashkent");
    let number = |text: &str| text.parse().unwrap();
    let zones = |own, phone, by| zones_for(own, &number(phone), &home, by);
    assert_eq!(zones(Some(&own), "+380931234567", true), [zone("Asia/Tashkent")]);
    assert_eq!(zones(None, "+84912345678", true), [zone("Asia/Ho_Chi_Minh")]);
    assert_eq!(zones(None, "+84912345678", false), [zone("Europe/Kyiv")]);
    assert_eq!(zones(None, "+99912345678", true), [zone("Europe/Kyiv")]);
    // From New York's 9 to Honolulu's 20 the hours are open everywhere in between only from
    // Adak's 9 to St John's 20.
    let nanp =
        Window::new(zones(None, "+12125550100", true), WeeklyHours::usual(), Period::default());
    let opens = nanp.next_open(moment("2026-11-23T00:00:00Z")).unwrap();
    assert_eq!(opens, moment("2026-11-23T19:00:00Z"));
    assert_eq!(nanp.closes_at(opens), Some(moment("2026-11-23T23:30:00Z")));
    // A week that no two of the zones share never opens, and is found out in bounded time.
    let narrow = Window::new(
        vec![own, zone("America/New_York")],
        hours("09:00", "10:00"),
        Period::default(),
    );
    assert_eq!(narrow.next_open(moment("2026-11-23T00:00:00Z")), None);
}

fn any_hours() -> impl Strategy<Value = WeeklyHours> {
    let day = prop::collection::btree_set(0_u16..=96, 0..5).prop_map(|edges| {
        let times: Vec<_> = edges
            .into_iter()
            .map(|quarter| TimeOfDay::new(quarter / 4, quarter % 4 * 15).unwrap())
            .collect();
        times.chunks_exact(2).map(|pair| Interval(pair[0], pair[1])).collect::<Vec<_>>()
    });
    prop::array::uniform7(day).prop_map(|[mon, tue, wed, thu, fri, sat, sun]| WeeklyHours {
        mon,
        tue,
        wed,
        thu,
        fri,
        sat,
        sun,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn opening_and_closing_agree_with_asking_every_minute(
        turn in 0..TURNS.len(),
        lead in 0_u64..4_320,
        second in 0_u64..60,
        hours in any_hours(),
    ) {
        let (name, near) = TURNS[turn];
        let window = window(name, hours);
        let start = moment(near).minus(MINUTE * lead as u32).plus(Duration::from_secs(second));
        // All edges lie on whole minutes, so asking at each whole minute misses none.
        let whole = Timestamp::from_seconds(start.seconds().div_euclid(60) * 60);
        let ask = |wish: bool| {
            std::iter::once(start)
                .chain((1..8 * 1_440).map(|minute| whole.plus(MINUTE * minute)))
                .find(|at| window.is_open(*at) == wish)
        };
        if let Some(opens) = ask(true) {
            prop_assert_eq!(window.next_open(start), Some(opens));
        }
        if let Some(shuts) = ask(false) {
            prop_assert_eq!(window.closes_at(start), Some(shuts));
        }
    }

    #[test]
    fn a_window_is_open_when_it_says_that_it_opens_and_shut_when_it_closes(
        country in prop::sample::select(vec!["+12125550100", "+79161234567", "+61212345678"]),
        lead in 0_u64..31_536_000,
        hours in any_hours(),
    ) {
        let zones = zones_for(None, &country.parse().unwrap(), &Zone::utc(), true);
        let window = Window::new(zones, hours, Period::default());
        let start = moment("2026-01-01T00:00:00Z").plus(Duration::from_secs(lead));
        if let Some(opens) = window.next_open(start) {
            prop_assert!(opens >= start && window.is_open(opens));
            prop_assert!(opens == start || !window.is_open(opens.minus(Duration::from_secs(1))));
            if let Some(shuts) = window.closes_at(opens) {
                prop_assert!(shuts > opens && !window.is_open(shuts));
                prop_assert!(window.is_open(shuts.minus(Duration::from_secs(1))));
            }
        } else {
            for hour in 0..24 * 7 {
                prop_assert!(!window.is_open(start.plus(MINUTE * 60 * hour)));
            }
        }
    }
}
