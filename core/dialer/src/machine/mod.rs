//! The machine of one account: every limit, every line, every open attempt.
//!
//! Each event touches one campaign and one line. A campaign stands in its line's `ready` order
//! exactly while it could call at once if the line let it, so a decision looks at the first of that
//! order and never at the other campaigns.

mod attempt;
mod campaign;
mod claims;
mod endings;
mod line;
mod look;
mod print;
mod timer;

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc, time::Duration};

use base::{
    Id, Machine, PhoneNumber, Timestamp,
    kind::{self, Attempt as AttemptKind},
};

use attempt::Attempt;
pub use attempt::Stage;
use campaign::{Campaign, Work};
pub use claims::TestRefused;
pub use line::{FAULTS_OF_A_DEAD_LINE, PROBE_EVERY};
use line::{Line, Lines, Turn};
pub use timer::Timer;
use timer::Timers;

use crate::{Effect, Event, LineFact, LineSign, Pace, Rules, Shortage, Speed};

/// How long answered calls may go on after [`Event::Shutdown`].
pub const DRAIN_TIME: Duration = Duration::from_secs(30);

/// The dialler of one account. Its run-time and the simulated world drive the same machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialer {
    campaigns: BTreeMap<Id<kind::Campaign>, Campaign>,
    lines: Lines,
    attempts: BTreeMap<Id<AttemptKind>, Attempt>,
    /// Numbers with an open attempt: a phone is never called twice at once.
    numbers: BTreeMap<PhoneNumber, Id<AttemptKind>>,
    /// When campaigns that call in waves and are not here any more last called.
    waves: BTreeMap<Id<kind::Campaign>, Timestamp>,
    timers: Timers,
    writable: bool,
    shortage: Option<Shortage>,
    fenced: bool,
    drain: Option<Drain>,
}

/// The process is about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drain {
    /// Calls are still up.
    Waiting,
    /// Nothing is open; that was said.
    Over,
}

impl Default for Dialer {
    fn default() -> Self {
        Self {
            campaigns: BTreeMap::new(),
            lines: Lines::new(),
            attempts: BTreeMap::new(),
            numbers: BTreeMap::new(),
            waves: BTreeMap::new(),
            timers: Timers::default(),
            writable: true,
            shortage: None,
            fenced: false,
            drain: None,
        }
    }
}

impl Machine for Dialer {
    type Event = Event;
    type Effect = Effect;

    fn handle(&mut self, now: Timestamp, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::Running { campaign, rules, started_at, preparing } => {
                self.run(now, campaign, rules, started_at, preparing, effects);
            }
            Event::Paused { campaign } => self.leave(campaign, false, effects),
            Event::Stopped { campaign } => self.leave(campaign, true, effects),
            Event::Lines(facts) => self.learn_lines(now, facts, effects),
            Event::Work { campaign, at } | Event::GivenBack { campaign, at } => {
                self.hear_of_work(campaign, at);
                self.settle(now, campaign, effects);
            }
            Event::Candidates { campaign, batch, later } => {
                self.take_in(campaign, batch, later);
                self.settle(now, campaign, effects);
            }
            Event::RefillFailed { campaign } => {
                if let Some(campaign) = self.campaigns.get_mut(&campaign) {
                    campaign.work = Work::Unknown;
                }
                self.settle(now, campaign, effects);
            }
            Event::Test { attempt, campaign, rules, phone } => {
                self.test(now, attempt, campaign, rules, phone, effects);
            }
            Event::Claimed { attempt } => self.claimed(now, attempt, effects),
            Event::NotClaimed { attempt, because } => {
                self.not_claimed(now, attempt, because, effects);
            }
            Event::Invited { attempt } => self.advance(now, attempt, Stage::Dialling),
            Event::Ringing { attempt } => self.advance(now, attempt, Stage::Ringing),
            Event::Answered { attempt } => self.advance(now, attempt, Stage::Answered),
            Event::Ended { attempt, ending } => self.ended(now, attempt, ending, effects),
            Event::Finished { attempt } => self.finished(now, attempt, effects),
            Event::Probed { line, answered } => self.probed(now, line, answered, effects),
            Event::Store { writable } => {
                self.writable = writable;
                self.settle_all(now, effects);
            }
            Event::Disk { shortage } => {
                self.shortage = shortage;
                self.settle_all(now, effects);
            }
            Event::Fenced => {
                self.fenced = true;
                self.settle_all(now, effects);
            }
            Event::Shutdown => self.shut_down(now, effects),
        }
        self.say_drained(effects);
    }

    fn wake(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Window(campaign)
                | Timer::Work(campaign)
                | Timer::CampaignRate(campaign)
                | Timer::Wave(campaign) => self.settle(now, campaign, effects),
                Timer::LineRate(line) | Timer::LinePause(line) => self.pump(now, line, effects),
                Timer::Probe(line) => self.probe(now, line, effects),
                Timer::DrainOver => self.withdraw_all(effects),
            }
        }
        self.say_drained(effects);
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.timers.next()
    }
}

