//! Tells who is signed in.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json, Result};

use super::read_me;
use crate::{store::person, view::Me};

/// Who am I?
#[utoipa::path(
    get,
    path = "/session",
    operation_id = "get_me",
    tag = "people",
    responses((status = 200, body = Me))
)]
pub(crate) async fn get_me(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
) -> Result<Json<Me>> {
    let read = state.handles.db.read({
        let state = Arc::clone(&state);
        move |tx| {
            Box::pin(async move {
                let person = person::get(tx, caller.account, caller.user).await?;
                read_me(tx, &state, &person).await
            })
        }
    });
    Ok(Json(read.await?))
}
