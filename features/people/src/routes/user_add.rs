//! Adds a person, who comes in by a one-time link.

use std::sync::Arc;

use access::Role;
use axum::{extract::State, http::StatusCode};
use http_kit::{Caller, Fields, Json, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{email_taken, new_invite, note};
use crate::{
    problems::PeopleProblem,
    sessions::Browser,
    store::{
        account, invite,
        person::{self, NewPerson},
    },
    view::{self, InvitedUser},
};

/// Somebody new.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddUser {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(format = Email)]
    email: String,
    #[schema(value_type = String)]
    role: Role,
}

/// Invite a person
///
/// The link is shown in this answer only, and is good once, for 7 days.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "add_user",
    tag = "people",
    request_body = AddUser,
    responses((status = 201, body = InvitedUser))
)]
pub(crate) async fn add_user(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    browser: Browser,
    Json(body): Json<AddUser>,
) -> Result<(StatusCode, Json<InvitedUser>)> {
    let mut fields = Fields::new();
    fields.text("name", &body.name, 1..=100);
    fields.email("email", &body.email);
    fields.finish()?;
    if !caller.permissions.covers(body.role.permissions()) {
        return Err(PeopleProblem::RoleBeyondOwn.into());
    }
    let (now, id) = (state.handles.clock.now(), state.handles.ids.next());
    let (row, invite) = new_invite(&caller, id, false, &browser, now);
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                let person = NewPerson {
                    id,
                    account: caller.account,
                    name: body.name.trim().to_owned(),
                    email: body.email,
                    password: None,
                    role: body.role,
                    owner: false,
                    language: account::get(tx, caller.account).await?.language()?,
                };
                person::insert(tx, &person, now).await?;
                invite::put(tx, &row, now).await?;
                let detail = json!({ "role": person.role, "email": person.email });
                note(tx, &state, &caller, "user.invite", format!("user:{id}"), detail).await?;
                view::user(&person::get(tx, caller.account, id).await?)
            })
        }
    });
    let user = write.await.map_err(email_taken)?;
    Ok((StatusCode::CREATED, Json(InvitedUser { user, invite })))
}
