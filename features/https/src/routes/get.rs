//! Shows how things stand.

use axum::extract::State;
use http_kit::Json;

use crate::{Certificates, view::Certificate};

/// The certificate of this server
#[utoipa::path(
    get,
    path = "/https",
    operation_id = "get_https",
    tag = "https",
    responses((status = 200, body = Certificate))
)]
pub(crate) async fn get_https(State(own): State<Certificates>) -> Json<Certificate> {
    Json(own.tls.status().into())
}
