//! Removes a line.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Path};
use serde_json::json;

use crate::{
    State as Voice,
    lines::{LineProblem, store},
};

/// Delete a line
///
/// Refused while a campaign that is running or paused calls over it.
#[utoipa::path(
    delete, path = "/lines/{id}", operation_id = "delete_line", tag = "lines",
    params(("id" = String, Path, description = "The line.")),
    responses((status = 204))
)]
pub(crate) async fn delete_line(
    State(voice): State<Arc<Voice>>,
    caller: Caller,
    Path(id): Path<Id<kind::Line>>,
) -> http_kit::Result<StatusCode> {
    let Handles { db, ids, clock, .. } = &voice.handles;
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let shown = voice.book.shown(account, id).ok_or(CommonProblem::NotFound)?;
    let (name, ids) = (shown.line.name.clone(), ids.clone());
    let uses = Arc::clone(&voice.line_uses);
    let user_of = db
        .write(move |tx| {
            Box::pin(async move {
                if let Some(campaign) = uses.in_use(tx, account, id).await? {
                    return Ok(Some(campaign));
                }
                store::delete(tx, account, id).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "line.delete",
                    subject: format!("line:{id}"),
                    detail: json!({"name": name}),
                };
                audit::record(tx, &ids, entry, now).await?;
                Ok(None)
            })
        })
        .await?;
    if let Some(campaign) = user_of {
        return Err(LineProblem::InUse { campaign }.into());
    }
    voice.book.remove(account, id);
    Ok(StatusCode::NO_CONTENT)
}
