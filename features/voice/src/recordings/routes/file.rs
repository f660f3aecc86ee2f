//! The sound of a recording.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use base::{Id, kind};
use http_kit::{Caller, Path, Result};

use super::find;
use crate::{
    recordings::{FOLDER, Shelf},
    serve,
};

/// Listen to a recording
///
/// A stereo WAV of 16 bits and 8 kHz: the callee on the left, we on the right. `Range` is
/// understood.
#[utoipa::path(
    get, path = "/recordings/{attempt}/file", operation_id = "get_recording", tag = "recordings",
    params(("attempt" = String, Path, description = "The attempt that was recorded.")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "audio/wav"),
        (status = 206, body = Vec<u8>, content_type = "audio/wav")
    )
)]
pub(crate) async fn get_recording(
    State(shelf): State<Arc<Shelf>>,
    caller: Caller,
    Path(attempt): Path<Id<kind::Attempt>>,
    headers: HeaderMap,
) -> Result<Response> {
    let row = find(&shelf, &caller, attempt).await?;
    shelf.heard(&row).await?;
    let key = format!("{FOLDER}/{}.wav", row.file);
    serve::wav(&shelf.handles.blob, &key, &headers).await
}
