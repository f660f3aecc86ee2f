//! Ends one of one's own sessions.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use http_kit::{Caller, Path, Result};
use serde_json::json;

use super::note;
use crate::{problems::PeopleProblem, store::session};

/// End a session of mine
#[utoipa::path(
    delete,
    path = "/me/sessions/{id}",
    operation_id = "end_session",
    tag = "people",
    params(("id" = String, Path, description = "The session.")),
    responses((status = 204, description = "Ended."))
)]
pub(crate) async fn end_session(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(id): Path<Id<kind::Session>>,
) -> Result<StatusCode> {
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                let ended = session::end(tx, caller.account, caller.user, id).await?;
                if ended {
                    let subject = format!("session:{id}");
                    note(tx, &state, &caller, "session.end", subject, json!({})).await?;
                }
                Ok(ended)
            })
        }
    });
    if !write.await? {
        return Err(PeopleProblem::SessionNotFound.into());
    }
    state.handles.hub.close_session(id);
    Ok(StatusCode::NO_CONTENT)
}
