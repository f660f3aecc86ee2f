//! Who calls next: from a free channel to a committed attempt.

use std::sync::Arc;

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{self, Attempt as AttemptKind},
};

use super::{
    Dialer, LineSign, Work,
    attempt::{Attempt, Stage},
    line::Life,
    timer::Timer,
};
use crate::{
    Candidate, Claim, Effect, Ending, History, NUMBER_IN_USE_DELAY, NotClaimed, Purpose, Returned,
    Rules,
};

impl Dialer {
    /// Lets a line's campaigns call while it has room and its pace allows.
    pub(super) fn pump(&mut self, now: Timestamp, id: Id<kind::Line>, effects: &mut Vec<Effect>) {
        self.time_line(now, id);
        if !self.claims() {
            return;
        }
        loop {
            let Some(line) = self.lines.get(&id) else { return };
            if !line.is_usable(now) || line.open.len() >= line.room() {
                return;
            }
            let Some(turn) = line.ready.first().copied() else { return };
            let free_at = line.pace.free_at(line.fact.rate);
            if free_at > now {
                self.timers.set(Timer::LineRate(id), free_at);
                return;
            }
            self.unready(turn.campaign);
            self.serve(now, turn.campaign, effects);
            self.refill(now, turn.campaign, effects);
            self.make_ready(now, turn.campaign);
        }
    }

    /// Sets the timers that a line's own state asks for.
    fn time_line(&mut self, now: Timestamp, id: Id<kind::Line>) {
        let Some(line) = self.lines.get(&id) else { return };
        if line.is_dead() && line.present {
            if !self.timers.iter().any(|(_, timer)| *timer == Timer::Probe(id)) {
                self.timers.set(Timer::Probe(id), now.plus(super::PROBE_EVERY));
            }
        } else {
            self.timers.clear(Timer::Probe(id));
        }
        if line.paused_until > now {
            self.timers.set(Timer::LinePause(id), line.paused_until);
        }
    }

    /// Claims the campaign's first candidate that may be called; gives back those that may not.
    fn serve(&mut self, now: Timestamp, id: Id<kind::Campaign>, effects: &mut Vec<Effect>) {
        loop {
            let Some(campaign) = self.campaigns.get_mut(&id) else { return };
            let Some(candidate) = campaign.queue.pop_front() else { return };
            let rules = Arc::clone(&campaign.rules);
            let refused = self.hindrance(now, &rules, &candidate);
            if let Some((at, because)) = refused {
                let contact = candidate.contact;
                if let Some(campaign) = self.campaigns.get_mut(&id) {
                    campaign.held.remove(&contact);
                    campaign.work.hear(at);
                }
                effects.push(Effect::Return { campaign: id, contact, at, because });
                continue;
            }
            let Candidate { contact, attempt, phone, history } = candidate;
            if let Some(campaign) = self.campaigns.get_mut(&id) {
                campaign.served += 1;
                campaign.begin_call(now);
                let served = campaign.served;
                if let Some(line) = self.lines.get_mut(&rules.line) {
                    line.level = line.level.max(served - 1);
                }
            }
            let purpose = Purpose::Campaign;
            let claim = Claim {
                attempt,
                campaign: id,
                contact: Some(contact),
                phone,
                line: rules.line,
                demo: self.demo_of(rules.line),
                purpose,
                rules,
                history,
            };
            self.open_attempt(now, claim, effects);
            return;
        }
    }

    /// Until when a candidate cannot be called, and why.
    fn hindrance(
        &self,
        now: Timestamp,
        rules: &Rules,
        candidate: &Candidate,
    ) -> Option<(Timestamp, Returned)> {
        if self.numbers.contains_key(&candidate.phone) {
            return Some((now.plus(NUMBER_IN_USE_DELAY), Returned::NumberInUse));
        }
        let window = rules.window_of(&candidate.phone, candidate.history.zone.as_ref());
        match window.next_open(now) {
            Some(opens) if opens <= now => None,
            opens => Some((opens.unwrap_or(Timestamp::MAX), Returned::Shut)),
        }
    }

