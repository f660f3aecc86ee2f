//! Deletes a campaign, and brings it back.

use axum::http::StatusCode;
use base::{Id, kind::Campaign};
use dialer::CampaignState;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Json, Path, Result};
use serde_json::json;

use super::{State, show};
use crate::{
    jobs::purge,
    problems::{CampaignProblem, or},
    store::campaigns,
    view,
};

/// Delete a campaign
///
/// It leaves the list and can be restored for 30 days, after which it is removed for good. A campaign that runs or is paused is stopped first.
#[utoipa::path(
    delete, path = "/campaigns/{id}", operation_id = "delete_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 204))
)]
pub(crate) async fn delete_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<StatusCode> {
    set(&dialers, &caller, id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restore a campaign
#[utoipa::path(
    post, path = "/campaigns/{id}/restore", operation_id = "restore_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn restore_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<view::Campaign>> {
    set(&dialers, &caller, id, false).await?;
    show(&dialers, caller.account, id).await
}

async fn set(
    dialers: &crate::runner::Dialers,
    caller: &Caller,
    id: Id<Campaign>,
    deleted: bool,
) -> Result<()> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            let row = campaigns::get_locked(tx, account, id).await?;
            if matches!(row.state, CampaignState::Running | CampaignState::Paused) {
                return Ok(Err(CampaignProblem::NotDeletable));
            }
            if row.deleted_at.is_some() == deleted {
                return Ok(Ok(()));
            }
            campaigns::set_deleted(tx, account, id, deleted.then_some(now), now).await?;
            if deleted {
                purge::ensure(tx, account, now).await?;
            }
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: if deleted { "campaign.delete" } else { "campaign.restore" },
                subject: format!("campaign:{id}"),
                detail: json!({ "name": row.name }),
            };
            audit::record(tx, &ids, entry, now).await?;
            Ok(Ok(()))
        })
    })
    .await
    .map_err(or(CampaignProblem::NotFound))??;
    super::touch(dialers, account, id);
    Ok(())
}
