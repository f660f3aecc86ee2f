//! The account's lines.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json};
use serde_json::{Map, Value};

use crate::{
    State as Voice,
    lines::{Book, view::LineView},
};

/// List lines
#[utoipa::path(
    get, path = "/lines", operation_id = "list_lines", tag = "lines",
    responses((status = 200, body = Vec<LineView>))
)]
pub(crate) async fn list_lines(
    State(voice): State<Arc<Voice>>,
    caller: Caller,
) -> Json<Vec<LineView>> {
    Json(voice.book.of(caller.account).into_iter().map(LineView::from).collect())
}

/// The topic `lines`: each line under its id.
pub(crate) fn snapshot(
    book: &Book,
    account: base::Id<base::kind::Account>,
) -> http_kit::Result<Value> {
    let lines: Map<String, Value> = book
        .of(account)
        .into_iter()
        .map(|shown| {
            let id = shown.line.id.to_string();
            serde_json::to_value(LineView::from(shown)).map(|view| (id, view))
        })
        .collect::<Result<_, _>>()
        .map_err(http_kit::Problem::unexpected)?;
    Ok(Value::Object(lines))
}