impl Dialer {
    /// A machine that knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes every line's rate as used up: other processes may have called until just now.
    pub(crate) fn assume_calls(&mut self, now: Timestamp) {
        for line in self.lines.values_mut() {
            line.pace = Pace::used_up(line.fact.rate, now);
        }
    }

    /// Takes the wave of which `last` was a call as whole: nobody counted its calls since.
    pub(crate) fn assume_wave(&mut self, campaign: Id<kind::Campaign>, last: Option<Timestamp>) {
        if let Some(campaign) = self.campaigns.get_mut(&campaign) {
            (campaign.wave, campaign.last_call) = (0, last);
        }
    }

    /// Whether it holds the attempt.
    pub fn holds(&self, attempt: Id<AttemptKind>) -> bool {
        self.attempts.contains_key(&attempt)
    }

    /// The open attempts of a campaign and how far each has come, test calls included.
    pub fn open(
        &self,
        campaign: Id<kind::Campaign>,
    ) -> impl Iterator<Item = (Id<AttemptKind>, Stage)> {
        self.campaigns
            .get(&campaign)
            .into_iter()
            .flat_map(|campaign| &campaign.open)
            .filter_map(|id| Some((*id, self.attempts.get(id)?.stage)))
    }

    /// The demo carrier's speed, when the line is one of its.
    fn demo_of(&self, line: Id<kind::Line>) -> Option<Speed> {
        self.lines.get(&line).and_then(|line| line.fact.demo)
    }

    /// How many calls of the account's campaigns use a line.
    pub fn in_use(&self, line: Id<kind::Line>) -> usize {
        self.lines.get(&line).map_or(0, |line| line.open.len())
    }

    fn run(
        &mut self,
        now: Timestamp,
        id: Id<kind::Campaign>,
        rules: Arc<Rules>,
        started_at: Timestamp,
        preparing: bool,
        effects: &mut Vec<Effect>,
    ) {
        self.unready(id);
        let campaign = self
            .campaigns
            .entry(id)
            .or_insert_with(|| Campaign::new(Arc::clone(&rules), started_at, now));
        campaign.last_call = campaign.last_call.or_else(|| self.waves.remove(&id));
        let old_line = campaign.rules.line;
        let was_running = std::mem::replace(&mut campaign.running, true);
        campaign.preparing = preparing;
        campaign.completing = false;
        if !was_running || campaign.rules != rules {
            // Whether and when a contact is due may depend on the rules.
            campaign.forget_queue();
        } else if let Work::Later(_) | Work::Nothing = campaign.work {
            campaign.work = Work::Unknown;
        }
        campaign.rules = rules;
        campaign.started_at = started_at;
        if campaign.rules.line != old_line {
            campaign.served = 0;
        }
        self.settle(now, id, effects);
    }

    fn leave(&mut self, id: Id<kind::Campaign>, withdraw: bool, effects: &mut Vec<Effect>) {
        self.unready(id);
        let Some(campaign) = self.campaigns.get_mut(&id) else { return };
        campaign.running = false;
        campaign.forget_queue();
        let open: Vec<_> = campaign.open.iter().copied().collect();
        let own = [Timer::Window(id), Timer::Work(id), Timer::CampaignRate(id), Timer::Wave(id)];
        for timer in own {
            self.timers.clear(timer);
        }
        if withdraw {
            for attempt in open {
                self.withdraw(attempt, false, effects);
            }
        }
        self.drop_if_idle(id);
    }

    fn drop_if_idle(&mut self, id: Id<kind::Campaign>) {
        if self.campaigns.get(&id).is_some_and(|c| !c.running && c.open.is_empty()) {
            let gone = self.campaigns.remove(&id);
            if let Some(campaign) = gone.filter(|campaign| campaign.rules.batch.is_some()) {
                self.waves.extend(campaign.last_call.map(|at| (id, at)));
            }
        }
    }

