//! Starts, pauses, resumes and stops a campaign.

use std::sync::Arc;

use base::{Id, kind::Campaign};
use dialer::CampaignState;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Json, Path, Problem, Result};
use serde_json::json;

use super::{State, show};
use crate::{
    jobs::prepare,
    problems::{CampaignProblem, or},
    readiness,
    runner::Dialers,
    store::campaigns,
    view,
};

/// A step of a campaign's life.
#[derive(Debug, Clone, Copy)]
struct Step {
    from: &'static [CampaignState],
    to: CampaignState,
    action: &'static str,
}

const START: Step =
    Step { from: &[CampaignState::Draft], to: CampaignState::Running, action: "campaign.start" };
const PAUSE: Step =
    Step { from: &[CampaignState::Running], to: CampaignState::Paused, action: "campaign.pause" };
const RESUME: Step =
    Step { from: &[CampaignState::Paused], to: CampaignState::Running, action: "campaign.resume" };
const STOP: Step = Step {
    from: &[CampaignState::Running, CampaignState::Paused],
    to: CampaignState::Stopped,
    action: "campaign.stop",
};

/// Start a campaign
///
/// Refused with every reason when something is missing. Its contacts are then taken up from the
/// lists in the background while the first are called.
#[utoipa::path(
    post, path = "/campaigns/{id}/start", operation_id = "start_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn start_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<view::Campaign>> {
    ready(&dialers, &caller, id).await?;
    step(&dialers, &caller, id, START).await
}

/// Pause a campaign
///
/// No new calls are made; calls that are up go on to their end.
#[utoipa::path(
    post, path = "/campaigns/{id}/pause", operation_id = "pause_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn pause_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<view::Campaign>> {
    step(&dialers, &caller, id, PAUSE).await
}

/// Resume a campaign
#[utoipa::path(
    post, path = "/campaigns/{id}/resume", operation_id = "resume_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn resume_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<view::Campaign>> {
    ready(&dialers, &caller, id).await?;
    step(&dialers, &caller, id, RESUME).await
}

/// Stop a campaign
///
/// For good. Calls that are not answered yet are withdrawn; answered ones go on to their end.
#[utoipa::path(
    post, path = "/campaigns/{id}/stop", operation_id = "stop_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn stop_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<view::Campaign>> {
    step(&dialers, &caller, id, STOP).await
}

/// Refuses a campaign with something missing, each missing thing named.
async fn ready(dialers: &Arc<Dialers>, caller: &Caller, id: Id<Campaign>) -> Result<()> {
    let account = caller.account;
    let row = dialers
        .handles
        .db
        .read(move |tx| Box::pin(async move { campaigns::get(tx, account, id).await }))
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let over = matches!(row.state, CampaignState::Completed | CampaignState::Stopped);
    if over || row.deleted_at.is_some() || row.state == CampaignState::Running {
        // The step itself says what is wrong, or that there is nothing to do.
        return Ok(());
    }
    let found = readiness::look(dialers, &row).await?;
    if found.problems.is_empty() {
        Ok(())
    } else {
        Err(Problem::from(CampaignProblem::NotReady).errors(found.problems))
    }
}

async fn step(
    dialers: &Arc<Dialers>,
    caller: &Caller,
    id: Id<Campaign>,
    step: Step,
) -> Result<Json<view::Campaign>> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    db.write(move |tx| {
        Box::pin(async move {
            let row = campaigns::get_locked(tx, account, id).await?;
            if row.deleted_at.is_some() {
                return Ok(Err(CampaignProblem::NotFound));
            }
            if row.state == step.to {
                // Pressed twice: it is so already.
                return Ok(Ok(()));
            }
            if !step.from.contains(&row.state) {
                let state = row.state.to_string();
                return Ok(Err(CampaignProblem::WrongState { state }));
            }
            campaigns::move_to(tx, account, id, row.state, step.to, now).await?;
            if step.to == CampaignState::Running {
                campaigns::set_preparing(tx, account, id, true).await?;
                prepare::enqueue(tx, &ids, account, id, now).await?;
            }
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: step.action,
                subject: format!("campaign:{id}"),
                detail: json!({ "from": row.state, "version": row.version }),
            };
            audit::record(tx, &ids, entry, now).await?;
            Ok(Ok(()))
        })
    })
    .await
    .map_err(or(CampaignProblem::NotFound))??;
    dialers.changed(account, id).await;
    super::touch(dialers, account, id);
    show(dialers, account, id).await
}
