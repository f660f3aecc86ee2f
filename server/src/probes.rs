//! What machines ask: alive, ready, numbers, the description of the API.

use axum::{
    Extension, Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http_kit::{CommonProblem, Problem, Result, Site};
use serde_json::json;
use telemetry::Health;

/// `/healthz`, `/readyz`, `/metrics` and `/openapi.json`. The reasons behind a red readiness and
/// the numbers are for this machine only.
pub(crate) fn router(health: Health, openapi: String) -> Router {
    let description = axum::body::Bytes::from(openapi);
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(async move |site: Extension<Site>| ready(&health, &site.0).await))
        .route("/metrics", get(async |site: Extension<Site>| numbers(&site.0)))
        .route(
            "/openapi.json",
            get(move || {
                let description = description.clone();
                async move { ([(header::CONTENT_TYPE, "application/json")], description) }
            }),
        )
}

async fn ready(health: &Health, site: &Site) -> Response {
    let trouble = health.trouble().await;
    let status = if trouble.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let told = if site.is_local() { trouble } else { Vec::new() };
    let told: Vec<_> = told
        .into_iter()
        .map(|trouble| json!({ "check": trouble.check, "reason": trouble.reason }))
        .collect();
    (status, Json(json!({ "ready": status == StatusCode::OK, "trouble": told }))).into_response()
}

fn numbers(site: &Site) -> Result<Response> {
    if !site.is_local() {
        return Err(Problem::from(CommonProblem::NotFound));
    }
    let text = telemetry::metrics().render();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response())
}
