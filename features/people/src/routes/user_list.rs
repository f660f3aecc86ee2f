//! Lists the people of the account.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json, Result};

use crate::{
    store::person,
    view::{self, User},
};

/// The people
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "list_users",
    tag = "people",
    responses((status = 200, body = Vec<User>))
)]
pub(crate) async fn list_users(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
) -> Result<Json<Vec<User>>> {
    let read = state.handles.db.read(move |tx| {
        Box::pin(
            async move { person::list(tx, caller.account).await?.iter().map(view::user).collect() },
        )
    });
    Ok(Json(read.await?))
}
