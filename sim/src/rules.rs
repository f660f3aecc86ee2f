//! The rules that hold at every step.

use std::{fmt, time::Duration};

use base::{Id, Timestamp, kind::Attempt};
use dialer::{CampaignState, Claim, Permit};

use crate::world::World;

/// A rule of the world, by the id that it is known under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// DIAL-1.
    Hours,
    /// DIAL-2.
    DoNotCall,
    /// DIAL-3.
    Attempts,
    /// DIAL-5.
    Channels,
    /// DIAL-7.
    Waves,
    /// DIAL-6.
    Ends,
    /// CALL-1.
    Legs,
    /// LIVE.
    Drains,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hours => "DIAL-1",
            Self::DoNotCall => "DIAL-2",
            Self::Attempts => "DIAL-3",
            Self::Channels => "DIAL-5",
            Self::Waves => "DIAL-7",
            Self::Ends => "DIAL-6",
            Self::Legs => "CALL-1",
            Self::Drains => "LIVE",
        })
    }
}

/// How long after a new process came up nothing of the old one may be left.
const CLEAN_UP: Duration = Duration::from_mins(1);
/// The same for legs: 64 times T1 of RFC 3261.
const HANG_UP: Duration = Duration::from_secs(32);

impl World {
    /// What must hold of an INVITE at the moment at which it leaves.
    pub(crate) fn judge_invite(&self, claim: &Claim) -> Result<(), (Rule, String)> {
        let (now, number) = (self.now, &claim.phone);
        if let Some(contact) = claim.contact.and_then(|id| self.rows.contacts.get(&id)) {
            // The true rules, which a planted fault does not touch.
            let rules = &self.true_rules[&(claim.campaign, claim.rules.version)];
            if !rules.window_of(number, contact.zone.as_ref()).is_open(now) {
                return Err((Rule::Hours, format!("{number} called at {now}, outside its hours")));
            }
        }
        if let Some(since) = self.rows.do_not_call.get(number)
            && now.since(*since) > Permit::LIFE
        {
            return Err((
                Rule::DoNotCall,
                format!("{number} called at {now}, forbidden since {since}"),
            ));
        }
        let none = Vec::new();
        let invites = self.network.invites.get(number).unwrap_or(&none);
        let within = |hours| {
            let since = now.minus(Duration::from_hours(hours));
            invites.iter().filter(|at| **at > since).count()
        };
        let caps = claim.rules.caps;
        if within(24) >= caps.per_day as usize || within(24 * 7) >= caps.per_week as usize {
            return Err((Rule::Attempts, format!("{number} called too often, again at {now}")));
        }
        if self.network.legs.values().any(|leg| leg.number == *number && leg.boot == self.boot) {
            return Err((Rule::Attempts, format!("{number} called twice at once at {now}")));
        }
        self.judge_wave(claim)?;
        match self.rows.attempts.get(&claim.attempt) {
            Some(row) if row.boot == self.boot && row.ended_at.is_none() => Ok(()),
            _ => Err((Rule::Ends, format!("{number} called at {now} without a committed attempt"))),
        }
    }

    /// A campaign that calls in waves makes no more calls within a gap than a wave has; an INVITE
    /// leaves within the life of its permit.
    fn judge_wave(&self, claim: &Claim) -> Result<(), (Rule, String)> {
        let campaign = (claim.campaign, claim.rules.version);
        let Some(batch) = self.true_rules.get(&campaign).and_then(|rules| rules.batch) else {
            return Ok(());
        };
        let since = self.now.minus(batch.gap).plus(Permit::LIFE);
        let none = Vec::new();
        let calls = self.network.waves.get(&campaign).unwrap_or(&none);
        let within = calls.iter().rev().take_while(|at| **at > since).count();
        if claim.contact.is_some() && within >= batch.calls as usize {
            let (most, gap) = (batch.calls, batch.gap.as_secs());
            return Err((
                Rule::Waves,
                format!("{within} calls of a campaign and one more in {gap} s, waves have {most}"),
            ));
        }
        Ok(())
    }

