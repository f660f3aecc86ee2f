//! Live topics: what the list and the run page watch.

use std::{collections::BTreeMap, sync::Arc};

use base::{
    Id,
    kind::{Account, Attempt, Campaign, CampaignContact, Line},
};
use dialer::Stage;
use http_kit::{Params, Problem, Result, Time};
use serde::Serialize;
use serde_json::Value;

use crate::{
    problems::{CampaignProblem, or},
    runner::Dialers,
    store::campaigns::{self, Filter},
    view,
};

/// Campaigns that the list topic tells of: the newest, and so all that change.
const MOST: i64 = 200;

#[derive(Serialize)]
struct List {
    campaigns: BTreeMap<Id<Campaign>, view::Campaign>,
    /// Campaigns by stored state.
    states: BTreeMap<String, i64>,
}

/// The topic `campaigns`.
pub(crate) async fn list(dialers: &Arc<Dialers>, account: Id<Account>) -> Result<Value> {
    let core = Arc::clone(dialers);
    let list = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let filter = Filter { below: i64::MAX, ..Filter::default() };
                let mut rows = BTreeMap::new();
                for row in campaigns::page(tx, account, &filter, MOST).await? {
                    rows.insert(row.id, view::campaign(tx, &core, row).await?.0);
                }
                let states = campaigns::by_state(tx, account).await?.into_iter().collect();
                Ok(List { campaigns: rows, states })
            })
        })
        .await?;
    serde_json::to_value(list).map_err(Problem::unexpected)
}

#[derive(Serialize)]
struct Live {
    campaign: view::Campaign,
    /// The calls that are up.
    active: BTreeMap<Id<Attempt>, Active>,
    /// Ended attempts on contacts by outcome.
    results: BTreeMap<String, i64>,
    /// The same by outcome and final SIP status: `failed:503`.
    causes: BTreeMap<String, i64>,
}

#[derive(Serialize)]
struct Active {
    contact: Option<Id<CampaignContact>>,
    phone: String,
    line: Id<Line>,
    stage: &'static str,
    since: Time,
    test: bool,
}

/// The topic `campaign:{id}:live`.
pub(crate) async fn live(
    dialers: &Arc<Dialers>,
    account: Id<Account>,
    params: Params,
) -> Result<Value> {
    let id: Id<Campaign> = params.get("id")?;
    let core = Arc::clone(dialers);
    let (campaign, counts) = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = campaigns::get(tx, account, id).await?;
                view::campaign(tx, &core, row).await
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let shared = dialers.shared(account);
    let active = shared
        .active
        .lock()
        .iter()
        .filter(|(_, call)| call.campaign == id)
        .map(|(attempt, call)| {
            let active = Active {
                contact: call.contact,
                phone: call.phone.to_string(),
                line: call.line,
                stage: stage(call.stage),
                since: Time(call.since),
                test: call.contact.is_none(),
            };
            (*attempt, active)
        })
        .collect();
    let live = Live { campaign, active, results: counts.outcomes, causes: counts.causes };
    serde_json::to_value(live).map_err(Problem::unexpected)
}

/// The word for how far a call has come.
pub(crate) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Claiming | Stage::Claimed => "claimed",
        Stage::Dialling => "dialling",
        Stage::Ringing => "ringing",
        Stage::Answered => "playing",
        Stage::Finishing => "ended",
    }
}
