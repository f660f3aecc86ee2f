//! The list of jobs, and what may be asked of one.

use ::jobs::{JobState, JobView};
use base::{Id, kind};
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Json, Page, PageQuery, Path, Query, Result};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::State;
use crate::{
    problems::{SystemProblem, or},
    view::{BackgroundJob, may_retry},
};

/// What the list shows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Only jobs in this state: ready, retry, running, done, failed or cancelled.
    state: Option<String>,
}

/// List background work
///
/// The newest first. What has ended is kept for 30 days.
#[utoipa::path(
    get, path = "/jobs", operation_id = "list_jobs", tag = "system",
    params(JobsQuery, PageQuery),
    responses((status = 200, body = Page<BackgroundJob>))
)]
pub(crate) async fn list_jobs(
    axum::extract::State(state): State,
    caller: Caller,
    Query(query): Query<JobsQuery>,
    Query(paging): Query<PageQuery>,
) -> Result<Json<Page<BackgroundJob>>> {
    let wanted = match query.state.as_deref().filter(|word| !word.is_empty()) {
        None => None,
        Some(word) => {
            let known = JobState::ALL.into_iter().find(|state| state.as_str() == word);
            let reason = format!("{word} is no state of a job");
            Some(known.ok_or(CommonProblem::InvalidQuery { reason })?)
        }
    };
    let (account, below) = (caller.account, paging.after()?.unwrap_or(i64::MAX));
    let limit = paging.fetch();
    let read = state.handles.db.read(move |tx| {
        Box::pin(async move { ::jobs::page(tx, account, wanted, below, limit).await })
    });
    let page = paging.page(read.await?, |row| row.id.raw());
    Ok(Json(page.map(|row| BackgroundJob::new(row, &state.handles.jobs))))
}

/// What is asked of a job.
#[derive(Clone, Copy)]
enum Wish {
    Retry,
    Stop,
}

/// Try a job at once
///
/// One that waits for another attempt does not wait any longer; one that failed is done again from
/// where it stood, where its kind allows that.
#[utoipa::path(
    post, path = "/jobs/{id}/retry", operation_id = "retry_job", tag = "system",
    params(("id" = String, Path, description = "The job.")),
    responses((status = 200, body = BackgroundJob))
)]
pub(crate) async fn retry_job(
    state: State,
    caller: Caller,
    Path(id): Path<Id<kind::Job>>,
) -> Result<Json<BackgroundJob>> {
    ask(state, caller, id, Wish::Retry).await
}

/// Stop a job
///
/// It ends at its next step; what it has done stays.
#[utoipa::path(
    post, path = "/jobs/{id}/stop", operation_id = "stop_job", tag = "system",
    params(("id" = String, Path, description = "The job.")),
    responses((status = 200, body = BackgroundJob))
)]
pub(crate) async fn stop_job(
    state: State,
    caller: Caller,
    Path(id): Path<Id<kind::Job>>,
) -> Result<Json<BackgroundJob>> {
    ask(state, caller, id, Wish::Stop).await
}

async fn ask(
    axum::extract::State(state): State,
    caller: Caller,
    id: Id<kind::Job>,
    wish: Wish,
) -> Result<Json<BackgroundJob>> {
    let Handles { db, ids, clock, jobs, .. } = state.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let workers = jobs.clone();
    let asked = db.write(move |tx| {
        Box::pin(async move {
            let row: JobView = ::jobs::view(tx, account, id).await?;
            let ways = workers.ways(&row.kind);
            let (granted, action) = match wish {
                Wish::Retry if may_retry(row.state, ways.again) => {
                    (::jobs::hurry(tx, account, id, ways.again, now).await?, "job.retry")
                }
                Wish::Stop if ways.stop => (::jobs::stop(tx, account, id, now).await?, "job.stop"),
                Wish::Retry | Wish::Stop => (false, ""),
            };
            if !granted {
                return Ok(Err(match wish {
                    Wish::Retry => SystemProblem::JobNotRetriable,
                    Wish::Stop => SystemProblem::JobNotStoppable,
                }));
            }
            let detail = json!({ "kind": row.kind, "from": row.state.as_str() });
            let subject = format!("job:{id}");
            let entry = AuditEntry { account, user: Some(user), action, subject, detail };
            audit::record(tx, &ids, entry, now).await?;
            ::jobs::view(tx, account, id).await.map(Ok)
        })
    });
    let row = asked.await.map_err(or(SystemProblem::JobNotFound))??;
    state.handles.hub.touch(account, "jobs");
    Ok(Json(BackgroundJob::new(row, &jobs)))
}
