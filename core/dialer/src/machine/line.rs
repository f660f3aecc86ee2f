//! A line as the dialler sees it: channels, pace, and whether it is alive.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use base::{
    Id, Timestamp,
    kind::{Attempt, Campaign},
};

use super::LineSign;
use crate::{LineFact, LineHealth, Pace};

/// So many faults in a row, and the line is dead.
pub const FAULTS_OF_A_DEAD_LINE: usize = 5;
/// How often a dead line is asked whether it lives.
pub const PROBE_EVERY: Duration = Duration::from_secs(30);
/// The longest Retry-After that is obeyed.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// How long a line without a free channel is left alone, when nothing of ours will free one.
pub(super) const BUSY_PAUSE: Duration = Duration::from_millis(500);

/// A campaign's place in the queue for a line: the least served first, then the higher priority,
/// then the older.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) served: u64,
    pub(super) priority: Reverse<i32>,
    pub(super) started_at: Timestamp,
    pub(super) campaign: Id<Campaign>,
}

/// Whether a line carries calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// It does.
    Alive,
    /// It does not; nothing is claimed.
    Dead {
        /// Since when.
        since: Timestamp,
    },
    /// It answered a probe: one call at a time until one shows that it lives.
    OnTrial,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) fact: LineFact,
    /// Whether the account still has it.
    pub(super) present: bool,
    pub(super) life: Life,
    pub(super) pace: Pace,
    /// Nothing is claimed before.
    pub(super) paused_until: Timestamp,
    /// Whether that pause is for want of a channel.
    pub(super) pause_is_busy: bool,
    /// Our calls on it.
    pub(super) open: BTreeSet<Id<Attempt>>,
    /// The last attempts, as long as all of them met a fault.
    pub(super) faults: Vec<Id<Attempt>>,
    /// Campaigns that could call at once if the line let them.
    pub(super) ready: BTreeSet<Turn>,
    /// How much the campaign served last had been served: what a newcomer starts with, so that it
    /// neither overtakes for ever nor waits for ever.
    pub(super) level: u64,
}

/// What an ending changed about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    /// Whether the attempt is excused: the line was dead.
    pub(super) excused: bool,
    /// Earlier attempts that are excused with it.
    pub(super) give_back: Vec<Id<Attempt>>,
}

impl Line {
    pub(super) fn new(fact: LineFact, now: Timestamp) -> Self {
        let life =
            if fact.health == LineHealth::Down { Life::Dead { since: now } } else { Life::Alive };
        Self {
            pace: Pace::default(),
            fact,
            present: true,
            life,
            paused_until: Timestamp::EPOCH,
            pause_is_busy: false,
            open: BTreeSet::new(),
            faults: Vec::new(),
            ready: BTreeSet::new(),
            level: 0,
        }
    }

    /// Takes in what voice knows of the line now. The attempts that are excused if that is death.
    pub(super) fn learn(&mut self, fact: LineFact, now: Timestamp) -> Vec<Id<Attempt>> {
        let mut excused = Vec::new();
        if fact.health == LineHealth::Down && self.fact.health != LineHealth::Down {
            excused = std::mem::take(&mut self.faults);
            self.die(now);
        } else if fact.health == LineHealth::Up && self.fact.health != LineHealth::Up {
            self.answered_probe();
        }
        self.fact = fact;
        self.present = true;
        if self.pause_is_busy {
            self.paused_until = Timestamp::EPOCH;
        }
        excused
    }

    fn die(&mut self, now: Timestamp) {
        self.faults.clear();
        if !matches!(self.life, Life::Dead { .. }) {
            self.life = Life::Dead { since: now };
        }
    }

    pub(super) fn answered_probe(&mut self) {
        if matches!(self.life, Life::Dead { .. }) {
            self.life = Life::OnTrial;
        }
    }

    pub(super) fn is_dead(&self) -> bool {
        matches!(self.life, Life::Dead { .. })
    }

    /// How many calls of ours it may carry at once.
    pub(super) fn room(&self) -> usize {
        match self.life {
            Life::Alive => self.fact.channels as usize,
            Life::OnTrial => (self.fact.channels as usize).min(1),
            Life::Dead { .. } => 0,
        }
    }

    /// Whether it may carry calls at all, its room and pace aside.
    pub(super) fn is_usable(&self, now: Timestamp) -> bool {
        self.present
            && self.fact.enabled
            && self.fact.health != LineHealth::Registering
            && !self.is_dead()
            && self.paused_until <= now
    }

    /// No channel was left: others use the line too.
    pub(super) fn found_busy(&mut self, now: Timestamp) {
        self.paused_until = self.paused_until.max(now.plus(BUSY_PAUSE));
        self.pause_is_busy = true;
    }

    /// Takes in how a call on it ended.
    pub(super) fn hear(&mut self, attempt: Id<Attempt>, sign: LineSign, now: Timestamp) -> Heard {
        let mut heard = Heard { excused: false, give_back: Vec::new() };
        match sign {
            LineSign::Silent => {}
            LineSign::Alive | LineSign::Congested => {
                self.faults.clear();
                self.life = match self.life {
                    Life::Alive | Life::OnTrial => Life::Alive,
                    dead @ Life::Dead { .. } => dead,
                };
            }
            LineSign::Fault { retry_after } => {
                if let Some(wait) = retry_after {
                    let until = now.plus(wait.min(LONGEST_PAUSE));
                    self.paused_until = self.paused_until.max(until);
                    self.pause_is_busy = false;
                }
                if self.life == Life::Alive {
                    self.faults.push(attempt);
                    if self.faults.len() >= FAULTS_OF_A_DEAD_LINE {
                        heard.give_back = std::mem::take(&mut self.faults);
                        heard.give_back.pop();
                        heard.excused = true;
                        self.die(now);
                    }
                } else {
                    heard.excused = true;
                    self.die(now);
                }
            }
        }
        heard
    }
}

/// The account's lines.
pub(super) type Lines = BTreeMap<Id<base::kind::Line>, Line>;
