//! The database of the simulated world: the rows that outlive a process.

use std::{collections::BTreeMap, sync::Arc};

use base::{
    Id, PhoneNumber, Timestamp,
    kind::{Attempt, Campaign, CampaignContact},
};
use calendar::Zone;
use call::Outcome;
use dialer::{
    Candidate, Claim, Consequence, ContactState, Finish, History, LineFact, Next, Permit, Refusal,
    RunningRow, Unfinished, UnfinishedRow, Waiting,
};

#[derive(Debug, Clone)]
pub(crate) struct CampaignRow {
    pub(crate) rules: Arc<dialer::Rules>,
    pub(crate) state: dialer::CampaignState,
    pub(crate) started_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct ContactRow {
    pub(crate) campaign: Id<Campaign>,
    pub(crate) numbers: Vec<PhoneNumber>,
    pub(crate) current: usize,
    pub(crate) zone: Option<Zone>,
    pub(crate) state: ContactState,
    pub(crate) next_at: Timestamp,
    pub(crate) attempts: u32,
    pub(crate) interrupted: bool,
}

impl ContactRow {
    pub(crate) fn phone(&self) -> &PhoneNumber {
        &self.numbers[self.current]
    }

    fn history(&self) -> History {
        History {
            attempts: self.attempts,
            interrupted: self.interrupted,
            other_number: self.current + 1 < self.numbers.len(),
            zone: self.zone.clone(),
        }
    }

    pub(crate) fn waiting(&self) -> Waiting {
        Waiting { state: self.state, attempts: self.attempts, next_at: self.next_at }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AttemptRow {
    pub(crate) claim: Claim,
    pub(crate) boot: u64,
    pub(crate) claimed_at: Timestamp,
    pub(crate) invited_at: Option<Timestamp>,
    pub(crate) answered_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) spent: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) campaigns: BTreeMap<Id<Campaign>, CampaignRow>,
    pub(crate) contacts: BTreeMap<Id<CampaignContact>, ContactRow>,
    pub(crate) attempts: BTreeMap<Id<Attempt>, AttemptRow>,
    /// Attempts without an end.
    pub(crate) open: std::collections::BTreeSet<Id<Attempt>>,
    pub(crate) do_not_call: BTreeMap<PhoneNumber, Timestamp>,
}

impl Rows {
    /// What the runner's query brings: due contacts, the longest due first.
    pub(crate) fn candidates(
        &self,
        campaign: Id<Campaign>,
        n: usize,
        now: Timestamp,
        mut id: impl FnMut() -> Id<Attempt>,
    ) -> (Vec<Candidate>, Option<Timestamp>) {
        let mut waiting: Vec<_> = self
            .contacts
            .iter()
            .filter(|(_, row)| row.campaign == campaign && row.state == ContactState::Callable)
            .map(|(contact, row)| (row.next_at, *contact))
            .collect();
        waiting.sort_unstable();
        let later = waiting.iter().map(|(at, _)| *at).find(|at| *at > now);
        let batch: Vec<_> = waiting
            .into_iter()
            .take_while(|(at, _)| *at <= now)
            .take(n)
            .map(|(_, contact)| {
                let row = &self.contacts[&contact];
                Candidate {
                    contact,
                    attempt: id(),
                    phone: row.phone().clone(),
                    history: row.history(),
                }
            })
            .collect();
        (batch, later)
    }

    /// When calls to a number counted, newest first.
    pub(crate) fn calls_to(&self, number: &PhoneNumber, now: Timestamp) -> Vec<Timestamp> {
        let week = now.minus(std::time::Duration::from_hours(7 * 24));
        let mut calls: Vec<_> = self
            .attempts
            .values()
            .filter(|row| row.claim.phone == *number)
            .filter(|row| {
                row.invited_at.is_some()
                    || row.ended_at.is_none()
                    || row.outcome == Some(Outcome::Interrupted)
            })
            .map(|row| {
                // Unknown: the last moment at which it can have left.
                row.invited_at.unwrap_or_else(|| row.claimed_at.plus(Permit::LIFE))
            })
            .filter(|at| *at > week)
            .collect();
        calls.sort_unstable_by(|a, b| b.cmp(a));
        calls
    }

    pub(crate) fn claim(&mut self, claim: Claim, boot: u64, now: Timestamp) {
        if let Some(contact) = claim.contact.and_then(|id| self.contacts.get_mut(&id)) {
            contact.state = ContactState::InAttempt;
        }
        self.open.insert(claim.attempt);
        self.attempts.insert(
            claim.attempt,
            AttemptRow {
                claim,
                boot,
                claimed_at: now,
                invited_at: None,
                answered_at: None,
                ended_at: None,
                outcome: None,
                spent: false,
            },
        );
    }

