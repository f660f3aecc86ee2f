//! Tells whether a number may be called, and if not, by which entries.

use std::sync::Arc;

use axum::extract::State;
use http_kit::{Caller, Fields, Json, Query, Result};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{DoNotCallEntry, ScopeKind, add, shown};
use crate::store::do_not_call;

/// Which number.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// In international form, or as it is written in the account's country.
    phone: String,
}

/// What the do-not-call list says about a number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DoNotCallCheck {
    /// The number as it was understood, in E.164 form.
    phone: String,
    /// No entry forbids it to the whole account.
    allowed: bool,
    /// Every entry about it, the account's first.
    entries: Vec<DoNotCallEntry>,
}

/// Check a number against the do-not-call list
///
/// Tells whether the number may be called, and if not, since when, until when, why and by whom.
#[utoipa::path(
    get, path = "/do-not-call/check", operation_id = "check_do_not_call", tag = "contacts",
    params(Asked),
    responses((status = 200, body = DoNotCallCheck))
)]
pub(crate) async fn check_do_not_call(
    State(state): State<Arc<crate::State>>,
    caller: Caller,
    Query(asked): Query<Asked>,
) -> Result<Json<DoNotCallCheck>> {
    let phone = match add::read(&state, &caller, &asked.phone).await? {
        Ok(phone) => phone,
        Err(reason) => {
            let mut fields = Fields::new();
            fields.fault("phone", reason.code(), reason.sentence(base::Locale::En));
            fields.finish()?;
            return Err(crate::problems::ContactProblem::PhoneInvalid.into());
        }
    };
    let (account, now) = (caller.account, state.handles.clock.now());
    let (with, about) = (Arc::clone(&state), phone.clone());
    let entries = state
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                let rows = do_not_call::about(tx, account, &about, now).await?;
                shown(&with, tx, account, rows).await
            })
        })
        .await?;
    let allowed = entries.iter().all(|entry| entry.scope != ScopeKind::Account);
    Ok(Json(DoNotCallCheck { phone: phone.into(), allowed, entries }))
}
