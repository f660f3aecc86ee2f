//! The world around the machine: callees, and rows that are kept at once.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque},
    sync::Arc,
    time::Duration,
};

use base::{
    Dice, Id, Machine as _, PhoneNumber, Timestamp,
    kind::{self, Attempt, CampaignContact},
};
use calendar::{Window, Zone};
use dialer::{
    Callee, Candidate, Consequence, ContactState, Dialer, Effect, Ending, Event, Finish, History,
    LineFact, LineHealth, LineSign, Next, NotClaimed, Permit, Policy, Purpose, Rate, Rules,
    Waiting, may_dial,
};

use crate::{Course, Habits, hour, place_of};

/// Somebody who will be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The number.
    pub phone: PhoneNumber,
    /// Their own zone.
    pub zone: Option<Zone>,
    /// When they may be called first.
    pub due: Timestamp,
    /// Attempts spent before.
    pub attempts: u32,
}

/// What is rehearsed.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The campaign's rules.
    pub rules: Arc<Rules>,
    /// Its line. That it is up is taken for granted.
    pub line: LineFact,
    /// Whether the line is the demo carrier's.
    pub demo_line: bool,
    /// When it starts, or goes on.
    pub now: Timestamp,
    /// When the rehearsal ends, finished or not.
    pub horizon: Timestamp,
    /// Who is called.
    pub guests: Vec<Guest>,
    /// How many contacts each guest stands for; at least 1.
    pub share: u32,
}

const CAMPAIGN: Id<kind::Campaign> = Id::from_raw(1);
const WEEK: Duration = Duration::from_hours(7 * 24);

struct State {
    attempts: u32,
    calls: Vec<Timestamp>,
    waits: Option<Timestamp>,
}

struct World<'a> {
    plan: &'a Plan,
    habits: &'a Habits,
    rules: Arc<Rules>,
    dialer: Dialer,
    dice: Dice,
    now: Timestamp,
    guests: Vec<State>,
    /// Who waits, by the moment at which they may be called.
    waiting: BTreeSet<(Timestamp, u32)>,
    open: BTreeMap<Id<Attempt>, u32>,
    ends: BinaryHeap<Reverse<(Timestamp, i64)>>,
    endings: BTreeMap<i64, Ending>,
    /// Windows by what they depend on.
    windows: BTreeMap<(String, Option<String>), Window>,
    work: VecDeque<Effect>,
    attempts: i64,
    left: u64,
    course: Course,
}

/// One course of events.
pub fn run(plan: &Plan, habits: &Habits, seed: u64) -> Course {
    let share = plan.share.max(1);
    let slower = |rate: Rate| Rate::per_mille(rate.thousandths().div_ceil(share));
    let mut rules = (*plan.rules).clone();
    rules.rate = rules.rate.map(slower);
    // Talks are longer by the same factor.
    rules.min_talk *= share;
    let rules = Arc::new(rules);
    let line = LineFact {
        enabled: true,
        health: LineHealth::Up,
        rate: slower(plan.line.rate),
        ..plan.line.clone()
    };
    let mut world = World {
        plan,
        habits,
        rules: Arc::clone(&rules),
        dialer: Dialer::new(),
        dice: Dice::new(seed),
        now: plan.now,
        guests: Vec::with_capacity(plan.guests.len()),
        waiting: BTreeSet::new(),
        open: BTreeMap::new(),
        ends: BinaryHeap::new(),
        endings: BTreeMap::new(),
        windows: BTreeMap::new(),
        work: VecDeque::new(),
        attempts: 0,
        left: plan.guests.len() as u64,
        course: Course::default(),
    };
    for (at, guest) in plan.guests.iter().enumerate() {
        world.waiting.insert((guest.due, at as u32));
        let (attempts, waits) = (guest.attempts, Some(guest.due));
        world.guests.push(State { attempts, calls: Vec::new(), waits });
    }
    world.give(Event::Lines(vec![line]));
    world.give(Event::Running {
        campaign: CAMPAIGN,
        rules,
        started_at: plan.now,
        preparing: false,
    });
    world.play();
    let Course { calls, answered, finish, left: _, hours } = world.course;
    let share = u64::from(share);
    Course {
        calls: calls * share,
        answered: answered * share,
        finish,
        left: world.left * share,
        hours: hours.into_iter().map(|(hour, calls)| (hour, calls * share)).collect(),
    }
}

