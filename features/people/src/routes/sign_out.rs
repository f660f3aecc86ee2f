//! Signs out.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use http_kit::{Caller, Result};
use serde_json::json;

use super::note;
use crate::{sessions::Browser, store::session};

/// Sign out
///
/// Ends the session and its live connections.
#[utoipa::path(
    delete,
    path = "/session",
    operation_id = "sign_out",
    tag = "people",
    responses((status = 204, description = "Signed out."))
)]
pub(crate) async fn sign_out(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    browser: Browser,
) -> Result<Response> {
    let id = caller.session;
    let write = state.handles.db.write({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                session::end(tx, caller.account, caller.user, id).await?;
                note(tx, &state, &caller, "session.end", format!("session:{id}"), json!({})).await
            })
        }
    });
    write.await?;
    state.handles.hub.close_session(id);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, browser.no_cookie()?)]).into_response())
}
