//! Work that comes back.

use axum::http::StatusCode;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, Json, Page, PageQuery, Query, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::State;
use crate::{
    problems::{SystemProblem, or},
    view::JobSchedule,
};

/// List the schedules
///
/// Work that comes back, in the order of kind and key.
#[utoipa::path(
    get, path = "/job-schedules", operation_id = "list_job_schedules", tag = "system",
    params(PageQuery),
    responses((status = 200, body = Page<JobSchedule>))
)]
pub(crate) async fn list_schedules(
    axum::extract::State(state): State,
    caller: Caller,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<JobSchedule>>> {
    let (kind, key): (String, String) = paging.after()?.unwrap_or_default();
    let (account, limit) = (caller.account, paging.fetch());
    let read = state.handles.db.read(move |tx| {
        Box::pin(async move { jobs::schedules(tx, account, (&kind, &key), limit).await })
    });
    let page = paging.page(read.await?, |row| (row.kind.clone(), row.key.clone()));
    Ok(Json(page.map(Into::into)))
}

/// Which schedule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleName {
    kind: String,
    key: String,
}

/// Do the work of a schedule now
///
/// Out of turn: its next moment stays as it is. While a job of the schedule waits, a second one is
/// not added.
#[utoipa::path(
    post, path = "/job-schedules/run", operation_id = "run_job_schedule", tag = "system",
    request_body = ScheduleName,
    responses((status = 204))
)]
pub(crate) async fn run_schedule(
    axum::extract::State(state): State,
    caller: Caller,
    Json(body): Json<ScheduleName>,
) -> Result<StatusCode> {
    let Handles { db, ids, clock, hub, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let run = db.write(move |tx| {
        Box::pin(async move {
            let ScheduleName { kind, key } = body;
            let job = jobs::run_now(tx, &ids, account, &kind, &key, now).await?;
            let entry = AuditEntry {
                account,
                user: Some(user),
                action: "schedule.run",
                subject: format!("job:{job}"),
                detail: json!({ "kind": kind, "key": key }),
            };
            audit::record(tx, &ids, entry, now).await
        })
    });
    run.await.map_err(or(SystemProblem::ScheduleNotFound))?;
    hub.touch(account, "jobs");
    Ok(StatusCode::NO_CONTENT)
}
