//! Says whether a campaign may start.

use base::{Id, kind::Campaign};
use http_kit::{Caller, FieldError, Json, Path, Result};
use serde::Serialize;
use utoipa::ToSchema;

use super::State;
use crate::{
    problems::{CampaignProblem, or},
    readiness,
    store::campaigns,
};

/// Whether a campaign may start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    /// Nothing stands in the way.
    ready: bool,
    /// What stands in the way.
    problems: Vec<FieldError>,
    /// What is worth knowing before.
    warnings: Vec<FieldError>,
    /// How many contacts will be called.
    will_call: i64,
}

/// Check a campaign
///
/// Lists everything that is missing for a start, and what is worth knowing before it.
#[utoipa::path(
    get, path = "/campaigns/{id}/check", operation_id = "check_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Check))
)]
pub(crate) async fn check_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<Check>> {
    let account = caller.account;
    let row = dialers
        .handles
        .db
        .read(move |tx| Box::pin(async move { campaigns::get(tx, account, id).await }))
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    let found = readiness::look(&dialers, &row).await?;
    Ok(Json(Check {
        ready: found.problems.is_empty(),
        problems: found.problems,
        warnings: found.warnings,
        will_call: found.will_call,
    }))
}
