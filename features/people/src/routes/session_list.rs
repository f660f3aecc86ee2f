//! Lists one's own sessions.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json, Result};

use crate::{
    sessions::lasts,
    store::session,
    view::{self, MySession},
};

/// My sessions
///
/// Newest first.
#[utoipa::path(
    get,
    path = "/me/sessions",
    operation_id = "list_sessions",
    tag = "people",
    responses((status = 200, body = Vec<MySession>))
)]
pub(crate) async fn list_sessions(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
) -> Result<Json<Vec<MySession>>> {
    let (account, user, current) = (caller.account, caller.user, caller.session);
    let now = state.handles.clock.now();
    let read = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { session::list(tx, account, user).await }));
    let rows = read.await?.into_iter();
    let rows = rows.filter(|row| lasts(row.stay, row.used_at, row.expires_at, now));
    Ok(Json(rows.map(|row| view::session(row, current)).collect()))
}
