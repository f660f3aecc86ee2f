//! From an answer to a committed end.

use base::{Id, Timestamp, kind::Attempt as AttemptKind};

use super::{
    Dialer,
    attempt::{Attempt, Stage},
};
use crate::{Effect, Ending, Finish, Next, after};

impl Dialer {
    /// Progress only goes forward: what comes late or twice changes nothing.
    pub(super) fn advance(&mut self, now: Timestamp, id: Id<AttemptKind>, stage: Stage) {
        if let Some(attempt) = self.attempts.get_mut(&id)
            && attempt.stage >= Stage::Claimed
            && attempt.stage < stage
        {
            attempt.stage = stage;
            attempt.since = now;
        }
    }

    /// Asks for the end of an attempt; of an answered one only when `answered_too`.
    pub(super) fn withdraw(
        &mut self,
        id: Id<AttemptKind>,
        answered_too: bool,
        effects: &mut Vec<Effect>,
    ) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        match attempt.stage {
            Stage::Claiming => attempt.withdrawn = true,
            Stage::Claimed | Stage::Dialling | Stage::Ringing => {
                if !attempt.withdrawn {
                    attempt.withdrawn = true;
                    effects.push(Effect::Withdraw { attempt: id });
                }
            }
            Stage::Answered if answered_too => effects.push(Effect::Withdraw { attempt: id }),
            Stage::Answered | Stage::Finishing => {}
        }
    }

    pub(super) fn ended(
        &mut self,
        now: Timestamp,
        id: Id<AttemptKind>,
        ending: Ending,
        effects: &mut Vec<Effect>,
    ) {
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        if matches!(attempt.stage, Stage::Claiming | Stage::Finishing) {
            return;
        }
        attempt.stage = Stage::Finishing;
        attempt.since = now;
        let line_id = attempt.line;
        // The phone is free again, too.
        self.numbers.remove(&attempt.phone);
        let mut excused = attempt.withdrawn && ending.answered_at.is_none();
        if let Some(line) = self.lines.get_mut(&line_id) {
            // The channel is free from now on, whenever the end is committed.
            line.open.remove(&id);
            let heard = line.hear(id, ending.line, now);
            excused |= heard.excused;
            if !heard.give_back.is_empty() {
                effects.push(Effect::GiveBack { line: line_id, attempts: heard.give_back });
            }
        }
        let speed = self.demo_of(line_id).unwrap_or_default();
        let Some(attempt) = self.attempts.get_mut(&id) else { return };
        let Attempt { rules, history, phone, .. } = &*attempt;
        let verdict = after(&ending, rules, history, phone, excused, speed);
        attempt.again_at = match verdict.next {
            Next::Retry { at, .. } => Some(at),
            Next::Done { .. } => None,
        };
        let (campaign, contact) = (attempt.campaign, attempt.contact);
        if let (Some(campaign), Some(_)) = (self.campaigns.get_mut(&campaign), contact) {
            campaign.finishing += 1;
        }
        effects.push(Effect::Finish(Box::new(Finish {
            attempt: id,
            campaign,
            contact,
            ending,
            verdict,
        })));
        self.settle(now, campaign, effects);
        self.pump(now, line_id, effects);
    }

    pub(super) fn finished(
        &mut self,
        now: Timestamp,
        id: Id<AttemptKind>,
        effects: &mut Vec<Effect>,
    ) {
        if self.attempts.get(&id).is_none_or(|attempt| attempt.stage != Stage::Finishing) {
            return;
        }
        let Some(attempt) = self.close(id) else { return };
        if let (Some(at), Some(_)) = (attempt.again_at, attempt.contact) {
            self.hear_of_work(attempt.campaign, at);
        }
        self.after_closing(now, &attempt, effects);
    }

    /// Forgets an attempt.
    pub(super) fn close(&mut self, id: Id<AttemptKind>) -> Option<Attempt> {
        let attempt = self.attempts.remove(&id)?;
        if self.numbers.get(&attempt.phone) == Some(&id) {
            self.numbers.remove(&attempt.phone);
        }
        if let Some(line) = self.lines.get_mut(&attempt.line) {
            line.open.remove(&id);
        }
        if let Some(campaign) = self.campaigns.get_mut(&attempt.campaign) {
            campaign.open.remove(&id);
            if let Some(contact) = attempt.contact {
                campaign.held.remove(&contact);
            }
            if attempt.contact.is_none() {
                campaign.tests -= 1;
            } else if attempt.stage == Stage::Finishing {
                campaign.finishing -= 1;
            }
        }
        Some(attempt)
    }

    pub(super) fn after_closing(
        &mut self,
        now: Timestamp,
        attempt: &Attempt,
        effects: &mut Vec<Effect>,
    ) {
        self.drop_if_idle(attempt.campaign);
        self.settle(now, attempt.campaign, effects);
        self.pump(now, attempt.line, effects);
    }
}