impl World<'_> {
    fn play(&mut self) {
        loop {
            while let Some(effect) = self.work.pop_front() {
                self.carry_out(effect);
            }
            if self.left == 0 {
                self.course.finish = Some(self.now);
                return;
            }
            let end = self.ends.peek().map(|Reverse((at, _))| *at);
            let wake = self.dialer.next_wake();
            let Some(next) = [end, wake].into_iter().flatten().min() else { return };
            if next > self.plan.horizon {
                return;
            }
            self.now = self.now.max(next);
            if end.is_some_and(|end| end <= self.now) {
                self.end();
            } else {
                let mut effects = Vec::new();
                self.dialer.wake(self.now, &mut effects);
                self.work.extend(effects);
            }
        }
    }

    fn give(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.dialer.handle(self.now, event, &mut effects);
        self.work.extend(effects);
    }

    fn end(&mut self) {
        let Some(Reverse((_, raw))) = self.ends.pop() else { return };
        let Some(ending) = self.endings.remove(&raw) else { return };
        self.give(Event::Ended { attempt: Id::from_raw(raw), ending });
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Refill { campaign, n } => {
                let (batch, later) = self.candidates(n);
                self.give(Event::Candidates { campaign, batch, later });
            }
            Effect::Claim(claim) => {
                let Some(guest) = claim.contact.map(at) else { return };
                match self.ask(guest) {
                    Ok(_permit) => {
                        self.open.insert(claim.attempt, guest);
                        self.guests[guest as usize].calls.push(self.now);
                        self.give(Event::Claimed { attempt: claim.attempt });
                    }
                    Err(consequence) => {
                        let again_at = self.refuse(guest, consequence);
                        let because = NotClaimed::Refused { again_at };
                        self.give(Event::NotClaimed { attempt: claim.attempt, because });
                    }
                }
            }
            Effect::Place { attempt } => self.place(attempt),
            Effect::Return { contact, at: until, .. } => self.wait(at(contact), until),
            Effect::Finish(finish) => self.finish(&finish),
            Effect::Probe { line } => self.give(Event::Probed { line, answered: true }),
            // A line that is up gives nothing back, nobody withdraws a call, and who is left decides
            // when it is over.
            Effect::Withdraw { .. }
            | Effect::GiveBack { .. }
            | Effect::Complete { .. }
            | Effect::Drained => {}
        }
    }

    fn candidates(&mut self, n: u32) -> (Vec<Candidate>, Option<Timestamp>) {
        let mut batch = Vec::new();
        while batch.len() < n as usize
            && let Some((due, guest)) = self.waiting.first().copied()
        {
            if due > self.now {
                // Who waits for ever is not waited for.
                return (batch, Some(due).filter(|due| *due < Timestamp::MAX));
            }
            self.waiting.pop_first();
            self.guests[guest as usize].waits = None;
            self.attempts += 1;
            let known = &self.plan.guests[guest as usize];
            batch.push(Candidate {
                contact: contact(guest),
                attempt: Id::from_raw(self.attempts),
                phone: known.phone.clone(),
                history: History {
                    attempts: self.guests[guest as usize].attempts,
                    interrupted: false,
                    other_number: false,
                    zone: known.zone.clone(),
                },
            });
        }
        (batch, None)
    }

    fn ask(&mut self, guest: u32) -> Result<Permit, Consequence> {
        let known = &self.plan.guests[guest as usize];
        let state = &mut self.guests[guest as usize];
        let since = self.now.minus(WEEK);
        state.calls.retain(|at| *at > since);
        let newest: Vec<Timestamp> = state.calls.iter().rev().copied().collect();
        let rules = &self.rules;
        let window = self
            .windows
            .entry(place_of(&known.phone, known.zone.as_ref()))
            .or_insert_with(|| rules.window_of(&known.phone, known.zone.as_ref()));
        let callee = Callee {
            contact: Some(Waiting {
                state: ContactState::Callable,
                attempts: state.attempts,
                next_at: self.now,
            }),
            do_not_call: false,
            calls: &newest,
            window,
        };
        let policy = Policy {
            caps: rules.caps,
            max_attempts: rules.max_attempts,
            demo_line: self.plan.demo_line,
        };
        may_dial(&callee, &known.phone, Purpose::Campaign, self.now, &policy)
            .map_err(|refusal| refusal.consequence())
    }

    /// When the guest may be asked for again.
    fn refuse(&mut self, guest: u32, consequence: Consequence) -> Option<Timestamp> {
        match consequence {
            Consequence::WaitUntil(until) => {
                self.wait(guest, until);
                Some(until).filter(|until| *until < Timestamp::MAX)
            }
            Consequence::Become(_) => {
                self.left -= 1;
                None
            }
            Consequence::Nothing => None,
        }
    }

    fn wait(&mut self, guest: u32, until: Timestamp) {
        let state = &mut self.guests[guest as usize];
        if let Some(before) = state.waits.replace(until) {
            self.waiting.remove(&(before, guest));
        }
        self.waiting.insert((until, guest));
    }

    fn place(&mut self, attempt: Id<Attempt>) {
        self.give(Event::Invited { attempt });
        self.course.calls += 1;
        *self.course.hours.entry(hour(self.now)).or_default() += 1;
        let ring = self.plan.line.demo.unwrap_or_default().hasten(self.rules.ring);
        let (outcome, ring, talk) = self.habits.call(&mut self.dice, ring);
        let share = self.plan.share.max(1);
        let (ring, talk) = (ring * share, talk * share);
        let answered_at = (outcome == call::Outcome::Success).then(|| self.now.plus(ring));
        self.course.answered += u64::from(answered_at.is_some());
        let at = self.now.plus(ring).plus(talk);
        let ending = Ending { at, invited: true, answered_at, outcome, line: LineSign::Alive };
        self.ends.push(Reverse((at, attempt.raw())));
        self.endings.insert(attempt.raw(), ending);
    }

    fn finish(&mut self, finish: &Finish) {
        if let Some(guest) = self.open.remove(&finish.attempt) {
            self.guests[guest as usize].attempts += u32::from(finish.verdict.spent);
            match finish.verdict.next {
                Next::Retry { at, .. } => self.wait(guest, at),
                Next::Done { .. } => self.left -= 1,
            }
        }
        self.give(Event::Finished { attempt: finish.attempt });
    }
}

const fn at(contact: Id<CampaignContact>) -> u32 {
    (contact.raw() - 1) as u32
}

const fn contact(guest: u32) -> Id<CampaignContact> {
    Id::from_raw(guest as i64 + 1)
}
