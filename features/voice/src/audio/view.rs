//! An audio as the API shows it.

use base::{Id, kind};
use http_kit::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::store::AudioRow;

/// A sound of the library.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = Audio)]
pub(crate) struct AudioView {
    #[schema(value_type = String)]
    id: Id<kind::Audio>,
    /// What people call it.
    name: String,
    /// What was uploaded: `wav`, `mp3`, `flac` or `ogg_vorbis`.
    format: String,
    /// How long it plays, in seconds, begun ones counted.
    duration_s: i64,
    /// Channels of the uploaded file.
    channels: i64,
    /// Samples per second of the uploaded file.
    sample_rate: i64,
    /// Size of the uploaded file.
    bytes: i64,
    /// Loudness of the uploaded file in LUFS; null for silence. What is played has −19.
    loudness_db: Option<f64>,
    created_at: Time,
    /// Whether a running or paused campaign plays it, so that it cannot be deleted.
    used_by_running: bool,
}

impl AudioView {
    pub(super) fn new(row: AudioRow, used_by_running: bool) -> Self {
        Self {
            id: row.id,
            name: row.name,
            format: row.format,
            duration_s: row.duration.cast_unsigned().div_ceil(1_000_000).cast_signed(),
            channels: row.channels,
            sample_rate: row.sample_rate,
            bytes: row.bytes,
            loudness_db: row.loudness.map(|loudness| (loudness * 10.0).round() / 10.0),
            created_at: row.created_at.into(),
            used_by_running,
        }
    }
}
