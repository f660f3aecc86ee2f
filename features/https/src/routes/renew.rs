//! Asks for another certificate now.

use axum::{extract::State, http::StatusCode};
use http_kit::{CommonProblem, Json, Result};
use tls::Tls;

use crate::view::Certificate;

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
    State(tls): State<Tls>,
) -> Result<(StatusCode, Json<Certificate>)> {
    tls.try_now().map_err(|soon| CommonProblem::TooManyRequests {
        retry_after_s: soon.wait.as_secs().max(1),
    })?;
    Ok((StatusCode::ACCEPTED, Json(tls.status().into())))
}
