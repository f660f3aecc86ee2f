//! Changes a line.

use std::sync::Arc;

use axum::extract::State;
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Json, Path, Problem};
use serde_json::{Map, Value, json};

use super::create::name_taken;
use crate::{
    State as Voice,
    lines::{
        Line, LineProblem, store,
        view::{LineChange, LineView},
    },
};

/// Change a line
///
/// What is left out stays as it is. Calls that are up go on; the next ones follow the change.
#[utoipa::path(
    patch, path = "/lines/{id}", operation_id = "update_line", tag = "lines",
    params(("id" = String, Path, description = "The line.")),
    request_body = LineChange,
    responses((status = 200, body = LineView))
)]
pub(crate) async fn update_line(
    State(voice): State<Arc<Voice>>,
    caller: Caller,
    Path(id): Path<Id<kind::Line>>,
    Json(body): Json<LineChange>,
) -> http_kit::Result<Json<LineView>> {
    let Handles { db, ids, clock, secrets, .. } = &voice.handles;
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let shown = voice.book.shown(account, id).ok_or(CommonProblem::NotFound)?;
    let mut line = (*shown.line).clone();
    let before = line.version;
    if body.version.is_some_and(|version| version != before) {
        return Err(LineProblem::Changed.into());
    }
    line.change(body, secrets, now)?;
    let (stored, ids) = (line.clone(), ids.clone());
    let changes = changes(&shown.line, &line);
    let changed = db
        .write(move |tx| {
            Box::pin(async move {
                if !store::update(tx, &stored, before).await? {
                    return Ok(false);
                }
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "line.update",
                    subject: format!("line:{}", stored.id),
                    detail: changes.into(),
                };
                audit::record(tx, &ids, entry, now).await?;
                Ok(true)
            })
        })
        .await
        .map_err(name_taken)?;
    if !changed {
        return Err(Problem::from(LineProblem::Changed));
    }
    voice.book.put(line, now);
    let shown = voice.book.shown(account, id).ok_or(CommonProblem::NotFound)?;
    Ok(Json(shown.into()))
}

/// What differs between two states of a line; of a password only that it is another one.
fn changes(before: &Line, after: &Line) -> Map<String, Value> {
    let fields = |line: &Line| {
        json!({
            "name": line.name, "host": line.host, "port": line.port, "login": line.login,
            "auth_login": line.auth_login, "realm": line.realm, "expires_s": line.expires_s,
            "caller_id": line.caller_id, "channels": line.channels, "codecs": line.codecs,
            "calls_per_second": line.rate.to_string(), "enabled": line.enabled, "demo": line.demo,
        })
    };
    let mut changes = audit::changes(&fields(before), &fields(after));
    if before.password != after.password {
        let known = |line: &Line| line.password.as_ref().map(|_| "•••");
        changes.insert("password".to_owned(), json!([known(before), known(after)]));
    }
    changes
}
