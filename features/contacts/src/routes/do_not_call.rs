//! Numbers that the account must not call.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};
use base::{PhoneNumber, fact::DoNotCallChanged};
use db::outbox;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Fields, Json, Path, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::{problems::ContactProblem, store::do_not_call};

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
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let lists = db
        .write(move |tx| {
            Box::pin(async move {
                let forbidden = reason.is_some();
                let version = match &reason {
                    Some(why) => do_not_call::forbid(tx, account, &phone, why, user, now).await?,
                    None => do_not_call::allow(tx, account, &phone, user, now).await?,
                };
                // Nothing changed: no fact and no trace.
                let Some(version) = version else { return Ok(Vec::new()) };
                let subject = format!("{}:{phone}", DoNotCallChanged::SUBJECT);
                let fact = DoNotCallChanged { phone: phone.clone(), forbidden };
                outbox::put(tx, &ids, account, &subject, version, &fact).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: if forbidden { "do_not_call.add" } else { "do_not_call.remove" },
                    subject: format!("phone:{phone}"),
                    detail: json!({ "reason": reason }),
                };
                audit::record(tx, &ids, entry, now).await?;
                do_not_call::lists_with(tx, account, &phone).await
            })
        })
        .await?;
    for list in lists {
        hub.touch(account, &format!("list:{list}"));
    }
    Ok(StatusCode::NO_CONTENT)
}
