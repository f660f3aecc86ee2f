//! Removes an audio.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Path};
use serde_json::json;

use crate::audio::{AudioProblem, Library, remove_files, store};

/// Delete audio
///
/// Refused while a campaign that is running or paused plays it.
#[utoipa::path(
    delete, path = "/audio/{id}", operation_id = "delete_audio", tag = "audio",
    params(("id" = String, Path, description = "The audio.")),
    responses((status = 204))
)]
pub(crate) async fn delete_audio(
    State(library): State<Arc<Library>>,
    caller: Caller,
    Path(id): Path<Id<kind::Audio>>,
) -> http_kit::Result<StatusCode> {
    let Handles { db, ids, clock, .. } = &library.handles;
    let (account, user, now, ids) = (caller.account, caller.user, clock.now(), ids.clone());
    let uses = Arc::clone(&library.uses);
    let write = db.write(move |tx| {
        Box::pin(async move {
            if let Some(campaign) = uses.in_use(tx, account).await?.remove(&id) {
                return Ok(Some(campaign));
            }
            let name = store::get(tx, account, id).await?.name;
            store::delete(tx, account, id).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "audio.delete",
                subject: format!("audio:{id}"),
                detail: json!({ "name": name }),
            };
            audit::record(tx, &ids, entry, now).await?;
            Ok(None)
        })
    });
    if let Some(campaign) = write.await? {
        return Err(AudioProblem::InUse { campaign }.into());
    }
    library.cache.forget(account, id);
    remove_files(&library.handles, account, id).await;
    Ok(StatusCode::NO_CONTENT)
}
