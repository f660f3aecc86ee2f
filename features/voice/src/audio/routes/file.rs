//! The levelled sound, to be heard in a page.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use base::{Id, kind};
use http_kit::{Caller, Path};

use crate::{
    audio::{Library, preview_key, store},
    serve,
};

/// Listen to audio
///
/// What a callee would hear: a mono WAV of 16 bits and 8 kHz. `Range` is understood.
#[utoipa::path(
    get, path = "/audio/{id}/file", operation_id = "get_audio_file", tag = "audio",
    params(("id" = String, Path, description = "The audio.")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "audio/wav"),
        (status = 206, body = Vec<u8>, content_type = "audio/wav")
    )
)]
pub(crate) async fn get_audio_file(
    State(library): State<Arc<Library>>,
    caller: Caller,
    Path(id): Path<Id<kind::Audio>>,
    headers: HeaderMap,
) -> http_kit::Result<Response> {
    let account = caller.account;
    let db = &library.handles.db;
    db.read(move |tx| Box::pin(async move { store::get(tx, account, id).await })).await?;
    serve::wav(&library.handles.blob, &preview_key(account, id), &headers).await
}
