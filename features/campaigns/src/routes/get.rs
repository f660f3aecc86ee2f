//! Reads one campaign.

use base::{Id, kind::Campaign};
use http_kit::{Caller, Json, Path, Result};

use super::{State, show};
use crate::view;

/// Read a campaign
#[utoipa::path(
    get, path = "/campaigns/{id}", operation_id = "get_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = view::Campaign))
)]
pub(crate) async fn get_campaign(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<view::Campaign>> {
    show(&dialers, caller.account, id).await
}
