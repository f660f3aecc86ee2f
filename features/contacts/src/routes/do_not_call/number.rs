//! The switch on a number: nobody in the account calls it, or calls are allowed again.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::PhoneNumber;
use http_kit::{Caller, Fields, Json, Path, Result};
use serde::Deserialize;
use utoipa::ToSchema;

use super::by;
use crate::{
    do_not_call,
    problems::ContactProblem,
    store::do_not_call::{self as store, Scope, Terms},
};

/// Why calls are forbidden.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Forbid {
    /// Up to 200 characters.
    #[serde(default)]
    reason: String,
}

/// Forbid calls to a number
///
/// From now on no campaign calls it, whatever lists it is in. Doing so twice changes nothing.
#[utoipa::path(
    put, path = "/do-not-call/{phone}", operation_id = "forbid_calls", tag = "contacts",
    params(("phone" = String, Path, description = "The number in E.164 form.")),
    request_body = Forbid,
    responses((status = 204))
)]
pub(crate) async fn forbid_calls(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(phone): Path<String>,
    Json(body): Json<Forbid>,
) -> Result<StatusCode> {
    let mut fields = Fields::new();
    fields.text("reason", &body.reason, 0..=200);
    fields.finish()?;
    set(&state, &caller, &phone, Some(body.reason)).await
}

/// Allow calls to a number again
///
/// Entries that forbid it to single campaigns or lists stay.
#[utoipa::path(
    delete, path = "/do-not-call/{phone}", operation_id = "allow_calls", tag = "contacts",
    params(("phone" = String, Path, description = "The number in E.164 form.")),
    responses((status = 204))
)]
pub(crate) async fn allow_calls(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Path(phone): Path<String>,
) -> Result<StatusCode> {
    set(&state, &caller, &phone, None).await
}

/// Forbids calls for a reason, or allows them when there is none.
async fn set(
    state: &crate::State,
    caller: &Caller,
    phone: &str,
    reason: Option<String>,
) -> Result<StatusCode> {
    let phone: PhoneNumber = phone.parse().map_err(|_| ContactProblem::PhoneInvalid)?;
    let (by, ids, scope) = (by(state, caller), state.handles.ids.clone(), Scope::Account);
    let terms = reason.map(|reason| {
        let reason = reason.trim().to_owned();
        Terms { scope, source: "contact", reason, expires_at: None }
    });
    let lists = state
        .handles
        .db
        .write(move |tx| {
            Box::pin(async move {
                let (changed, action) = if let Some(terms) = terms.clone() {
                    let one = [(phone.clone(), terms)];
                    let added = do_not_call::add(tx, &ids, by, &one, scope).await?;
                    (added.added == 1, "do_not_call.add")
                } else {
                    let removed = do_not_call::remove(tx, &ids, by, &phone, scope).await?;
                    (removed, "do_not_call.remove")
                };
                // Nothing changed: no fact and no trace.
                if !changed {
                    return Ok(Vec::new());
                }
                do_not_call::record(tx, &ids, by, action, &phone, terms.as_ref(), scope).await?;
                store::lists_with(tx, by.account, &[phone]).await
            })
        })
        .await?;
    for list in lists {
        state.handles.hub.touch(by.account, &format!("list:{list}"));
    }
    Ok(StatusCode::NO_CONTENT)
}
