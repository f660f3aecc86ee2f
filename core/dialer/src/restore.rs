//! From rows to a machine: what a new process does first.

use std::sync::Arc;

use base::{
    Id, Machine, Timestamp,
    kind::{Campaign, CampaignContact},
};

use crate::{
    Dialer, Effect, Ending, Event, Finish, LineFact, LineSign, Rules, Unfinished, interrupted,
};

/// What is stored about an account, as far as its dialler needs it. Contacts stay where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The running campaigns.
    pub running: Vec<RunningRow>,
    /// Attempts without an end that belong to processes other than this one.
    pub unfinished: Vec<UnfinishedRow>,
    /// The lines.
    pub lines: Vec<LineFact>,
}

/// A running campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningRow {
    /// Which.
    pub campaign: Id<Campaign>,
    /// Its rules.
    pub rules: Arc<Rules>,
    /// When it was started.
    pub started_at: Timestamp,
    /// Whether its contacts are still being made.
    pub preparing: bool,
    /// When its last call on a contact was claimed, if it calls in waves and ever called.
    pub last_call: Option<Timestamp>,
}

/// An attempt that a dead process left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedRow {
    /// Of which campaign, whatever its state is now.
    pub campaign: Id<Campaign>,
    /// Whose; `None` for a test call.
    pub contact: Option<Id<CampaignContact>>,
    /// The campaign's rules.
    pub rules: Arc<Rules>,
    /// The attempt.
    pub attempt: Unfinished,
}

/// A machine made from rows, and what to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The machine. It does not hold the attempts in `finishes`.
    pub dialer: Dialer,
    /// The ends of what was left open; to be committed first, each followed by [`Event::Work`] if
    /// its contact waits again.
    pub finishes: Vec<Finish>,
    /// What the machine wants done; after that.
    pub effects: Vec<Effect>,
}

/// Makes the machine that the rows describe. The run-time and the simulated world both come back
/// from a crash through here.
pub fn restore(rows: Rows, now: Timestamp) -> Restored {
    let Rows { running, unfinished, lines } = rows;
    let called = !running.is_empty() || !unfinished.is_empty();
    let speed = |line| {
        let fact = lines.iter().find(|fact| fact.id == line);
        fact.and_then(|fact| fact.demo).unwrap_or_default()
    };
    let finishes = unfinished
        .into_iter()
        .map(|UnfinishedRow { campaign, contact, rules, attempt }| Finish {
            attempt: attempt.attempt,
            campaign,
            contact,
            ending: Ending {
                at: now,
                invited: attempt.invited_at.is_some(),
                answered_at: attempt.answered_at,
                outcome: call::Outcome::Interrupted,
                line: LineSign::Silent,
            },
            verdict: interrupted(&attempt, &rules, now, speed(rules.line)),
        })
        .collect();
    let (mut dialer, mut effects) = (Dialer::new(), Vec::new());
    dialer.handle(now, Event::Lines(lines), &mut effects);
    if called {
        dialer.assume_calls(now);
    }
    for RunningRow { campaign, rules, started_at, preparing, last_call } in running {
        let event = Event::Running { campaign, rules, started_at, preparing };
        dialer.handle(now, event, &mut effects);
        dialer.assume_wave(campaign, last_call);
    }
    Restored { dialer, finishes, effects }
}
