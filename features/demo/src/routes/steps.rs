//! The first steps.

use std::sync::Arc;

use http_kit::{Caller, Json, Result};

use super::{FirstSteps, show};
use crate::State;

/// Get the first steps
///
/// What a new account does first. Steps are not ticked by hand: they are done when the account's
/// state says so.
#[utoipa::path(
    get, path = "/first-steps", operation_id = "get_first_steps", tag = "demo",
    responses((status = 200, body = FirstSteps))
)]
pub(crate) async fn get_first_steps(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    caller: Caller,
) -> Result<Json<FirstSteps>> {
    show(&state, caller.account).await.map(Json)
}
