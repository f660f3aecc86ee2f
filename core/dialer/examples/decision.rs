//! How long one decision takes with a thousand running campaigns over a million contacts.
#![expect(clippy::print_stdout, reason = "an example that measures tells what it measured")]

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use base::{Dice, Id, Machine as _, Timestamp};
use calendar::{Period, WeeklyHours, Zone};
use call::{OnAnswer, Outcome};
use dialer::{
    Candidate, Caps, Delays, Dialer, Effect, Ending, Event, History, LineFact, LineHealth,
    LineSign, Rate, Rules, defaults,
};

const CAMPAIGNS: i64 = 1_000;
const CONTACTS_EACH: u32 = 1_000;
const CHANNELS: u32 = 1_000;
const CALLS: usize = 200_000;

struct Bench {
    dialer: Dialer,
    now: Timestamp,
    left: Vec<u32>,
    ids: i64,
    work: VecDeque<Effect>,
    up: VecDeque<(Timestamp, i64)>,
    spent: Vec<u64>,
}

impl Bench {
    /// Hands one event in and takes down how long the machine thought.
    fn give(&mut self, event: Event) {
        let mut effects = Vec::new();
        let began = instant();
        self.dialer.handle(self.now, event, &mut effects);
        self.spent.push(began.elapsed().as_nanos() as u64);
        self.work.extend(effects);
    }

    fn wake(&mut self) {
        let mut effects = Vec::new();
        let began = instant();
        self.dialer.wake(self.now, &mut effects);
        self.spent.push(began.elapsed().as_nanos() as u64);
        self.work.extend(effects);
    }

    fn candidates(&mut self, campaign: i64, n: u32) -> Vec<Candidate> {
        let left = &mut self.left[campaign as usize];
        let n = n.min(*left);
        *left -= n;
        (0..n)
            .map(|_| {
                self.ids += 1;
                Candidate {
                    contact: Id::from_raw(self.ids),
                    attempt: Id::from_raw(self.ids),
                    phone: format!("+38093{:07}", self.ids % 10_000_000).parse().expect("E.164"),
                    history: History {
                        attempts: 0,
                        interrupted: false,
                        other_number: false,
                        zone: None,
                    },
                }
            })
            .collect()
    }

    /// Does at once what the machine wants, as a world without any delay would.
    fn carry_out(&mut self, dice: &mut Dice) -> usize {
        let mut calls = 0;
        while let Some(effect) = self.work.pop_front() {
            match effect {
                Effect::Refill { campaign, n } => {
                    let batch = self.candidates(campaign.raw(), n);
                    self.give(Event::Candidates { campaign, batch, later: None });
                }
                Effect::Claim(claim) => self.give(Event::Claimed { attempt: claim.attempt }),
                Effect::Place { attempt } => {
                    self.give(Event::Invited { attempt });
                    let span = Duration::from_millis(500 + dice.roll(10_000));
                    self.up.push_back((self.now.plus(span), attempt.raw()));
                    calls += 1;
                }
                Effect::Finish(finish) => self.give(Event::Finished { attempt: finish.attempt }),
                Effect::Withdraw { .. }
                | Effect::Return { .. }
                | Effect::GiveBack { .. }
                | Effect::Probe { .. }
                | Effect::Complete { .. }
                | Effect::Drained => {}
            }
        }
        calls
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this is for")]
fn instant() -> Instant {
    Instant::now()
}

fn rules(campaign: i64) -> Rules {
    Rules {
        version: 1,
        line: Id::from_raw(1),
        on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
        zone: "UTC".parse::<Zone>().expect("UTC is a zone"),
        by_contact_zone: true,
        hours: WeeklyHours::usual().into(),
        batch: None,
        every_number: false,
        period: Period::default(),
        max_attempts: defaults::MAX_ATTEMPTS,
        concurrency: 5,
        rate: None,
        ring: defaults::RING,
        min_talk: Duration::ZERO,
        delays: Delays::default(),
        retry_short_talk: true,
        caps: Caps::default(),
        record: false,
        priority: (campaign % 3) as i32,
        always_active: false,
    }
}

fn main() {
    // A Wednesday at noon: the usual hours are open.
    let now = Timestamp::from_seconds(1_795_003_200);
    let mut bench = Bench {
        dialer: Dialer::new(),
        now,
        left: vec![CONTACTS_EACH; CAMPAIGNS as usize + 1],
        ids: 0,
        work: VecDeque::new(),
        up: VecDeque::new(),
        spent: Vec::new(),
    };
    let mut dice = Dice::new(1);
    let line = LineFact {
        id: Id::from_raw(1),
        channels: CHANNELS,
        rate: Rate::per_mille(1_000_000),
        enabled: true,
        health: LineHealth::Up,
        demo: None,
    };
    bench.give(Event::Lines(vec![line]));
    for campaign in 1..=CAMPAIGNS {
        let rules = Arc::new(rules(campaign));
        let campaign = Id::from_raw(campaign);
        bench.give(Event::Running { campaign, rules, started_at: now, preparing: false });
    }
    bench.spent.clear();
    let mut calls = bench.carry_out(&mut dice);
    while calls < CALLS {
        bench.now = bench.now.plus(Duration::from_millis(1));
        while bench.up.front().is_some_and(|(at, _)| *at <= bench.now) {
            let Some((_, attempt)) = bench.up.pop_front() else { break };
            let at = bench.now;
            let ending = Ending {
                at,
                invited: true,
                answered_at: Some(at),
                outcome: Outcome::Success,
                line: LineSign::Alive,
            };
            bench.give(Event::Ended { attempt: Id::from_raw(attempt), ending });
        }
        if bench.dialer.next_wake().is_some_and(|at| at <= bench.now) {
            bench.wake();
        }
        let placed = bench.carry_out(&mut dice);
        calls += placed;
        if placed == 0 && bench.up.is_empty() && bench.left.iter().skip(1).all(|left| *left == 0) {
            break;
        }
    }
    bench.spent.sort_unstable();
    let at = |share: f64| {
        bench.spent[((bench.spent.len() as f64 - 1.0) * share) as usize] as f64 / 1_000.0
    };
    let sum: u64 = bench.spent.iter().sum();
    println!(
        "dialler: {CAMPAIGNS} campaigns, {} contacts, {calls} calls: {} decisions, \
         p50 {:.1} µs, p99 {:.1} µs, max {:.0} µs; {:.1} µs per call in all",
        CAMPAIGNS * i64::from(CONTACTS_EACH),
        bench.spent.len(),
        at(0.5),
        at(0.99),
        at(1.0),
        sum as f64 / 1_000.0 / calls as f64,
    );
}
