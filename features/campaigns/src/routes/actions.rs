//! The on-answer actions that exist.

use http_kit::Json;

use crate::setup::ACTIONS;

/// List the on-answer actions
///
/// The kinds of `on_answer` that a campaign may have, in the order of the form. Only those that
/// work are listed.
#[utoipa::path(
    get, path = "/campaigns/on-answer-actions", operation_id = "list_on_answer_actions",
    tag = "campaigns",
    responses((status = 200, body = Vec<String>))
)]
pub(crate) async fn list_on_answer_actions() -> Json<Vec<&'static str>> {
    std::future::ready(Json(ACTIONS.to_vec())).await
}
