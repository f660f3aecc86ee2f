//! Adds a line.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Json};
use serde_json::json;

use crate::{
    State as Voice,
    lines::{
        Line, LineProblem, store,
        view::{LineChange, LineView},
    },
};

/// Add a line
#[utoipa::path(
    post, path = "/lines", operation_id = "create_line", tag = "lines",
    request_body = LineChange,
    responses((status = 201, body = LineView))
)]
pub(crate) async fn create_line(
    State(voice): State<Arc<Voice>>,
    caller: Caller,
    Json(body): Json<LineChange>,
) -> http_kit::Result<(StatusCode, Json<LineView>)> {
    let Handles { db, ids, clock, secrets, .. } = &voice.handles;
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let mut line = Line::blank(ids.next(), account, now);
    line.change(body, secrets, now)?;
    let (stored, ids) = (line.clone(), ids.clone());
    db.write(move |tx| {
        Box::pin(async move {
            store::insert(tx, &stored).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "line.create",
                subject: format!("line:{}", stored.id),
                detail: json!({"name": stored.name, "host": stored.host}),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await
    .map_err(name_taken)?;
    let id = line.id;
    voice.book.put(line, now);
    let shown = voice.book.shown(account, id).ok_or(CommonProblem::NotFound)?;
    Ok((StatusCode::CREATED, Json(shown.into())))
}

/// The only conflict that a row of lines can meet is its name.
pub(super) fn name_taken(error: db::Error) -> http_kit::Problem {
    if matches!(error, db::Error::Conflict(_)) {
        return LineProblem::NameTaken.into();
    }
    error.into()
}
