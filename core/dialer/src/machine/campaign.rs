//! A running campaign as the dialler sees it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use base::{
    Id, Timestamp,
    kind::{Attempt, CampaignContact},
};

use crate::{Candidate, Pace, Rules};

/// What is known about contacts that the machine does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// There may be due ones: ask.
    Unknown,
    /// Asked; `heard` is the earliest moment that was announced meanwhile.
    Asked {
        /// How many were asked for.
        n: u32,
        /// What was announced meanwhile.
        heard: Option<Timestamp>,
    },
    /// None before this moment.
    Later(Timestamp),
    /// None at all.
    Nothing,
}

impl Work {
    /// Takes in that there is work from `at` on.
    pub(super) fn hear(&mut self, at: Timestamp) {
        match self {
            Self::Unknown => {}
            Self::Asked { heard, .. } => {
                *heard = Some(heard.map_or(at, |earlier| earlier.min(at)));
            }
            Self::Later(earlier) => *earlier = (*earlier).min(at),
            Self::Nothing => *self = Self::Later(at),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, in any combination")]
pub(super) struct Campaign {
    pub(super) rules: Arc<Rules>,
    pub(super) started_at: Timestamp,
    /// Makes new calls. Otherwise it is here for its open attempts only.
    pub(super) running: bool,
    /// Its contacts are still being made.
    pub(super) preparing: bool,
    /// Its end was announced.
    pub(super) completing: bool,
    pub(super) queue: VecDeque<Candidate>,
    /// Contacts in the queue or with an open attempt: an answer that was read before a claim was
    /// kept may bring them once more.
    pub(super) held: BTreeSet<Id<CampaignContact>>,
    pub(super) open: BTreeSet<Id<Attempt>>,
    /// Open attempts that are test calls; they are not the campaign's work.
    pub(super) tests: u32,
    /// Open attempts of its own whose calls are over.
    pub(super) finishing: u32,
    pub(super) work: Work,
    pub(super) served: u64,
    pub(super) pace: Pace,
    /// Calls of the wave that is going out.
    pub(super) wave: u32,
    /// When a call of its own last began, as far as that is known.
    pub(super) last_call: Option<Timestamp>,
    /// Whether its own window is open, as of the last look.
    pub(super) in_window: bool,
}

impl Campaign {
    pub(super) fn new(rules: Arc<Rules>, started_at: Timestamp, now: Timestamp) -> Self {
        Self {
            pace: rules.rate.map(|rate| Pace::used_up(rate, now)).unwrap_or_default(),
            rules,
            started_at,
            running: true,
            preparing: false,
            completing: false,
            queue: VecDeque::new(),
            held: BTreeSet::new(),
            open: BTreeSet::new(),
            tests: 0,
            finishing: 0,
            work: Work::Unknown,
            served: 0,
            wave: 0,
            last_call: None,
            in_window: false,
        }
    }

    /// Attempts of its own that are open.
    pub(super) fn attempts(&self) -> usize {
        self.open.len() - self.tests as usize
    }

    /// Calls of its own that are up or being made.
    pub(super) fn calls(&self) -> usize {
        self.attempts() - self.finishing as usize
    }

    /// The first moment at which its next wave may begin; none while one is going out, or when it
    /// does not call in waves.
    pub(super) fn wave_at(&self) -> Option<Timestamp> {
        let batch = self.rules.batch?;
        self.last_call.filter(|_| self.wave == 0).map(|last| last.plus(batch.gap))
    }

    /// Takes down that a call of its own begins.
    pub(super) fn begin_call(&mut self, now: Timestamp) {
        if let Some(rate) = self.rules.rate {
            self.pace.begin(rate, now);
        }
        self.last_call = Some(now);
        self.wave += 1;
        if self.rules.batch.is_none_or(|batch| self.wave >= batch.calls) {
            self.wave = 0;
        }
    }

    /// How many candidates it likes to hold.
    pub(super) fn stock(&self) -> usize {
        (self.rules.concurrency as usize * 2).clamp(8, 500)
    }

    /// Drops the candidates: they are still callable in their rows.
    pub(super) fn forget_queue(&mut self) {
        for candidate in self.queue.drain(..) {
            self.held.remove(&candidate.contact);
        }
        self.work = Work::Unknown;
    }
}