    fn learn_lines(&mut self, now: Timestamp, facts: Vec<LineFact>, effects: &mut Vec<Effect>) {
        for line in self.lines.values_mut() {
            line.present = false;
        }
        for fact in facts {
            let id = fact.id;
            if let Some(line) = self.lines.get_mut(&id) {
                let attempts = line.learn(fact, now);
                if !attempts.is_empty() {
                    effects.push(Effect::GiveBack { line: id, attempts });
                }
            } else {
                self.lines.insert(id, Line::new(fact, now));
                self.settle_those_on(now, id, effects);
            }
        }
        let lines: Vec<_> = self.lines.keys().copied().collect();
        for line in lines {
            self.pump(now, line, effects);
        }
    }

    /// Campaigns could not stand in the order of a line that was not known yet.
    fn settle_those_on(&mut self, now: Timestamp, line: Id<kind::Line>, effects: &mut Vec<Effect>) {
        let waiting: Vec<_> = self
            .campaigns
            .iter()
            .filter(|(_, campaign)| campaign.rules.line == line)
            .map(|(campaign, _)| *campaign)
            .collect();
        for campaign in waiting {
            self.settle(now, campaign, effects);
        }
    }

    fn probe(&mut self, now: Timestamp, id: Id<kind::Line>, effects: &mut Vec<Effect>) {
        if self.lines.get(&id).is_some_and(|line| line.present && line.is_dead()) {
            effects.push(Effect::Probe { line: id });
            self.timers.set(Timer::Probe(id), now.plus(PROBE_EVERY));
        }
    }

    fn probed(
        &mut self,
        now: Timestamp,
        id: Id<kind::Line>,
        answered: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(line) = self.lines.get_mut(&id).filter(|_| answered) else { return };
        line.answered_probe();
        self.pump(now, id, effects);
    }

    fn hear_of_work(&mut self, id: Id<kind::Campaign>, at: Timestamp) {
        if let Some(campaign) = self.campaigns.get_mut(&id) {
            campaign.work.hear(at);
            campaign.completing = false;
        }
    }

    fn take_in(
        &mut self,
        id: Id<kind::Campaign>,
        batch: Vec<crate::Candidate>,
        later: Option<Timestamp>,
    ) {
        let Some(campaign) = self.campaigns.get_mut(&id).filter(|campaign| campaign.running) else {
            return;
        };
        let Work::Asked { n, heard } = campaign.work else { return };
        campaign.work = if batch.len() >= n as usize {
            Work::Unknown
        } else {
            later.map_or(Work::Nothing, Work::Later)
        };
        if let Some(at) = heard {
            campaign.work.hear(at);
        }
        for candidate in batch {
            if campaign.held.insert(candidate.contact) {
                campaign.queue.push_back(candidate);
            }
        }
    }

    /// Brings everything about a campaign up to date after a change: its window, its stock, its
    /// place in the line's order, its end; then lets the line call.
    fn settle(&mut self, now: Timestamp, id: Id<kind::Campaign>, effects: &mut Vec<Effect>) {
        self.unready(id);
        let Some(campaign) = self.campaigns.get(&id) else { return };
        let line = campaign.rules.line;
        if campaign.running {
            self.look_at_window(now, id);
            self.refill(now, id, effects);
            self.complete(id, effects);
            self.make_ready(now, id);
        }
        self.pump(now, line, effects);
    }

