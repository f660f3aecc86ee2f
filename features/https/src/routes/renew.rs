//! Asks for another certificate now.

use axum::{extract::State, http::StatusCode};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Json, Result};
use serde_json::json;

use crate::{Certificates, view::Certificate};

/// Ask for a certificate now
///
/// Whatever pause was to be kept. Not more than once a minute.
#[utoipa::path(
    post,
    path = "/https/renew",
    operation_id = "renew_certificate",
    tag = "https",
    responses((status = 202, body = Certificate))
)]
pub(crate) async fn renew_certificate(
    State(own): State<Certificates>,
    caller: Caller,
) -> Result<(StatusCode, Json<Certificate>)> {
    own.tls.try_now().map_err(|soon| CommonProblem::TooManyRequests {
        retry_after_s: soon.wait.as_secs().max(1),
    })?;
    let Handles { db, ids, clock, .. } = own.handles;
    let (account, user, now) = (caller.account, caller.user, clock.now());
    db.write(move |tx| {
        let entry = AuditEntry {
            account,
            user: Some(user),
            action: "certificate.renew",
            subject: "certificate".to_owned(),
            detail: json!({}),
        };
        let ids = ids.clone();
        Box::pin(async move { audit::record(tx, &ids, entry, now).await })
    })
    .await?;
    Ok((StatusCode::ACCEPTED, Json(own.tls.status().into())))
}
