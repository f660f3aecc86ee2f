//! Keeps a recording, whatever the account's days say.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Json, Path, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::or_missing;
use crate::recordings::{Shelf, store};

/// Whether a recording is kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeepRecording {
    kept: bool,
}

/// Keep a recording
///
/// It is not removed while somebody keeps it, however old it is and even when its campaign is
/// removed.
#[utoipa::path(
    put, path = "/recordings/{attempt}/kept", operation_id = "keep_recording", tag = "recordings",
    params(("attempt" = String, Path, description = "The attempt that was recorded.")),
    request_body = KeepRecording,
    responses((status = 204))
)]
pub(crate) async fn keep_recording(
    State(shelf): State<Arc<Shelf>>,
    caller: Caller,
    Path(attempt): Path<Id<kind::Attempt>>,
    Json(body): Json<KeepRecording>,
) -> Result<StatusCode> {
    let Handles { db, ids, clock, .. } = shelf.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let write = db.write(move |tx| {
        Box::pin(async move {
            let row = store::get(tx, account, attempt).await?;
            if row.kept_at.is_some() == body.kept {
                return Ok(());
            }
            store::set_kept(tx, account, attempt, body.kept.then_some((now, user))).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "recording.keep",
                subject: format!("attempt:{attempt}"),
                detail: json!({ "kept": [!body.kept, body.kept] }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    });
    write.await.map_err(or_missing)?;
    Ok(StatusCode::NO_CONTENT)
}