    fn settle_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let campaigns: Vec<_> = self.campaigns.keys().copied().collect();
        for campaign in campaigns {
            self.settle(now, campaign, effects);
        }
    }

    /// A campaign whose contacts have hours of their own has an open window always: each contact's
    /// is looked at when its turn comes.
    fn look_at_window(&mut self, now: Timestamp, id: Id<kind::Campaign>) {
        let Some(campaign) = self.campaigns.get_mut(&id) else { return };
        if campaign.rules.by_contact_zone {
            campaign.in_window = true;
            return;
        }
        let window = campaign.rules.window();
        let turns = match window.next_open(now) {
            Some(opens) if opens <= now => {
                campaign.in_window = true;
                window.closes_at(now)
            }
            opens => {
                campaign.in_window = false;
                opens
            }
        };
        match turns {
            Some(at) => self.timers.set(Timer::Window(id), at),
            None => self.timers.clear(Timer::Window(id)),
        }
    }

    /// Whether new calls may be made at all.
    fn claims(&self) -> bool {
        self.writable && !self.fenced && self.drain.is_none()
    }

    fn refill(&mut self, now: Timestamp, id: Id<kind::Campaign>, effects: &mut Vec<Effect>) {
        let claims = self.claims();
        let Some(campaign) = self.campaigns.get_mut(&id) else { return };
        self.timers.clear(Timer::Work(id));
        if let Work::Later(at) = campaign.work {
            if at > now {
                if at < Timestamp::MAX {
                    self.timers.set(Timer::Work(id), at);
                }
                return;
            }
            campaign.work = Work::Unknown;
        }
        let low = campaign.queue.len() * 2 < campaign.stock();
        if campaign.work == Work::Unknown && low && campaign.in_window && claims {
            // Those that are held come again, because their rows still wait.
            let n = (campaign.stock() + campaign.held.len()) as u32;
            campaign.work = Work::Asked { n, heard: None };
            effects.push(Effect::Refill { campaign: id, n });
        }
    }

    /// Completed automatically when nobody is callable or planned, unless it is to wait for more.
    fn complete(&mut self, id: Id<kind::Campaign>, effects: &mut Vec<Effect>) {
        if !self.claims() {
            return;
        }
        let Some(campaign) = self.campaigns.get_mut(&id) else { return };
        let over = campaign.work == Work::Nothing
            && campaign.queue.is_empty()
            && campaign.held.is_empty()
            && campaign.attempts() == 0
            && !campaign.preparing
            && !campaign.rules.always_active;
        if over && !campaign.completing {
            campaign.completing = true;
            effects.push(Effect::Complete { campaign: id });
        }
    }

    /// Puts a campaign into its line's order if it could call at once.
    fn make_ready(&mut self, now: Timestamp, id: Id<kind::Campaign>) {
        let disk_low = self.shortage.is_some();
        let Some(campaign) = self.campaigns.get_mut(&id) else { return };
        let Some(line) = self.lines.get_mut(&campaign.rules.line) else { return };
        let may = campaign.running
            && campaign.in_window
            && !campaign.queue.is_empty()
            && campaign.calls() < campaign.rules.concurrency as usize
            && !(disk_low && campaign.rules.record);
        if !may {
            return;
        }
        if let Some(rate) = campaign.rules.rate {
            let free_at = campaign.pace.free_at(rate);
            if free_at > now {
                self.timers.set(Timer::CampaignRate(id), free_at);
                return;
            }
        }
        if let Some(at) = campaign.wave_at()
            && at > now
        {
            self.timers.set(Timer::Wave(id), at);
            return;
        }
        campaign.served = campaign.served.max(line.level);
        line.ready.insert(Turn {
            served: campaign.served,
            priority: Reverse(campaign.rules.priority),
            started_at: campaign.started_at,
            campaign: id,
        });
    }

    /// Takes a campaign out of its line's order.
    fn unready(&mut self, id: Id<kind::Campaign>) {
        let Some(campaign) = self.campaigns.get(&id) else { return };
        if let Some(line) = self.lines.get_mut(&campaign.rules.line) {
            line.ready.remove(&Turn {
                served: campaign.served,
                priority: Reverse(campaign.rules.priority),
                started_at: campaign.started_at,
                campaign: id,
            });
        }
    }

    fn shut_down(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.drain.is_some() {
            return;
        }
        self.drain = Some(Drain::Waiting);
        self.timers.set(Timer::DrainOver, now.plus(DRAIN_TIME));
        let attempts: Vec<_> = self.attempts.keys().copied().collect();
        for attempt in attempts {
            self.withdraw(attempt, false, effects);
        }
    }

    fn withdraw_all(&mut self, effects: &mut Vec<Effect>) {
        let attempts: Vec<_> = self.attempts.keys().copied().collect();
        for attempt in attempts {
            self.withdraw(attempt, true, effects);
        }
    }

    fn say_drained(&mut self, effects: &mut Vec<Effect>) {
        if self.drain == Some(Drain::Waiting) && self.attempts.is_empty() {
            self.drain = Some(Drain::Over);
            self.timers.clear(Timer::DrainOver);
            effects.push(Effect::Drained);
        }
    }
}