    fn open_attempt(&mut self, now: Timestamp, claim: Claim, effects: &mut Vec<Effect>) {
        if let Some(line) = self.lines.get_mut(&claim.line) {
            line.open.insert(claim.attempt);
            line.pace.begin(line.fact.rate, now);
        }
        if let Some(campaign) = self.campaigns.get_mut(&claim.campaign) {
            campaign.open.insert(claim.attempt);
        }
        self.numbers.insert(claim.phone.clone(), claim.attempt);
        self.attempts.insert(
            claim.attempt,
            Attempt {
                campaign: claim.campaign,
                contact: claim.contact,
                phone: claim.phone.clone(),
                line: claim.line,
                purpose: claim.purpose,
                rules: Arc::clone(&claim.rules),
                history: claim.history.clone(),
                stage: Stage::Claiming,
                since: now,
                withdrawn: false,
                again_at: None,
            },
        );
        effects.push(Effect::Claim(Box::new(claim)));
    }

    /// A test call waits for nobody's turn and no hours, but needs the line and a free number.
    pub(super) fn test(
        &mut self,
        now: Timestamp,
        attempt: Id<AttemptKind>,
        campaign: Id<kind::Campaign>,
        rules: Arc<Rules>,
        phone: PhoneNumber,
        effects: &mut Vec<Effect>,
    ) {
        let entry = self.campaigns.entry(campaign).or_insert_with(|| {
            let mut idle = super::Campaign::new(Arc::clone(&rules), now, now);
            idle.running = false;
            idle
        });
        entry.tests += 1;
        let history = History { attempts: 0, interrupted: false, other_number: false, zone: None };
        let purpose = Purpose::TestCall;
        let line = rules.line;
        let demo = self.demo_of(line);
        let claim =
            Claim { attempt, campaign, contact: None, phone, line, demo, purpose, rules, history };
        self.open_attempt(now, claim, effects);
    }

    /// Whether a test call to `phone` on `line` can be made now.
    pub fn can_test(
        &self,
        line: Id<kind::Line>,
        phone: &PhoneNumber,
        now: Timestamp,
    ) -> Result<(), TestRefused> {
        let line = self.lines.get(&line).filter(|line| line.present && line.fact.enabled);
        let Some(line) = line else { return Err(TestRefused::NoLine) };
        if !self.claims() {
            return Err(TestRefused::NotNow);
        }
        // A dead line may be tested: that is how a person finds out what is wrong with it.
        let room = if line.life == Life::Alive { line.room() } else { 1 };
        if line.open.len() >= room || line.paused_until > now && line.pause_is_busy {
            return Err(TestRefused::LineBusy);
        }
        if self.numbers.contains_key(phone) {
            return Err(TestRefused::NumberInUse);
        }
        Ok(())
    }

    pub(super) fn claimed(
        &mut self,
        now: Timestamp,
        id: Id<AttemptKind>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        if attempt.stage != Stage::Claiming {
            return;
        }
        attempt.stage = Stage::Claimed;
        attempt.since = now;
        if attempt.withdrawn {
            let ending = Ending {
                at: now,
                invited: false,
                answered_at: None,
                outcome: call::Outcome::Cancelled,
                line: LineSign::Silent,
            };
            self.ended(now, id, ending, effects);
        } else {
            effects.push(Effect::Place { attempt: id });
        }
    }

    pub(super) fn not_claimed(
        &mut self,
        now: Timestamp,
        id: Id<AttemptKind>,
        because: NotClaimed,
        effects: &mut Vec<Effect>,
    ) {
        if self.attempts.get(&id).is_none_or(|attempt| attempt.stage != Stage::Claiming) {
            return;
        }
        let Some(attempt) = self.close(id) else { return };
        if let Some(campaign) = self.campaigns.get_mut(&attempt.campaign) {
            match because {
                NotClaimed::Refused { again_at: Some(at) } if at < Timestamp::MAX => {
                    campaign.work.hear(at);
                }
                NotClaimed::Refused { .. } => {}
                NotClaimed::LineBusy | NotClaimed::RolledBack => match campaign.work {
                    // The row waits as before: it is brought again.
                    Work::Asked { .. } => campaign.work.hear(now),
                    Work::Unknown | Work::Later(_) | Work::Nothing => campaign.work = Work::Unknown,
                },
            }
        }
        if because == NotClaimed::LineBusy
            && let Some(line) = self.lines.get_mut(&attempt.line)
        {
            line.found_busy(now);
        }
        self.after_closing(now, &attempt, effects);
    }
}

/// Why a test call cannot be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TestRefused {
    /// The line is gone or switched off.
    #[error("the line is gone or switched off")]
    NoLine,
    /// All channels are in use.
    #[error("all channels of the line are in use")]
    LineBusy,
    /// Another call to the number is up.
    #[error("another call to this number is up")]
    NumberInUse,
    /// The database is away, or the process is about to end.
    #[error("no calls can be made at the moment")]
    NotNow,
}
