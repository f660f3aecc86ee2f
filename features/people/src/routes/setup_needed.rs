//! Tells whether there is an owner.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Json, Result};
use serde::Serialize;
use utoipa::ToSchema;

use crate::store::person;

/// Whether the first owner is still to be made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SetupNeeded {
    needed: bool,
}

/// Is set-up needed?
#[utoipa::path(
    get,
    path = "/setup",
    operation_id = "setup_needed",
    tag = "people",
    responses((status = 200, body = SetupNeeded))
)]
pub(crate) async fn setup_needed(
    State(state): State<Arc<crate::State>>,
) -> Result<Json<SetupNeeded>> {
    let read = state.handles.db.read(|tx| Box::pin(async move { person::any_owner(tx).await }));
    Ok(Json(SetupNeeded { needed: !read.await? }))
}
