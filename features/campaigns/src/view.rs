//! A campaign as the API and the live topics show it: one maker for all of them.

use std::{collections::BTreeMap, sync::Arc};

use base::{
    Id,
    kind::{Account, Campaign as CampaignKind, ContactList},
};
use db::{Result, Tx};
use dialer::{CampaignState, ContactState, Reason, Stage, Standing, why};
use http_kit::Time;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    phones::LineView,
    runner::Dialers,
    setup::Setup,
    store::{
        campaigns::{Again, Row},
        counts::{self, Counts},
    },
};

/// Why a campaign is, or is not, dialling.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Why {
    /// The reason's word, which pages translate.
    code: String,
    /// The numbers of its sentence.
    params: BTreeMap<String, i64>,
    /// Until when it holds, if it ends by itself at a known moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    /// Since when it holds, where that says more than until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
}

impl Why {
    fn new(reason: &Reason) -> Self {
        let params = reason.params().into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        Self {
            code: reason.code().to_owned(),
            params,
            until: reason.until().map(Time),
            since: reason.since().map(Time),
        }
    }
}

/// How many contacts are where. Disjoint; `total` is the sum of callable, planning, open, closed,
/// attempted and flagged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Counters {
    total: i64,
    /// Fit for an attempt now.
    callable: i64,
    /// Their next attempt lies ahead.
    planning: i64,
    /// A call is up, or a person works on it.
    open: i64,
    /// Finished, with or without success.
    closed: i64,
    /// All attempts are spent.
    attempted: i64,
    /// Cannot or must not be called.
    flagged: i64,
    /// Of the closed: with success.
    success: i64,
    /// Of the closed: without.
    not_success: i64,
    /// Of the flagged: excluded by the do-not-call list, by hand or by the source.
    excluded: i64,
    /// Attempts that were answered.
    answered: i64,
}

impl Counters {
    fn new(counts: &Counts, planning: i64) -> Self {
        let of = |state| counts.of(state);
        let planning = planning.min(of(ContactState::Callable));
        let excluded =
            of(ContactState::DoNotCall) + of(ContactState::ByHand) + of(ContactState::BySource);
        let (success, not_success) = (of(ContactState::Success), of(ContactState::NotSuccess));
        Self {
            total: counts.total(),
            callable: of(ContactState::Callable) - planning,
            planning,
            open: of(ContactState::InAttempt) + of(ContactState::InWork),
            closed: success + not_success,
            attempted: of(ContactState::Attempted),
            flagged: of(ContactState::InvalidNumber) + of(ContactState::NoNumber) + excluded,
            success,
            not_success,
            excluded,
            answered: counts.answered,
        }
    }
}

/// Whose contacts a campaign calls again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CalledAgain {
    /// The campaign that had them.
    #[schema(value_type = String)]
    campaign: Id<CampaignKind>,
    /// Those too that were reached with success.
    all: bool,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct Campaign {
    #[schema(value_type = String)]
    id: Id<CampaignKind>,
    name: String,
    notes: String,
    /// draft, running, paused, completed or stopped.
    #[schema(value_type = String)]
    state: CampaignState,
    /// The word beside the name: the state, or what is more telling.
    badge: String,
    why: Why,
    /// Contacts are being taken up from the lists.
    preparing: bool,
    #[schema(value_type = Vec<String>)]
    lists: Vec<Id<ContactList>>,
    /// Present when it is another one, run again: of the lists it calls only whom that one had.
    again: Option<CalledAgain>,
    #[serde(flatten)]
    setup: Setup,
    /// Its line is the demo carrier's: nobody is really called.
    simulated: bool,
    /// Of the settings; send it as `If-Match` or `version` with a change.
    version: i64,
    counters: Counters,
    /// Calls that are up.
    active_calls: usize,
    created_at: Time,
    updated_at: Time,
    started_at: Option<Time>,
    completed_at: Option<Time>,
    deleted_at: Option<Time>,
}

impl Campaign {
    /// Which.
    pub(crate) const fn id(&self) -> Id<CampaignKind> {
        self.id
    }
}

/// From so many waiting contacts on, how many of them are planned is counted every few seconds only.
const MANY: i64 = 20_000;

/// Reads what a campaign's row does not hold, and makes the view.
pub(crate) async fn campaign(
    tx: &mut Tx<'_>,
    dialers: &Arc<Dialers>,
    row: Row,
) -> Result<(Campaign, Counts)> {
    let now = dialers.handles.clock.now();
    let counts = counts::of(tx, row.account, row.id).await?;
    // Only contacts that wait can be planned: with none there is nothing to count.
    let planning = match counts.of(ContactState::Callable) {
        0 => 0,
        waiting => {
            let known = (waiting > MANY).then(|| dialers.planned_before(row.id, now)).flatten();
            if let Some(planned) = known {
                planned
            } else {
                let planned = counts::planned(tx, row.id, now).await?;
                dialers.keep_planned(row.id, now, planned);
                planned
            }
        }
    };
    let (reason, active_calls) = stand(dialers, row.account, &row);
    let lines = dialers.phones.lines(row.account);
    let on_demo = |line: &LineView| Some(line.id) == row.setup.line_id && line.demo.is_some();
    let simulated = lines.iter().any(on_demo);
    let view = Campaign {
        id: row.id,
        name: row.name,
        notes: row.notes,
        state: row.state,
        badge: reason.badge().to_string(),
        why: Why::new(&reason),
        preparing: row.preparing,
        lists: row.lists,
        again: row.again.map(|Again { campaign, all }| CalledAgain { campaign, all }),
        setup: row.setup,
        simulated,
        version: row.version,
        counters: Counters::new(&counts, planning),
        active_calls,
        created_at: Time(row.created_at),
        updated_at: Time(row.updated_at),
        started_at: row.started_at.map(Time),
        completed_at: row.completed_at.map(Time),
        deleted_at: row.deleted_at.map(Time),
    };
    Ok((view, counts))
}

/// Why the campaign is, or is not, dialling, and how many of its calls are up.
fn stand(dialers: &Arc<Dialers>, account: Id<Account>, row: &Row) -> (Reason, usize) {
    let rules = row.setup.rules(row.version);
    let standing = Standing { campaign: row.id, state: row.state, rules: rules.as_ref() };
    let shared = dialers.shared(account);
    let dialer = shared.dialer.lock();
    let now = dialers.handles.clock.now();
    let up = dialer.open(row.id).filter(|(_, stage)| *stage != Stage::Finishing).count();
    (why(&standing, &dialer, now), up)
}
