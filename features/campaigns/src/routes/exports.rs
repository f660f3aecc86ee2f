//! Files of contacts and calls: asked for, followed, downloaded, removed.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base::{
    Id,
    kind::{Campaign, Line},
};
use dialer::ContactGroup;
use host::{
    Handles,
    audit::{self, AuditEntry},
};
use http_kit::{Caller, CommonProblem, Json, Path, Problem, Result, Time};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::State;
use crate::{
    export::{Format, What},
    jobs::export::{self as job, KEPT, Kept},
    problems::{CampaignProblem, or},
    store::{
        as_json, campaigns, counts,
        exports::{self, Export, Row},
        serde_word,
    },
};

/// What the rows of an export are filtered by: what the page that shows them is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ExportFilter {
    /// Contacts in this group of states.
    state: Option<String>,
    /// Calls with this outcome, or contacts whose last call had it.
    outcome: Option<String>,
    /// Part of name, number or external id.
    q: Option<String>,
    /// Calls on this line.
    #[schema(value_type = Option<String>)]
    line: Option<Id<Line>>,
    /// Calls that ended with this SIP status.
    sip_code: Option<i64>,
    /// Calls that were answered, or were not.
    answered: Option<bool>,
    /// Calls with a recording, or without.
    recorded: Option<bool>,
    /// Calls from this moment on.
    from: Option<Time>,
    /// Calls before this moment.
    to: Option<Time>,
}

/// The wish for an export.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportWish {
    what: What,
    format: Format,
    #[serde(default)]
    filter: ExportFilter,
}

/// An export.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CampaignExport)]
pub(crate) struct ExportView {
    #[schema(value_type = String)]
    id: Id<Export>,
    /// `contacts` or `attempts`.
    what: String,
    /// `csv` or `xlsx`.
    format: String,
    /// `running`, `ready`, `failed` or `cancelled`.
    state: String,
    /// Rows written so far.
    done: i64,
    /// Of about so many, where that is known.
    total: Option<i64>,
    /// Length of the file.
    bytes: Option<i64>,
    created_at: Time,
    /// When the file is removed.
    expires_at: Time,
}

impl From<Row> for ExportView {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            what: row.what,
            format: row.format,
            state: row.state,
            done: row.done,
            total: row.total,
            bytes: row.bytes,
            created_at: Time(row.created_at),
            expires_at: Time(row.expires_at),
        }
    }
}

