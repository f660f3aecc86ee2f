//! A sound file arrives and becomes prompts.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Problem, Query, Result, Upload};
use media::prompt;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::NAME;
use crate::{
    audio::{
        Library, files, master_key, refused, remove_files, store, store::AudioRow, view::AudioView,
    },
    serve::disk,
};

/// What the sound will be called.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AudioName {
    /// 1 to 100 characters.
    name: String,
}

/// Upload audio
///
/// The body is the file itself: WAV, MP3, FLAC or OGG Vorbis, told by its content, up to 50 MB and
/// 30 minutes. It is brought to one loudness and kept in every codec of the telephone.
#[utoipa::path(
    post, path = "/audio", operation_id = "upload_audio", tag = "audio",
    params(AudioName),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = AudioView))
)]
pub(crate) async fn upload_audio(
    State(library): State<Arc<Library>>,
    caller: Caller,
    Query(query): Query<AudioName>,
    upload: Upload,
) -> Result<(StatusCode, Json<AudioView>)> {
    let mut fields = Fields::new();
    fields.text("name", &query.name, NAME);
    fields.finish()?;
    let (account, id) = (caller.account, library.handles.ids.next::<kind::Audio>());
    let bytes = receive(&library, &master_key(account, id), upload).await?;
    // In a task of its own, so that a browser that goes away leaves no half of it behind.
    let name = query.name.trim().to_owned();
    let work = db::origin::carry(async move {
        let made = prepare(&library, &caller, id, name, bytes).await;
        if made.is_err() {
            remove_files(&library.handles, account, id).await;
        }
        made
    });
    let work = telemetry::spawn("voice.prepare_audio", work);
    let row = work.await.map_err(Problem::unexpected)??;
    Ok((StatusCode::CREATED, Json(AudioView::new(row, false))))
}

/// Takes in a sound that the program made itself.
pub(in crate::audio) async fn add(
    library: &Arc<Library>,
    caller: &Caller,
    name: &str,
    wav: Vec<u8>,
) -> Result<Id<kind::Audio>> {
    let (account, id) = (caller.account, library.handles.ids.next::<kind::Audio>());
    let mut writer = library.handles.blob.create(&master_key(account, id)).await.map_err(disk)?;
    writer.write(wav).await.map_err(disk)?;
    let bytes = writer.finish().await.map_err(disk)?;
    let made = prepare(library, caller, id, name.to_owned(), bytes).await;
    if made.is_err() {
        remove_files(&library.handles, account, id).await;
    }
    made.map(|row| row.id)
}

/// Writes the body to `key` as it comes; gives its size.
async fn receive(library: &Library, key: &str, mut upload: Upload) -> Result<u64> {
    let mut writer = library.handles.blob.create(key).await.map_err(disk)?;
    while let Some(piece) = upload.next().await? {
        writer.write(piece).await.map_err(disk)?;
    }
    writer.finish().await.map_err(disk)
}

async fn prepare(
    library: &Library,
    caller: &Caller,
    id: Id<kind::Audio>,
    name: String,
    bytes: u64,
) -> Result<AudioRow> {
    let Handles { db, ids, clock, blob, .. } = &library.handles;
    let (account, user, now, ids) = (caller.account, caller.user, clock.now(), ids.clone());
    let master = blob.path(&master_key(account, id)).map_err(disk)?;
    let files = files(&library.handles, account, id).map_err(disk)?;
    let turn = library.preparing.acquire().await.map_err(Problem::unexpected)?;
    let made = tokio::task::spawn_blocking(move || prompt::prepare(&master, &files)).await;
    drop(turn);
    let made = made.map_err(Problem::unexpected)?.map_err(refused)?;
    let row = AudioRow {
        id,
        name,
        format: made.format.name().to_owned(),
        channels: made.channels.into(),
        sample_rate: made.sample_rate.into(),
        duration: made.duration.as_micros() as i64,
        bytes: bytes as i64,
        loudness: made.loudness.map(f64::from),
        gain: made.gain.into(),
        created_at: now,
    };
    let stored = row.clone();
    db.write(move |tx| {
        Box::pin(async move {
            store::insert(tx, account, &stored).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "audio.upload",
                subject: format!("audio:{id}"),
                detail: json!({ "name": stored.name, "format": stored.format }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    })
    .await?;
    Ok(row)
}
