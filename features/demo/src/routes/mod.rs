//! One file per endpoint of the demo.

pub(crate) mod dismiss;
pub(crate) mod load;
pub(crate) mod remove;
pub(crate) mod steps;

use base::{
    Id,
    kind::{Account, Campaign, Line},
};
use http_kit::Result;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{State, store};

/// One of the first steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    /// Load the demo data.
    LoadDemo,
    /// Run the demo campaign to its end.
    RunDemo,
    /// Listen to a recording.
    Listen,
    /// Connect a line of a telephone provider.
    ConnectLine,
    /// Start a campaign of one's own.
    OwnCampaign,
    /// Invite somebody.
    Invite,
    /// Remove the demo data.
    RemoveDemo,
}

/// A first step and whether it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FirstStep {
    /// Which.
    id: Step,
    /// Whether the state of the account says that it is done.
    done: bool,
}

/// The first steps of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FirstSteps {
    /// In the order of doing them.
    steps: Vec<FirstStep>,
    /// Whether somebody put them away.
    dismissed: bool,
    /// Whether the demo data is there.
    demo_loaded: bool,
    /// The demo campaign, while the demo data is there.
    #[schema(value_type = Option<String>)]
    demo_campaign_id: Option<Id<Campaign>>,
    /// The demo line, while the demo data is there.
    #[schema(value_type = Option<String>)]
    demo_line_id: Option<Id<Line>>,
}

/// The first steps as they are now.
async fn show(state: &State, account: Id<Account>) -> Result<FirstSteps> {
    let (was, set, seen) = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let set = store::get(tx, account).await?;
                let seen = store::seen(tx, account, &set).await?;
                let there = store::existing(tx, account, set.clone()).await?;
                Ok((set, there, seen))
            })
        })
        .await?;
    let loaded = set.is_loaded();
    let removed = was.removed_at.is_some();
    let once = loaded || removed;
    let steps = [
        (Step::LoadDemo, once || seen.demo_ran),
        (Step::RunDemo, seen.demo_ran),
        (Step::Listen, seen.heard),
        (Step::ConnectLine, seen.real_line),
        (Step::OwnCampaign, seen.own_campaign),
        (Step::Invite, seen.company),
        (Step::RemoveDemo, removed),
    ];
    Ok(FirstSteps {
        steps: steps.into_iter().map(|(id, done)| FirstStep { id, done }).collect(),
        dismissed: seen.dismissed,
        demo_loaded: loaded,
        demo_campaign_id: set.campaign.filter(|_| loaded),
        demo_line_id: set.line.filter(|_| loaded),
    })
}
