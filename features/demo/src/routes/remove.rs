//! Removes the demo set.

use std::sync::Arc;

use http_kit::{Caller, Json, Result};

use super::{FirstSteps, load::keep, show};
use crate::{State, store};

/// Remove the demo data
///
/// The campaign is stopped if need be and deleted, then its list, its recording and its line.
/// Nothing else is touched. Refused with the owner's reason when a campaign of one's own uses a
/// part; what was removed before that stays removed, and the request can be repeated.
#[utoipa::path(
    delete, path = "/demo", operation_id = "remove_demo", tag = "demo",
    responses((status = 200, body = FirstSteps))
)]
pub(crate) async fn remove_demo(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    caller: Caller,
) -> Result<Json<FirstSteps>> {
    let (account, parts) = (caller.account, &state.parts);
    let _turn = state.turn.lock().await;
    let mut set = state
        .handles
        .db
        .read(move |tx| Box::pin(async move { store::get(tx, account).await }))
        .await?;
    if set == store::Set::default() {
        return show(&state, account).await.map(Json);
    }
    if let Some(campaign) = set.campaign.filter(|_| set.removed_at.is_none()) {
        parts.remove_campaign(&caller, campaign).await?;
    }
    if let Some(list) = set.list {
        parts.remove_list(&caller, list).await?;
        set.list = None;
        keep(&state, account, &set).await?;
    }
    if let Some(audio) = set.audio {
        parts.remove_audio(&caller, audio).await?;
        set.audio = None;
        keep(&state, account, &set).await?;
    }
    if let Some(line) = set.line {
        parts.remove_line(&caller, line).await?;
        set.line = None;
    }
    set.removed_at = Some(state.handles.clock.now());
    keep(&state, account, &set).await?;
    show(&state, account).await.map(Json)
}
