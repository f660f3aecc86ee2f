//! One line.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use http_kit::{Caller, CommonProblem, Json, Path};

use crate::{State as Voice, lines::view::LineView};

/// Get a line
#[utoipa::path(
    get, path = "/lines/{id}", operation_id = "get_line", tag = "lines",
    params(("id" = String, Path, description = "The line.")),
    responses((status = 200, body = LineView))
)]
pub(crate) async fn get_line(
    State(voice): State<Arc<Voice>>,
    caller: Caller,
    Path(id): Path<Id<kind::Line>>,
) -> http_kit::Result<Json<LineView>> {
    let shown = voice.book.shown(caller.account, id).ok_or(CommonProblem::NotFound)?;
    Ok(Json(shown.into()))
}
