//! What a recording looks like.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use http_kit::{Caller, Json, Path, Problem, Result};
use media::Waveform;
use serde::Serialize;
use utoipa::ToSchema;

use super::find;
use crate::{
    recordings::{FOLDER, Shelf},
    serve::disk,
};

/// Peaks that a page can draw.
const POINTS: usize = 1_000;

/// Loudness of a recording over time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Waveform)]
pub(crate) struct WaveformView {
    /// The callee: up to 1,000 peaks from 0 to 255.
    left: Vec<u8>,
    /// We: as many.
    right: Vec<u8>,
    /// Length of the recording in milliseconds.
    duration_ms: u64,
    /// Whether a person keeps it.
    kept: bool,
}

/// See a recording
#[utoipa::path(
    get, path = "/recordings/{attempt}/waveform", operation_id = "get_waveform", tag = "recordings",
    params(("attempt" = String, Path, description = "The attempt that was recorded.")),
    responses((status = 200, body = WaveformView))
)]
pub(crate) async fn get_waveform(
    State(shelf): State<Arc<Shelf>>,
    caller: Caller,
    Path(attempt): Path<Id<kind::Attempt>>,
) -> Result<Json<WaveformView>> {
    let row = find(&shelf, &caller, attempt).await?;
    let blob = &shelf.handles.blob;
    let peaks = match blob.get(&format!("{FOLDER}/{}.peaks", row.file)).await {
        Ok(bytes) => Waveform::parse(&bytes),
        Err(blob::Error::NotFound) => None,
        Err(error) => return Err(disk(error)),
    };
    let waveform = if let Some(waveform) = peaks {
        waveform
    } else {
        // Lost in a power cut: the sound still has it.
        let path = blob.path(&format!("{FOLDER}/{}.wav", row.file)).map_err(disk)?;
        let read = tokio::task::spawn_blocking(move || Waveform::of_file(&path)).await;
        read.map_err(Problem::unexpected)?.map_err(|error| disk(error.into()))?
    };
    let Waveform { left, right, duration } = waveform.thin(POINTS);
    let (duration_ms, kept) = (duration.as_millis() as u64, row.kept_at.is_some());
    Ok(Json(WaveformView { left, right, duration_ms, kept }))
}
