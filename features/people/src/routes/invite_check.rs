//! Tells whose invitation a link is, before it is accepted.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Json, Result};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    problems::PeopleProblem,
    sessions::Browser,
    store::{account, invite, person},
    token,
};

/// The token of a link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckInvite {
    /// From the link's fragment.
    token: String,
}

/// Whose invitation it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct InviteInfo {
    name: String,
    email: String,
    account_name: String,
    /// Whether they have come in before: the link then sets a new password.
    joined: bool,
}

/// Look at an invitation
///
/// Does not use it up.
#[utoipa::path(
    post,
    path = "/invites/check",
    operation_id = "check_invite",
    tag = "people",
    request_body = CheckInvite,
    responses((status = 200, body = InviteInfo))
)]
pub(crate) async fn check_invite(
    State(state): State<Arc<crate::State>>,
    browser: Browser,
    Json(body): Json<CheckInvite>,
) -> Result<Json<InviteInfo>> {
    let client = browser.site.network();
    state.tries_by_address.take(&client)?;
    let now = state.handles.clock.now();
    let read = state.handles.db.read(move |tx| {
        Box::pin(async move {
            let Some(found) = invite::find(tx, token::hash(&body.token), now).await? else {
                return Ok(None);
            };
            let person = person::get(tx, found.account, found.person).await?;
            let account = account::get(tx, found.account).await?;
            Ok(Some(InviteInfo {
                name: person.name,
                email: person.email,
                account_name: account.name,
                joined: person.password.is_some(),
            }))
        })
    });
    let info = read.await?.ok_or(PeopleProblem::InviteInvalid)?;
    state.tries_by_address.give_back(&client);
    Ok(Json(info))
}
