//! Puts the first steps away, and brings them back.

use std::sync::Arc;

use host::audit::{self, AuditEntry};
use http_kit::{Caller, Json, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{FirstSteps, show};
use crate::{State, store};

/// Whether the steps are put away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dismissal {
    /// False brings them back.
    dismissed: bool,
}

/// Put the first steps away
#[utoipa::path(
    put, path = "/first-steps", operation_id = "dismiss_first_steps", tag = "demo",
    request_body = Dismissal,
    responses((status = 200, body = FirstSteps))
)]
pub(crate) async fn dismiss_first_steps(
    axum::extract::State(state): axum::extract::State<Arc<State>>,
    caller: Caller,
    Json(body): Json<Dismissal>,
) -> Result<Json<FirstSteps>> {
    let (account, user, now) = (caller.account, caller.user, state.handles.clock.now());
    let (dismissed, ids) = (body.dismissed, state.handles.ids.clone());
    state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                store::set_dismissed(tx, account, dismissed, now).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "first_steps.dismiss",
                    subject: format!("account:{account}"),
                    detail: json!({ "dismissed": dismissed }),
                };
                audit::record(tx, &ids, entry, now).await
            })
        })
        .await?;
    show(&state, account).await.map(Json)
}
