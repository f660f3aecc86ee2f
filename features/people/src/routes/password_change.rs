//! Changes one's own password.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use http_kit::{Caller, Fields, Json, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::note;
use crate::{
    password,
    problems::PeopleProblem,
    store::{invite, person, session},
};

/// The present password and the new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangePassword {
    current: String,
    #[schema(min_length = 10, max_length = 200)]
    new: String,
}

/// Change my password
///
/// Ends every other session of mine.
#[utoipa::path(
    post,
    path = "/me/password",
    operation_id = "change_password",
    tag = "people",
    request_body = ChangePassword,
    responses((status = 204, description = "Changed."))
)]
pub(crate) async fn change_password(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Json(body): Json<ChangePassword>,
) -> Result<StatusCode> {
    let (account, user) = (caller.account, caller.user);
    let db = &state.handles.db;
    let read = db.read(move |tx| Box::pin(async move { person::get(tx, account, user).await }));
    let person = read.await?;
    let mut fields = Fields::new();
    password::check(&mut fields, "new", &body.new, &person.email);
    fields.finish()?;
    state.tries_by_person.take(&user)?;
    if !state.hasher.verify(body.current, person.password).await? {
        return Err(PeopleProblem::WrongPassword.into());
    }
    state.tries_by_person.give_back(&user);
    let password = state.hasher.hash(body.new).await?;
    let write = db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                let mut person = person::get(tx, account, user).await?;
                person.password = Some(password);
                person::update(tx, &person).await?;
                invite::remove(tx, account, user).await?;
                let ended = session::end_others(tx, account, user, Some(caller.session)).await?;
                let (subject, detail) = (format!("user:{user}"), json!({ "by": "oneself" }));
                note(tx, &state, &caller, "user.password", subject, detail).await?;
                Ok(ended)
            })
        }
    });
    for session in write.await? {
        state.handles.hub.close_session(session);
    }
    Ok(StatusCode::NO_CONTENT)
}
