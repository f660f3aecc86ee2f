//! The account's audio.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Json};

use crate::audio::{Library, store, view::AudioView};

/// List audio
#[utoipa::path(
    get, path = "/audio", operation_id = "list_audio", tag = "audio",
    responses((status = 200, body = Vec<AudioView>))
)]
pub(crate) async fn list_audio(
    State(library): State<Arc<Library>>,
    caller: Caller,
) -> http_kit::Result<Json<Vec<AudioView>>> {
    let (account, uses) = (caller.account, Arc::clone(&library.uses));
    let read = library.handles.db.read(move |tx| {
        Box::pin(async move {
            let used = uses.in_use(tx, account).await?;
            let rows = store::list(tx, account).await?;
            Ok(rows
                .into_iter()
                .map(|row| {
                    let is_used = used.contains_key(&row.id);
                    AudioView::new(row, is_used)
                })
                .collect())
        })
    });
    Ok(Json(read.await?))
}
