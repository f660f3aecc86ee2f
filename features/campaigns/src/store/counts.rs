//! Counters of a campaign, kept equal to its rows by whoever changes them.

use std::collections::BTreeMap;

use base::{
    Id, Timestamp,
    kind::{Account, Campaign},
};
use call::Outcome;
use db::{Result, Tx, args, sql};
use dialer::ContactState;

use super::{
    pulse::{self, Beat},
    serde_word,
};

/// Changes to counters, gathered over a transaction and written once.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    counts: BTreeMap<(Id<Campaign>, String), i64>,
    beats: BTreeMap<Beat, pulse::Calls>,
}

/// An attempt on a contact that ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) campaign: Id<Campaign>,
    pub(crate) began_at: Timestamp,
    pub(crate) outcome: Outcome,
    pub(crate) answered: bool,
    /// The final SIP status, if one was heard.
    pub(crate) sip: Option<u16>,
}

impl Deltas {
    /// A contact joins a state.
    pub(crate) fn join(&mut self, campaign: Id<Campaign>, state: ContactState) {
        self.add(campaign, format!("contact:{state}"), 1);
    }

    /// A contact moves from one state to another.
    pub(crate) fn shift(&mut self, campaign: Id<Campaign>, from: ContactState, to: ContactState) {
        self.add(campaign, format!("contact:{from}"), -1);
        self.add(campaign, format!("contact:{to}"), 1);
    }

    /// An attempt on a contact ended.
    pub(crate) fn ended(&mut self, ended: Ended) -> Result<()> {
        let Ended { campaign, began_at, outcome, answered, sip } = ended;
        let outcome = serde_word(&outcome)?;
        self.add(campaign, format!("outcome:{outcome}"), 1);
        if answered {
            self.add(campaign, "answered".to_owned(), 1);
        }
        if let Some(code) = sip {
            self.add(campaign, format!("cause:{outcome}:{code}"), 1);
        }
        for beat in Beat::of(campaign, began_at, &outcome) {
            self.beats.entry(beat).or_default().add(answered);
        }
        Ok(())
    }

    fn add(&mut self, campaign: Id<Campaign>, what: String, n: i64) {
        *self.counts.entry((campaign, what)).or_default() += n;
    }

    /// Writes them, in the order of their keys so that no two transactions wait for each other.
    pub(crate) async fn write(self, tx: &mut Tx<'_>, account: Id<Account>) -> Result<()> {
        for ((campaign, what), n) in self.counts {
            if n != 0 {
                tx.exec(
                    sql!(
                        "INSERT INTO campaign_count (account, campaign, what, n)
                         VALUES ($1, $2, $3, $4)
                         ON CONFLICT (campaign, what) DO UPDATE
                         SET n = campaign_count.n + excluded.n"
                    ),
                    args![account, campaign, what, n],
                )
                .await?;
            }
        }
        for (beat, calls) in self.beats {
            pulse::add(tx, account, beat, calls).await?;
        }
        Ok(())
    }
}

/// The counters of a campaign.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    states: BTreeMap<ContactState, i64>,
    /// Attempts on contacts by outcome.
    pub(crate) outcomes: BTreeMap<String, i64>,
    /// The same by outcome and final SIP status: `failed:503`.
    pub(crate) causes: BTreeMap<String, i64>,
    /// Attempts on contacts that were answered.
    pub(crate) answered: i64,
}

impl Counts {
    /// Contacts in a state.
    pub(crate) fn of(&self, state: ContactState) -> i64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// Contacts in all.
    pub(crate) fn total(&self) -> i64 {
        self.states.values().sum()
    }

    /// Contacts for a campaign that is run again: all but those whom a person excluded, or of these
    /// the ones without success.
    pub(crate) fn again(&self, all: bool) -> i64 {
        let left = self.total() - self.of(ContactState::ByHand);
        if all { left } else { left - self.of(ContactState::Success) }
    }

    fn take(&mut self, what: &str, n: i64) -> Result<()> {
        if let Some(state) = what.strip_prefix("contact:") {
            self.states.insert(super::word(state)?, n);
        } else if let Some(outcome) = what.strip_prefix("outcome:") {
            if n != 0 {
                self.outcomes.insert(outcome.to_owned(), n);
            }
        } else if let Some(cause) = what.strip_prefix("cause:") {
            if n != 0 {
                self.causes.insert(cause.to_owned(), n);
            }
        } else if what == "answered" {
            self.answered = n;
        }
        Ok(())
    }
}

/// The counters of one campaign.
pub(crate) async fn of(
    tx: &mut Tx<'_>,
    account: Id<Account>,
    campaign: Id<Campaign>,
) -> Result<Counts> {
    let rows: Vec<(String, i64)> = tx
        .all(
            sql!("SELECT what, n FROM campaign_count WHERE campaign = $1 AND account = $2"),
            args![campaign, account],
        )
        .await?;
    let mut counts = Counts::default();
    for (what, n) in rows {
        counts.take(&what, n)?;
    }
    Ok(counts)
}

/// How many callable contacts wait for a moment after `now`. Read from the index alone.
pub(crate) async fn planned(
    tx: &mut Tx<'_>,
    campaign: Id<Campaign>,
    now: Timestamp,
) -> Result<i64> {
    let (n,): (i64,) = tx
        .one(
            sql!(
                "SELECT COUNT(*) FROM campaign_contact
                 WHERE campaign = $1 AND state = 'callable' AND next_at > $2"
            ),
            args![campaign, now],
        )
        .await?;
    Ok(n)
}