/// Export contacts or calls
///
/// In the background, in the language of the caller, times in the campaign's zone. The file is kept
/// for 7 days. In CSV, cells that a spreadsheet would run as formulas have an apostrophe in front.
#[utoipa::path(
    post, path = "/campaigns/{id}/exports", operation_id = "create_export", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    request_body = ExportWish,
    responses((status = 201, body = ExportView))
)]
pub(crate) async fn create_export(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
    Json(wish): Json<ExportWish>,
) -> Result<(StatusCode, Json<ExportView>)> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let kept = kept(&wish.filter, &ids)?;
    let language = caller.locale.code().to_owned();
    let row = db
        .write(move |tx| {
            Box::pin(async move {
                let campaign = campaigns::get(tx, account, id).await?;
                let total = total(&counts::of(tx, account, id).await?, &wish, &kept);
                let export = ids.next::<Export>();
                let job = job::enqueue(tx, &ids, account, id, export, now).await?;
                let row = Row {
                    id: export,
                    account,
                    campaign: id,
                    what: serde_word(&wish.what)?,
                    format: serde_word(&wish.format)?,
                    filter: as_json(&kept)?,
                    language,
                    person: user,
                    job,
                    state: "running".to_owned(),
                    done: 0,
                    total,
                    bytes: None,
                    problem: None,
                    created_at: now,
                    expires_at: now.plus(KEPT),
                };
                exports::insert(tx, &row).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "campaign.export",
                    subject: format!("campaign:{id}"),
                    detail: json!({
                        "name": campaign.name, "what": row.what, "format": row.format,
                        "filter": row.filter
                    }),
                };
                audit::record(tx, &ids, entry, now).await?;
                Ok(row)
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    Ok((StatusCode::CREATED, Json(row.into())))
}

fn kept(filter: &ExportFilter, ids: &clock::Ids) -> Result<Kept> {
    let first = |at: Time| Id::<base::kind::Attempt>::first_at(at.0).raw();
    let said = |text: &Option<String>| {
        text.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let state = said(&filter.state);
    if let Some(word) = &state {
        word.parse::<ContactGroup>()
            .map_err(|error| CommonProblem::InvalidQuery { reason: error.to_string() })?;
    }
    // Calls that begin later have higher ids.
    let present = ids.next::<base::kind::Attempt>().raw();
    Ok(Kept {
        state,
        outcome: said(&filter.outcome),
        q: said(&filter.q),
        line: filter.line,
        sip_code: filter.sip_code,
        answered: filter.answered,
        recorded: filter.recorded,
        from: filter.from.map_or(0, first),
        below: filter.to.map_or(present, first).min(present),
    })
}

/// About how many rows there will be, where the counters know.
fn total(counts: &counts::Counts, wish: &ExportWish, kept: &Kept) -> Option<i64> {
    let plain = kept.q.is_none() && kept.outcome.is_none() && kept.state.is_none();
    let whole = plain
        && kept.line.is_none()
        && kept.sip_code.is_none()
        && kept.answered.is_none()
        && kept.recorded.is_none()
        && wish.filter.from.is_none()
        && wish.filter.to.is_none();
    match wish.what {
        _ if !whole => None,
        What::Contacts => Some(counts.total()),
        What::Attempts => Some(counts.outcomes.values().sum()),
    }
}

/// List the exports of a campaign
///
/// The latest 50, the newest first.
#[utoipa::path(
    get, path = "/campaigns/{id}/exports", operation_id = "list_exports", tag = "campaigns",
    params(("id" = String, Path, description = "The campaign.")),
    responses((status = 200, body = Vec<ExportView>))
)]
pub(crate) async fn list_exports(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path(id): Path<Id<Campaign>>,
) -> Result<Json<Vec<ExportView>>> {
    let account = caller.account;
    let rows = dialers
        .handles
        .db
        .read(move |tx| {
            Box::pin(async move {
                campaigns::get(tx, account, id).await?;
                exports::latest(tx, account, id).await
            })
        })
        .await
        .map_err(or(CampaignProblem::NotFound))?;
    Ok(Json(rows.into_iter().map(ExportView::from).collect()))
}

/// Download an export
#[utoipa::path(
    get, path = "/campaigns/{id}/exports/{export}/file", operation_id = "get_export",
    tag = "campaigns",
    params(
        ("id" = String, Path, description = "The campaign."),
        ("export" = String, Path, description = "The export.")
    ),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"))
)]
pub(crate) async fn get_export(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path((id, export)): Path<(Id<Campaign>, Id<Export>)>,
) -> Result<Response> {
    let Handles { db, blob, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let row = db
        .write(move |tx| {
            Box::pin(async move {
                let row = exports::get(tx, account, id, export).await?;
                if row.state == "ready" {
                    let entry = AuditEntry {
                        account,
                        user: Some(user),
                        action: "campaign.export_download",
                        subject: format!("campaign:{id}"),
                        detail: json!({ "export": export, "rows": row.done }),
                    };
                    audit::record(tx, &ids, entry, now).await?;
                }
                Ok(row)
            })
        })
        .await
        .map_err(or(CampaignProblem::ExportNotFound))?;
    if row.state != "ready" {
        return Err(CampaignProblem::ExportNotReady.into());
    }
    let key = job::file_key(&row);
    let gone = |error: blob::Error| {
        if matches!(error, blob::Error::NotFound) {
            return Problem::from(CampaignProblem::ExportNotFound);
        }
        db::Error::Unavailable(error.to_string()).into()
    };
    let length = blob.len(&key).await.map_err(gone)?;
    let file = blob.reader(&key).await.map_err(gone)?;
    let kind = match row.format.as_str() {
        "csv" => "text/csv; charset=utf-8",
        _ => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };
    let name = format!("attachment; filename=\"{}-{}.{}\"", row.what, row.campaign, row.format);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
    ];
    let body = Body::from_stream(ReaderStream::with_capacity(file, 64 * 1_024));
    Ok((headers, body).into_response())
}

/// Remove an export
///
/// One that is being written is stopped.
#[utoipa::path(
    delete, path = "/campaigns/{id}/exports/{export}", operation_id = "delete_export",
    tag = "campaigns",
    params(
        ("id" = String, Path, description = "The campaign."),
        ("export" = String, Path, description = "The export.")
    ),
    responses((status = 204))
)]
pub(crate) async fn delete_export(
    axum::extract::State(dialers): State,
    caller: Caller,
    Path((id, export)): Path<(Id<Campaign>, Id<Export>)>,
) -> Result<StatusCode> {
    let Handles { db, ids, clock, .. } = dialers.handles.clone();
    let (account, user, now) = (caller.account, caller.user, clock.now());
    let row = db
        .write(move |tx| {
            Box::pin(async move {
                let row = exports::get(tx, account, id, export).await?;
                let entry = AuditEntry {
                    account,
                    user: Some(user),
                    action: "campaign.export_remove",
                    subject: format!("campaign:{id}"),
                    detail: json!({ "export": export, "was": row.state }),
                };
                audit::record(tx, &ids, entry, now).await?;
                if row.state == "running" {
                    jobs::cancel(tx, account, row.job, now).await?;
                    exports::end(tx, export, "cancelled", None, None, now).await?;
                }
                Ok(row)
            })
        })
        .await
        .map_err(or(CampaignProblem::ExportNotFound))?;
    if row.state != "running" {
        job::remove(&dialers.handles, &row).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
