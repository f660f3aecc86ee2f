//! The endpoints of campaigns, one file each.

mod actions;
mod attempts;
mod check;
mod contacts;
mod create;
mod delete;
mod edit;
mod exports;
mod get;
mod list;
mod presets;
mod rehearse;
mod run_again;
mod steps;
mod test_call;
mod timeline;

use std::sync::Arc;

use access::Permission;
use base::{
    Id,
    kind::{Account, Campaign},
};
use dialer::CampaignState;
use http_kit::{ApiRouter, Caller, Json, Path, Result};

use crate::{
    problems::{CampaignProblem, or},
    runner::Dialers,
    store::campaigns,
    view,
};

/// What handlers share.
pub(crate) type State = axum::extract::State<Arc<Dialers>>;

/// All routes.
pub(crate) fn routes() -> ApiRouter<Arc<Dialers>> {
    use Permission::{CampaignDelete, CampaignEdit, CampaignStart, CampaignView, ListExport};

    ApiRouter::new()
        .with(CampaignView, http_kit::routes!(list::list_campaigns))
        .with(CampaignView, http_kit::routes!(actions::list_on_answer_actions))
        .with(CampaignEdit, http_kit::routes!(create::create_campaign))
        .with(CampaignView, http_kit::routes!(get::get_campaign))
        .with(CampaignEdit, http_kit::routes!(edit::edit_campaign))
        .with(CampaignDelete, http_kit::routes!(delete::delete_campaign))
        .with(CampaignDelete, http_kit::routes!(delete::restore_campaign))
        .with(CampaignView, http_kit::routes!(run_again::count_run_again))
        .with(CampaignEdit, http_kit::routes!(run_again::run_campaign_again))
        .with(CampaignView, http_kit::routes!(check::check_campaign))
        .with(CampaignView, http_kit::routes!(rehearse::rehearse_campaign))
        .with(CampaignStart, http_kit::routes!(steps::start_campaign))
        .with(CampaignStart, http_kit::routes!(steps::pause_campaign))
        .with(CampaignStart, http_kit::routes!(steps::resume_campaign))
        .with(CampaignStart, http_kit::routes!(steps::stop_campaign))
        .with(CampaignStart, http_kit::routes!(test_call::test_call))
        .with(CampaignView, http_kit::routes!(contacts::list_campaign_contacts))
        .with(CampaignView, http_kit::routes!(contacts::get_campaign_contact))
        .with(CampaignEdit, http_kit::routes!(contacts::exclude_campaign_contact))
        .with(CampaignView, http_kit::routes!(attempts::list_attempts))
        .with(CampaignView, http_kit::routes!(timeline::get_timeline))
        .with(CampaignView, http_kit::routes!(timeline::get_week))
        .with(ListExport, http_kit::routes!(exports::create_export))
        .with(ListExport, http_kit::routes!(exports::list_exports))
        .with(ListExport, http_kit::routes!(exports::get_export))
        .with(ListExport, http_kit::routes!(exports::delete_export))
        .merge(presets::routes())
}

/// Makes a draft, for another feature.
pub(crate) async fn add(
    dialers: &Arc<Dialers>,
    by: &Caller,
    body: serde_json::Value,
) -> Result<Id<Campaign>> {
    let state = axum::extract::State(Arc::clone(dialers));
    let (_, Json(made)) = create::create_campaign(state, by.clone(), Json(body)).await?;
    Ok(made.id())
}

/// Stops and deletes a campaign, for another feature.
pub(crate) async fn remove(dialers: &Arc<Dialers>, by: &Caller, id: Id<Campaign>) -> Result<()> {
    let account = by.account;
    let found = dialers
        .handles
        .db
        .read(move |tx| Box::pin(async move { campaigns::get(tx, account, id).await }))
        .await;
    let row = match found {
        Ok(row) if row.deleted_at.is_none() => row,
        Ok(_) | Err(db::Error::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let state = || axum::extract::State(Arc::clone(dialers));
    if matches!(row.state, CampaignState::Running | CampaignState::Paused) {
        steps::stop_campaign(state(), by.clone(), Path(id)).await?;
    }
    delete::delete_campaign(state(), by.clone(), Path(id)).await?;
    Ok(())
}

/// The campaign as it is now.
async fn show(
    dialers: &Arc<Dialers>,
    account: Id<Account>,
    id: Id<Campaign>,
) -> Result<Json<view::Campaign>> {
    let core = Arc::clone(dialers);
    let view = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let row = campaigns::get(tx, account, id).await?;
                Ok(view::campaign(tx, &core, row).await?.0)
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    Ok(Json(view))
}

/// Tells watchers of a campaign that it changed.
fn touch(dialers: &Dialers, account: Id<Account>, id: Id<Campaign>) {
    dialers.handles.hub.touch(account, "campaigns");
    dialers.handles.hub.touch(account, &format!("campaign:{id}:live"));
}
