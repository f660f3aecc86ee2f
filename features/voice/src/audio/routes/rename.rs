//! Another name for an audio.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::NAME;
use crate::audio::{Library, store, view::AudioView};

/// What can be changed.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RenameAudio {
    /// 1 to 100 characters.
    name: String,
}

/// Rename audio
#[utoipa::path(
    patch, path = "/audio/{id}", operation_id = "rename_audio", tag = "audio",
    params(("id" = String, Path, description = "The audio.")),
    request_body = RenameAudio,
    responses((status = 200, body = AudioView))
)]
pub(crate) async fn rename_audio(
    State(library): State<Arc<Library>>,
    caller: Caller,
    Path(id): Path<Id<kind::Audio>>,
    Json(body): Json<RenameAudio>,
) -> http_kit::Result<Json<AudioView>> {
    let mut fields = Fields::new();
    fields.text("name", &body.name, NAME);
    fields.finish()?;
    let Handles { db, ids, clock, .. } = &library.handles;
    let (account, user, now, ids) = (caller.account, caller.user, clock.now(), ids.clone());
    let (name, uses) = (body.name.trim().to_owned(), Arc::clone(&library.uses));
    let view = db
        .write(move |tx| {
            Box::pin(async move {
                let before = store::get(tx, account, id).await?.name;
                store::rename(tx, account, id, &name).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "audio.rename",
                    subject: format!("audio:{id}"),
                    detail: json!({ "name": [before, name] }),
                };
                audit::record(tx, &ids, entry, now).await?;
                let is_used = uses.in_use(tx, account).await?.contains_key(&id);
                Ok(AudioView::new(store::get(tx, account, id).await?, is_used))
            })
        })
        .await?;
    Ok(Json(view))
}
