//! Asks a line whether it works.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use http_kit::{Caller, CommonProblem, Json, Path};
use serde::Serialize;
use utoipa::ToSchema;

use crate::State as Voice;

/// What a line answered.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(crate) struct LineCheck {
    /// Whether the line works, as far as can be told without a call.
    ok: bool,
    /// The SIP status heard.
    code: Option<u16>,
    /// Its words; or `timed_out`, `transport`, `unresolved` or `disabled`.
    reason: String,
    /// How long the answer took, in milliseconds.
    rtt_ms: u32,
}

/// Check a line
///
/// Registers anew, or asks with OPTIONS where the carrier knows us by address. Waits for the answer,
/// up to half a minute.
#[utoipa::path(
    post, path = "/lines/{id}/check", operation_id = "check_line", tag = "lines",
    params(("id" = String, Path, description = "The line.")),
    responses((status = 200, body = LineCheck))
)]
pub(crate) async fn check_line(
    State(voice): State<Arc<Voice>>,
    caller: Caller,
    Path(id): Path<Id<kind::Line>>,
) -> http_kit::Result<Json<LineCheck>> {
    let shown = voice.book.shown(caller.account, id).ok_or(CommonProblem::NotFound)?;
    let silent = if shown.line.enabled { "timed_out" } else { "disabled" };
    let answer = voice.calls.check(caller.account, id).await;
    Ok(Json(answer.map_or_else(
        || LineCheck { ok: false, code: None, reason: silent.to_owned(), rtt_ms: 0 },
        |check| LineCheck {
            ok: check.ok,
            code: check.code,
            reason: check.reason,
            rtt_ms: u32::try_from(check.round_trip.as_millis()).unwrap_or(u32::MAX),
        },
    )))
}
