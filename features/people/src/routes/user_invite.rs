//! Makes a new one-time link for a person.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use http_kit::{Caller, Json, Path, Result};
use serde_json::json;

use super::{new_invite, note};
use crate::{
    problems::PeopleProblem,
    sessions::Browser,
    store::{invite, person},
    view::Invite,
};

/// Make a link for a person
///
/// For somebody who has not come in yet, a new invitation, good for 7 days. For somebody who has
/// forgotten their password, a link that sets a new one, good for an hour. The link before it is
/// not good any more.
#[utoipa::path(
    post,
    path = "/users/{id}/invite",
    operation_id = "invite_user",
    tag = "people",
    params(("id" = String, Path, description = "The person.")),
    responses((status = 200, body = Invite))
)]
pub(crate) async fn invite_user(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    browser: Browser,
    Path(id): Path<Id<kind::User>>,
) -> Result<Json<Invite>> {
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                let Some(person) = person::opt(tx, caller.account, id).await? else {
                    return Ok(Err(PeopleProblem::UserNotFound));
                };
                if person.owner && caller.user != id {
                    return Ok(Err(PeopleProblem::OwnerProtected));
                }
                if !caller.permissions.covers(person.role()?.permissions()) {
                    return Ok(Err(PeopleProblem::RoleBeyondOwn));
                }
                if person.disabled_at.is_some() {
                    return Ok(Err(PeopleProblem::UserDisabled));
                }
                let (now, joined) = (state.handles.clock.now(), person.password.is_some());
                let (row, invite) = new_invite(&caller, id, joined, &browser, now);
                invite::put(tx, &row, now).await?;
                let action = if joined { "user.reset" } else { "user.invite" };
                note(tx, &state, &caller, action, format!("user:{id}"), json!({})).await?;
                Ok(Ok(invite))
            })
        }
    });
    Ok(Json(write.await??))
}