    /// What must hold after every step.
    pub(crate) fn judge(&self) -> Result<(), (Rule, String)> {
        let up = self.network.legs.values().filter(|leg| leg.boot == self.boot).count();
        if up + self.others as usize > self.true_line.channels as usize {
            let channels = self.true_line.channels;
            return Err((
                Rule::Channels,
                format!("{up} calls of ours and {} of others on {channels} channels", self.others),
            ));
        }
        let second = self.now.minus(Duration::from_secs(1));
        let begun = self.network.pace.iter().rev().take_while(|at| **at > second).count();
        // A rate of n a second is kept in stretches of a tenth of a second, so a second that cuts
        // into one holds one stretch more.
        let most = self.true_line.rate.thousandths().div_ceil(1_000) as usize + 1;
        if begun > most {
            return Err((Rule::Channels, format!("{begun} calls claimed within a second")));
        }
        self.judge_ends()?;
        self.judge_legs()
    }

    fn judge_ends(&self) -> Result<(), (Rule, String)> {
        let Some(dialer) = &self.dialer else { return Ok(()) };
        for id in &self.rows.open {
            let row = &self.rows.attempts[id];
            let known = row.boot == self.boot && dialer.holds(*id);
            if !known && self.now.since(self.up_since) > CLEAN_UP + self.store_away {
                return Err((
                    Rule::Ends,
                    format!("attempt {id} of process {} never ends", row.boot),
                ));
            }
        }
        Ok(())
    }

    fn judge_legs(&self) -> Result<(), (Rule, String)> {
        let Some(dialer) = &self.dialer else { return Ok(()) };
        for (id, leg) in &self.network.legs {
            let known = leg.boot == self.boot && dialer.holds(*id);
            if !known && self.now.since(self.up_since) > HANG_UP {
                return Err((
                    Rule::Legs,
                    format!("leg {id} of process {} is never released", leg.boot),
                ));
            }
        }
        Ok(())
    }

    /// What must hold of a contact whose attempt ended.
    pub(crate) fn judge_contact(&self, attempt: Id<Attempt>) -> Result<(), (Rule, String)> {
        let row = &self.rows.attempts[&attempt];
        let Some(id) = row.claim.contact else { return Ok(()) };
        let contact = &self.rows.contacts[&id];
        let spent = self
            .rows
            .attempts
            .values()
            .filter(|row| row.claim.contact == Some(id) && row.spent)
            .count();
        if spent != contact.attempts as usize {
            let counted = contact.attempts;
            return Err((
                Rule::Attempts,
                format!("contact {id} counts {counted} attempts of {spent}"),
            ));
        }
        let most = self.true_rules[&(row.claim.campaign, row.claim.rules.version)].max_attempts;
        if contact.attempts > most {
            let had = contact.attempts;
            return Err((Rule::Attempts, format!("contact {id} had {had} attempts of {most}")));
        }
        Ok(())
    }

    /// What must hold at the end, when everything went well for long enough.
    pub(crate) fn judge_drained(&self) -> Result<(), (Rule, String)> {
        for (id, campaign) in &self.rows.campaigns {
            if !matches!(campaign.state, CampaignState::Completed | CampaignState::Stopped) {
                let left = self.rows.has_work(*id);
                let machine = self.dialer.as_ref().map_or_else(String::new, ToString::to_string);
                return Err((
                    Rule::Drains,
                    format!(
                        "campaign {id} is {} at {}, work {left:?}\n{machine}",
                        campaign.state, self.now
                    ),
                ));
            }
        }
        if !self.network.legs.is_empty() || !self.rows.open.is_empty() {
            return Err((Rule::Drains, "calls or attempts are left at the end".to_owned()));
        }
        Ok(())
    }

    /// The moment from which nothing goes wrong any more.
    pub(crate) const fn is_calm(&self, at: Timestamp) -> bool {
        at.micros() >= self.calm_at.micros()
    }
}