    /// What a refusal makes of the row; when it may be called, if ever.
    pub(crate) fn refuse(
        &mut self,
        contact: Id<CampaignContact>,
        refusal: &Refusal,
    ) -> Option<Timestamp> {
        let row = self.contacts.get_mut(&contact)?;
        match refusal.consequence() {
            Consequence::Become(state) => {
                row.state = state;
                None
            }
            Consequence::WaitUntil(at) => {
                row.next_at = at;
                Some(at)
            }
            Consequence::Nothing => (row.state == ContactState::Callable).then_some(row.next_at),
        }
    }

    /// `WHERE ended_at IS NULL AND boot = …`: whether there was such a row.
    pub(crate) fn finish(&mut self, finish: &Finish, boot: u64) -> bool {
        let Some(row) = self.attempts.get_mut(&finish.attempt) else { return false };
        if row.ended_at.is_some() || row.boot != boot {
            return false;
        }
        row.ended_at = Some(finish.ending.at.max(row.claimed_at));
        row.outcome = Some(finish.verdict.outcome);
        row.spent = finish.verdict.spent;
        if finish.ending.invited && row.invited_at.is_none() {
            row.invited_at = Some(finish.ending.at.min(row.claimed_at.plus(Permit::LIFE)));
        }
        self.open.remove(&finish.attempt);
        let stopped = self.campaigns[&finish.campaign].state == dialer::CampaignState::Stopped;
        if let Some(contact) = finish.contact.and_then(|id| self.contacts.get_mut(&id)) {
            contact.attempts += u32::from(finish.verdict.spent);
            contact.interrupted = finish.verdict.outcome == Outcome::Interrupted;
            match finish.verdict.next {
                Next::Retry { at, other_number } => {
                    contact.state = ContactState::Callable;
                    contact.next_at = at;
                    contact.current += usize::from(other_number);
                    if self.do_not_call.contains_key(contact.phone()) && !stopped {
                        contact.state = ContactState::DoNotCall;
                    }
                }
                Next::Done { state } => contact.state = state,
            }
        }
        true
    }

    /// Attempts that met a dead line do not count. The campaigns whose contacts wait again.
    pub(crate) fn give_back(
        &mut self,
        attempts: &[Id<Attempt>],
        now: Timestamp,
    ) -> Vec<(Id<Campaign>, Timestamp)> {
        let mut again = Vec::new();
        for id in attempts {
            let Some(row) = self.attempts.get_mut(id) else { continue };
            if !std::mem::take(&mut row.spent) {
                continue;
            }
            let Some(contact) = row.claim.contact.and_then(|id| self.contacts.get_mut(&id)) else {
                continue;
            };
            contact.attempts -= 1;
            if contact.state == ContactState::Attempted {
                contact.state = ContactState::Callable;
                contact.next_at = now.plus(row.claim.rules.delays.failed);
                again.push((contact.campaign, contact.next_at));
            }
        }
        again
    }

    /// Whether anybody is callable, planned or open.
    pub(crate) fn has_work(&self, campaign: Id<Campaign>) -> Option<Timestamp> {
        self.contacts
            .values()
            .filter(|row| row.campaign == campaign)
            .filter(|row| matches!(row.state, ContactState::Callable | ContactState::InAttempt))
            .map(|row| row.next_at)
            .min()
    }

    fn last_call(&self, campaign: Id<Campaign>) -> Option<Timestamp> {
        let of = |row: &&AttemptRow| row.claim.campaign == campaign && row.claim.contact.is_some();
        self.attempts.values().filter(of).map(|row| row.claimed_at).max()
    }

    /// What `dialer::restore` needs, for the process `boot`.
    pub(crate) fn for_restore(&self, boot: u64, lines: Vec<LineFact>) -> dialer::Rows {
        let running = self
            .campaigns
            .iter()
            .filter(|(_, row)| row.state == dialer::CampaignState::Running)
            .map(|(campaign, row)| RunningRow {
                campaign: *campaign,
                rules: Arc::clone(&row.rules),
                started_at: row.started_at,
                preparing: false,
                last_call: self.last_call(*campaign),
            })
            .collect();
        let unfinished = self
            .open
            .iter()
            .map(|id| (id, &self.attempts[id]))
            .filter(|(_, row)| row.boot != boot)
            .map(|(id, row)| UnfinishedRow {
                campaign: row.claim.campaign,
                contact: row.claim.contact,
                rules: Arc::clone(&self.campaigns[&row.claim.campaign].rules),
                attempt: Unfinished {
                    attempt: *id,
                    phone: row.claim.phone.clone(),
                    invited_at: row.invited_at,
                    answered_at: row.answered_at,
                    history: row
                        .claim
                        .contact
                        .and_then(|contact| self.contacts.get(&contact))
                        .map(ContactRow::history),
                },
            })
            .collect();
        dialer::Rows { running, unfinished, lines }
    }
}
