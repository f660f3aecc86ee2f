//! The world: time, chance, the process, and everything that can go wrong with it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use base::{
    Dice, Id, IdMaker, Machine, PhoneNumber, Timestamp,
    kind::{Attempt, Campaign, Line},
};
use calendar::{Period, WeeklyHours, Window};
use call::{OnAnswer, Outcome};
use dialer::{
    Batch, Callee, CampaignState, Caps, Claim, ContactState, Delays, Dialer, Effect, Ending, Event,
    Finish, LineFact, LineHealth, LineSign, NotClaimed, Permit, Policy, Rate, Rules, may_dial,
    restore,
};

use crate::{
    Plant, Report, Violation,
    network::{Leg, Manner, Network},
    rows::{CampaignRow, ContactRow, Rows},
    rules::Rule,
};

/// Something that is going to happen.
#[derive(Debug, Clone)]
enum Item {
    /// The machine of one process hears of something.
    Hear(u64, Event),
    /// The answer to a commit was lost: the process reads the row again.
    ReRead(u64, Box<Claim>),
    /// The end of an attempt is committed, or tried again.
    Commit(u64, Box<Finish>),
    /// The phone of a leg rings.
    Rings(Id<Attempt>),
    /// The phone of a leg does what it does.
    Shows(Id<Attempt>),
    /// A leg is over.
    Over(Id<Attempt>, Outcome, LineSign),
    /// The process comes up again.
    Boot,
    /// Legs of dead processes are hung up.
    HangUp,
    /// Something goes wrong, or somebody does something.
    Mischief,
    /// What went wrong with the line is over.
    LineMended,
    /// The database is back.
    StoreBack,
    /// Others leave the line.
    OthersLeave,
    /// A paused campaign goes on.
    Resume(Id<Campaign>),
}

impl Item {
    /// What it is, without the rules that it carries along.
    fn gist(&self) -> String {
        match self {
            Self::Hear(boot, Event::Candidates { campaign, batch, later }) => {
                format!("{boot} candidates {campaign} {} {later:?}", batch.len())
            }
            Self::ReRead(boot, claim) => format!("{boot} re-read {}", claim.attempt),
            other @ (Self::Hear(..)
            | Self::Commit(..)
            | Self::Rings(_)
            | Self::Shows(_)
            | Self::Over(..)
            | Self::Boot
            | Self::HangUp
            | Self::Mischief
            | Self::LineMended
            | Self::StoreBack
            | Self::OthersLeave
            | Self::Resume(_)) => format!("{other:?}"),
        }
    }
}

fn gist(effect: &Effect) -> String {
    if let Effect::Claim(claim) = effect {
        format!("claim {} {:?} {} {}", claim.attempt, claim.contact, claim.phone, claim.line)
    } else {
        format!("{effect:?}")
    }
}

pub(crate) struct World {
    seed: u64,
    plant: Option<Plant>,
    dice: Dice,
    ids: IdMaker,
    pub(crate) now: Timestamp,
    pub(crate) rows: Rows,
    pub(crate) network: Network,
    pub(crate) dialer: Option<Dialer>,
    pub(crate) boot: u64,
    pub(crate) up_since: Timestamp,
    /// How long the database was away since then.
    pub(crate) store_away: Duration,
    permits: BTreeMap<Id<Attempt>, (Permit, Claim)>,
    inbox: BTreeMap<(Timestamp, u64), Item>,
    sequence: u64,
    pub(crate) true_line: LineFact,
    pub(crate) true_rules: BTreeMap<(Id<Campaign>, i64), Arc<Rules>>,
    pub(crate) others: u32,
    line_alive: bool,
    store_up: bool,
    pub(crate) calm_at: Timestamp,
    steps: u64,
    crashes: u64,
    hash: u64,
}

/// More than any story needs.
const MOST_STEPS: u64 = 200_000;
/// Within this long after the faults stop everything must drain.
const LIVENESS: Duration = Duration::from_hours(24 * 40);

