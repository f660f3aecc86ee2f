//! How long a rehearsal of many contacts takes: `cargo run --release -p rehearsal --example ahead`.
#![expect(clippy::print_stdout, reason = "an example that measures tells what it measured")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base::{Id, Timestamp};
use calendar::{Period, WeeklyHours, Zone};
use call::OnAnswer;
use dialer::{Caps, Delays, LineFact, LineHealth, Rate, Rules};
use rehearsal::{Guest, Habits, Plan, forecast};

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn main() {
    let now = Timestamp::from_seconds(1_795_161_600);
    let rules = Rules {
        version: 1,
        line: Id::from_raw(1),
        on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
        zone: Zone::utc(),
        by_contact_zone: true,
        hours: WeeklyHours::usual().into(),
        batch: None,
        every_number: false,
        period: Period::default(),
        max_attempts: 3,
        concurrency: 200,
        rate: None,
        ring: Duration::from_secs(30),
        min_talk: Duration::ZERO,
        delays: Delays::default(),
        retry_short_talk: true,
        caps: Caps::default(),
        record: false,
        priority: 0,
        always_active: false,
    };
    for (guests, share) in [(10_000_u32, 1_u32), (100_000, 1), (100_000, 10)] {
        let plan = Plan {
            rules: Arc::new(rules.clone()),
            line: LineFact {
                id: Id::from_raw(1),
                channels: 500,
                rate: Rate::per_mille(50_000),
                enabled: true,
                health: LineHealth::Up,
                demo: None,
            },
            demo_line: false,
            now,
            horizon: now.plus(Duration::from_hours(24 * 60)),
            guests: (0..guests)
                .map(|n| Guest {
                    phone: format!("+38093{n:07}").parse().expect("E.164"),
                    zone: None,
                    due: now,
                    attempts: 0,
                })
                .collect(),
            share,
        };
        let began = Instant::now();
        let told = forecast(&plan, &Habits::usual(Duration::from_secs(25)), 1);
        let took = began.elapsed().as_secs_f64();
        let hours = told.finish.map(|finish| {
            [finish.low, finish.likely, finish.high]
                .map(|at| (at.since(now).as_secs_f64() / 3_600.0).round())
        });
        println!(
            "rehearsal of {} contacts in {took:.2} s: {} calls, finished after {hours:?} hours \
             (early, likely, late)",
            u64::from(guests) * u64::from(share),
            told.calls.likely,
        );
    }
}
