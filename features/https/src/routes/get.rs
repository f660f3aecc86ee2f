//! Shows how things stand.

use axum::extract::State;
use http_kit::Json;
use tls::Tls;

use crate::view::Certificate;

/// The certificate of this server
#[utoipa::path(
    get,
    path = "/https",
    operation_id = "get_https",
    tag = "https",
    responses((status = 200, body = Certificate))
)]
pub(crate) async fn get_https(State(tls): State<Tls>) -> Json<Certificate> {
    Json(tls.status().into())
}