impl World {
    pub(crate) fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut dice = Dice::new(seed);
        // A few days before clocks are turned in Europe, or in November.
        let start = [1_774_569_600, 1_792_713_600, 1_795_161_600][dice.roll(3) as usize];
        let now = Timestamp::from_seconds(start + dice.roll(3 * 86_400) as i64);
        let true_line = LineFact {
            id: Id::from_raw(1),
            channels: 2 + dice.roll(5) as u32,
            rate: Rate::per_mille([500, 1_000, 3_000, 20_000][dice.roll(4) as usize]),
            enabled: true,
            health: LineHealth::Up,
            demo: None,
        };
        let mut world = Self {
            seed,
            plant,
            ids: IdMaker::new(0),
            now,
            rows: Rows::default(),
            network: Network::default(),
            dialer: None,
            boot: 0,
            up_since: now,
            store_away: Duration::ZERO,
            permits: BTreeMap::new(),
            inbox: BTreeMap::new(),
            sequence: 0,
            true_line,
            true_rules: BTreeMap::new(),
            others: 0,
            line_alive: true,
            store_up: true,
            calm_at: now.plus(Duration::from_hours(2 + dice.roll(80))),
            steps: 0,
            crashes: 0,
            hash: 0xcbf2_9ce4_8422_2325,
            dice,
        };
        for n in 1..=3 {
            world.add_campaign(Id::from_raw(n), n);
        }
        world.later(0, Item::Boot);
        world.later(20_000, Item::Mischief);
        world
    }

    pub(crate) fn play(mut self) -> Result<Report, Violation> {
        let started = self.now;
        while let Some(at) = self.next() {
            if self.is_calm(self.now) && self.is_drained() {
                break;
            }
            if self.steps >= MOST_STEPS || at > self.calm_at.plus(LIVENESS) {
                break;
            }
            self.now = self.now.max(at);
            self.steps += 1;
            self.step().and_then(|()| self.judge()).map_err(|broken| self.violation(broken))?;
        }
        self.judge_drained().map_err(|broken| self.violation(broken))?;
        Ok(Report {
            hash: self.hash,
            steps: self.steps,
            calls: self.network.calls,
            crashes: self.crashes,
            seconds: self.now.since(started).as_secs(),
        })
    }

    fn violation(&self, (id, text): (Rule, String)) -> Violation {
        Violation { id, step: self.steps, text: format!("seed {}: {text}", self.seed) }
    }

    fn is_drained(&self) -> bool {
        self.network.legs.is_empty()
            && self.rows.open.is_empty()
            && self
                .rows
                .campaigns
                .values()
                .all(|row| matches!(row.state, CampaignState::Completed | CampaignState::Stopped))
    }

    fn next(&self) -> Option<Timestamp> {
        let inbox = self.inbox.first_key_value().map(|((at, _), _)| *at);
        let wake = self.dialer.as_ref().and_then(Machine::next_wake);
        inbox.into_iter().chain(wake).min()
    }

    fn step(&mut self) -> Result<(), (Rule, String)> {
        let due = self.inbox.first_entry().filter(|entry| entry.key().0 <= self.now);
        if let Some(entry) = due {
            let item = entry.remove();
            self.note(&item.gist());
            return self.happen(item);
        }
        let mut effects = Vec::new();
        if let Some(dialer) = &mut self.dialer {
            dialer.wake(self.now, &mut effects);
        }
        self.obey(effects)
    }

    /// FNV-1a over the story so far.
    fn note(&mut self, text: &str) {
        for byte in self.now.micros().to_le_bytes().into_iter().chain(text.bytes()) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn later(&mut self, millis: u64, item: Item) {
        self.sequence += 1;
        self.inbox.insert((self.now.plus(Duration::from_millis(millis)), self.sequence), item);
    }

    fn calm(&self) -> bool {
        self.is_calm(self.now)
    }

    fn faulty(&mut self, percent: u64) -> bool {
        let chance = self.dice.chance(percent);
        chance && !self.calm()
    }

    fn happen(&mut self, item: Item) -> Result<(), (Rule, String)> {
        match item {
            Item::Hear(boot, event) => {
                if boot == self.boot && self.dialer.is_some() {
                    return self.tell(event);
                }
            }
            Item::ReRead(boot, claim) => return self.re_read(boot, *claim),
            Item::Commit(boot, finish) => return self.commit(boot, *finish),
            Item::Rings(attempt) => {
                if let Some(leg) = self.network.legs.get(&attempt) {
                    self.report(leg.boot, Event::Ringing { attempt });
                }
            }
            Item::Shows(attempt) => self.show(attempt),
            Item::Over(attempt, outcome, line) => {
                // It is we who hang up: when our process is dead, nobody does.
                let alive = self.dialer.is_some()
                    && self.network.legs.get(&attempt).is_some_and(|leg| leg.boot == self.boot);
                if alive {
                    self.end_leg(attempt, outcome, line);
                }
            }
            Item::Boot => return self.boot(),
            Item::HangUp => {
                let boot = self.boot;
                self.network.legs.retain(|_, leg| leg.boot == boot);
            }
            Item::Mischief => return self.mischief(),
            Item::LineMended => {
                self.line_alive = true;
                self.true_line.health = LineHealth::Up;
                return self.tell_lines();
            }
            Item::StoreBack => {
                self.store_up = true;
                return self.tell(Event::Store { writable: true });
            }
            Item::OthersLeave => self.others = 0,
            Item::Resume(campaign) => {
                if self.rows.campaigns[&campaign].state == CampaignState::Paused {
                    self.set_state(campaign, CampaignState::Running);
                    return self.tell_running(campaign);
                }
            }
        }
        Ok(())
    }

    /// The machine takes in an event, and what it wishes is done.
    fn tell(&mut self, event: Event) -> Result<(), (Rule, String)> {
        let mut effects = Vec::new();
        if let Some(dialer) = &mut self.dialer {
            dialer.handle(self.now, event, &mut effects);
        }
        self.obey(effects)
    }

    fn obey(&mut self, effects: Vec<Effect>) -> Result<(), (Rule, String)> {
        for effect in effects {
            self.note(&gist(&effect));
            match effect {
                Effect::Refill { campaign, n } => self.refill(campaign, n),
                Effect::Claim(claim) => self.claim(*claim)?,
                Effect::Place { attempt } => self.place(attempt)?,
                Effect::Withdraw { attempt } => self.withdraw(attempt),
                Effect::Return { contact, at, .. } => {
                    if let Some(row) = self.rows.contacts.get_mut(&contact)
                        && self.store_up
                        && row.state == ContactState::Callable
                    {
                        row.next_at = at;
                    }
                }
                Effect::Finish(finish) => {
                    self.permits.remove(&finish.attempt);
                    let (wait, boot) = (self.dice.roll(60), self.boot);
                    self.later(wait, Item::Commit(boot, finish));
                }
                Effect::GiveBack { attempts, .. } => {
                    let now = self.now;
                    for (campaign, at) in self.rows.give_back(&attempts, now) {
                        self.hear(5, Event::GivenBack { campaign, at });
                    }
                }
                Effect::Probe { line } => {
                    let answered = self.line_alive;
                    self.hear(200, Event::Probed { line, answered });
                }
                Effect::Complete { campaign } => self.complete(campaign),
                Effect::Drained => {}
            }
        }
        Ok(())
    }

    /// The living machine will hear of `event`.
    fn hear(&mut self, most_millis: u64, event: Event) {
        let (wait, boot) = (self.dice.roll(most_millis), self.boot);
        self.later(wait, Item::Hear(boot, event));
    }

    /// Progress of a call, perhaps late, perhaps twice.
    fn report(&mut self, boot: u64, event: Event) {
        if self.faulty(10) {
            let wait = self.dice.roll(30_000);
            self.later(wait, Item::Hear(boot, event.clone()));
        }
        self.later(0, Item::Hear(boot, event));
    }

    fn refill(&mut self, campaign: Id<Campaign>, n: u32) {
        if !self.store_up || self.faulty(3) {
            self.hear(100, Event::RefillFailed { campaign });
            return;
        }
        let (now, ids) = (self.now, &mut self.ids);
        let (batch, later) =
            self.rows.candidates(campaign, n as usize, now, || ids.next::<Attempt>(now));
        let later = if batch.len() < n as usize { later } else { None };
        self.hear(30, Event::Candidates { campaign, batch, later });
    }

    fn claim(&mut self, claim: Claim) -> Result<(), (Rule, String)> {
        let attempt = claim.attempt;
        let ours = self.network.legs.values().filter(|leg| leg.boot == self.boot).count();
        let taken = ours + self.permits.len() + self.others as usize;
        if taken >= self.true_line.channels as usize && self.plant != Some(Plant::ExceedChannels) {
            self.hear(5, Event::NotClaimed { attempt, because: NotClaimed::LineBusy });
            return Ok(());
        }
        if self.plant == Some(Plant::InviteBeforeCommit) {
            self.judge_invite(&claim)?;
        }
        if !self.store_up || self.faulty(4) {
            self.hear(50, Event::NotClaimed { attempt, because: NotClaimed::RolledBack });
            return Ok(());
        }
        match self.ask(&claim) {
            Err(refusal) => {
                let again_at =
                    claim.contact.and_then(|contact| self.rows.refuse(contact, &refusal));
                let because = NotClaimed::Refused { again_at };
                self.hear(20, Event::NotClaimed { attempt, because });
            }
            Ok(permit) => {
                let (boot, now) = (self.boot, self.now);
                self.rows.claim(claim.clone(), boot, now);
                self.network.pace.push(now);
                self.permits.insert(attempt, (permit, claim.clone()));
                if self.faulty(4) {
                    let wait = self.dice.roll(4_000);
                    self.later(wait, Item::ReRead(boot, Box::new(claim)));
                } else {
                    self.hear(40, Event::Claimed { attempt });
                }
            }
        }
        Ok(())
    }

    fn ask(&self, claim: &Claim) -> Result<Permit, dialer::Refusal> {
        let contact = claim.contact.map(|id| &self.rows.contacts[&id]);
        let zone = contact.and_then(|row| row.zone.as_ref());
        let always = Window::new(Vec::new(), WeeklyHours::always(), Period::default());
        let window = match self.plant {
            Some(Plant::ForgetWindow) => always,
            _ => claim.rules.window_of(&claim.phone, zone),
        };
        let calls = match self.plant {
            Some(Plant::ForgetCaps) => Vec::new(),
            _ => self.rows.calls_to(&claim.phone, self.now),
        };
        let callee = Callee {
            contact: contact.map(ContactRow::waiting),
            do_not_call: self.rows.do_not_call.contains_key(&claim.phone)
                && self.plant != Some(Plant::ForgetDoNotCall),
            calls: &calls,
            window: &window,
        };
        let policy = Policy {
            caps: claim.rules.caps,
            max_attempts: claim.rules.max_attempts,
            demo_line: false,
        };
        may_dial(&callee, &claim.phone, claim.purpose, self.now, &policy)
    }

    fn re_read(&mut self, boot: u64, claim: Claim) -> Result<(), (Rule, String)> {
        if boot != self.boot || self.dialer.is_none() {
            return Ok(());
        }
        if !self.store_up {
            self.later(1_000, Item::ReRead(boot, Box::new(claim)));
            return Ok(());
        }
        let attempt = claim.attempt;
        let event = if self.rows.attempts.contains_key(&attempt) {
            Event::Claimed { attempt }
        } else {
            Event::NotClaimed { attempt, because: NotClaimed::RolledBack }
        };
        self.tell(event)
    }

    fn place(&mut self, attempt: Id<Attempt>) -> Result<(), (Rule, String)> {
        let Some((permit, claim)) = self.permits.remove(&attempt) else { return Ok(()) };
        if permit.redeem(self.now).is_err() {
            let ending = Ending {
                at: self.now,
                invited: false,
                answered_at: None,
                outcome: Outcome::Cancelled,
                line: LineSign::Silent,
            };
            self.report(self.boot, Event::Ended { attempt, ending });
            return Ok(());
        }
        self.judge_invite(&claim)?;
        self.network.calls += 1;
        self.network.invites.entry(claim.phone.clone()).or_default().push(self.now);
        if claim.contact.is_some() {
            let campaign = (claim.campaign, claim.rules.version);
            self.network.waves.entry(campaign).or_default().push(self.now);
        }
        let manner = Manner::of(&mut self.dice, self.line_alive);
        let (delay, rings) = manner.delay(&mut self.dice, claim.rules.ring);
        let leg = Leg { number: claim.phone, boot: self.boot, manner, answered_at: None };
        self.network.legs.insert(attempt, leg);
        if self.store_up && !self.faulty(3) {
            let now = self.now;
            if let Some(row) = self.rows.attempts.get_mut(&attempt) {
                row.invited_at = Some(now);
            }
        }
        self.report(self.boot, Event::Invited { attempt });
        if rings {
            self.later(delay.as_millis() as u64 / 2, Item::Rings(attempt));
        }
        self.later(delay.as_millis() as u64, Item::Shows(attempt));
        Ok(())
    }

    fn show(&mut self, attempt: Id<Attempt>) {
        let now = self.now;
        let Some(leg) = self.network.legs.get_mut(&attempt) else { return };
        let (outcome, line) = leg.manner.word();
        let Manner::Answers { talk_s } = leg.manner else {
            self.end_leg(attempt, outcome, line);
            return;
        };
        leg.answered_at = Some(now);
        let boot = leg.boot;
        if self.store_up
            && boot == self.boot
            && let Some(row) = self.rows.attempts.get_mut(&attempt)
        {
            row.answered_at = Some(now);
        }
        self.report(boot, Event::Answered { attempt });
        self.later(talk_s * 1_000, Item::Over(attempt, outcome, line));
    }

    fn end_leg(&mut self, attempt: Id<Attempt>, outcome: Outcome, line: LineSign) {
        let Some(leg) = self.network.legs.remove(&attempt) else { return };
        let ending =
            Ending { at: self.now, invited: true, answered_at: leg.answered_at, outcome, line };
        self.report(leg.boot, Event::Ended { attempt, ending });
    }

    fn withdraw(&mut self, attempt: Id<Attempt>) {
        let Some(leg) = self.network.legs.get(&attempt) else { return };
        let outcome = if leg.answered_at.is_some() { Outcome::Success } else { Outcome::Cancelled };
        let wait = self.dice.roll(300);
        self.later(wait, Item::Over(attempt, outcome, LineSign::Silent));
    }

    fn commit(&mut self, boot: u64, finish: Finish) -> Result<(), (Rule, String)> {
        if boot != self.boot || self.dialer.is_none() {
            return Ok(());
        }
        if !self.store_up || self.faulty(4) {
            let wait = 100 + self.dice.roll(2_000);
            self.later(wait, Item::Commit(boot, Box::new(finish)));
            return Ok(());
        }
        let attempt = finish.attempt;
        // An attempt of a dead process belongs to that process until it is ended.
        let owner = self.rows.attempts[&attempt].boot;
        let own = owner == boot;
        if self.rows.finish(&finish, owner) {
            self.judge_contact(attempt)?;
        }
        if self.faulty(4) {
            // The answer was lost: the same again finds nothing to do.
            let wait = self.dice.roll(2_000);
            self.later(wait, Item::Commit(boot, Box::new(finish)));
            return Ok(());
        }
        if own {
            self.hear(10, Event::Finished { attempt });
        } else if let dialer::Next::Retry { at, .. } = finish.verdict.next {
            self.hear(10, Event::Work { campaign: finish.campaign, at });
        } else {
            self.hear(10, Event::Work { campaign: finish.campaign, at: self.now });
        }
        Ok(())
    }

    fn complete(&mut self, campaign: Id<Campaign>) {
        if let Some(at) = self.rows.has_work(campaign) {
            self.hear(10, Event::Work { campaign, at });
        } else if self.rows.campaigns[&campaign].state == CampaignState::Running {
            if !self.store_up {
                let at = self.now;
                self.hear(1_000, Event::Work { campaign, at });
                return;
            }
            self.set_state(campaign, CampaignState::Completed);
            self.hear(10, Event::Paused { campaign });
        }
    }

    fn set_state(&mut self, campaign: Id<Campaign>, state: CampaignState) {
        if let Some(row) = self.rows.campaigns.get_mut(&campaign) {
            row.state = state;
        }
    }

    fn boot(&mut self) -> Result<(), (Rule, String)> {
        self.boot += 1;
        self.up_since = self.now;
        self.store_away = Duration::ZERO;
        let mut rows = self.rows.for_restore(self.boot, self.seen_lines());
        if self.plant == Some(Plant::LoseAttempt) {
            rows.unfinished.clear();
        }
        let restored = restore(rows, self.now);
        self.dialer = Some(restored.dialer);
        for finish in restored.finishes {
            let (wait, boot) = (self.dice.roll(60), self.boot);
            self.later(wait, Item::Commit(boot, Box::new(finish)));
        }
        if self.plant != Some(Plant::LeaveLegs) {
            let wait = self.dice.roll(20_000);
            self.later(wait, Item::HangUp);
        }
        if !self.store_up {
            self.tell(Event::Store { writable: false })?;
        }
        self.obey(restored.effects)
    }

    fn crash(&mut self) {
        self.crashes += 1;
        self.dialer = None;
        self.permits.clear();
        self.network.pace.clear();
        let wait = self.dice.roll(20_000);
        self.later(wait, Item::Boot);
    }

    fn seen_lines(&self) -> Vec<LineFact> {
        let mut line = self.true_line.clone();
        if self.plant == Some(Plant::ExceedChannels) {
            line.channels += 2;
        }
        vec![line]
    }

    fn tell_lines(&mut self) -> Result<(), (Rule, String)> {
        let lines = self.seen_lines();
        self.tell(Event::Lines(lines))
    }

    fn tell_running(&mut self, campaign: Id<Campaign>) -> Result<(), (Rule, String)> {
        let row = &self.rows.campaigns[&campaign];
        let (rules, started_at) = (Arc::clone(&row.rules), row.started_at);
        self.tell(Event::Running { campaign, rules, started_at, preparing: false })
    }

    /// Something goes wrong or somebody does something; and again a little later, until it is calm.
    fn mischief(&mut self) -> Result<(), (Rule, String)> {
        if self.calm() {
            return Ok(());
        }
        let wait = [2_000, 60_000, 600_000, 3_600_000][self.dice.roll(4) as usize];
        let wait = 1 + self.dice.roll(wait);
        self.later(wait, Item::Mischief);
        let campaign = Id::from_raw(1 + self.dice.roll(3) as i64);
        match self.dice.roll(11) {
            0 if self.dialer.is_some() => self.crash(),
            2 if self.line_alive => {
                self.line_alive = false;
                let wait = 10_000 + self.dice.roll(300_000);
                self.later(wait, Item::LineMended);
                if self.dice.chance(50) {
                    self.true_line.health = LineHealth::Down;
                    return self.tell_lines();
                }
            }
            3 if self.store_up => {
                self.store_up = false;
                let wait = 500 + self.dice.roll(60_000);
                self.store_away += Duration::from_millis(wait);
                self.later(wait, Item::StoreBack);
                return self.tell(Event::Store { writable: false });
            }
            4 => {
                self.others = self.dice.roll(u64::from(self.true_line.channels)) as u32;
                let ours = self.network.legs.len() + self.permits.len();
                self.others = self.others.min(self.true_line.channels.saturating_sub(ours as u32));
                let wait = self.dice.roll(30_000);
                self.later(wait, Item::OthersLeave);
            }
            5 | 6 => {
                let contacts = self.rows.contacts.len() as u64;
                let nth = self.dice.roll(contacts) as usize;
                let number = self.rows.contacts.values().nth(nth).map(|row| row.phone().clone());
                if let Some(number) = number {
                    self.forbid(number);
                }
            }
            7 => return self.edit(campaign),
            8 if self.rows.campaigns[&campaign].state == CampaignState::Running => {
                self.set_state(campaign, CampaignState::Paused);
                let wait = self.dice.roll(600_000);
                self.later(wait, Item::Resume(campaign));
                return self.tell(Event::Paused { campaign });
            }
            9 if self.dice.chance(4) => {
                self.set_state(campaign, CampaignState::Stopped);
                return self.tell(Event::Stopped { campaign });
            }
            10 if self.rows.campaigns[&campaign].state == CampaignState::Running => {
                self.add_contacts(campaign, 2);
                let at = self.now;
                return self.tell(Event::Work { campaign, at });
            }
            _ => {}
        }
        Ok(())
    }

    fn forbid(&mut self, number: PhoneNumber) {
        for row in self.rows.contacts.values_mut() {
            if *row.phone() == number && row.state == ContactState::Callable {
                row.state = ContactState::DoNotCall;
            }
        }
        let now = self.now;
        self.rows.do_not_call.entry(number).or_insert(now);
    }

    fn edit(&mut self, campaign: Id<Campaign>) -> Result<(), (Rule, String)> {
        let mut rules = Rules::clone(&self.rows.campaigns[&campaign].rules);
        rules.version += 1;
        rules.concurrency = 1 + self.dice.roll(6) as u32;
        rules.priority = self.dice.roll(3) as i32;
        rules.retry_short_talk = self.dice.chance(50);
        rules.min_talk = Duration::from_secs(self.dice.roll(12));
        self.store_rules(campaign, rules);
        if self.rows.campaigns[&campaign].state == CampaignState::Running {
            return self.tell_running(campaign);
        }
        Ok(())
    }

    fn store_rules(&mut self, campaign: Id<Campaign>, mut rules: Rules) {
        self.true_rules.insert((campaign, rules.version), Arc::new(rules.clone()));
        if self.plant == Some(Plant::ForgetWindow) {
            rules.hours = WeeklyHours::always().into();
        }
        if self.plant == Some(Plant::ForgetWaves) {
            rules.batch = None;
        }
        if let Some(row) = self.rows.campaigns.get_mut(&campaign) {
            row.rules = Arc::new(rules);
        }
    }

    fn add_campaign(&mut self, id: Id<Campaign>, n: i64) {
        let minutes = |dice: &mut Dice, most| Duration::from_mins(1 + dice.roll(most));
        let dice = &mut self.dice;
        let rules = Rules {
            version: 1,
            line: Id::<Line>::from_raw(1),
            on_answer: OnAnswer::Audio { audio: Id::from_raw(1) },
            zone: "Europe/Kyiv".parse().expect("a zone of the database"),
            by_contact_zone: n == 2,
            hours: if n == 3 { WeeklyHours::always() } else { WeeklyHours::usual() }.into(),
            batch: dice.chance(30).then(|| Batch {
                calls: 1 + dice.roll(4) as u32,
                gap: Duration::from_secs(30 + dice.roll(300)),
            }),
            every_number: false,
            period: Period::default(),
            max_attempts: 1 + dice.roll(3) as u32,
            concurrency: 1 + dice.roll(5) as u32,
            rate: dice.chance(30).then(|| Rate::per_mille(500)),
            ring: Duration::from_secs(15 + dice.roll(30)),
            min_talk: Duration::from_secs(dice.roll(12)),
            delays: Delays {
                busy: minutes(dice, 10),
                no_answer: minutes(dice, 120),
                failed: minutes(dice, 30),
                short_talk: minutes(dice, 120),
                machine: minutes(dice, 240),
            },
            retry_short_talk: dice.chance(50),
            caps: Caps { per_day: 1 + dice.roll(3) as u32, per_week: 4 + dice.roll(4) as u32 },
            record: false,
            priority: 0,
            always_active: false,
        };
        let (started_at, state) = (self.now, CampaignState::Running);
        let row = CampaignRow { rules: Arc::new(rules.clone()), state, started_at };
        self.rows.campaigns.insert(id, row);
        self.store_rules(id, rules);
        let contacts = 8 + self.dice.roll(30);
        self.add_contacts(id, contacts);
    }

    fn add_contacts(&mut self, campaign: Id<Campaign>, n: u64) {
        const PREFIXES: [&str; 6] = ["+38093", "+99890", "+8491", "+1212", "+7916", "+4420"];
        for _ in 0..n {
            let numbers = (0..=self.dice.roll(2))
                .map(|_| {
                    let prefix = PREFIXES[self.dice.roll(6) as usize];
                    // Few enough that campaigns share some.
                    let number = format!("{prefix}{:07}", self.dice.roll(60));
                    number.parse().expect("a number")
                })
                .collect::<VecDeque<PhoneNumber>>();
            let zone = self.dice.chance(15).then(|| "Asia/Tashkent".parse().expect("a zone"));
            let row = ContactRow {
                campaign,
                numbers: numbers.into(),
                current: 0,
                zone,
                state: ContactState::Callable,
                next_at: Timestamp::EPOCH,
                attempts: 0,
                interrupted: false,
            };
            let id = self.ids.next(self.now);
            self.rows.contacts.insert(id, row);
        }
    }
}
