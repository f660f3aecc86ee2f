//! How long recordings are kept.

use std::sync::Arc;

use axum::extract::State;
use host::retention;
use http_kit::{Caller, Json, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::recordings::{Shelf, retention::Recordings, store};

/// How long recordings are kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordingRetention {
    /// Days; 0 is for ever.
    #[schema(maximum = 36_500)]
    days: u32,
}

/// Which choice is looked at.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RetentionQuery {
    /// Days; 0 is for ever.
    days: u32,
}

/// What a choice would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetentionEffect {
    /// Recordings that would be removed at once.
    removed: i64,
    /// Recordings that are as old, and stay because a person keeps them.
    kept: i64,
}

/// See how long recordings are kept
#[utoipa::path(
    get, path = "/recording-retention", operation_id = "get_recording_retention",
    tag = "recordings",
    responses((status = 200, body = RecordingRetention))
)]
pub(crate) async fn get_retention(
    State(shelf): State<Arc<Shelf>>,
    caller: Caller,
) -> Result<Json<RecordingRetention>> {
    let account = caller.account;
    let read = shelf.handles.db.read(move |tx| Box::pin(store::days(tx, account)));
    Ok(Json(RecordingRetention { days: read.await? }))
}

/// See what a choice would remove
///
/// Nothing is changed.
#[utoipa::path(
    get, path = "/recording-retention/effect", operation_id = "get_retention_effect",
    tag = "recordings",
    params(RetentionQuery),
    responses((status = 200, body = RetentionEffect))
)]
pub(crate) async fn get_effect(
    State(shelf): State<Arc<Shelf>>,
    caller: Caller,
    Query(query): Query<RetentionQuery>,
) -> Result<Json<RetentionEffect>> {
    retention::check(query.days)?;
    if query.days == 0 {
        return Ok(Json(RetentionEffect { removed: 0, kept: 0 }));
    }
    let (account, before) =
        (caller.account, retention::limit(shelf.handles.clock.now(), query.days));
    let read = shelf
        .handles
        .db
        .read(move |tx| Box::pin(async move { store::count_before(tx, account, before).await }));
    let (removed, kept) = read.await?;
    Ok(Json(RetentionEffect { removed, kept }))
}

/// Choose how long recordings are kept
///
/// Older ones are removed in the background, at once and from then on every day. Those that a person
/// keeps stay.
#[utoipa::path(
    put, path = "/recording-retention", operation_id = "set_recording_retention",
    tag = "recordings",
    request_body = RecordingRetention,
    responses((status = 200, body = RecordingRetention))
)]
pub(crate) async fn set_retention(
    State(shelf): State<Arc<Shelf>>,
    caller: Caller,
    Json(body): Json<RecordingRetention>,
) -> Result<Json<RecordingRetention>> {
    retention::choose::<Recordings>(&shelf.handles, &caller, body.days).await?;
    Ok(Json(body))
}
